"""A model that tells a candidate from T."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from pasteur.metrics import detection
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.detection import Side, delong, tell
from pasteur.table import Table

ONLY = MetricsConfig(depth="standard", families=["detection"])


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Enough for four columns."""
    monkeypatch.setitem(detection.STEPS, "standard", 15)


def shuffled(tables, column, seed=0):
    rows = tables["core"].arrow()
    place = rows.column_names.index(column)
    order = pa.array(np.random.default_rng(seed).permutation(rows.num_rows))
    return {"core": Table.of(rows.set_column(place, column, rows[column].take(order)))}


def test_delong_is_the_area_and_a_sound_variance():
    rng = np.random.default_rng(0)
    positive = rng.random(400) < 0.5
    said = positive * 0.7 + rng.normal(size=400).round(1)
    area, variance = delong(said, positive)
    assert area == pytest.approx(roc_auc_score(positive, said))
    drawn = []
    for _ in range(200):
        rows = rng.integers(0, 400, 400)
        drawn.append(roc_auc_score(positive[rows], said[rows]))
    assert variance == pytest.approx(np.var(drawn), rel=0.35)


def test_fresh_data_cannot_be_told_apart_and_a_shuffled_column_can_and_is_named(flat, people):
    sides = {"ref": people(900, 2), "syn": shuffled(people(900, 3), "height")}
    measured = measure(people(900, 1), sides, schema=flat, settings=ONLY, seed=0)
    raws = {side: {raw.metric: raw for raw in found} for side, found in measured.raws.items()}
    assert raws["ref"]["detection/auc"].value == pytest.approx(0.5, abs=0.06)
    assert raws["syn"]["detection/auc"].value > 0.7
    assert raws["base"]["detection/auc"].value > raws["syn"]["detection/auc"].value - 0.05
    shown = measured.details["syn"]["detection"]["core"]
    assert {name for name, _ in shown["columns"][:2]} == {"height", "age"}
    assert shown["columns"][0][1] > 0.05
    assert shown["low"] < shown["auc"] < shown["high"]
    assert len(raws["ref"]["detection/auc"].replicates) == 10


def test_it_is_the_same_each_time(flat, people):
    one, two = (
        measure(people(300, 1), {"syn": people(300, 2)}, schema=flat, settings=ONLY, seed=0).document()
        for _ in range(2)
    )
    assert {**one, "seconds": 0} == {**two, "seconds": 0}


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_too_few_rows_score_worst_and_say_so(flat, people, rows):
    measured = measure(people(300, 1), {"syn": people(rows, 2)}, schema=flat, settings=ONLY, seed=0, rows={"core": 300})
    assert not measured.failures
    assert measured.raws["syn"][0].value == 1
    assert "too few rows of the candidate" in measured.notes["detection/auc/core/syn"]


def test_children_of_one_parent_are_in_one_fold(nested, ward):
    """Readings of one stay are alike: rows of a stay on both sides of a fold would give away what nobody can know."""
    measured = measure(ward(150, 1), {"ref": ward(150, 2)}, schema=nested, settings=ONLY, seed=0)
    assert not measured.failures
    aucs = {raw.metric: raw.value for raw in measured.raws["ref"]}
    assert set(aucs) == {"detection/auc", "detection/auc/stays", "detection/auc/events"}
    assert aucs["detection/auc/events"] == pytest.approx(0.5, abs=0.15)


def test_without_columns_there_is_nothing_to_tell():
    empty = Side(features=np.zeros((50, 0), np.float32), folds=np.arange(50) % 5, groups=None)
    assert tell(empty, empty, {}, depth="standard", seed=0) == "no column but keys"


def test_the_column_is_named_by_few_of_the_rows_too_and_the_area_is_of_all(flat, people, monkeypatch):
    sides = {"syn": shuffled(people(900, 3), "height")}
    whole = measure(people(900, 1), sides, schema=flat, settings=ONLY, seed=0)
    monkeypatch.setitem(detection.ASKED, "standard", 100)
    few = measure(people(900, 1), sides, schema=flat, settings=ONLY, seed=0)
    assert few.raws["syn"][0].value == whole.raws["syn"][0].value
    columns = [found.details["syn"]["detection"]["core"]["columns"] for found in (whole, few)]
    assert columns[0] != columns[1]
    # Or the column that it goes with: without the one, the other gives nothing away.
    assert "height" in [name for name, _ in columns[1][:2]]
