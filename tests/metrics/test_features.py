"""What predictive models are shown, and never shown: the target."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.embeddings.table import TableEncoder
from pasteur.metrics import judge
from pasteur.metrics.data import Data
from pasteur.metrics.features import Features, Linear, features
from pasteur.metrics.predictive import estimator, label, slug
from pasteur.schema import Schema, Target
from pasteur.table import UNIT


def declared(kind, domain, **over):
    return {"embedding": {"type": kind, **over}, "domain": domain, "source": "made up"}


LEVELS = {"levels": ["x", "y", "z"]}
COLUMNS = {
    "row": ("id", None),
    "seen": (
        "datetime",
        declared("datetime", {"min": "2020-01-01", "max": "2021-12-31", "type": "date"}, parts=["year", "month"]),
    ),
    "kind": ("categorical", declared("categories", LEVELS)),
    "kind.fine": ("categorical", declared("categories", {"levels": ["no", "yes"]})),
    "rank": ("categorical", declared("categories", LEVELS, ordered=True)),
    "pay": ("numerical", declared("uniform", {"min": 0, "max": 10, "decimals": 1, "null": True}, bins=2)),
    "paid": ("boolean", declared("boolean", {})),
}


def schema(*targets):
    sdv = {"columns": {name: {"sdtype": kind} for name, (kind, _) in COLUMNS.items()}, "primary_key": "row"}
    ours = {"columns": {name: entry for name, (_, entry) in COLUMNS.items() if entry}}
    raw = {
        "sdv": {"METADATA_SPEC_VERSION": "V1", "tables": {"core": sdv}, "relationships": []},
        "pasteur": {"tables": {"core": ours}, "targets": list(targets)},
    }
    return Schema.parse(raw, name="v.detail", file="v.detail.json")


def data(**over):
    held = {
        UNIT: ["u0", "u1", "u2"],
        "row": [7, 8, 9],
        "seen": pa.array(["2020-02-01", "2021-12-01", "2020-01-31"]).cast(pa.date32()),
        "kind": ["z", "x", "y"],
        "kind.fine": ["yes", "no", "yes"],
        "rank": ["z", "x", "y"],
        "pay": pa.array([1.5, None, 9.0]),
        "paid": [True, False, True],
    }
    table = pa.table(held | over)
    return Data(tables={"core": table}, encoders={"core": TableEncoder.declare(schema().tables["core"])})


def target(column, kind="classification"):
    return Target(table="core", column=column, kind=kind, positive=None)


def shown(wanted, **over):
    return features(data(**over), schema().tables["core"], wanted)


def test_every_column_but_the_target_and_the_ids_in_order():
    found = shown(target("kind.fine"))
    assert found.levels == (0, 0, 3, 0, 0, 2)
    expected = [[0, 1, 2, 2, 1.5, 1], [1, 11, 0, 0, math.nan, 0], [0, 0, 1, 1, 9.0, 1]]
    np.testing.assert_array_equal(found.values, np.array(expected, dtype=np.float32))


def test_a_target_never_comes_back_as_part_of_a_column_whose_name_begins_its_own():
    """`kind.fine` looks like a part of `kind`: a model that saw it there would score 1 on any data."""
    flipped = shown(target("kind.fine"), **{"kind.fine": ["no", "yes", "no"]})
    np.testing.assert_array_equal(flipped.values, shown(target("kind.fine")).values)


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "row"])
def test_no_feature_moves_with_the_target(name):
    before = data().tables["core"][name].combine_chunks()
    turned = before.take(pa.array([2, 0, 1]))
    np.testing.assert_array_equal(shown(target(name)).values, shown(target(name), **{name: turned}).values)
    if name != "kind":
        assert not np.array_equal(
            shown(target("kind")).values, shown(target("kind"), **{name: turned}).values, equal_nan=True
        )


def test_numbers_that_no_model_takes_are_missing():
    found = shown(target("kind"), pay=pa.array([math.inf, -1e300, 3.0]))
    assert found.values[:, 4].tolist()[2] == 3.0
    assert np.isnan(found.values[:2, 4]).all()


def test_taking_rows_keeps_the_levels():
    found = shown(target("kind")).take(np.array([False, True, True]))
    assert found.values.shape == (2, 6)
    assert found.levels == shown(target("kind")).levels


values = st.lists(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(math.nan), min_size=2, max_size=2), min_size=1)


@settings(max_examples=60)
@given(values)
def test_linear_features_are_finite_whatever_is_missing(rows):
    train = Features(values=np.array(rows, dtype=np.float32), levels=(0, 0))
    linear = Linear.fit(train)
    applied = linear.apply(train)
    assert np.all(np.isfinite(applied))
    assert np.all(np.abs(applied) <= 10)
    missing = np.isnan(train.values)
    assert np.all(applied[missing] == 0), "a missing number is the mean"
    for column in range(2):
        kept = applied[~missing[:, column], column]
        if kept.size and np.abs(kept).max() < 10:
            assert abs(kept.mean()) < 0.05


def test_a_level_that_training_never_saw_is_its_own_column():
    train = Features(values=np.array([[0.0], [1.0]], dtype=np.float32), levels=(3,))
    test = Features(values=np.array([[2.0], [0.0]], dtype=np.float32), levels=(3,))
    assert Linear.fit(train).apply(test).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_no_features_at_all_are_a_table_without_columns():
    none = Features(values=np.zeros((4, 0), dtype=np.float32), levels=())
    assert Linear.fit(none).apply(none).shape == (4, 0)


def chunked(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_classes_of_whole_numbers_floats_and_text_are_the_same_classes():
    """A null turns a synthetic column of whole numbers into floats: class 1 is class 1 all the same."""
    truth = judge.classes(chunked([1, 2, 1, None]), "1")
    assert truth.known.tolist() == [True, True, True, False]
    assert truth.read(chunked([1.0, 2.0, None]))[:2].tolist() == [1, 0]
    assert truth.read(chunked(["1", "2", "1"])).tolist() == [1, 0, 1]


def test_answers_that_t_never_gives_are_one_further_class():
    truth = judge.classes(chunked(["b", "a", None, "b"]), None)
    assert truth.count == 3
    read = truth.read(chunked(["a", "b", "new", "newer", None]))
    assert read[:4].tolist() == [0, 1, 2, 2]
    assert math.isnan(read[4])


@pytest.mark.parametrize(
    ("answers", "reason"),
    [([None, None], "no answers"), (["a", "a", None], "one class"), (["a", "b"], None), ([], "no answers")],
)
def test_why_classes_cannot_test(answers, reason):
    assert judge.classes(chunked(answers, pa.string()), None).nothing() == reason


@pytest.mark.parametrize(
    ("answers", "reason"), [([None], "no answers"), ([2.0, 2.0, None], "one value"), ([1.0, 2.0], None)]
)
def test_why_numbers_cannot_test(answers, reason):
    column = schema().tables["core"].column("pay")
    assert judge.numbers(chunked(answers, pa.float64()), column).nothing() == reason


def test_a_number_by_hand():
    column = schema().tables["core"].column("pay")
    truth = judge.numbers(chunked([1.0, None, 3.0, math.inf]), column)
    assert truth.known.tolist() == [True, False, True, False]
    everything = np.ones(2, dtype=bool)
    assert truth.scores(np.array([[1.0], [3.0]]), everything) == {"r2": 1.0, "mae": 0.0}
    assert truth.scores(np.array([[2.0], [2.0]]), everything) == {"r2": 0.0, "mae": 1.0}
    assert truth.scores(np.array([[3.0], [1.0]]), everything) == {"r2": -3.0, "mae": 2.0}
    assert truth.scores(np.array([[9.0], [9.0]]), np.zeros(2, dtype=bool)) == {"r2": 0.0, "mae": 0.0}
    assert truth.constant(np.array([]), 2).tolist() == [[5.0], [5.0]], "the middle of the declared range"
    assert truth.constant(np.array([1.0, 2.0]), 1).tolist() == [[1.5]]


def test_classes_of_a_jackknife_group_without_rows():
    truth = judge.classes(chunked(["a", "b"]), None)
    assert truth.scores(np.eye(2, 3), np.zeros(2, dtype=bool)) == {"auc": 0.5, "f1": 0.0}
    assert truth.scores(np.eye(2, 3), np.ones(2, dtype=bool)) == {"auc": 1.0, "f1": 1.0}
    assert truth.constant(np.array([]), 1).tolist() == [[1, 0, 0]]
    assert truth.constant(np.array([2.0]), 1).tolist() == [[0, 0, 1]]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-9, 9), st.booleans()), min_size=1, max_size=20))
def test_turning_the_scores_or_the_classes_turns_the_area(pairs):
    scores, positive = np.array([s for s, _ in pairs]), np.array([p for _, p in pairs])
    area = judge.auc(scores, positive)
    assert judge.auc(-scores, positive) == pytest.approx(1 - area)
    assert judge.auc(scores, ~positive) == pytest.approx(1 - area)
    assert judge.auc(np.round(scores, 0) * 0, positive) == 0.5


def test_targets_of_one_name_in_two_tables_are_told_apart():
    here, there = target("pay"), Target(table="other", column="pay", kind="regression", positive=None)
    assert label(here, (here,)) == "pay"
    assert [label(each, (here, there)) for each in (here, there)] == ["core.pay", "other.pay"]
    assert slug("core.pay") == "core-pay"
    assert slug("-a (%) b!") == "a-b"


def test_deeper_models_are_larger_and_seeded():
    small, large = (estimator("forest", "regression", depth=d, seed=3, rows=500) for d in ("standard", "full"))
    assert (small.n_estimators, large.n_estimators) == (20, 100)
    assert small.random_state == large.random_state == 3
    assert estimator("boosting", "classification", depth="full", seed=0, rows=500).max_iter == 150
