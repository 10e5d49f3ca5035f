"""Kedro's datasets over Pasteur's files."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pasteur.artefacts import DecodedFile, JsonFile, TableFile
from pasteur.errors import DataError
from pasteur.table import Table

ROWS = pa.table({"a": pa.array([1, None], pa.int64()), "b": ["", None]})


def test_a_document_keeps_the_order_of_components_and_columns(tmp_path):
    """Tables are matched with them by place: patient before adt."""
    file = JsonFile(tmp_path / "dictionary.json")
    document = {"patient": {"columns": ["sex", "age"], "sizes": {"sex": 2, "age": 9}}, "adt": {}}
    file.save(document)
    loaded = file.load()
    assert loaded == document
    assert list(loaded) == ["patient", "adt"]
    assert list(loaded["patient"]["sizes"]) == ["sex", "age"]


@pytest.mark.parametrize("form", ["csv", "pq"])
def test_a_decoded_file_is_the_same_table_in_each_form(tmp_path, form):
    file = DecodedFile(tmp_path / f"t.{form}", ROWS.schema)
    assert not file.exists()
    file.save(Table.of(ROWS))
    assert file.exists()
    assert file.load().arrow().equals(ROWS)
    assert (tmp_path / f"t.{form}").read_bytes()[:4] == (b"PAR1" if form == "pq" else b'"a",')


def test_a_table_file_is_not_read_before_it_is_asked_for(tmp_path):
    file = TableFile(tmp_path / "t.pq")
    file.save(Table.of(ROWS))
    loaded = file.load()
    assert (loaded.rows, loaded.columns) == (2, ("a", "b"))
    assert str(tmp_path / "t.pq") in str(file)


@pytest.mark.parametrize("content", ["", "{", '{"a": \xff}'], ids=["empty", "cut", "encoding"])
def test_a_broken_document_is_named(tmp_path, content):
    path = tmp_path / "dictionary.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(Exception, match=r"dictionary\.json") as caught:
        JsonFile(path).load()
    assert "is not valid JSON" in str(caught.value)
    assert DataError in {type(caught.value), type(caught.value.__cause__)}
