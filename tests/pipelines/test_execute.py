from __future__ import annotations

import json

import pyarrow as pa
import pytest
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline, node

from pasteur import manifest
from pasteur.artefacts import JsonFile, TableFile
from pasteur.catalog import Paths
from pasteur.errors import DataError, SqlError
from pasteur.manifest import Manifests, code_digest, digest
from pasteur.pipelines.execute import ALWAYS, Trace, execute
from pasteur.table import Table


def double(value):
    return 2 * value


def parity(value):
    return value % 2


def fail(value):
    raise KeyboardInterrupt


@pytest.fixture
def line(tmp_path):
    """A pipeline of two tracked nodes and one that always runs, over files in a folder of their own."""
    paths = Paths(root=tmp_path)

    def run(value, *, second=parity):
        catalog = DataCatalog(
            {
                "params__value": MemoryDataset(value, copy_mode="assign"),
                "doubled": JsonFile(paths.data / "doubled.json"),
                "parity": JsonFile(paths.data / "parity.json"),
                "again": JsonFile(paths.outputs / "again.json"),
            }
        )
        pipeline = Pipeline(
            [
                node(double, "params__value", "doubled", name="double", tags=["errors"]),
                node(second, "doubled", "parity", name="parity", tags=["errors"]),
                node(double, "parity", "again", name="again", tags=[ALWAYS]),
            ]
        )
        trace = Trace()
        execute(pipeline, catalog, Manifests(paths), trace)
        return list(trace.ran), trace.current

    run.paths = paths
    return run


def test_a_second_run_does_only_what_belongs_to_the_run(line):
    assert line(3) == (["double", "parity", "again"], [])
    assert line(3) == (["again"], ["double", "parity"])


def test_a_changed_setting_runs_what_follows_from_it(line):
    line(3)
    assert line(4) == (["double", "parity", "again"], [])


def test_what_was_made_again_with_the_same_bytes_changes_nothing_after_it(line):
    line(3)
    (line.paths.data / "doubled.json").unlink()
    assert line(3) == (["double", "again"], ["parity"])


def test_an_output_that_was_touched_is_made_again(line):
    line(3)
    path = line.paths.data / "doubled.json"
    path.write_text("7\n")
    assert line(3) == (["double", "again"], ["parity"])
    assert json.loads(path.read_text()) == 6


def test_a_missing_or_broken_manifest_is_no_proof(line):
    line(3)
    held = line.paths.manifest(line.paths.data / "doubled.json")
    held.write_text("{")
    assert line(3)[0] == ["double", "again"]
    held.unlink()
    assert line(3)[0] == ["double", "again"]


def test_an_interrupted_node_leaves_no_manifest(line):
    with pytest.raises(KeyboardInterrupt):
        line(3, second=fail)
    assert line(3)[0] == ["parity", "again"]


def test_code_counts_only_where_it_can_be_reached(monkeypatch, tmp_path, line):
    line(3)
    source = tmp_path / "source"
    for room, text in {"errors": "", "metrics": "", "table": "from pasteur.errors import rule"}.items():
        (source / room).mkdir(parents=True)
        (source / room / "__init__.py").write_text(text)
    monkeypatch.setattr(manifest, "SOURCE", source)

    def digests():
        code_digest.cache_clear()
        return {room: code_digest(room) for room in ("errors", "metrics", "table")}

    before = digests()
    (source / "errors" / "__init__.py").write_text("# a comment")
    after = digests()
    assert {room for room in before if before[room] != after[room]} == {"errors", "table"}


@pytest.fixture(autouse=True)
def _fresh_digests():
    yield
    code_digest.cache_clear()


def test_settings_have_digests_that_do_not_depend_on_order():
    assert digest({"a": 1, "b": [1, 2.5, None]}) == digest({"b": (1, 2.5, None), "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    with pytest.raises(TypeError, match="a setting of type object has no digest"):
        digest(object())


def lazy(value):
    """A table that finds out what is wrong with its file as it is written."""
    held = pa.table({"a": [1]})

    def make():
        yield from held.to_batches()
        raise value

    return Table.stream(held.schema, make)


@pytest.mark.parametrize(
    ("raised", "expected", "said"),
    [
        (DataError("people.csv: row 2: is wrong"), DataError, r"^people\.csv: row 2: is wrong$"),
        (SqlError("view v: took too long"), SqlError, "^view v: took too long$"),
        (OSError(28, "No space left on device"), DataError, r"t\.pq: cannot be written \(No space left on device\)$"),
        (ZeroDivisionError("ours"), DatasetError, "ours"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
    ids=["file", "query", "disk", "fault", "interrupt"],
)
def test_what_is_met_while_a_table_is_written_is_told_as_it_is(tmp_path, raised, expected, said):
    """Kedro makes one error of its own out of all; the command line would call a user's mistake a fault of ours."""
    paths = Paths(root=tmp_path)
    catalog = DataCatalog({"value": MemoryDataset(raised, copy_mode="assign"), "table": TableFile(paths.data / "t.pq")})
    with pytest.raises(expected, match=said):
        execute(Pipeline([node(lazy, "value", "table", tags=[ALWAYS])]), catalog, Manifests(paths), Trace())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_document_that_broke_is_named_where_it_is_read(tmp_path):
    paths = Paths(root=tmp_path)
    catalog = DataCatalog({"a": JsonFile(paths.data / "a.json"), "b": JsonFile(paths.data / "b.json")})
    catalog["a"].save(1)
    catalog["a"].path.write_text("{")
    with pytest.raises(DataError, match=r"a\.json: is not valid JSON$"):
        execute(Pipeline([node(double, "a", "b", tags=["errors"])]), catalog, Manifests(paths), Trace())
