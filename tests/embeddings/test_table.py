from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pasteur.embeddings import table as module
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import DataError, SchemaError
from pasteur.table import UNIT, Table

ROWS = 5000


@pytest.fixture
def schema(column, table_schema):
    return table_schema(
        column({"type": "categories"}, {"levels": ["x", "y"], "other": "z", "null": True}, "categorical", name="kind"),
        column(None, None, "id", name="stay"),
        column({"type": "integers"}, {"min": 17, "max": 90}, name="age"),
        column({"type": "uniform", "bins": 9}, {"min": 0, "max": 99.9, "decimals": 1, "null": True}, name="pay"),
        column(
            {"type": "datetime", "parts": ["year", "month"]},
            {"min": "2010-03-01", "max": "2020-06-30", "type": "date"},
            "datetime",
            name="seen",
        ),
        key="stay",
    )


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "pay": pa.array(rng.lognormal(3, 1, ROWS), mask=rng.random(ROWS) < 0.1),
            UNIT: [f"p{i // 2}" for i in range(ROWS)],
            "kind": rng.choice(np.array(["x", "y", "q", None]), ROWS),
            "stay": np.arange(ROWS) + 1000,
            "age": rng.integers(10, 99, ROWS),
            "seen": pa.array(rng.integers(14_700, 18_400, ROWS).astype("M8[D]")),
        }
    )


def test_codes_carry_the_unit_and_the_ids(schema, rows):
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows))
    held = coded.arrow()
    assert coded.columns == (UNIT, "stay", "kind", "age", "pay", "seen.year", "seen.month")
    assert coded.rows == ROWS
    assert held[UNIT].equals(rows[UNIT])
    assert held["stay"].equals(rows["stay"])
    assert encoder.ids == ("stay",)
    assert encoder.sizes == {"kind": 4, "age": 74, "pay": 10, "seen.year": 11, "seen.month": 12}
    assert all(held[name].type == pa.uint8() for name in encoder.sizes)
    assert tuple(encoder.sizes) == tuple(part.name for part in encoder.attributes)


def test_decoding_gives_the_schemas_columns_in_order_and_in_their_bins(schema, rows):
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows))
    decoded = encoder.decode(coded, rng=np.random.default_rng(0))
    assert decoded.columns == schema.names
    assert decoded.schema == encoder.decoded_schema
    assert decoded.arrow()["stay"].equals(rows["stay"])
    assert encoder.encode(decoded).arrow().equals(coded.arrow().drop_columns([UNIT]))


def test_fresh_ids_where_codes_have_none(schema, rows, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 64)
    encoder = TableEncoder.declare(schema)
    coded = Table.of(encoder.encode(Table.of(rows)).arrow().drop_columns([UNIT, "stay"]))
    assert encoder.decode(coded, rng=np.random.default_rng(0)).arrow()["stay"].to_pylist() == list(range(1, ROWS + 1))


def test_text_ids_are_those_of_the_coded_table_or_fresh_text(column, table_schema):
    encoder = TableEncoder.declare(
        table_schema(
            column(None, None, "id", name="key", regex_format="[0-9]+"),
            column({"type": "boolean"}, {}, "boolean", name="b"),
        )
    )
    rng = np.random.default_rng(0)
    bare = Table.of(pa.table({"b": pa.array([0, 1], pa.uint8())}))
    assert encoder.decode(bare, rng=rng).arrow()["key"].to_pylist() == ["1", "2"]
    keyed = Table.of(pa.table({"key": ["s", "t"], "b": pa.array([0, 1], pa.uint8())}))
    assert encoder.decode(keyed, rng=rng).arrow().to_pylist() == [{"key": "s", "b": False}, {"key": "t", "b": True}]


@pytest.mark.parametrize("size", [1, 7, 64, 100, ROWS])
def test_values_do_not_depend_on_the_batches(schema, rows, monkeypatch, size):
    monkeypatch.setattr(module, "BLOCK", 640)
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows)).arrow().slice(0, 2000)
    expected = encoder.decode(Table.of(coded), rng=np.random.default_rng(4)).arrow()
    cut = Table.stream(coded.schema, lambda: coded.to_batches(max_chunksize=size), rows=coded.num_rows)
    decoded = encoder.decode(cut, rng=np.random.default_rng(4))
    assert decoded.arrow().equals(expected)
    assert pa.Table.from_batches(list(decoded.batches(rows=size)), decoded.schema).equals(expected)


def test_decoding_is_lazy_and_the_same_at_each_reading(schema, rows):
    encoder = TableEncoder.declare(schema)
    rng = np.random.default_rng(0)
    decoded = encoder.decode(encoder.encode(Table.of(rows)), rng=rng)
    rng.random(100)
    assert decoded.arrow().equals(decoded.arrow())
    other = encoder.decode(encoder.encode(Table.of(rows)), rng=np.random.default_rng(1))
    assert not decoded.arrow().equals(other.arrow())


def test_the_document_is_json_and_brings_the_encoder_back(schema, rows):
    encoder = TableEncoder.declare(schema).fit(Table.of(rows))
    document = json.loads(json.dumps(encoder.to_dict()))
    again = TableEncoder.from_dict(document)
    assert again.to_dict() == encoder.to_dict() == document
    assert document["attributes"][0] == {"name": "kind", "size": 4, "ordered": False}
    coded = encoder.encode(Table.of(rows))
    assert again.encode(Table.of(rows)).arrow().equals(coded.arrow())
    drawn = [each.decode(coded, rng=np.random.default_rng(0)).arrow() for each in (encoder, again)]
    assert drawn[0].equals(drawn[1])


def test_declared_embeddings_are_fitted_without_reading_a_row(schema):
    def unread(*_):
        raise AssertionError

    TableEncoder.declare(schema).fit(Table(schema=pa.schema([]), rows=0, make=unread))


def test_an_embedding_that_learns_is_fitted(column, table_schema):
    embedding = {"type": "rdt", "transformer": "FloatFormatter", "bins": 3}
    encoder = TableEncoder.declare(table_schema(column(embedding, None, name="pay")))
    rows = Table.of(pa.table({"pay": [1.0, 2.0, 3.0, None]}))
    coded = encoder.fit(rows).encode(rows).arrow()
    assert coded["pay"].to_pylist() == [0, 1, 2, 3]


def test_data_that_is_declared_passes(schema, rows):
    TableEncoder.declare(schema).check(Table.of(rows), file="core.wrk")
    TableEncoder.declare(schema).check(Table.of(rows.slice(0, 0)), file="core.wrk")
    TableEncoder.declare(schema).check(Table.of(rows.slice(0, 1)), file="core.wrk")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("age", ["21", "secret7", "30"], "core.wrk: column core.age: row 2 must be a whole number"),
        ("age", [1.0, 2.0, 2.5], "core.wrk: column core.age: row 3 must be a whole number"),
        ("age", [None, 2, 3], "core.wrk: column core.age: row 1 must be not missing, or its domain must declare null"),
        ("age", [1.0, float("nan"), 3.0], "core.wrk: column core.age: row 2 must be not missing"),
        ("pay", [None, "secret7", "x"], "core.wrk: column core.pay: row 2 must be a number"),
        ("seen", ["2011-01-01", "2012-01-01", "secret7"], "core.wrk: column core.seen: row 3 must be a date or time"),
    ],
)
def test_ingestion_refuses_and_names_the_row_but_never_the_value(schema, rows, name, values, message):
    table = rows.slice(0, 3)
    table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    with pytest.raises(DataError) as error:
        TableEncoder.declare(schema).check(Table.of(table), file="core.wrk")
    assert str(error.value).startswith(message)
    assert "secret7" not in str(error.value)


def test_the_row_is_counted_over_batches(column, table_schema):
    encoder = TableEncoder.declare(table_schema(column({"type": "categories"}, {"levels": ["a"]}, name="k")))
    held = pa.table({"k": ["a"] * 1234 + ["secret7"]})
    table = Table.stream(held.schema, lambda: held.to_batches(max_chunksize=100))
    with pytest.raises(DataError, match=r"core\.k: row 1235 must be one of the declared levels") as error:
        encoder.check(table, file="f")
    assert "secret7" not in str(error.value)


def test_columns_of_data_and_schema_must_agree(schema, rows):
    encoder = TableEncoder.declare(schema)
    with pytest.raises(DataError, match=r"f: column core\.age is in the schema and must be in the data"):
        encoder.check(Table.of(rows.drop_columns(["age"])), file="f")
    more = Table.of(rows.append_column("ages", rows["age"]))
    with pytest.raises(DataError, match=r"core\.ages is in the data and must be described .*'drop'.*mean 'age'"):
        encoder.check(more, file="f")


def test_a_schema_may_name_columns_that_it_leaves_out(schema, rows):
    encoder = TableEncoder.declare(replace(schema, drop=("ages",)))
    more = Table.of(rows.append_column("ages", rows["age"]))
    for each in (encoder, TableEncoder.from_dict(encoder.to_dict())):
        each.check(more, file="f")
        coded = each.encode(more)
        assert "ages" not in coded.columns
        assert "ages" not in each.decode(coded, rng=np.random.default_rng(0)).columns


def test_the_curators_report(schema, rows):
    report = TableEncoder.declare(schema).report(Table.of(rows))
    assert report["kind"]["other"] == pytest.approx(rows["kind"].to_pylist().count("q") / ROWS)
    ages = np.array(rows["age"])
    assert report["age"] == {"outside": np.mean((ages < 17) | (ages > 90))}
    assert json.loads(json.dumps(report)) == report
    assert "stay" not in report
    empty = TableEncoder.declare(schema).report(Table.of(rows.slice(0, 0)))
    assert empty["age"] == {"outside": 0.0}


def test_d20_neighbours_encode_without_a_word(schema, rows, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    encoder = TableEncoder.declare(schema)
    bad = {"kind": "never seen", "stay": -1, "age": 10**9, "pay": float("inf"), "seen": None, UNIT: None}
    more = pa.concat_tables([rows, pa.Table.from_pylist([bad], schema=rows.schema)])
    for data in (rows, more, rows.slice(1), rows.slice(0, 0)):
        coded = encoder.encode(Table.of(data)).arrow()
        assert coded.num_rows == data.num_rows
    assert encoder.fit(Table.of(rows)).to_dict() == encoder.fit(Table.of(more)).to_dict()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_codes_that_are_none_are_refused(schema, rows):
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows)).arrow()
    with pytest.raises(DataError, match="codes of core must have column 'pay'"):
        encoder.decode(Table.of(coded.drop_columns(["pay"])), rng=np.random.default_rng(0))
    wrong = coded.set_column(coded.schema.get_field_index("age"), "age", pa.array(np.full(ROWS, 200, np.uint8)))
    with pytest.raises(ValueError, match=r"codes of 'age' must be in \[0, 74\)"):
        encoder.decode(Table.of(wrong), rng=np.random.default_rng(0)).arrow()


def test_wrong_schemas_are_refused(column, table_schema):
    with pytest.raises(SchemaError, match=r"column core\.age must have an embedding"):
        TableEncoder.declare(table_schema(column(None, None)))
    with pytest.raises(SchemaError, match=r"core\.age embedding must have a 'type'"):
        TableEncoder.declare(table_schema(column({"bins": 3}, {})))
    with pytest.raises(SchemaError, match=r"core\.age embedding\.type \(unifrm\) must be .*did you mean 'uniform'"):
        TableEncoder.declare(table_schema(column({"type": "unifrm"}, {})))
    seen = column({"type": "datetime", "parts": ["year"]}, {"min": "2000-01-01", "max": "2001-01-01"}, name="seen")
    with pytest.raises(SchemaError, match=r"attribute 'seen\.year' must have a name of its own"):
        TableEncoder.declare(table_schema(seen, column({"type": "boolean"}, {}, name="seen.year")))
    with pytest.raises(SchemaError, match="attribute '_unit' must have a name of its own"):
        TableEncoder.declare(table_schema(column({"type": "boolean"}, {}, name=UNIT)))


@pytest.mark.parametrize("code", [-1, 74])
def test_a_code_outside_its_attribute_is_refused_whatever_its_type(schema, rows, code):
    """A negative code would count from the end, and decode to some other value."""
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows)).arrow()
    wrong = np.zeros(ROWS, np.int16)
    wrong[-1] = code
    coded = coded.set_column(coded.schema.get_field_index("age"), "age", pa.array(wrong))
    with pytest.raises(ValueError, match=r"core: codes of 'age' must be in \[0, 74\)"):
        encoder.decode(Table.of(coded), rng=np.random.default_rng(0)).arrow()


def test_columns_are_drawn_apart(column, table_schema):
    """Two columns alike draw different values: what is independent given the codes stays so."""
    grid = {"type": "uniform", "bins": 1}, {"min": 0, "max": 999_999}
    encoder = TableEncoder.declare(table_schema(column(*grid, name="a"), column(*grid, name="b")))
    coded = Table.of(pa.table({name: pa.array(np.zeros(2000, np.uint8)) for name in "ab"}))
    drawn = encoder.decode(coded, rng=np.random.default_rng(0)).frame()
    assert abs(np.corrcoef(drawn["a"], drawn["b"])[0, 1]) < 0.1
    assert drawn["a"].nunique() > 1900


def test_blocks_are_drawn_apart_and_ids_run_on(schema, rows, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    encoder = TableEncoder.declare(schema)
    coded = encoder.encode(Table.of(rows)).arrow().drop_columns(["stay"])
    same = coded.take(pa.array(np.zeros(200, np.int64)))
    drawn = encoder.decode(Table.of(same), rng=np.random.default_rng(0)).frame()
    assert drawn["stay"].tolist() == list(range(1, 201))
    assert drawn["seen"][:100].tolist() != drawn["seen"][100:].tolist(), "a block draws from a stream of its own"


def test_the_first_refused_row_wins_over_the_first_column(column, table_schema):
    encoder = TableEncoder.declare(
        table_schema(*(column({"type": "integers"}, {"min": 0, "max": 9}, name=name) for name in "ab"))
    )
    table = Table.of(pa.table({"a": [1, 2, None], "b": [1, None, 3]}))
    with pytest.raises(DataError, match=r"x\.csv: column core\.b: row 2 must be not missing"):
        encoder.check(table, file="x.csv")


def test_the_curators_report_of_no_rows(column, table_schema):
    encoder = TableEncoder.declare(
        table_schema(
            column({"type": "integers"}, {"min": 0, "max": 9}, name="a"),
            column({"type": "categories"}, {"levels": ["x"], "other": "x"}, "categorical", name="b"),
        )
    )
    empty = Table.of(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}))
    assert encoder.report(empty) == {"a": {"outside": 0.0}, "b": {"other": 0.0}}
    assert encoder.encode(empty).arrow().num_rows == 0
