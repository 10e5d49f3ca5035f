from __future__ import annotations

import json
import math

import pytest

from pasteur.errors import ConfigError
from pasteur.metrics.score import Raw, Score, combine, family_gap, objective


def score(**over):
    held = {"metric": "marginals/tvd2", "better": "lower", "split": "dev", "syn": 0.08, "dec": 0.065, "ref": 0.063}
    return Score(**{**held, "base": 0.111, "se": 0.002, "dependence": True, **over})


def test_gap_is_where_the_synthetic_data_lies_between_fresh_data_and_independent_columns():
    assert score().gap == pytest.approx((0.08 - 0.063) / (0.111 - 0.063))
    assert score().model_gap == pytest.approx((0.08 - 0.065) / (0.111 - 0.063))
    assert score(syn=0.063).gap == 0
    assert score(syn=0.111).gap == 1
    assert score(syn=0.05).gap < 0
    assert score().value == 0.08


def test_a_score_whose_better_is_higher_becomes_an_error_first():
    auc = score(better="higher", syn=0.8, dec=0.88, ref=0.9, base=0.5, se=0.01)
    assert auc.error == pytest.approx(0.2)
    assert auc.gap == pytest.approx((0.9 - 0.8) / (0.9 - 0.5))
    assert auc.model_gap == pytest.approx((0.88 - 0.8) / (0.9 - 0.5))


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ({"se": 0.0241}, "no signal"),  # spread 0.048 < 2 * 0.0241
        ({"se": 0.0239}, "0.35"),
        ({"base": 0.063, "se": 0.0}, "no signal"),  # nothing between them
        ({"base": 0.05, "se": 0.0001}, "no signal"),  # the wrong way round
        ({"se": None}, "no signal"),
        ({"ref": None, "base": None}, "no anchors"),
    ],
)
def test_no_number_without_signal(over, text):
    assert score(**over).gap_text == text
    assert (score(**over).gap is None) == (text != "0.35")
    assert (score(**over).model_gap is None) == (text != "0.35")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_only_finite_numbers_are_scores(value):
    with pytest.raises(ValueError, match=r"must be a finite number"):
        score(syn=value)
    with pytest.raises(ValueError, match=r"must be a finite number"):
        Raw(metric="x/y", value=value, better="lower")


def test_better_is_lower_or_higher():
    with pytest.raises(ValueError, match=r"better \(up\) must be lower or higher"):
        score(better="up")


def test_a_score_and_its_json_are_the_same():
    whole = score(columns=("a", "b"), parts={"syn": {"a": 0.1}}, note="n")
    assert Score.read(json.loads(json.dumps(whole.document()))) == whole
    assert whole.document()["gap"] == whole.gap
    raw = Raw(metric="x/y", value=0.5, better="higher", columns=("a",), parts={"p": 1.0}, replicates=(0.1, 0.2))
    assert Raw.read(json.loads(json.dumps(raw.document()))) == raw


def raw(value, replicates=(), **over):
    return Raw(metric="marginals/tvd2", better="lower", value=value, replicates=replicates, **over)


def test_combine_puts_the_anchors_beside_and_takes_the_jackknife_error():
    # Differences base - ref: 1, 2, 3 with mean 2; sqrt((3 - 1) / 3 * 2) by the delete-a-group formula.
    anchors = {"dec": [raw(0.1)], "ref": [raw(0.0, (1.0, 2.0, 3.0))], "base": [raw(2.0, (2.0, 4.0, 6.0))]}
    (found,) = combine([raw(0.5, parts={"a,b": 0.5})], anchors, split="dev")
    assert (found.syn, found.dec, found.ref, found.base) == (0.5, 0.1, 0.0, 2.0)
    assert found.se == pytest.approx(math.sqrt(2 / 3 * 2))
    assert found.parts["syn"] == {"a,b": 0.5}


def test_combine_without_an_anchor_or_its_replicates():
    (found,) = combine([raw(0.5)], {"dec": [raw(0.1)]}, split="val")
    assert found.ref is found.base is found.se is None
    assert found.gap_text == "no anchors"
    (found,) = combine([raw(0.5)], {"ref": [raw(0.1, (1.0,))], "base": [raw(0.1, (1.0,))]}, split="val")
    assert found.se is None


def test_a_familys_gap_is_over_what_measures_dependence():
    scores = [
        score(metric="marginals/tvd1", dependence=False, syn=5.0),
        score(syn=0.063),
        score(metric="marginals/tvd3", syn=0.111),
        score(metric="marginals/other", se=1.0),
        score(metric="sql/mean", syn=9.0),
    ]
    assert family_gap(scores, "marginals") == pytest.approx(0.5)
    assert family_gap(scores, "detection") is None


def test_an_objective_reads_syn_ref_and_the_target_only():
    scores = [score(), score(metric="sql/mean", se=1.0)]
    assert objective(scores, "marginals/tvd2") == 0.08
    assert objective(scores, "marginals/tvd2.gap") == score().gap
    with pytest.raises(ConfigError, match=r"must be computed from syn, ref and the target alone: it reads dec"):
        objective(scores, "marginals/tvd2.model_gap")
    with pytest.raises(ConfigError, match="did you mean 'marginals/tvd2'"):
        objective(scores, "marginals/tvd")
    with pytest.raises(ConfigError, match="did you mean 'gap'"):
        objective(scores, "marginals/tvd2.gaps")
    with pytest.raises(ConfigError, match="its gap is 'no signal'"):
        objective(scores, "sql/mean.gap")
