from __future__ import annotations

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pasteur.errors import DataError

ROWS = b"".join(b"%d,x%d\n" % (i, i % 7) for i in range(60))


def refused(project, config):
    with pytest.raises(DataError) as error:
        project.parse(config)
    return str(error.value).split("core.", maxsplit=1)[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "csv: is empty: not even a header"),
        (b"a,b\n", "csv: must have at least one row, but has none"),
        (b"a,a\n" + ROWS, "csv: column 2 has the name of column 1 in its first line"),
        (b"a,A\n" + ROWS, "csv: column 2 has the name of column 1 in its first line"),
        (b"a, \n" + ROWS, "csv: column 2 has no name in its first line"),
        (ROWS, "csv: has no header: name 1 of its first line is a number; list the names in read.names"),
        (b"a,b\n" + ROWS + b"1\n", "csv: row 61: has 1 fields where there are 2 columns"),
        (b"a,b\n" + ROWS + b"1,2,secret\n", "csv: row 61: has 3 fields where there are 2 columns"),
        (b"a,b\n" + ROWS + b"1,\xff\n", "csv: row 61: column 2 is not in the encoding utf-8"),
        (b"a,b\n" + ROWS * 20_000 + b"1,\xff\n", "csv: row 1200001: column 2 is not in the encoding utf-8"),
        (b"a,b\n" + ROWS + b'1,"' + b"x" * (9 << 20), "csv: has a row of more than 4194304 bytes, or a quote"),
    ],
    ids=["empty", "no rows", "twice", "case", "nameless", "headerless", "short", "long", "encoding", "late", "quote"],
)
def test_bad_csv(project, content, message):
    project.write("core.csv", content)
    assert refused(project, project.config()).startswith(message)


def test_a_wrong_encoding_is_named_and_the_right_one_read(project):
    project.write("core.csv", "name,b\nZoë,€\n".encode("cp1252"))
    assert "row 1: column 1 is not in the encoding utf-8" in refused(project, project.config())
    assert "read.encoding (ascii) must be the file's encoding" in refused(
        project, project.config("read: {encoding: ascii}")
    )
    table = project.parse(project.config("read: {encoding: cp1252}"))["core"]
    assert table.arrow().to_pylist() == [{"name": "Zoë", "b": "€"}]


def test_values_are_untouched(project):
    project.write("core.csv", b'\xef\xbb\xbf a ,b\n 01 ,NA\n"x, ""y""\nz",\n1e5,"?"\n')
    table = project.parse(project.config())["core"]
    assert table.schema == pa.schema([("a", pa.string()), ("b", pa.string())])
    assert table.arrow().to_pydict() == {"a": [" 01 ", 'x, "y"\nz', "1e5"], "b": ["NA", "", "?"]}


def test_names_stand_for_a_missing_header(project):
    project.write("core.csv", b"1;2\n3;4\n")
    table = project.parse(project.config("read: {names: [a, b], delimiter: ;}"))["core"]
    assert table.arrow().to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}
    assert "row 1: has 2 fields where there are 3" in refused(
        project, project.config("read: {names: [a, b, c], delimiter: ;}")
    )


def test_compressed_csv_whole_and_truncated(project):
    files = {"core": {"path": "core.csv.gz"}}
    project.write("core.csv.gz", gzip.compress(b"a,b\n" + ROWS))
    assert project.parse(project.config(files=files))["core"].rows == 60
    project.write("core.csv.gz", gzip.compress(b"a,b\n" + ROWS)[:100])
    with pytest.raises(DataError, match=r"must be .* as when it was first ingested"):
        project.fetch(project.config(files=files))
    project.fetch(project.config(files=files), accept=True)
    assert "may be truncated" in refused(project, project.config(files=files))


def test_parquet_keeps_its_types_and_is_refused_where_it_is_cut(project):
    table = pa.table({"a": pa.array([1, None], pa.int32()), "b": ["x", "y"]})
    path = project.root / "core.pq"
    pq.write_table(table, path)
    files = {"core": {"path": "core.pq"}}
    assert project.parse(project.config(files=files))["core"].arrow() == table
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"a,b\n1,2\n"):
        path.write_bytes(content)
        project.fetch(project.config(files=files), accept=True)
        assert "is not a readable parquet file" in refused(project, project.config(files=files))


def test_an_empty_parquet_file_and_one_whose_columns_share_a_name(project):
    path = project.root / "core.pq"
    files = {"core": {"path": "core.pq"}}
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    assert "must have at least one row" in refused(project, project.config(files=files))
    pq.write_table(pa.table({"a": [1], "A": [2]}), path)
    project.fetch(project.config(files=files), accept=True)
    assert "column 2 has the name of column 1 in its schema" in refused(project, project.config(files=files))


def test_other_formats_through_kedro_datasets(project):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.to_feather(project.root / "core.feather")
    frame.to_json(project.root / "core.json", orient="records", lines=True)
    feather = project.parse(project.config(files={"core": {"path": "core.feather"}}))["core"]
    lines = "files: {core: {path: core.json}}\nread: {options: {lines: true}}"
    for table in (feather, project.parse(project.config(lines))["core"]):
        assert table.arrow().to_pydict() == {"a": [1, 2], "b": ["x", None]}
    assert "cannot be read as json (DatasetError)" in refused(
        project, project.config(files={"core": {"path": "core.json"}})
    )
