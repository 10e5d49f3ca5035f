from __future__ import annotations

from dataclasses import replace

import pytest

from pasteur.app.sweep import objectives
from pasteur.errors import ConfigError

METRICS = ("marginals/tvd2", "predictive/income/auc", "copies/share", "fit/tvd2")


@pytest.fixture
def result(experiment, make_result):
    return make_result(experiment)


def test_the_numbers_of_a_run_lower_is_better(result):
    assert objectives.value(result, "marginals/tvd2") == 0.1
    assert objectives.value(result, "marginals/tvd2/gap") == pytest.approx((0.1 - 0.06) / (0.2 - 0.06))
    assert objectives.value(result, "marginals/gap") == objectives.value(result, "marginals/tvd2/gap")
    assert objectives.value(result, "predictive/income/auc") == pytest.approx(1 - 0.8)
    assert (objectives.value(result, "epsilon"), objectives.value(result, "seconds")) == (1.0, 2.5)
    assert objectives.value(result, "seconds/fit") == 1.5


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("predictive/income/auc/gap", "has no signal in this run (no anchors)"),
        ("predictive/gap", "this run has none"),
        ("seconds/learn", "this run has none"),
        ("marginals/tvd9", "no score 'marginals/tvd9'; did you mean 'marginals/tvd2'?"),
    ],
)
def test_what_a_run_does_not_have_is_no_number(result, name, told):
    with pytest.raises(ConfigError) as error:
        objectives.value(result, name)
    assert told in str(error.value)


def test_nan_is_no_number(result):
    with pytest.raises(ConfigError, match=r"seconds \(nan\) must be a finite number"):
        objectives.value(replace(result, seconds=float("nan")), "seconds")
    unknown = replace(result, claim={**result.claim, "private": False})
    with pytest.raises(ConfigError, match="epsilon: this run has none"):
        objectives.value(unknown, "epsilon")


def test_an_unknown_objective_is_told_with_those_there_are():
    objectives.check(["marginals/tvd2/gap", "marginals/gap", "epsilon", "seconds/fit"], metrics=METRICS)
    with pytest.raises(ConfigError) as error:
        objectives.check(["marginals/tdv2"], metrics=METRICS)
    told = str(error.value)
    assert all(name in told for name in ("epsilon", "seconds/fit", "marginals/gap", *METRICS))
    assert "did you mean 'marginals/tvd2'?" in told


@pytest.mark.parametrize("name", ["copies/share", "fit/tvd2", "fit/gap", "marginals/tvd2/model_gap"])
def test_what_reads_the_fitted_rows_is_refused_unless_nothing_is_claimed(name):
    with pytest.raises(ConfigError, match=r"computed from syn, ref and dev alone: it reads .*; sweep.claim=none"):
        objectives.check([name], metrics=METRICS)
    objectives.check([name], metrics=METRICS, unpaid=True)


def test_a_score_that_read_wrk_is_refused_whatever_its_name(result):
    scores = (replace(result.scores[0], reads=("wrk",)),)
    with pytest.raises(ConfigError, match="reads wrk, on which no choice may rest"):
        objectives.value(replace(result, scores=scores), "marginals/tvd2")
    assert objectives.value(replace(result, scores=scores), "marginals/tvd2", unpaid=True) == 0.1


def test_what_a_number_reads():
    assert objectives.reads("marginals/tvd2/gap") == {"syn", "ref", "target"}
    assert objectives.reads("marginals/tvd2/model_gap") >= {"dec"}
    assert objectives.reads("copies/share") >= {"wrk"}
    assert not objectives.reads("seconds/fit")
