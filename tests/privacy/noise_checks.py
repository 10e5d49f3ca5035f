"""What must hold of noise and of choices: as `checks.py`, each a function that fails where it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from checks import RICH
from scipy import stats
from tables import private_of, rows_of

from pasteur.privacy import entropy, noise
from pasteur.privacy.entropy import SeededEntropy

ALPHA = 1e-10  # no false alarm in as many runs as there will ever be


def noise_has_its_declared_scale():
    """D03, D05: of marginals, of the number of rows and of errors, for sigma as given and as a share of the budget."""
    sizes = {"a": 150, "b": 150}
    private = private_of({"a": [], "b": []}, sizes=sizes, epsilon=RICH)
    for sigma in (2.0, private.sigma(1e-4), private.sigma(1e-6)):
        values = private.measure([("a", "b")], sigmas=[sigma], label="x")[0].values
        assert values.std() == pytest.approx(sigma, rel=0.04)
        assert values.mean() == pytest.approx(0, abs=0.05 * sigma)
    assert private.sigma(1e-4) == pytest.approx((2e-4) ** -0.5, rel=1e-3)
    laplace = private.measure_laplace([("a", "b")], scales=[20.0], label="x")[0]
    assert laplace.values.std() == pytest.approx(laplace.sigma, rel=0.07)
    assert laplace.sigma == pytest.approx(math.sqrt(2) * 20, rel=1e-3)
    totals = [private.measure_total(sigma=5.0, label="x").values for _ in range(1500)]
    assert np.std(totals) == pytest.approx(5, rel=0.14)  # 7.7 times its own deviation
    candidates, answers = [("a",)] * 1500, [np.zeros(150)] * 1500
    errors = private.measure_errors(candidates, answers=answers, sigma=0.75, label="x")
    assert errors.std() == pytest.approx(0.75, rel=0.14)


def noise_is_discrete_gaussian():
    """D21: the noise's probabilities, not only its scale, and where they are far from a rounded normal's."""
    sizes = {"a": 200, "b": 200}
    for sigma in (0.6, 2.3):
        private = private_of({"a": [], "b": []}, sizes=sizes, epsilon=RICH)
        drawn = private.measure([("a", "b")], sigmas=[sigma], label="x")[0].values.ravel().astype(int)
        x = np.arange(-40, 41)
        mass = np.exp(-(x**2) / (2 * sigma**2))
        expected = mass / mass.sum() * len(drawn)
        seen = expected > 50
        observed = np.bincount(drawn + 40, minlength=81)[seen]
        assert stats.chisquare(observed, expected[seen] * observed.sum() / expected[seen].sum()).pvalue > ALPHA


def choices_have_the_probabilities_paid_for(m=2):
    """D07: of one choice and of two in a row, from scores by hand: weighted, biased, grouped."""
    columns = {"a": [0, 0, 0, 1, 1, 2], "b": [0] * 6, "c": [0, 1] * 3}
    candidates, answers = [("a",), ("b",), ("a",)], [[0, 0, 0, 0], [9, 0, 0], [1, 4, 0, 1]]
    more = {"weights": [1, 2, 0.5], "bias": [2, 0, 1], "groups": [None, None, [0, 0, 1, 1]]}
    scores = np.array([1 * (6 - 2), 2 * (3 - 0), 0.5 * (0 + 0 - 1)])
    epsilon, count = 2.0, 1200
    likely = np.exp(epsilon * scores / (2 * m * 2))
    once, several = np.zeros(3), np.zeros((3, 3))
    private = private_of(columns, range(6), m=m, epsilon=RICH)
    for _ in range(count):
        ask = {"answers": answers, "epsilon": epsilon, "label": "x", **more}
        once[private.choose(candidates, **ask)] += 1
        several[tuple(private.choose_several(candidates, count=2, **ask))] += 1
    assert stats.chisquare(once, likely / likely.sum() * count).pvalue > ALPHA
    twice = np.array([[likely[i] * likely[j] / (likely.sum() - likely[i]) for j in range(3)] for i in range(3)])
    apart = ~np.eye(3, dtype=bool)
    assert np.trace(several) == 0
    assert stats.chisquare(several[apart], twice[apart] / likely.sum() * count).pvalue > ALPHA


def draws_do_not_depend_on_where_the_words_run_out():
    """A draw that the random words do not suffice for goes on with the words it had: to throw them away would favour
    draws that need few."""

    class OneStream:
        """One sequence of words, however many are asked for at a time."""

        def __init__(self):
            self._words = SeededEntropy(5).read(8 * 100_000)
            self._used = 0

        def read(self, size):
            self._used += size
            return self._words[self._used - size : self._used]

    block, drawn = entropy.BLOCK, []
    try:
        for entropy.BLOCK in (1, 3, 64, block):
            drawn.append([draw(300, 3.7, OneStream()).tolist() for draw in (noise.gaussian, noise.laplace)])
    finally:
        entropy.BLOCK = block
    assert all(other == drawn[-1] for other in drawn)


def two_runs_have_different_noise():
    """D23: the same question has another answer each time, and a fresh table starts no sequence again."""
    answers = {tuple(private_of(rows_of(50)).measure([("a",)], sigmas=[99.0], label="x")[0].values) for _ in range(6)}
    assert len(answers) > 4
