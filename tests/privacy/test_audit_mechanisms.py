"""The audit of each mechanism: it tells two worlds apart no better than it claims, and not much less well.

A bound far under the claim is noise wasted. See `worlds.py` for the statistic.
"""

from __future__ import annotations

import numpy as np
import pytest
from worlds import MU, USUAL, lower_bound

from pasteur.privacy import ExactMechanisms, curves, noise

COUNTS = np.bincount(np.array(USUAL)[:, 0], minlength=3).astype(float)
MORE = COUNTS + np.array([0, 0, 3])  # what the odd unit makes of them


def measure(private):
    private.measure([("a", "c")], sigmas=[private.sigma(private.ledger.remaining)], label="x")


def measure_total(private):
    # The same price as of a marginal: its sensitivity is m as well.
    private.measure_total(sigma=private.sigma(private.ledger.remaining), label="x")


def measure_laplace(private):
    private.measure_laplace([("a", "c")], scales=[1 / curves.mu_ratio(MU * (1 - 1e-9))], label="x")


def measure_errors(private):
    candidates, answers = [("a",)] * 4, [COUNTS] * 4
    sigma = private.error_sigma(private.ledger.remaining, 4)
    private.measure_errors(candidates, answers=answers, sigma=sigma, label="x")


def choose(private):
    """One candidate is further away in world 1, by all that a unit can move it, and one is nearer."""
    epsilon = private.choice_epsilon(private.ledger.remaining)
    private.choose([("a",)] * 2, answers=[COUNTS, MORE], epsilon=epsilon, label="x")


def choose_several(private):
    epsilon = private.choice_epsilon(private.ledger.remaining / 3)
    answers = [COUNTS, MORE] * 4
    private.choose_several([("a",)] * 8, answers=answers, epsilon=epsilon, count=3, label="x")


LEAST = 0.65
# Runs a world are so many that chance alone makes a bound under that share of the claim, or one above it, less than
# once in a billion audits. The answer of three choices is a majority: the best test of it reaches 0.859 of the claim.
MECHANISMS = {
    # name: the question, rows of a unit that may count, runs a world
    "measure": (measure, 3, 1200),
    "measure_total": (measure_total, 3, 1200),
    "measure_laplace": (measure_laplace, 1, 1200),
    "measure_errors": (measure_errors, 3, 1200),
    "choose": (choose, 3, 1200),
    "choose_several": (choose_several, 3, 2500),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_costs_what_it_claims(name):
    ask, cap, runs = MECHANISMS[name]
    assert LEAST * MU <= lower_bound(ask, MU, runs, cap=cap) <= MU


def test_the_audit_finds_noise_wasted(monkeypatch):
    real = noise.gaussian
    monkeypatch.setattr(noise, "gaussian", lambda size, sigma, bits: real(size, 2 * sigma, bits))
    assert lower_bound(measure, MU, 1200) < LEAST * MU


def test_the_audit_finds_a_choice_without_noise(monkeypatch):
    monkeypatch.setattr(ExactMechanisms, "choose", lambda self, scores, event: int(scores.argmax()))
    assert lower_bound(choose, MU, 200) > MU
