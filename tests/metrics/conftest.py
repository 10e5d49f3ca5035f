"""Two small worlds with declared schemas: flat `people`, and `stays` with their hourly `events`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.schema import Schema
from pasteur.table import UNIT, Table

CITIES = ["Athens", "Bergen", "Cork"]


def declared(kind, domain, **settings):
    return {"embedding": {"type": kind, **settings}, "domain": domain, "source": "made up"}


def flat_schema(targets=()):
    columns = {
        "age": ("numerical", declared("integers", {"min": 0, "max": 9})),
        "city": ("categorical", declared("categories", {"levels": CITIES, "null": True})),
        "rich": ("categorical", declared("categories", {"levels": ["no", "yes"]})),
        "height": ("numerical", declared("uniform", {"min": 0, "max": 10, "decimals": 2}, bins=8)),
    }
    return Schema.parse(document({"core": columns}, targets=targets), name="people.detail", file="people.detail.json")


def document(tables, *, keys=None, relationships=(), targets=()):
    keys = keys or {}
    sdv_tables, ours = {}, {}
    for table, columns in tables.items():
        sdv_tables[table] = {"columns": {name: {"sdtype": kind} for name, (kind, _) in columns.items()}}
        if table in keys:
            sdv_tables[table]["primary_key"] = keys[table]
        ours[table] = {"columns": {name: entry for name, (_, entry) in columns.items() if entry}}
    sdv = {"METADATA_SPEC_VERSION": "V1", "tables": sdv_tables, "relationships": list(relationships)}
    return {"sdv": sdv, "pasteur": {"tables": ours, "targets": list(targets)}}


def nested_schema(targets=()):
    tables = {
        "stays": {
            "stay": ("id", None),
            "ward": ("categorical", declared("categories", {"levels": ["a", "b"]})),
            "length": ("numerical", declared("integers", {"min": 0, "max": 9})),
        },
        "events": {
            "stay": ("id", None),
            "hour": ("numerical", declared("integers", {"min": 0, "max": 23})),
            "pulse": ("numerical", declared("uniform", {"min": 40, "max": 160}, bins=6)),
        },
    }
    link = {
        "parent_table_name": "stays",
        "parent_primary_key": "stay",
        "child_table_name": "events",
        "child_foreign_key": "stay",
    }
    raw = document(tables, keys={"stays": "stay"}, relationships=[link], targets=targets)
    return Schema.parse(raw, name="ward.detail", file="ward.detail.json")


def people(rows, seed, *, units=False):
    """Age, city, wealth and height hang together."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 10, rows)
    city = np.where(rng.random(rows) < 0.7, age % 3, rng.integers(0, 3, rows))
    rich = rng.random(rows) < 0.1 + 0.08 * age
    height = np.round(np.clip(age * 0.8 + rng.normal(0, 0.5, rows), 0, 10), 2)
    names = pa.array([CITIES[c] for c in city], mask=rng.random(rows) < 0.05)
    held = {
        "age": age,
        "city": names,
        "rich": pa.array(np.where(rich, "yes", "no")),
        "height": height,
    }
    if units:
        held = {UNIT: [f"u{i}" for i in range(rows)], **held}
    return {"core": Table.of(pa.table(held))}


def ward(rows, seed):
    rng = np.random.default_rng(seed)
    stay = np.arange(rows)
    length = rng.integers(0, 10, rows)
    counts = rng.integers(0, 4, rows)
    parent = np.repeat(stay, counts)
    stays = pa.table(
        {
            UNIT: [f"p{i // 2}" for i in stay],
            "stay": stay,
            "ward": pa.array(np.where(length > 4, "a", "b")),
            "length": length,
        }
    )
    events = pa.table(
        {
            UNIT: [f"p{i // 2}" for i in parent],
            "stay": parent,
            "hour": rng.integers(0, 24, parent.size),
            "pulse": np.round(60 + 8.0 * length[parent] + rng.normal(0, 3, parent.size)),
        }
    )
    return {"stays": Table.of(stays), "events": Table.of(events)}


RICH = {"table": "core", "column": "rich", "kind": "classification", "positive": "yes"}
HEIGHT = {"table": "core", "column": "height", "kind": "regression"}


@pytest.fixture(scope="session")
def flat():
    return flat_schema([RICH])


@pytest.fixture(scope="session")
def nested():
    return nested_schema()


@pytest.fixture(name="people", scope="session")
def _people():
    return people


@pytest.fixture(name="ward", scope="session")
def _ward():
    return ward


@pytest.fixture(scope="session")
def schema_of():
    """A flat schema with targets: `schema_of("rich", "height")`."""
    known = {"rich": RICH, "height": HEIGHT, "city": {"table": "core", "column": "city", "kind": "classification"}}
    return lambda *names: flat_schema([known[name] for name in names])
