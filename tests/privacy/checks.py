"""What must hold of the private room, each a function that fails where it does not.

The ordinary tests call them on the code as it is, `test_mutations.py` on code with one mistake in it, which one of
them has to find. Each asks through `PrivateTable`, so that it does not matter where the mistake sits.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from replay import Replayer, record, replay
from scipy import stats
from tables import SIZES, codes_of, private_of, rows_of

from pasteur.errors import BudgetError, PrivacyError
from pasteur.marginals import Domain, Levels
from pasteur.privacy import Budget, DiscreteGaussian, ExactMechanisms, ExponentialChoice, Ledger, PrivateTable, Rho
from pasteur.privacy.ledger import ROWS_PUBLIC

RICH = 1e5
NOBODY = {"a": [], "b": [], "c": []}
BOTH = ("add_remove", "replace")


def asked(ask, private):
    """The questions of `ask(private)`: events, exact answers and noisy ones."""
    return record(ask, private).questions


# Questions: of each kind one, whose exact answer one unit can move by the whole of its sensitivity.


def measure(private):
    private.measure([("a", "b")], sigmas=[1e3], label="x")


def measure_laplace(private):
    private.measure_laplace([("a", "b")], scales=[1e3], label="x")


def measure_total(private):
    private.measure_total(sigma=1e3, label="x")


def measure_merged(private):
    private.merged({"a": [0, 1, 1, 1]}).measure([("a", "b")], sigmas=[1e3], label="x")


def measure_levels(private):
    levels = Levels(private.domain, {"a@2": ("a", np.array([0, 1, 1, 1]))})
    private.with_levels(levels).measure([("a@2", "b")], sigmas=[1e3], label="x")


AWAY = np.array([-9.0, 9.0, 0, 0])
"""Answers about `a` from which rows of code 0 are further away, and rows of code 1 nearer to, the more there are."""


def choose(private):
    private.choose([("a",)], answers=[AWAY], epsilon=1e-3, label="x")


def choose_weighted(private):
    private.choose([("b",), ("a",)], answers=[[0] * 3, AWAY], weights=[0.3, 2.6], bias=[1, 5], epsilon=1e-3, label="x")


def choose_grouped(private):
    groups = [[0, 1, 2, 2]]
    private.choose([("a",)], answers=[AWAY], groups=groups, weights=[7], epsilon=1e-3, label="x")


def choose_several(private):
    private.choose_several(
        [("a",), ("b",), ("a",)], answers=[AWAY, [0] * 3, AWAY], weights=[3, 2, 3], epsilon=1e-3, count=2, label="x"
    )


def measure_errors(private):
    private.measure_errors([("a",)] * 5, answers=[AWAY] * 5, sigma=1e3, label="x")


QUESTIONS = (
    measure, measure_laplace, measure_total, measure_merged, measure_levels, choose, choose_weighted, choose_grouped,
    choose_several, measure_errors,
)  # fmt: skip


def moved(ask, here, there, **how):
    """How far each exact answer of `ask` is from one table to the other, as a share of its declared sensitivity."""
    tape = record(ask, private_of(*here, epsilon=RICH, **how))
    private = private_of(*there, epsilon=RICH, **how)
    private._mechanisms = replayer = Replayer(tape)
    ask(private)
    both = zip(tape.questions, replayer.asked, strict=True)
    return [one.distance(other) / one.event.sensitivity for one, other in both]


def sensitivity_is_attained(ask, m=1, relation="add_remove"):
    """D04, D18, D24: one unit of 30 rows moves the answer by all of its declared sensitivity, and no more."""
    mine, theirs = ({name: [code] * 30 for name in SIZES} for code in (0, 1))
    other = (theirs, [1] * 30) if relation == "replace" else (NOBODY, [])
    shares = moved(ask, (mine, [1] * 30), other, m=m, relation=relation)
    assert shares
    if ask is measure_total and relation == "replace":
        return  # the number of rows moves most where all of them go: see `measure_total`
    assert max(shares) == pytest.approx(1, rel=1e-9), shares


def one_unit_moves_no_answer_too_far(ask, m, relation, seed):
    """D04, D19, D24: whatever the unit's rows, up to ten times as many as may count, and the others'."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 12))
    units = np.repeat(np.arange(people), rng.integers(1, 10 * m, people))
    columns = {name: rng.integers(0, size, len(units)) for name, size in SIZES.items()}
    others = {name: values[units > 0] for name, values in columns.items()}
    other_units = units[units > 0]
    if relation == "replace":  # person 0 is another one
        new = int(rng.integers(1, 10 * m))
        others = {name: np.append(values, rng.integers(0, SIZES[name], new)) for name, values in others.items()}
        other_units = np.append(other_units, [0] * new)
    shares = moved(ask, (columns, units), (others, other_units), m=m, relation=relation)
    assert max(shares) <= 1 + 1e-12, shares


def which_rows_count_depends_on_the_unit_alone():
    """D18, D19: neither the order of the rows nor who else is there changes which rows of a unit are kept."""

    def whole(columns, units):
        ask = lambda private: private.measure([("a", "b", "c")], sigmas=[1e3], label="x")  # noqa: E731
        return asked(ask, private_of(columns, units, m=3))[0].exact

    columns, units = rows_of(200, seed=3), np.random.default_rng(4).integers(0, 30, 200)
    expected = whole(columns, units)
    order = np.random.default_rng(5).permutation(200)
    assert (whole({name: values[order] for name, values in columns.items()}, units[order]) == expected).all()
    parts = [whole({n: v[units == unit] for n, v in columns.items()}, units[units == unit]) for unit in range(30)]
    assert (np.sum(parts, axis=0) == expected).all()
    assert expected.sum() == sum(min(3, np.sum(units == unit)) for unit in range(30))


# The ledger.


def every_answer_is_charged_and_before_it_is_given(ask):
    """D06, D07, D12, D15: what is answered is on the ledger by then; nothing is answered past the budget."""
    tape = record(ask, private_of(rows_of(10), epsilon=RICH))
    assert tape.questions
    seen = []

    class Spy(ExactMechanisms):
        def gaussian(self, exact, event):
            seen.append(list(private.ledger.events))
            return super().gaussian(exact, event)

        def laplace(self, exact, event):
            seen.append(list(private.ledger.events))
            return super().laplace(exact, event)

        def choose(self, scores, event):
            seen.append(list(private.ledger.events))
            return super().choose(scores, event)

    private = private_of(rows_of(10), epsilon=RICH, mechanisms=Spy())
    ask(private)
    assert [events[: len(tape.entries)] for events in seen] == [[entry.event for entry in tape.entries]] * len(seen)
    poor = private_of(rows_of(10), epsilon=1e-6, mechanisms=Spy())
    del seen[:]
    with pytest.raises(BudgetError):
        ask(poor)
    assert not seen
    assert poor.ledger.events == ()


def charges_are_those_by_hand():
    """D07: what each kind of question costs in rho, from the formulas of the papers, m and relation."""
    for m, relation, rows in ((1, "add_remove", 1), (3, "add_remove", 3), (3, "replace", 6)):
        moved_l2 = math.sqrt(2) * m if relation == "replace" else m
        costs = {
            measure: (moved_l2 / 1e3) ** 2 / 2,
            measure_total: (m / 1e3) ** 2 / 2,
            measure_laplace: (rows / 1e3) ** 2 / 2,
            choose: 1e-6 / 8,
            choose_weighted: 1e-6 / 8,
            choose_several: 2e-6 / 8,
            measure_errors: 5 * (rows / 1e3) ** 2 / 2,
        }
        for ask, cost in costs.items():
            private = private_of(rows_of(9), range(9), m=m, relation=relation, accountant="zcdp", epsilon=RICH)
            ask(private)
            assert private.ledger.spent == pytest.approx(cost, rel=1e-9), ask
    events = private_of(rows_of(9), epsilon=RICH)
    choose_weighted(events)
    # 2.6 is 4096 parts, 0.3 is 473 of them
    assert events.ledger.events == (ExponentialChoice(epsilon=1e-3, sensitivity=1024 * 4096),)


def a_budget_for_k_questions_answers_k(k=5):
    """D08, D12."""
    for name in ("gdp", "zcdp"):
        private = private_of(rows_of(9), accountant=name)
        sigma = private.sigma(private.ledger.total / k)
        for _ in range(k):
            private.measure([("a",)], sigmas=[sigma], label="step")
        with pytest.raises(BudgetError):
            private.measure([("a",)], sigmas=[sigma], label="step")
        assert len(private.ledger.events) == k


def no_price_is_under_that_of_the_discrete_gaussian():
    """The curve of the continuous Gaussian is not valid for whole numbers: 2.5 times the delta at sigma 1."""
    from pasteur.privacy import GaussianDP

    for sigma in (0.5, 1.0, 2.0):
        x = np.arange(-60, 61)
        mass = np.exp(-(x**2) / (2 * sigma**2))
        below = np.cumsum(mass / mass.sum())[:-1]
        quantiles = stats.norm.ppf(below[(below > 1e-12) & (below < 1 - 1e-12)])
        assert GaussianDP().mu(DiscreteGaussian(sigma=sigma, sensitivity=1)) >= np.diff(quantiles).max() - 1e-9


def a_rho_is_no_sigma():
    """D05."""
    private = private_of(rows_of(9), epsilon=RICH)
    for ask in (
        lambda: private.measure([("a",)], sigmas=[Rho(2.0)], label="x"),
        lambda: private.measure_errors([("a",)], answers=[AWAY], sigma=Rho(2.0), label="x"),
        lambda: private.choose([("a",)], answers=[AWAY], epsilon=Rho(0.1), label="x"),
    ):
        with pytest.raises(PrivacyError, match="not Rho"):
            ask()


def what_voids_a_claim_is_on_it():
    """D26: a seed for the noise, and a public number of rows, are stamped on the ledger."""
    seeded = private_of(rows_of(9), mechanisms=ExactMechanisms(debug_seed=1))
    assert seeded.ledger.claim()["epsilon"] is None
    public = private_of(rows_of(9), rows_public=True)
    assert public.ledger.stamps == (ROWS_PUBLIC,)
    assert private_of(rows_of(9)).public_rows is None


# From encode on, nothing depends on a private value.


def codes_outside_neither_raise_nor_escape():
    """D01, D11, D20: the domain is what was declared, whatever the codes."""

    def ask(private):
        assert private.domain.as_dict() == SIZES
        private.measure([("a", "b")], sigmas=[1e3], label="x")

    tape = record(ask, private_of(rows_of(30)))
    for odd in (0, 3, 200, 255):
        more = {name: [*values, odd] for name, values in rows_of(30).items()}
        replay(ask, private_of(more), tape)


def scores_are_whole_numbers():
    """D21, D22: the same ones, by hand, for answers that no float holds exactly."""
    answer = [1 / 3, 2e-4, -7.7, 3.0004]
    counts = np.bincount(rows_of(30)["a"], minlength=4)
    (question,) = asked(
        lambda private: private.choose([("a",)], answers=[answer], epsilon=1e-3, label="x"), private_of(rows_of(30))
    )
    assert question.exact.dtype == np.int64
    by_hand = sum(abs(1024 * int(n) - round(1024 * x)) for n, x in zip(counts, answer, strict=True))
    assert question.exact.tolist() == [by_hand]


def neighbours_are_asked_the_same(fit):
    """Record and replay of `fit`: on a table with a new category, and one of fewer rows."""

    def private(columns):
        return PrivateTable(codes_of(columns), Domain.of(SIZES), Ledger(Budget(epsilon=RICH)), salt="s")

    usual = {"a": [0, 1, 2] * 8, "b": [0, 1, 0] * 8, "c": [0, 1, 1] * 8}
    tape = record(fit, private(usual))
    for other in (
        {name: [*values, SIZES[name] - 1] for name, values in usual.items()},
        {name: values[1:] for name, values in usual.items()},
    ):
        assert replay(fit, private(other), tape) == tape.result
