from __future__ import annotations

import pyarrow as pa
import pytest

from pasteur.metrics import sql
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.sql import tables_of
from pasteur.metrics.sql_parse import parse
from pasteur.table import Table


def queries(*bodies):
    return parse(";\n\n".join(bodies), file="core/bench.test.sql")


WEALTH = """-- name: wealth by city
-- kind: groups
-- keys: city
-- values: n=count, rich=ratio, height=mean
-- support: n   min_support: 5
SELECT city, count(*) AS n, avg((rich = 'yes')::INT) AS rich, avg(height) AS height FROM core GROUP BY city"""
AGES = """-- name: ages
-- kind: dist   weight: 3
-- values: age=number
SELECT age FROM core"""
NONE = """-- name: giants
-- kind: share
-- keys: city
-- values: n=count
SELECT city, count(*) AS n FROM core WHERE height > 99 GROUP BY city"""


def found(target, candidates, schema, asked, **over):
    config = MetricsConfig(families=["sql"])
    return measure(target, candidates, schema=schema, settings=config, queries=asked, seed=0, rows={}, **over)


def values(measured, name="syn"):
    return {raw.metric: raw.value for raw in measured.raws[name]}


def test_every_query_and_their_mean_by_weight(flat, people):
    measured = found(people(300, 1), {"syn": people(400, 2)}, flat, queries(WEALTH, AGES, NONE))
    scores = values(measured)
    assert not measured.failures
    assert scores["sql/mean"] == pytest.approx((scores["sql/wealth-by-city"] + 3 * scores["sql/ages"]) / 4)
    assert 0.5 < scores["sql/wealth-by-city"] < 1
    parts = {raw.metric: raw.parts for raw in measured.raws["syn"]}
    assert parts["sql/giants"] == {"vacuous": 1.0}
    assert parts["sql/wealth-by-city"]["group_f1"] == 1
    assert measured.notes == {"sql/giants": "vacuous: both results are empty; not in the mean"}


def test_the_same_data_scores_1_and_a_sample_of_another_size_near_1(flat, people):
    target = people(2000, 1)
    half = {"core": Table.of(target["core"].arrow().slice(0, 1000))}
    measured = found(target, {"syn": target, "half": half}, flat, queries(WEALTH, AGES))
    assert set(values(measured).values()) == {1.0}
    assert values(measured, "half")["sql/mean"] > 0.9


def test_a_query_that_fails_is_failed_alone(flat, people):
    bad = [
        "-- name: no column\n-- kind: dist\n-- values: x=number\nSELECT weight AS x FROM core",
        "-- name: twice\n-- kind: groups\n-- keys: rich\n-- values: n=count\nSELECT rich, 1 AS n FROM core",
        "-- name: drawn\n-- kind: dist\n-- values: x=number\nSELECT random() AS x FROM core",
        "-- name: cast\n-- kind: dist\n-- values: x=number\nSELECT city::INT AS x FROM core",
        "-- name: unbounded\n-- kind: scalar\n-- values: x=mean\nSELECT avg(age) AS x FROM core",
        "-- name: away\n-- kind: scalar\n-- values: x=count\n-- per: cora\nSELECT count(*) AS x FROM core",
    ]
    measured = found(people(100, 1), {"syn": people(100, 2)}, flat, queries(*bad, AGES))
    assert set(values(measured)) == {"sql/mean", "sql/ages"}
    reasons = measured.failures
    assert set(reasons) == {f"sql/{q}" for q in ("no-column", "twice", "drawn", "cast", "unbounded", "away")}
    assert all(reason.startswith("core/bench.test.sql:") for reason in reasons.values())
    assert "keys (rich) must be unique in the result: row" in reasons["sql/twice"]
    assert "random" in reasons["sql/drawn"]
    assert "Athens" not in reasons["sql/cast"]
    assert "write name=mean(column)" in reasons["sql/unbounded"]
    assert "did you mean 'core'" in reasons["sql/away"]


def test_synthetic_data_never_has_a_unit_so_no_query_sees_one(flat, people):
    asked = queries("-- name: units\n-- kind: scalar\n-- values: n=count\nSELECT count(DISTINCT _unit) AS n FROM core")
    measured = found(people(50, 1, units=True), {"syn": people(50, 2)}, flat, asked)
    assert "_unit" in measured.failures["sql/units"]


def test_components_join_and_counts_are_divided_by_what_per_says(nested, ward):
    asked = queries(
        """-- name: events a stay
-- kind: groups
-- keys: ward
-- values: n=count, pulse=mean(events.pulse)
-- per: stays
SELECT ward, count(*) AS n, avg(pulse) AS pulse FROM stays JOIN events USING (stay) GROUP BY ward"""
    )
    measured = found(ward(400, 1), {"ref": ward(400, 2)}, nested, asked)
    assert not measured.failures
    assert values(measured, "ref")["sql/events-a-stay"] > values(measured, "base")["sql/events-a-stay"] + 0.1


def test_anchors_have_replicates(flat, people):
    measured = found(people(500, 1, units=True), {"ref": people(500, 2, units=True)}, flat, queries(WEALTH, AGES))
    for name in ("ref", "base"):
        assert all(len(raw.replicates) == 5 for raw in measured.raws[name])


def test_booleans_may_be_averaged(flat, people):
    asked = queries("-- name: b\n-- kind: scalar\n-- values: rich=mean\nSELECT avg((rich)::INT) AS rich FROM core")
    held = people(100, 1)["core"].arrow()
    yes = pa.array([x == "yes" for x in held["rich"].to_pylist()])
    target = {"core": Table.of(held.set_column(2, "rich", yes))}
    from dataclasses import replace

    from pasteur.metrics.data import Data
    from pasteur.metrics.sql import _deviation

    share = sum(yes.to_pylist()) / 100
    data = Data(tables={"core": target["core"].arrow()}, encoders={})
    assert _deviation(replace(asked[0]), "rich", data) == pytest.approx((share * (1 - share)) ** 0.5)


def test_tables_that_a_query_names():
    text = (
        "WITH a AS (SELECT 1 AS x FROM core) SELECT * FROM a, (SELECT * FROM stays) WHERE x IN (SELECT y FROM Events)"
    )
    (query,) = queries(f"-- name: x\n-- kind: dist\n-- values: x=number\n{text}")
    assert set(tables_of(query)) == {"core", "stays", "Events"}


def test_a_query_of_text_fails_alone_and_tells_no_cell(flat, people):
    text = "-- name: largest\n-- kind: scalar\n-- values: n=count\nSELECT max(city) AS n FROM core"
    measured = found(people(100, 1), {"syn": people(100, 2)}, flat, queries(text, AGES))
    assert list(measured.failures) == ["sql/largest"]
    assert "'n' (str) must be numbers" in measured.failures["sql/largest"]
    assert "Cork" not in measured.failures["sql/largest"]
    assert values(measured)["sql/mean"] == values(measured)["sql/ages"]


def test_lengths_of_time_may_be_compared(flat, people):
    asked = "-- name: waits\n-- kind: dist\n-- values: wait=number\nSELECT to_seconds(age) AS wait FROM core"
    aged = AGES.replace("SELECT age", "SELECT age::DOUBLE AS age")
    measured = found(people(100, 1), {"syn": people(100, 2)}, flat, queries(asked, aged))
    assert not measured.failures
    assert values(measured)["sql/waits"] == pytest.approx(values(measured)["sql/ages"])
    assert 0.5 < values(measured)["sql/waits"] < 1


def test_queries_that_read_files_change_things_or_take_too_long_fail_alone(flat, people, monkeypatch, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nSECRET\n")
    bad = [
        f"-- name: file\n-- kind: dist\n-- values: a=number\nSELECT a FROM read_csv('{secret}')",
        f"-- name: path\n-- kind: dist\n-- values: a=number\nSELECT a FROM '{secret}'",
        "-- name: gone\n-- kind: dist\n-- values: a=number\nDROP TABLE core",
        f"-- name: out\n-- kind: dist\n-- values: a=number\nCOPY core TO '{tmp_path}/out.csv'",
        (
            "-- name: slow\n-- kind: scalar\n-- values: n=count\n"
            "SELECT count(*) AS n FROM core a, core b, core c, core d, core e "
            "WHERE a.age + b.age - d.age <> c.age * e.age"
        ),
    ]
    monkeypatch.setattr(sql, "SECONDS", 3.0)  # the others need milliseconds
    measured = found(people(400, 1), {"syn": people(400, 2)}, flat, queries(*bad, AGES))
    assert set(values(measured)) == {"sql/mean", "sql/ages"}
    assert set(measured.failures) == {"sql/file", "sql/path", "sql/gone", "sql/out", "sql/slow"}
    assert "took longer than 3 s" in measured.failures["sql/slow"]
    assert "SECRET" not in str(measured.failures)
    assert not (tmp_path / "out.csv").exists()


def test_results_are_shown_side_by_side_and_a_distribution_shows_no_value(flat, people):
    target = people(300, 1)
    fewer = {"core": Table.of(target["core"].arrow().filter(pa.array([i % 3 == 0 for i in range(300)])))}
    asked = queries(WEALTH, AGES, RANKED)
    measured = found(target, {"syn": fewer}, flat, asked)
    own, theirs = (measured.details[side]["sql"]["results"] for side in ("target", "syn"))
    assert measured.details["target"]["sql"]["queries"]["sql/ages"]["sql"] == "SELECT age FROM core"
    groups = own["sql/wealth-by-city"], theirs["sql/wealth-by-city"]
    assert groups[0]["keys"] == groups[1]["keys"]
    assert groups[0]["columns"] == ["n", "rich", "height"]
    counts = [row[0] for row in groups[0]["rows"]]
    assert counts == sorted(counts, reverse=True)
    ages = own["sql/ages"], theirs["sql/ages"]
    assert ages[0]["edges"] == ages[1]["edges"]
    assert [a["total"] for a in ages] == [300, 100]
    assert all(sum(a["shares"]) == pytest.approx(1, abs=1e-5) for a in ages)
    assert set(ages[0]) == {"edges", "shares", "quantiles", "nulls", "total"}
    ranked = own["sql/richest"]
    assert len(ranked["keys"]) == 2
    assert ranked["rows"][0][0] >= ranked["rows"][1][0]


RANKED = """-- name: richest
-- kind: topk
-- keys: city
-- values: rich=ratio
-- order: rich desc   k: 2
SELECT city, avg((rich = 'yes')::INT) AS rich FROM core GROUP BY city"""
