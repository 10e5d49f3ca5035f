from __future__ import annotations

import pyarrow as pa
import pytest

from pasteur.schema import Relationship
from pasteur.sql import Sandbox
from pasteur.table import Table
from pasteur.views import ComponentConfig, ViewConfig, resolve, unowned
from pasteur.views.relations import owned

TABLES = {
    "person": pa.table({"id": [1, 2], "name": ["x", "y"]}),
    "stay": pa.table({"stay": [10, 11, 12, 13], "who": [2, 1, None, 9]}),
    "lab": pa.table({"at": [13, 12, 11, 10, 11, None], "value": [0, 1, 2, 3, 4, 5]}),
    "codes": pa.table({"code": ["a"]}),
}
COLUMNS = {name: table.column_names for name, table in TABLES.items()}


def link(parent, key, child, column):
    return Relationship(parent_table=parent, parent_key=key, child_table=child, child_key=column)


LINKS = (link("stay", "stay", "lab", "at"), link("person", "id", "stay", "who"))


def owners(table, links=LINKS):
    sql = owned(table, columns=COLUMNS, unit="id", relationships=links)
    if sql is None:
        return None
    with Sandbox(tables={name: Table.of(rows) for name, rows in TABLES.items()}) as sandbox:
        return sandbox.select(sql, where="here").arrow()["owner"].to_pylist()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("person", ["1", "2"]),
        ("stay", ["2", "1", None, None]),
        ("lab", [None, None, "1", "2", "1", None]),
        ("codes", None),
    ],
)
def test_each_row_has_its_owner_in_its_own_place(table, expected):
    """Of a missing reference, an orphan and a child of either, nobody; and no row is lost or moved."""
    assert owners(table) == expected


def test_tables_that_lead_in_a_circle_belong_to_nobody():
    circle = (link("stay", "stay", "lab", "at"), link("lab", "at", "stay", "stay"), link("stay", "stay", "stay", "who"))
    assert owners("lab", circle) is None


def test_a_reference_to_a_table_that_is_not_read_leads_nowhere():
    assert owned("lab", columns={"lab": COLUMNS["lab"]}, unit="id", relationships=LINKS) is None


def test_the_shortest_way_to_the_unit_is_taken():
    direct = (*LINKS, link("person", "id", "lab", "value"))
    assert owners("lab", direct) == [None, "1", "2", None, None, None]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id, name FROM person", []),
        ("SELECT id, code FROM person, codes", ["codes"]),
        ("SELECT id FROM person WHERE name IN (SELECT code FROM codes)", ["codes"]),
        ("WITH c AS (SELECT code FROM codes) SELECT id, c.code FROM person, c", ["codes"]),
    ],
)
def test_a_table_of_nobodys_is_seen_wherever_a_query_reads_it(sql, expected):
    view = ViewConfig(name="v", unit="id", components={"person": ComponentConfig(sql=sql)})
    primary = {name: Table.of(rows) for name, rows in TABLES.items()}
    assert unowned(view, primary, relationships=LINKS) == expected


def test_rows_whose_relation_nobody_declared_are_not_taken_for_public():
    view = ViewConfig(name="v", unit="id", components={"c": ComponentConfig(sql="SELECT id FROM person, stay, lab")})
    primary = {name: Table.of(rows) for name, rows in TABLES.items()}
    assert unowned(view, primary) == ["lab", "stay"]
    assert unowned(view, primary, relationships=LINKS[:1]) == ["lab", "stay"]
    assert unowned(view, primary, relationships=LINKS) == []


def test_the_generic_view_follows_relations_and_not_a_table_to_itself():
    links = (*LINKS, link("stay", "stay", "stay", "who"))
    view = resolve(ViewConfig(name="whole"), dataset="d", tables=tuple(TABLES), unit="id", relationships=links)
    assert list(view.components) == list(TABLES)
    assert (view.components["lab"].parent, view.components["lab"].link) == ("stay", {"at": "stay"})
    assert (view.components["stay"].parent, view.components["stay"].link) == ("person", {"who": "id"})
    assert view.components["codes"].parent is None


def test_the_generic_view_of_a_parent_that_is_referred_to_by_two_of_its_columns():
    """A component has one key: the first that is referred to. It was the last, and no view could be made."""
    links = (link("person", "id", "stay", "who"), link("person", "name", "codes", "code"))
    view = resolve(ViewConfig(name="whole"), dataset="d", tables=tuple(TABLES), unit="id", relationships=links)
    assert view.components["person"].key == ["id"]
    assert (view.components["stay"].parent, view.components["stay"].link) == ("person", {"who": "id"})
    assert view.components["codes"].parent is None
