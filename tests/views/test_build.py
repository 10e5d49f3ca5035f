from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.errors import DataError, SchemaError, SqlError
from pasteur.files import sha256
from pasteur.table import UNIT, Table
from pasteur.views import ComponentConfig, ViewConfig, build, resolve

CORE = ComponentConfig(sql="SELECT id, age, sex FROM people", key=["id"])
VISITS = ComponentConfig(
    sql="SELECT person AS id, visit, cost FROM visits", key=["id", "visit"], parent="core", link={"id": "id"}
)


def view(unit="id", **components):
    return ViewConfig(name="v", unit=unit, components=components)


def shuffled(table, seed):
    held = table.arrow()
    return Table.of(held.take(pa.array(np.random.default_rng(seed).permutation(held.num_rows))))


def test_every_row_once_on_the_side_of_its_unit(people, keys):
    built = build(view(core=CORE, visits=VISITS), people, keys)
    assert list(built) == ["core", "visits"]
    for name, rows in (("core", 40), ("visits", 89)):
        parts = {split: table.arrow() for split, table in built[name].items()}
        assert list(parts) == list(keys)
        assert sum(part.num_rows for part in parts.values()) == rows
        for split, part in parts.items():
            assert set(part[UNIT].to_pylist()) <= set(keys[split].arrow()[UNIT].to_pylist())
            assert part.schema.names[0] == UNIT
            assert part.schema.field(UNIT).type == pa.string()
            assert part[UNIT].to_pylist() == [str(i) for i in part["id"].to_pylist()]


def test_rows_are_sorted_by_unit_key_and_all(people, keys):
    loose = ComponentConfig(sql="SELECT person AS id, round(cost) AS cost, visit % 2 AS odd FROM visits")
    built = build(view(core=CORE, visits=VISITS, loose=loose), people, keys)
    for name, order in (("visits", (UNIT, "visit")), ("loose", (UNIT, "cost", "odd"))):
        rows = [tuple(row[c] for c in order) for row in built[name]["wrk"].arrow().to_pylist()]
        assert rows == sorted(rows)


def test_the_same_bytes_from_shuffled_rows(people, keys, tmp_path):
    digests = []
    for seed in range(2):
        mixed = {name: shuffled(table, seed) for name, table in people.items()}
        for name, parts in build(view(core=CORE, visits=VISITS), mixed, keys).items():
            parts["wrk"].write(tmp_path / f"{seed}" / f"{name}.pq")
        digests.append(sha256(tmp_path / f"{seed}"))
    assert digests[0] == digests[1]


def test_a_component_without_the_units_column_reaches_it_through_parents(people, keys):
    chain = view(
        unit="person",
        bill=ComponentConfig(
            sql="SELECT visit, cost FROM visits", key=["visit"], parent="visit", link={"visit": "number"}
        ),
        visit=ComponentConfig(sql="SELECT visit AS number, person FROM visits", key=["number"]),
    )
    built = build(chain, people, keys)
    owners = dict(zip(*people["visits"].arrow(["visit", "person"]).to_pydict().values(), strict=True))
    rows = built["bill"]["ref"].arrow()
    assert rows.schema.names == [UNIT, "visit", "cost"]
    assert rows.num_rows
    assert rows[UNIT].to_pylist() == [str(owners[visit]) for visit in rows["visit"].to_pylist()]


def test_the_generic_view_keeps_tables_as_they_are(people, keys, relationships):
    tables = {name: people[name] for name in ("people", "visits")}
    whole = resolve(
        ViewConfig(name="whole"), dataset="clinic", tables=tuple(tables), unit="id", relationships=relationships
    )
    built = build(whole, tables, keys)
    for name, table in tables.items():
        rows = pa.concat_tables([part.arrow() for part in built[name].values()]).drop_columns([UNIT])
        assert rows.schema == table.schema
        order = [(name, "ascending") for name in table.columns]
        assert rows.sort_by(order).equals(table.arrow().sort_by(order))


def test_content_ids_come_first_once(keys):
    core = pa.table({UNIT: [str(i) for i in range(1, 41)], "a": range(40)})
    parts = build(
        ViewConfig(name="v", components={"core": ComponentConfig(sql="SELECT a, _unit FROM core")}),
        {"core": Table.of(core)},
        keys,
    )
    assert parts["core"]["wrk"].columns == (UNIT, "a")


@pytest.mark.parametrize(
    ("component", "error", "said"),
    [
        (ComponentConfig(sql="SELECT * FROM peple"), SqlError, "table 'peple' is not there; did you mean 'people'"),
        (ComponentConfig(sql="SELECT * FROM people; SELECT 1"), SqlError, "must be one SELECT"),
        (ComponentConfig(sql="COPY people TO 'x'"), SqlError, "must be one SELECT"),
        (ComponentConfig(sql="SELECT * FROM 'people.csv'"), SqlError, "'people.csv' is not there"),
        (ComponentConfig(sql="SELECT *, random() AS r FROM people"), SqlError, "'random' is not allowed"),
        (ComponentConfig(sql="SELECT ids FROM people"), SqlError, '"ids" not found'),
        (ComponentConfig(), SqlError, "table 'c' is not there"),
        (ComponentConfig(sql="SELECT age FROM people"), SchemaError, "unit's column 'id', or a parent"),
        (ComponentConfig(sql="SELECT * FROM people", key=["idd"]), SchemaError, "'idd' is not there; did you mean"),
        (ComponentConfig(sql="SELECT id, sex AS _unit FROM people"), SchemaError, "must be left to the unit's id"),
        (ComponentConfig(sql="SELECT * FROM people", key=["sex"]), DataError, r"key \(sex\) must be unique: row \d+"),
        (ComponentConfig(sql="SELECT id, nullif(1, 1) AS n FROM people", key=["n"]), DataError, r"40 rows lack it"),
        (ComponentConfig(sql="SELECT id + 30 AS id FROM people"), DataError, r"30 rows have a unit \('id'\)"),
        (ComponentConfig(sql="SELECT nullif(id, 7) AS id FROM people"), DataError, r"1 rows have a unit"),
    ],
)  # fmt: skip
def test_what_a_component_may_not_be(people, keys, component, error, said):
    with pytest.raises(error, match=rf"^view v, component c: .*{said}"):
        build(view(c=component), people, keys)


def test_a_duplicate_id_is_named_by_its_row(keys):
    table = pa.table({"id": [1, 2, 3, 2], "secret": ["a", "b", "c", "d"]})
    whole = ViewConfig(name="v", unit="id", components={"t": ComponentConfig(key=["id"])})
    with pytest.raises(DataError, match=r"^view v, component t: key \(id\) must be unique: row 4 repeats one$"):
        build(whole, {"t": Table.of(table)}, keys)


def test_a_child_without_a_parent_is_named_by_its_row(people, keys):
    visits = pa.table({"visit": [1, 2, 3], "person": [1, 99, 98], "cost": [1.0, 2.0, 3.0]})
    message = r"^view v, component visits: column id must name a row of 'core': row 2 does not \(2 rows in all\)$"
    with pytest.raises(DataError, match=message):
        build(view(core=CORE, visits=VISITS), people | {"visits": Table.of(visits)}, keys)


def test_an_empty_table_and_an_empty_split(keys):
    empty = Table.of(pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.string())}))
    parts = build(view(core=ComponentConfig(sql="SELECT * FROM t", key=["id"])), {"t": empty}, keys)["core"]
    assert all(part.arrow().num_rows == 0 for part in parts.values())
    assert parts["dev"].arrow().schema.names == [UNIT, "id", "x"]


def test_a_value_that_cannot_be_converted_is_not_shown(keys):
    table = Table.of(pa.table({"id": [1], "x": ["secret7"]}))
    parts = build(view(core=ComponentConfig(sql="SELECT id, x::INTEGER AS x FROM t")), {"t": table}, keys)
    with pytest.raises(SqlError, match=r"view v, component core: a value cannot be converted") as error:
        parts["core"]["wrk"].arrow()
    assert "secret7" not in str(error.value)
