from __future__ import annotations

import json
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.embeddings.table import TableEncoder
from pasteur.schema import Schema
from pasteur.schema_draft import draft
from pasteur.table import UNIT, Table

RNG = np.random.default_rng(0)
ROWS = 500
STAYS = pa.table(
    {
        UNIT: [f"{i}" for i in range(ROWS)],
        "stay_id": [f"s{i}" for i in range(ROWS)],
        "ward": pa.array([*RNG.choice(["icu", "ward"], ROWS - 1), None]),
        "note": [f"text {i}" for i in range(ROWS)],
        "age": RNG.integers(18, 90, ROWS),
        "salary": np.concatenate([np.zeros(400), RNG.exponential(5000, 100) + 1]).astype(np.int64),
        "weight": np.round(RNG.normal(70, 9, ROWS), 1),
        "alive": RNG.random(ROWS) < 0.5,
        "born": [date(1950, 1, 1 + i % 28) for i in range(ROWS)],
        "admitted": [datetime(2020, 1, 1 + i % 28, i % 24) for i in range(ROWS)],  # noqa: DTZ001 - no zone, as in data
        "unit": ["kg"] * ROWS,
        "dose": np.full(ROWS, 5),
        "empty": pa.nulls(ROWS, pa.float64()),
    }
)
VITALS = pa.table({"stay_id": [f"s{i % 50}" for i in range(ROWS)], "rate": RNG.normal(80, 9, ROWS)})


@pytest.fixture(scope="module")
def drafted():
    return draft("clinic", {"stays": Table.of(STAYS), "vitals": Table.of(VITALS)})


def column(drafted, name, table="stays"):
    return drafted["pasteur"]["tables"][table]["columns"][name]


def test_a_draft_is_a_schema_that_accepts_the_data_and_declares_nothing(drafted):
    assert json.loads(json.dumps(drafted)) == drafted
    schema = Schema.parse(drafted, name="clinic.detail", file="clinic.detail.json")
    assert {c.where for c in schema.undeclared()} == {
        c.where for t in schema.tables.values() for c in t.columns if c.embedding
    }
    for name, rows in (("stays", STAYS), ("vitals", VITALS)):
        encoder = TableEncoder.declare(schema.table(name))
        encoder.check(Table.of(rows), file=name)
        report = encoder.report(Table.of(rows))
        moved = {c for c, entry in report.items() if any(share > 0 for share in entry.values())}
        assert moved == ({"note"} if name == "stays" else set())


def test_each_column_gets_what_its_values_look_like(drafted):
    columns = drafted["pasteur"]["tables"]["stays"]["columns"]
    kinds = {name: entry["embedding"]["type"] for name, entry in columns.items()}
    assert kinds == {
        "ward": "categories", "note": "categories", "age": "integers", "salary": "log", "weight": "uniform",
        "alive": "boolean", "born": "datetime", "admitted": "datetime", "unit": "categories", "dose": "constant",
        "empty": "categories",
    }  # fmt: skip
    assert column(drafted, "ward")["domain"] == {"levels": ["icu", "ward"], "null": True}
    assert column(drafted, "note")["domain"] == {"levels": ["other"], "other": "other"}
    assert column(drafted, "weight")["domain"]["decimals"] == 1
    assert column(drafted, "born")["domain"] == {"min": "1950-01-01", "max": "1950-01-28"}
    assert all(entry["declared"] is False and entry["source"].startswith("clinic: ") for entry in columns.values())


def test_ids_and_relations_are_seen(drafted):
    stays, vitals = (drafted["sdv"]["tables"][name] for name in ("stays", "vitals"))
    assert stays["primary_key"] == "stay_id"
    assert stays["columns"]["stay_id"] == {"sdtype": "id", "regex_format": "[A-Za-z0-9]+"}
    assert UNIT not in stays["columns"]
    assert "primary_key" not in vitals
    assert drafted["sdv"]["relationships"] == [
        {
            "parent_table_name": "stays",
            "parent_primary_key": "stay_id",
            "child_table_name": "vitals",
            "child_foreign_key": "stay_id",
        }
    ]


@pytest.mark.slow
def test_sdv_loads_a_draft(drafted):
    from sdv.metadata import Metadata

    Metadata.load_from_dict(drafted["sdv"]).validate()


VALUES = st.one_of(
    st.lists(st.integers(-(2**40), 2**40) | st.none(), max_size=20).map(lambda x: pa.array(x, pa.int64())),
    st.lists(st.floats(-1e6, 1e6) | st.sampled_from([float("inf"), float("nan")]) | st.none(), max_size=20).map(
        lambda x: pa.array(x, pa.float64())
    ),
    st.lists(st.text(max_size=3) | st.none(), max_size=20).map(lambda x: pa.array(x, pa.string())),
    st.lists(st.booleans() | st.none(), max_size=20).map(lambda x: pa.array(x, pa.bool_())),
    st.lists(st.dates() | st.none(), max_size=20).map(lambda x: pa.array(x, pa.date32())),
    st.lists(st.datetimes() | st.none(), max_size=20).map(lambda x: pa.array(x, pa.timestamp("us"))),
)


@given(VALUES)
def test_any_column_drafts_to_an_embedding_that_can_be_declared(values):
    drafted = draft("x", {"t": Table.of(pa.table({"v": values}))})
    schema = Schema.parse(drafted, name="x.detail", file="x.detail.json")
    TableEncoder.declare(schema.table("t")).encode(Table.of(pa.table({"v": values}))).arrow()
