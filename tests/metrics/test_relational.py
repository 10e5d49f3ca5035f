"""Parents and children, on stays and their hourly events."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.metrics import detection
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.table import Table

ONLY = MetricsConfig(depth="standard", families=["relational"])


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Enough for these."""
    monkeypatch.setitem(detection.STEPS, "standard", 15)


def measured(nested, ward, syn=None, rows=300, **over):
    sides = {"ref": ward(rows, 3)} | ({} if syn is None else {"syn": syn})
    found = measure(ward(rows, 1), sides, schema=nested, settings=ONLY, seed=0, **over)
    assert not found.failures
    return found, {side: {raw.metric: raw for raw in raws} for side, raws in found.raws.items()}


def rewired(tables, seed=0):
    """The children of another parent each: how many a parent has stays, what goes with what does not."""
    events = tables["events"].arrow()
    order = pa.array(np.random.default_rng(seed).permutation(events.num_rows))
    moved = {name: events[name].take(order) for name in ("hour", "pulse")}
    return {**tables, "events": Table.of(pa.table({**{n: events[n] for n in events.column_names}, **moved}))}


def test_children_of_the_wrong_parents_are_found(nested, ward):
    found, raws = measured(nested, ward, rewired(ward(300, 4)))
    assert set(raws["syn"]) == {
        "relational/children", "relational/orphans", "relational/pairs", "relational/detection",
    }  # fmt: skip
    assert raws["ref"]["relational/detection"].value < 0.65 < raws["syn"]["relational/detection"].value
    pairs = {side: raws[side]["relational/pairs"] for side in ("ref", "base", "syn")}
    assert pairs["ref"].value < pairs["syn"].value
    assert pairs["syn"].parts["stays.length,events.pulse"] > 2 * pairs["ref"].parts["stays.length,events.pulse"]
    columns = [name for name, _ in found.details["syn"]["relational"]["stays.events"]["detection"]["columns"]]
    assert {"length", "ward"} & set(columns[:3]) or any(name.startswith("pulse") for name in columns[:3])


def test_the_number_of_children_and_orphans(nested, ward):
    tables = ward(300, 4)
    events = tables["events"].arrow()
    twice = {**tables, "events": Table.of(pa.concat_tables([events, events]))}
    lost = events.set_column(1, "stay", pa.array(np.where(np.arange(events.num_rows) % 5 == 0, -1, events["stay"])))
    found, raws = measured(nested, ward, twice)
    assert raws["syn"]["relational/children"].value > 0.4 > raws["ref"]["relational/children"].value
    # Base keeps how many children each parent has.
    assert raws["base"]["relational/children"].value == raws["ref"]["relational/children"].value
    shown = found.details["syn"]["relational"]["stays.events"]
    assert shown["mean"] == pytest.approx(3, abs=0.4)
    assert sum(shown["children"]["shares"]) == pytest.approx(1, abs=1e-4)
    assert shown["children"]["shares"][1] == 0
    _, raws = measured(nested, ward, {**tables, "events": Table.of(lost)})
    assert raws["syn"]["relational/orphans"].value == pytest.approx(0.2, abs=0.05)
    assert raws["ref"]["relational/orphans"].value == 0


def test_no_child_at_all(nested, ward):
    tables = ward(300, 4)
    none = {**tables, "events": Table.of(tables["events"].arrow()[:0])}
    found, raws = measured(nested, ward, none)
    assert raws["syn"]["relational/pairs"].value == 1
    assert raws["syn"]["relational/children"].value == pytest.approx(0.75, abs=0.1)
    assert found.details["syn"]["relational"]["stays.events"]["children"] == {"labels": ["0"], "shares": [1.0]}


def test_a_flat_view_has_none(flat, people):
    found = measure(people(99, 1), {"syn": people(99, 2)}, schema=flat, settings=ONLY, seed=0)
    assert found.raws == {"syn": []}
    assert not found.notes
