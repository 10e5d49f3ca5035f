"""A metadata file with anything at all in any place: one line that says where, and never a traceback."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from pasteur import relations, schema_shape
from pasteur.compressors._store import Compression
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import SchemaError
from pasteur.metadata import load

sys.path.insert(0, str(Path(__file__).resolve().parent / "compressors"))
from test_layout import RAW

GONE = object()
ANYTHING = {
    "gone": GONE, "null": None, "a list": [], "a list of numbers": [[1]], "a mapping": {"a": 1}, "text": "x",
    "a number": 3, "no number": float("nan"), "true": True, "a number past all": 10**400,
}  # fmt: skip
MOMENTS = {"embedding": {"type": "datetime", "parts": ["year"]}, "domain": {"min": "1990-01-01", "max": "2000-01-01"}}


def document():
    raw = deepcopy(RAW)
    raw["sdv"]["tables"]["core"]["columns"]["born"] = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
    ours = raw["pasteur"]
    ours["tables"]["core"]["columns"]["born"] = {**MOMENTS, "source": "s"}
    channels = {"pulse": {"focus": [30, 100]}}
    ours["compressors"] = {"vitals": {"type": "linear", "segments": 2, "channels": channels}}
    ours["targets"] = [{"table": "core", "column": "age", "kind": "regression"}]
    ours["unit"] = {"max_rows": 2}
    return json.loads(json.dumps(raw))  # nothing in it is there twice


def places(part, path=()):
    yield path
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, value in inside:
        yield from places(value, (*path, name))


def changed(path, value):
    raw = document()
    if not path:
        return value
    part = raw
    for name in path[:-1]:
        part = part[name]
    if value is GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = deepcopy(value)
    return raw


def read(folder, *documents):
    for name, raw in zip(("d.s.json", "v.s.json"), documents, strict=False):
        (folder / name).write_text(json.dumps(raw))
    return load(view="v", dataset="d", schema="s", components=["core", "vitals"], folders=[folder])


def declared(schema):
    """What a plan reads off a schema, in both orders."""
    yield lambda: Compression.declare(schema, "vitals")
    yield lambda: relations.tree(schema)
    yield lambda: [TableEncoder.declare(table) for table in schema.tables.values()]


def test_the_document_is_right(tmp_path):
    for reads in declared(read(tmp_path, document())):
        reads()


@pytest.mark.parametrize("value", ANYTHING.values(), ids=ANYTHING)
def test_anything_anywhere_is_taken_or_refused_in_one_line(tmp_path, value):
    for path in places(document()):
        if value is GONE and not path:
            continue
        try:
            schema = read(tmp_path, changed(path, value))
        except SchemaError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most changes are refused, some are not
            continue
        for reads in declared(schema):
            try:
                reads()
            except SchemaError as error:
                assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((), [], "d.s.json (list) must be a mapping of names"),
        (("sdv", "tables", "core"), 3, "d.s.json: sdv.tables.core (3) must be a mapping of names"),
        (("sdv", "tables", "core", "columns"), GONE, "d.s.json: sdv.tables.core.columns must be there"),
        (("sdv", "tables", "core", "columns", "age"), {"sdtyp": "id"}, "sdtype must be there; did you mean 'sdtyp'?"),
        (("sdv", "relationships"), {}, "d.s.json: sdv.relationships ({}) must be a list"),
        (("sdv", "relationships", 0), {}, "sdv.relationships, entry 1.parent_table_name must be there"),
        (("sdv", "tables", "core", "primary_key"), ["who", "age"], "core: primary_key (who, age) must be one column"),
        (("sdv", "tables", "core", "primary_key"), "whoo", "core: primary_key 'whoo' is no column; did you mean 'who'"),
        (("pasteur", "targets", 0, "column"), GONE, "pasteur.targets, entry 1.column must be there"),
        (("pasteur", "tables", "core", "columns", "age", "domain"), [1], "age.domain ([1]) must be a mapping of names"),
    ],
)
def test_the_place_is_told(tmp_path, path, value, message):
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, changed(path, value))
    assert message.replace("\\", "") in str(caught.value)


def test_null_in_the_file_above_removes_and_a_shape_is_told_with_its_file(tmp_path):
    over = {"pasteur": {"targets": None, "tables": {"core": {"columns": {"born": None}}}}}
    with pytest.raises(SchemaError, match=r"column core\.born must have an embedding"):
        read(tmp_path, document(), over)
    assert read(tmp_path, document(), {"pasteur": {"targets": None}}).targets == ()
    with pytest.raises(SchemaError, match=r"^v\.s\.json: pasteur\.tables \(3\) must be a mapping of names$"):
        read(tmp_path, document(), {"pasteur": {"tables": 3}})


def test_shipped_metadata_have_the_shape():
    for path in (Path(schema_shape.__file__).parents[2] / "metadata").glob("*.json"):
        schema_shape.check(json.loads(path.read_text(encoding="utf-8")), file=path.name, part=True)
