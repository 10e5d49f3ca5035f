"""A view's tables that are nobody's."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pasteur.errors import ConfigError, DataError, SchemaError, SqlError
from pasteur.schema import Relationship
from pasteur.table import Table
from pasteur.views import ComponentConfig, PublicConfig, ViewConfig, build_public, resolve

TABLES = {
    "wards": Table.of(pa.table({"ward": ["c", "a", "b"], "beds": [3, 1, 2]})),
    "twice": Table.of(pa.table({"ward": ["a", "b", "a"]})),
    "holes": Table.of(pa.table({"ward": ["a", None]})),
    "people": Table.of(pa.table({"person": [1, 2], "ward": ["a", "b"]})),
}
NOBODYS = ("wards", "twice", "holes")


def built(name, **config):
    view = ViewConfig(name="v", unit="person", public={name: PublicConfig(**{"key": "ward"} | config)})
    return build_public(view, TABLES, nobodys=NOBODYS)[name]


def test_a_public_table_is_whole_and_sorted_by_its_key():
    assert built("wards").arrow().to_pylist() == [
        {"ward": "a", "beds": 1},
        {"ward": "b", "beds": 2},
        {"ward": "c", "beds": 3},
    ]
    chosen = built("large", sql="SELECT ward, beds * 2 AS twice FROM wards WHERE beds > 1")
    assert chosen.arrow().to_pylist() == [{"ward": "b", "twice": 4}, {"ward": "c", "twice": 6}]


@pytest.mark.parametrize(
    ("name", "config", "error", "said"),
    [
        ("people", {"key": "person"}, SchemaError, "component people: must read public tables alone: 'people' is not"),
        (
            "mixed",
            {"sql": "SELECT ward, count(*) AS n FROM wards JOIN people USING (ward) GROUP BY ward"},
            SchemaError,
            "component mixed: must read public tables alone: 'people' is not declared so",
        ),
        (
            "hidden",
            {"sql": "WITH people AS (SELECT * FROM people) SELECT person AS ward FROM people"},
            SqlError,
            "WITH people must have a name that no table has",
        ),
        (
            "hidden",
            {"sql": "SELECT p.ward FROM people p WHERE EXISTS (WITH people AS (SELECT 1 AS x) SELECT x FROM people)"},
            SqlError,
            "WITH people must have a name that no table has",
        ),
        ("wards", {"key": "wrad"}, SchemaError, "column 'wrad' is not there; did you mean 'ward'"),
        ("twice", {}, DataError, r"key \(ward\) must be unique: row 3 repeats one"),
        ("holes", {}, DataError, r"key \(ward\) must be there: 1 rows lack it"),
        ("nowhere", {}, SqlError, "nowhere"),
    ],
)
def test_what_is_no_public_table(name, config, error, said):
    with pytest.raises(error, match=said):
        built(name, **config)


def test_a_name_is_a_components_or_a_public_tables():
    with pytest.raises(ConfigError, match=r"public.core \(a component too\)"):
        ViewConfig(name="v", components={"core": ComponentConfig()}, public={"core": PublicConfig(key="id")})
    with pytest.raises(ConfigError, match=r"sql \(empty\)"):
        PublicConfig(key="id", sql=" ")


def test_the_generic_view_hands_out_public_tables_that_are_named():
    links = [
        Relationship(parent_table="people", parent_key="id", child_table="visits", child_key="person"),
        Relationship(parent_table="wards", parent_key="ward", child_table="visits", child_key="ward"),
    ]
    view = resolve(
        ViewConfig(name="whole"),
        dataset="clinic",
        tables=("people", "visits", "wards", "codes"),
        unit="id",
        relationships=links,
        public=("wards", "codes"),
    )
    assert view.public == {"wards": PublicConfig(key="ward")}
    assert list(view.components) == ["people", "visits"]
    assert view.components["visits"].parent == "people"
