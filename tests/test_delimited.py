from __future__ import annotations

import csv as plain
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur import delimited
from pasteur.errors import DataError
from pasteur.table import Table

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
COLUMNS = {
    "name": (pa.string(), TEXT),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "share": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "flag": (pa.bool_(), st.booleans()),
    "born": (pa.date32(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
    "seen": (pa.timestamp("us"), st.datetimes()),
}


def there_and_back(table, folder):
    path = folder / "t.csv"
    delimited.write(Table.of(table), path)
    return delimited.read(path, table.schema).arrow()


@settings(max_examples=25)
@given(st.data(), st.lists(st.sampled_from(list(COLUMNS)), min_size=1, unique=True), st.integers(0, 5))
def test_every_value_comes_back(tmp_path_factory, data, names, rows):
    """Also an empty text beside a missing one, separators inside of texts, and a line of nothing but a null."""
    folder = tmp_path_factory.mktemp("csv")
    held = {
        name: pa.array(
            data.draw(st.lists(st.none() | COLUMNS[name][1], min_size=rows, max_size=rows)), COLUMNS[name][0]
        )
        for name in names
    }
    table = pa.table(held)
    assert there_and_back(table, folder).to_pydict() == table.to_pydict()


def test_a_column_of_its_own_keeps_its_missing_values(tmp_path):
    """A row that is an empty line is a row."""
    table = pa.table({"a": pa.array([None, 1, None, None, 2, None], pa.int64())})
    assert there_and_back(table, tmp_path)["a"].to_pylist() == [None, 1, None, None, 2, None]


@pytest.mark.parametrize(("rows", "text"), [(3000, "x\n" * 500), (2, "x\n" * 400_000)], ids=["many", "long"])
def test_texts_over_lines_that_lie_across_blocks(tmp_path, rows, text):
    """pyarrow reads a file in blocks of a MiB, and takes a line's end for a row's unless it is told of such texts."""
    table = pa.table({"a": [f"{i}\n{text}" for i in range(rows)], "b": list(range(rows))})
    assert there_and_back(table, tmp_path).equals(table)


def test_the_file_is_plain_csv_for_everybody_else(tmp_path):
    table = pa.table({"a": ["x,y", 'say "hi"', "", None], "b": [1, None, 3, 4]})
    delimited.write(Table.of(table), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as stream:
        assert list(plain.reader(stream)) == [["a", "b"], ["x,y", "1"], ['say "hi"', ""], ["", "3"], ["", "4"]]
    assert '"",3\n,4\n' in (tmp_path / "t.csv").read_text()


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,secret7\n", "a\n1\n", "a,b\n1\n", "", "a,b\nsecret7,1\n", "a,b\n1,2,3\n"],
    ids=["type", "column gone", "short row", "empty", "other type", "long row"],
)
def test_a_file_that_was_changed_is_refused_and_none_of_its_values_shown(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=r"t\.csv: is not the CSV file that was written") as caught:
        delimited.read(path, pa.schema([("a", pa.int64()), ("b", pa.int64())])).arrow()
    assert "secret7" not in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "t.csv"
    good = pa.table({"a": [1]})
    delimited.write(Table.of(good), path)

    def broken():
        yield from good.to_batches()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delimited.write(Table.stream(good.schema, broken), path)
    assert path.read_text() == '"a"\n1\n'
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
