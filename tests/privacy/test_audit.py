"""The audit of each algorithm: does a release tell two worlds apart better than its claim allows?

At epsilon 1 a thousand runs would find nothing, so the same code runs at a mu of 3, on a table of three attributes,
with a unit of thirty rows more or less of which three may count. See `worlds.py` for the statistic.
"""

from __future__ import annotations

import pytest
from algorithms import ALGORITHMS, fit_of
from worlds import MU, lower_bound

from pasteur.privacy import noise

RUNS = 400
"""In each world. What is spent on choices is hard to see, but any fit shows a mu of 2.5 or more: by chance alone its
bound is then under 1.2, or over the claim, less than once in a billion audits."""
FEW = {"iterations": 3, "last_iterations": 3}  # how well the model fits changes nothing about what is asked
TIMES = {"independent": 3 * RUNS}  # what it spends is seen whole, so that less than the claim would be noise wasted
SETTINGS = {"independent": {}, "mst": {"iterations": 3}, "relational": {}}


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_costs_no_more_than_it_claims(name):
    bound = lower_bound(fit_of(name, **SETTINGS.get(name, FEW)), MU, TIMES.get(name, RUNS))
    assert bound <= MU
    assert bound >= (0.65 * MU if name == "independent" else 0.4 * MU)


def test_the_audit_finds_half_the_noise(monkeypatch):
    real = noise.gaussian
    monkeypatch.setattr(noise, "gaussian", lambda size, sigma, bits: real(size, sigma / 2, bits))
    assert lower_bound(fit_of("independent"), MU, 600) > MU
