"""Two worlds: a table, and its neighbour with one unit more. An audit asks whether a release tells which one it is of.

`play(fit, world)` runs `fit` on one of the two tables and asks each of its questions of the other one as well, so that
the whole of what was answered has a log-likelihood ratio: the statistic that no other one beats. It is worked out from
the *declared* noise. If the noise is what was declared and mu what it costs, its law is no further apart in the two
worlds than that of N(0, 1) and N(mu, 1); with less noise it is.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from replay import Recorder, Replayer, Tape
from scipy import stats
from tables import codes_of

from pasteur.marginals import Domain
from pasteur.privacy import Budget, DiscreteGaussian, DiscreteLaplace, ExactMechanisms, GaussianDP, Ledger, PrivateTable

SIZES = {"a": 3, "b": 3, "c": 2}
DELTA = 1e-3
MU = 3.0
"""What an audited fit may spend, in all."""
USUAL = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1), (0, 1, 1)] * 5
ODD = (2, 2, 1)
"""What nobody else is: a unit of thirty such rows, of which `cap` may count."""

QUESTIONS = {"measure", "measure_laplace", "measure_total", "measure_errors", "choose", "choose_several"}
SAME_PEOPLE = {"merged", "with_levels"}


@lru_cache
def table(number, cap):
    """The table of world 0 (without the odd unit) or 1 (with it); its exact counts are made once for all runs."""
    rows = USUAL + [ODD] * 30 * number
    units = [*range(len(USUAL)), *["odd"] * 30 * number]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(SIZES)}
    ledger = Ledger(Budget(epsilon=1))
    return PrivateTable(codes_of(columns, units), Domain.of(SIZES), ledger, salt="s", max_rows_per_unit=cap)


def world(number, mu, cap=3, mechanisms=None):
    """A fresh `PrivateTable` over the table of a world, with a budget of mu in all."""
    epsilon = float(GaussianDP().epsilon(mu**2 / 2, DELTA))
    private = object.__new__(PrivateTable)
    private.__dict__.update(table(number, cap).__dict__)
    private._ledger = Ledger(Budget(epsilon=epsilon, delta=DELTA), "gdp")
    private._mechanisms = mechanisms or ExactMechanisms()
    return private


class Both:
    """Asks the same of two tables: the first answers, and the second's exact answers are kept beside."""

    def __init__(self, first, second):
        self._first, self._second = first, second

    def __getattr__(self, name):
        mine = getattr(self._first, name)
        if name in SAME_PEOPLE:
            return lambda *args, **more: Both(mine(*args, **more), getattr(self._second, name)(*args, **more))
        if name not in QUESTIONS:
            return mine

        def ask(*args, **more):
            answer = mine(*args, **more)
            getattr(self._second, name)(*args, **more)
            return answer

        return ask


def play(fit, number, mu, cap=3):
    """Run `fit` in world `number` (0 or 1); log(probability of all answers in world 1 / in world 0)."""
    tape = Tape()
    replayer = Replayer(tape)
    fit(Both(world(number, mu, cap, Recorder(ExactMechanisms(), tape)), world(1 - number, mu, cap, replayer)))
    pairs = zip(tape.questions, replayer.asked, strict=True)
    ratio = sum(log_ratio(mine.event, mine.answer, other.exact, mine.exact) for mine, other in pairs)
    return ratio if number == 0 else -ratio


def log_ratio(event, answer, there, here):
    """log(probability of `answer` with the exact answer `there` / with `here`)."""
    if isinstance(event, DiscreteGaussian):
        gaps = (answer - here).astype(float) ** 2 - (answer - there).astype(float) ** 2
        return float(gaps.sum()) / (2 * event.sigma**2)
    if isinstance(event, DiscreteLaplace):
        return float((np.abs(answer - here) - np.abs(answer - there)).sum()) / event.scale
    rate = event.epsilon / (2 * event.sensitivity)
    likely = [rate * (scores - scores.max()).astype(float) for scores in (there, here)]
    return float(np.subtract(*(log[answer] - np.log(np.exp(log).sum()) for log in likely)))


def lower_bound(fit, mu, runs, *, cap=3, alpha=1e-5):
    """Lower bound, wrong with probability alpha, of the mu that a fit with a budget of `mu` really costs.

    The threshold is fixed in advance: a log-likelihood ratio of 0, which for two normals mu apart is mu / 2. What a
    mu-GDP release allows is Phi^-1(true positives) - Phi^-1(false positives) <= mu (Dong, Roth, Su 2022), each rate
    with its Clopper-Pearson bound.
    """
    hits, alarms = (sum(play(fit, number, mu, cap) > 0 for _ in range(runs)) for number in (1, 0))
    least = stats.beta.ppf(alpha / 2, hits, runs - hits + 1) if hits else 0.0
    most = stats.beta.ppf(1 - alpha / 2, alarms + 1, runs - alarms) if alarms < runs else 1.0
    bound = stats.norm.ppf(least) - stats.norm.ppf(most)
    return bound if math.isfinite(bound) else -math.inf
