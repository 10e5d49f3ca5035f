"""D27: a view respects units, and mutants that mix them are caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pasteur import datasets
from pasteur.schema import Relationship
from pasteur.table import UNIT, Table
from pasteur.views import ComponentConfig, ViewConfig, entangled, respects_units, same_bytes


def rng():
    return np.random.default_rng(1)


def view(sql, **components):
    core = {"core": ComponentConfig(sql=sql)} if sql else {}
    return ViewConfig(name="v", unit="id", components=core | components)


def check(sql, people, relationships):
    return respects_units(view(sql), people, relationships=relationships, rng=rng())


def test_a_view_of_nobodys_rows_is_no_view_of_units(people, relationships):
    """Leaving a unit out would change nothing, whatever the view does."""
    (said,) = check("SELECT sex AS id, price FROM prices", people, relationships)
    assert said == "view v: must read a table that leads to 'id': whose its rows are cannot be seen"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, age, sex FROM people",
        "SELECT id, price FROM people JOIN prices USING (sex)",
        "SELECT person AS id, sum(cost::DECIMAL(12, 4)) AS total, count(*) AS n FROM visits GROUP BY person",
        "SELECT person AS id, row_number() OVER (PARTITION BY person ORDER BY visit) AS n, cost FROM visits",
        "SELECT person AS id, cost FROM visits QUALIFY rank() OVER (PARTITION BY person ORDER BY visit) <= 2",
        "SELECT DISTINCT id, sex FROM people",
    ],
)
def test_d27_views_that_respect_units(people, relationships, sql):
    assert check(sql, people, relationships) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, age - avg(age) OVER () AS age FROM people",
        "SELECT id, rank() OVER (ORDER BY age) AS place FROM people",
        "SELECT id, row_number() OVER (ORDER BY id) AS id2 FROM people",
        "SELECT id, lag(age) OVER (ORDER BY id) AS before FROM people",
        "SELECT * FROM people ORDER BY id LIMIT 20",
        "SELECT * FROM people ORDER BY id OFFSET 3",
        "SELECT min(id) AS id, age, sex FROM people GROUP BY age, sex",
        "SELECT DISTINCT ON (sex) id, sex FROM people ORDER BY sex, id",
        "SELECT id, age, (SELECT max(age) FROM people) AS oldest FROM people",
        "SELECT id, age / (SELECT sum(age) FROM people) AS share FROM people",
        "SELECT a.id, b.age FROM people a JOIN people b ON b.id = a.id % 40 + 1",
        "SELECT id, age, n FROM people JOIN (SELECT sex, count(*) AS n FROM people GROUP BY sex) USING (sex)",
        "SELECT id FROM people WHERE sex IN (SELECT sex FROM people GROUP BY sex HAVING sum(id) % 2 = 1)",
        "SELECT 7 AS id, sum(cost::DECIMAL(12, 4)) AS total FROM visits",
        "SELECT id FROM people WHERE id <> (SELECT person FROM visits GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)",
    ],
    ids=[
        "average over people", "rank", "running number", "lag over people", "limit", "offset", "dedup", "distinct on",
        "maximum of all", "share of the total", "join between people", "group size", "group filter", "total of all",
        "without the largest",
    ],
)  # fmt: skip
def test_d27_mutants_that_mix_units_are_caught(people, relationships, sql):
    (found,) = respects_units(view(sql), people, relationships=relationships, sample=40, rng=rng())
    assert found.startswith("view v, component core: mixes units: without one unit, ")


@pytest.mark.parametrize("extreme", ["max(age)", "min(age)", "max(id)", "count(*) > 3"])
def test_d27_an_extreme_over_people_is_seen_from_few_units(people, relationships, extreme):
    sql = f"SELECT id, age, (SELECT {extreme} FROM people) AS extreme FROM people"
    (found,) = respects_units(view(sql), people, relationships=relationships, sample=3, rng=rng())
    assert found.startswith("view v, component core: mixes units: with")


def test_d27_a_parents_parent_is_followed_to_the_unit(people, relationships):
    """Of a table two joins from the unit, a person's rows are taken away too."""
    items = Table.of(pa.table({"visit": np.repeat(np.arange(89), 2), "item": np.tile([1, 2], 89)}))
    links = (
        *relationships,
        Relationship(parent_table="visits", parent_key="visit", child_table="items", child_key="visit"),
    )
    text = "SELECT v.person AS id, count(*) AS n FROM items JOIN visits AS v USING (visit) GROUP BY v.person"
    tables = people | {"items": items}
    assert respects_units(view(text), tables, relationships=links, rng=rng()) == []
    mixed = "SELECT id, (SELECT count(*) FROM items) AS n FROM people"
    assert len(respects_units(view(mixed), tables, relationships=links, rng=rng())) == 1


def test_d27_only_the_component_that_mixes_is_named(people, relationships):
    two = view(
        "SELECT id, age FROM people",
        ranks=ComponentConfig(sql="SELECT id, rank() OVER (ORDER BY age) AS r FROM people"),
    )
    (found,) = respects_units(two, people, relationships=relationships, rng=rng())
    assert found.startswith("view v, component ranks: ")


@pytest.mark.parametrize(
    ("sql", "fine"),
    [
        ("SELECT person AS id, visit, cost FROM visits", True),
        ("SELECT person AS id, avg(cost::DECIMAL(38, 9)) AS mean FROM visits GROUP BY person", True),
        ("SELECT person AS id, avg(cost) AS mean FROM visits GROUP BY person", False),
        ("SELECT person AS id, max_by(visit, round(cost, -2) ORDER BY visit) AS v FROM visits GROUP BY person", True),
        ("SELECT DISTINCT ON (person) person AS id, visit FROM visits ORDER BY person, visit % 9", False),
    ],
    ids=["plain", "decimal mean", "float mean", "ordered", "ties"],
)
def test_views_whose_bytes_depend_on_the_order_of_rows(keys, sql, fine):
    draw = rng()
    costs = draw.normal(size=400) * 10.0 ** draw.integers(0, 9, 400)
    visits = {"visits": Table.of(pa.table({"visit": np.arange(400), "person": np.arange(400) % 2 + 1, "cost": costs}))}
    found = same_bytes(view(sql), visits, keys, rng=draw)
    assert bool(found) is not fine
    assert all(line.startswith("view v, component core: its rows depend on the order") for line in found)


SHIPPED = {path.stem for path in (Path(__file__).parents[2] / "configs" / "view").glob("*.yaml")} - {"whole"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_d27_every_shipped_view(shipped, real, name):
    config, primary, keys = real(shipped(name).datasets[0])
    links = datasets.relationships(config)
    assert respects_units(shipped(name), primary, relationships=links, rng=rng()) == []
    assert same_bytes(shipped(name), primary, keys, rng=rng()) == []


def test_the_first_day_of_a_stay(shipped, real):
    """Shape and bounds of mimic_core, from the real demo data."""
    from pasteur.views import build

    _, primary, keys = real("mimic_demo", whole=True)
    built = build(shipped("mimic_core"), primary, keys)
    core = pa.concat_tables([part.arrow() for part in built["core"].values()])
    hours = pa.concat_tables([part.arrow() for part in built["timeseries"].values()])
    assert (core.num_rows, hours.num_rows) == (310, 2068)
    stays = dict(zip(core["hospitalization_id"].to_pylist(), core["patient_id"].to_pylist(), strict=True))
    owner = dict(zip(hours["hospitalization_id"].to_pylist(), hours[UNIT].to_pylist(), strict=True))
    assert all(stays[stay] == unit for stay, unit in owner.items())
    numbers = hours.to_pandas()
    assert numbers["hour"].between(0, 23).all()
    assert not numbers.duplicated(["hospitalization_id", "hour"]).any()
    assert numbers[["heart_rate", "sbp", "spo2"]].notna().any(axis=1).mean() > 0.95
    assert numbers["spo2"].dropna().between(50, 100).all()


@pytest.mark.parametrize(
    ("settled", "public", "found"),
    [
        ({"messages": ["receiver"]}, [], ("messages", "receiver")),
        ({"messages": ["person"]}, [], None),  # its own unit's
        ({"messages": ["receiver"]}, ["people"], None),
        ({"replies": ["message"]}, [], None),  # its way to the unit
        ({"replies": ["message", "quoted"]}, [], ("replies", "quoted")),
        ({"messages": ["place"]}, ["places"], None),
        ({}, [], None),
    ],
)
def test_what_becomes_of_a_row_may_not_follow_from_another_unit(settled, public, found):
    """A receiver who leaves would take others' messages along, or their receiver."""
    empty = {
        "people": ["person"],
        "messages": ["id", "person", "receiver", "place"],
        "replies": ["message", "quoted"],
        "places": ["place"],
    }
    none = pa.array([], pa.int64())
    tables = {name: Table.of(pa.table(dict.fromkeys(columns, none))) for name, columns in empty.items()}
    links = [
        Relationship(parent_table=parent, parent_key=key, child_table=child, child_key=column)
        for child, column, parent, key in (
            ("messages", "person", "people", "person"),
            ("messages", "receiver", "people", "person"),
            ("messages", "place", "places", "place"),
            ("replies", "message", "messages", "id"),
            ("replies", "quoted", "messages", "id"),
        )
    ]
    assert entangled(tables, unit="person", orphans=settled, public=public, relationships=links) == found
