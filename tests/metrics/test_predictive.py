from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from pasteur.metrics import judge, predictive
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.features import Features, Linear
from pasteur.metrics.predictive import slug
from pasteur.table import Table


def found(target, candidate, schema, depth="quick"):
    config = MetricsConfig(families=["predictive"], depth=depth)
    measured = measure(target, {"syn": candidate}, schema=schema, settings=config, seed=0, rows={})
    assert not measured.failures
    return {raw.metric.removeprefix("predictive/"): raw for raw in measured.raws["syn"]}, measured.notes


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auc_and_f1_are_sklearns(pairs):
    scores, positive = np.array([float(s) for s, _ in pairs]), np.array([p for _, p in pairs])
    if 0 < positive.sum() < positive.size:
        assert judge.auc(scores, positive) == pytest.approx(reference.roc_auc_score(positive, scores))
    else:
        assert judge.auc(scores, positive) == 0.5
    expected = reference.f1_score(positive, scores > 2, zero_division=0)
    assert judge.f1(scores > 2, positive) == pytest.approx(expected)


def test_models_learn_what_is_there_and_say_which_class_is_positive(schema_of, people):
    schema = schema_of("rich", "height")
    scores, _ = found(people(400, 1), people(1500, 2), schema, depth="standard")
    for model in ("linear", "forest", "boosting"):
        assert scores[f"rich/{model}/auc"].value > 0.65
        assert 0 < scores[f"rich/{model}/f1"].value < 1
        assert scores[f"rich/{model}/auc"].note == "positive class yes"
        assert scores[f"rich/{model}/auc"].better == "higher"
        assert scores[f"height/{model}/r2"].value > 0.8
        assert scores[f"height/{model}/mae"].value < 1
        assert scores[f"height/{model}/mae"].better == "lower"


def test_one_model_at_depth_quick_and_the_same_twice(schema_of, people):
    schema = schema_of("rich")
    one, same = (found(people(300, 1), people(400, 2), schema)[0] for _ in range(2))
    assert set(one) == {"rich/boosting/auc", "rich/boosting/f1"}
    assert one == same


def test_a_target_of_several_classes_is_scored_one_against_the_rest(schema_of, people):
    schema = schema_of("city")
    scores, _ = found(people(400, 1), people(800, 2), schema)
    assert scores["city/boosting/auc"].value > 0.65
    candidate = people(800, 2)["core"].frame()
    candidate = candidate[candidate["city"] != "Athens"]  # a class that training has never seen
    fewer, _ = found(people(400, 1), {"core": Table.of(candidate)}, schema)
    assert 0.4 < fewer["city/boosting/auc"].value < scores["city/boosting/auc"].value
    assert scores["city/boosting/auc"].note == "mean over classes, one against rest"


def constant(frame, **over):
    return {"core": Table.of(pa.Table.from_pandas(frame.assign(**over), preserve_index=False))}


def test_training_data_of_one_class_predicts_that_class(schema_of, people):
    target, frame = people(300, 1), people(200, 2)["core"].frame()
    share = float(np.mean(target["core"].frame()["rich"] == "yes"))
    yes, _ = found(target, constant(frame, rich="yes"), schema_of("rich"), depth="standard")
    no, _ = found(target, constant(frame, rich="no"), schema_of("rich"), depth="standard")
    for model in ("linear", "forest", "boosting"):
        assert yes[f"rich/{model}/auc"].value == no[f"rich/{model}/auc"].value == 0.5
        assert yes[f"rich/{model}/f1"].value == pytest.approx(2 * share / (1 + share))
        assert no[f"rich/{model}/f1"].value == 0


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_training_data_of_hardly_any_rows(schema_of, people, rows):
    scores, _ = found(people(100, 1), people(rows, 2), schema_of("rich", "height", "city"), depth="standard")
    assert len(scores) == 3 * 2 * 3
    assert all(math.isfinite(raw.value) for raw in scores.values())
    if rows == 0:
        assert scores["rich/forest/auc"].value == 0.5
        truth = people(100, 1)["core"].frame()["height"]
        # No row says anything of heights: the middle of their declared range is left.
        assert scores["height/linear/mae"].value == pytest.approx(np.abs(truth - 5).mean())


def test_regression_on_constant_and_missing_answers(schema_of, people):
    frame = people(100, 2)["core"].frame()
    for answers in (3.0, None, np.nan, np.inf):
        scores, _ = found(people(100, 1), constant(frame, height=answers), schema_of("height"), depth="standard")
        assert scores["height/boosting/r2"].value <= 0


def test_a_column_missing_in_the_target_alone(schema_of, people):
    blank = people(200, 1)["core"].frame().assign(height=None).astype({"height": float})
    scores, _ = found({"core": Table.of(blank)}, people(200, 2), schema_of("rich"), depth="standard")
    assert len(scores) == 6


def test_a_target_that_cannot_test_is_a_note_not_a_failure(schema_of, people):
    frame = people(100, 1)["core"].frame()
    scores, notes = found(constant(frame, rich="no", height=1.0), people(100, 2), schema_of("rich", "height"))
    assert not scores
    assert notes == {
        "predictive/rich": "one class in dev: nothing to test on",
        "predictive/height": "one value in dev: nothing to test on",
    }


def test_linear_features_are_standardised_with_a_column_per_level():
    values = np.array([[1.0, 0], [3.0, 1], [np.nan, 1]], dtype=np.float32)
    rows = Features(values=values, levels=(0, 2))
    assert Linear.fit(rows).apply(rows).tolist() == [[-1, 1, 0], [1, 0, 1], [0, 0, 1]]


def test_boolean_targets():
    truth = pa.chunked_array([[True, False, None]])
    held = judge.classes(truth, None)
    assert held.note == "positive class true"
    assert held.truth[:2].tolist() == [1, 0]
    assert held.known.tolist() == [True, True, False]


def test_metric_names_hold_no_signs_that_tracking_stores_refuse():
    assert [slug(name) for name in ("income>50K", "core.income", "hours-per-week")] == [
        "income-50K", "core-income", "hours-per-week"
    ]  # fmt: skip


def test_models_learn_from_so_many_rows_at_most_the_same_each_time(schema_of, people, monkeypatch):
    schema = schema_of("rich")
    whole, _ = found(people(600, 1), people(600, 2), schema)
    monkeypatch.setitem(predictive.MOST, "quick", 200)
    seen = []
    fit = predictive._fit
    monkeypatch.setattr(
        predictive, "_fit", lambda f, left, *rest, **named: (seen.append(left), fit(f, left, *rest, **named))[1]
    )
    few, _ = found(people(600, 1), people(600, 2), schema)
    again, _ = found(people(600, 1), people(600, 2), schema)
    assert [len(rows) for rows in seen] == [200, 200]
    assert few["rich/boosting/auc"].value == again["rich/boosting/auc"].value != whole["rich/boosting/auc"].value
