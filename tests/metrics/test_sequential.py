"""Sequences, on series whose autocorrelation is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.families import Task
from pasteur.metrics.sequences import arrange, order_column
from pasteur.metrics.sequential import correlation
from pasteur.metrics.sides import sides
from pasteur.table import Table

ONLY = MetricsConfig(depth="standard", families=["sequential"])
HOURS = 12


def series(rows, seed, *, within=0.9, missing=0.0):
    """Each stay's pulse: its own level, from its length, and an autoregression about it."""
    rng = np.random.default_rng(seed)
    length = rng.integers(0, 10, rows)
    drift = np.zeros((rows, HOURS))
    drift[:, 0] = rng.normal(0, 1, rows)
    for hour in range(1, HOURS):
        drift[:, hour] = within * drift[:, hour - 1] + np.sqrt(1 - within**2) * rng.normal(0, 1, rows)
    pulse = np.round(80 + 3.0 * length[:, None] + 8 * drift)
    stays = pa.table({"stay": np.arange(rows), "ward": np.where(length > 4, "a", "b"), "length": length})
    order = rng.permutation(rows * HOURS)
    events = pa.table({
        "stay": np.repeat(np.arange(rows), HOURS),
        "hour": np.tile(np.arange(HOURS), rows),
        "pulse": pa.array(pulse.ravel(), mask=rng.random(rows * HOURS) < missing),
    }).take(pa.array(order))  # fmt: skip
    return {"stays": Table.of(stays), "events": Table.of(events)}


def scored(nested, syn, rows=300):
    sides = {"ref": series(rows, 2), "syn": syn}
    found = measure(series(rows, 1), sides, schema=nested, settings=ONLY, seed=0)
    assert not found.failures
    values = {side: {raw.metric.split("/")[1]: raw.value for raw in raws} for side, raws in found.raws.items()}
    return found, values


def test_rows_are_put_in_order_by_parent_and_hour(nested):
    task = Task(schema=nested, settings=ONLY, queries=(), seed=0)
    own, _ = sides(series(20, 1), {}, task, {})
    link = nested.relationships[0]
    assert order_column(own, nested, link) == "hour"
    held = arrange(own, nested, link, "hour")
    assert np.all(np.diff(held.parent) >= 0)
    assert held.order.tolist() == [*range(HOURS)] * 20
    assert held.next.size == 20 * (HOURS - 1)
    assert set(held.channels) == {"pulse"}


def test_without_an_order_nothing_is_read_from_row_to_row(nested, ward):
    found = measure(ward(80, 1), {"syn": ward(80, 2)}, schema=nested, settings=ONLY, seed=0)
    assert not found.failures
    names = {raw.metric.split("/")[1] for raw in found.raws["syn"]}
    shown = found.details["target"]["sequential"]["events"]
    if shown["order"] is None:
        assert not names & {"steps", "deltas", "transitions", "lag1", "lag1-within"}
        assert shown["channels"]["pulse"]["lag1"] is None
    assert {"lengths", "missing", "aggregates", "parent"} <= names


def test_known_autocorrelations_are_found(nested):
    found, _ = scored(nested, series(300, 3))
    pulse = found.details["target"]["sequential"]["events"]["channels"]["pulse"]
    levels = 9 * (100 - 1) / 12
    assert pulse["lag1"] == pytest.approx((levels + 64 * 0.9) / (levels + 64), abs=0.03)
    assert pulse["lag1-within"] < pulse["lag1"]
    assert pulse["missing"] == 0


def test_series_without_memory_are_worse_where_it_is_due(nested):
    _, values = scored(nested, series(300, 3, within=0.0))
    for metric in ("lag1", "lag1-within", "deltas", "transitions"):
        assert values["syn"][metric] > 2 * values["ref"][metric], metric
    assert values["base"]["lag1"] > values["syn"]["lag1"]
    assert values["syn"]["lengths"] == values["ref"]["lengths"] == 0
    assert values["syn"]["parent"] < 0.2
    assert values["base"]["parent"] > 0.4


def test_missing_rates_and_steps(nested):
    gaps = series(300, 3, missing=0.3)
    events = gaps["events"].arrow()
    even = {**gaps, "events": Table.of(events.filter(pa.array(np.asarray(events["hour"]) % 2 == 0)))}
    _, values = scored(nested, even)
    assert values["syn"]["missing"] == pytest.approx(0.3, abs=0.05)
    assert values["syn"]["steps"] == 1
    assert values["ref"]["steps"] == 0
    assert values["syn"]["lengths"] == 1


def test_the_jackknife_sees_that_independent_columns_are_worse(nested):
    from pasteur.metrics.score import combine

    found, _ = scored(nested, series(300, 3))
    scores = {s.metric: s for s in combine(found.raws["syn"], found.raws, split="dev")}
    for metric in ("deltas", "lag1", "lag1-within", "transitions", "parent", "aggregates"):
        score = scores[f"sequential/{metric}"]
        assert score.signal, metric
        assert abs(score.gap) < 0.25, metric
        assert score.dependence
    assert not scores["sequential/lengths"].dependence


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_sequence(nested, rows):
    found = measure(series(100, 1), {"syn": series(rows, 2)}, schema=nested, settings=ONLY, seed=0, rows={"stays": 100})
    assert not found.failures
    assert found.raws["syn"]


def test_correlation_of_little_is_undefined():
    assert np.isnan(correlation(np.ones(5), np.arange(5.0)))
    assert np.isnan(correlation(np.array([1.0, np.nan, 2.0]), np.arange(3.0)))
    assert correlation(np.arange(9.0), -np.arange(9.0)) == pytest.approx(-1)
