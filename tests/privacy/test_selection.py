from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pasteur.errors import PrivacyError
from pasteur.privacy import ExponentialChoice, selection
from pasteur.privacy.entropy import SystemEntropy

OS = SystemEntropy()


@pytest.mark.parametrize(
    ("scores", "epsilon"),
    [([0, 1024, 2048, 5000], 1.0), ([7, 7, 7], 2.0), ([-(10**12), 0, 10], 3.0), ([0, 1, 2], 1e-9)],
)
def test_d07_choices_have_the_probabilities_that_were_paid_for(scores, epsilon):
    event = ExponentialChoice(epsilon=epsilon, sensitivity=1024)
    drawn = [selection.choose(np.array(scores, dtype=np.int64), event, OS) for _ in range(4000)]
    weights = np.exp(epsilon * (np.array(scores) - max(scores)) / 2048)
    expected = weights / weights.sum() * len(drawn)
    observed = np.bincount(drawn, minlength=len(scores))
    assert observed[expected < 1e-12].sum() == 0
    seen = expected >= 1e-12
    assert stats.chisquare(observed[seen], expected[seen]).pvalue > 1e-10


def test_d07_the_charge_by_hand(make_private, rows):
    for accountant, factor in (("zcdp", 1 / 8), ("gdp", np.pi / 16)):
        private = make_private(rows(50), accountant=accountant)
        private.choose([("a",), ("b",)], answers=[[1] * 4, [1] * 3], epsilon=0.1, label="edge")
        assert private.ledger.events == (ExponentialChoice(epsilon=0.1, sensitivity=1024),)
        assert private.ledger.spent == pytest.approx(factor * 0.1**2, rel=1e-3)


def test_far_scores_neither_overflow_nor_take_long():
    event = ExponentialChoice(epsilon=1.0, sensitivity=1024)
    scores = np.array([-(2**62), 2**62, 0], dtype=np.int64)
    assert selection.choose(scores, event, OS) == 1


def test_refusals():
    event = ExponentialChoice(epsilon=1.0, sensitivity=1024)
    for scores in (np.zeros(0, dtype=np.int64), np.zeros(3), np.zeros((2, 2), dtype=np.int64)):
        with pytest.raises(PrivacyError, match=r"scores \(.*\) must be int64, one for each candidate"):
            selection.choose(scores, event, OS)
