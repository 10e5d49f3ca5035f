from __future__ import annotations

import math

import numpy as np
import pytest
from coded import private_of
from hypothesis import given
from hypothesis import strategies as st

from pasteur.errors import BudgetError, ConfigError
from pasteur.marginals import Domain, GraphicalModel, Measurement, tree_cells
from pasteur.privacy import Budget, Ledger
from pasteur.synth import _spending
from pasteur.synth._rounds import LOOKED, Rounds, fitting, penalties, stands_still

DOMAIN = Domain.of({"a": 10, "b": 10, "c": 10, "d": 10, "e": 10, "f": 10})
RING = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]


def spend(private, cost):
    private.measure([("a",)], sigmas=[private.sigma(cost)], label="round")


def measured_as(clique, values, sigma):
    return Measurement(clique=clique, values=values, sigma=sigma)


def model_of(cliques, domain=DOMAIN):
    measured = [measured_as(clique, np.ones(domain.shape(clique)), 1.0) for clique in cliques]
    return GraphicalModel.estimate(domain, measured, total=100.0)


@given(st.integers(1, 30), st.lists(st.booleans(), max_size=30))
def test_rounds_spend_the_whole_budget_and_no_more(count, anneals):
    private = private_of({"a": [0, 1]}, 1.0, domain=Domain.of({"a": 2}))
    rounds = Rounds(private.ledger, count=count)
    seen, lasts = 0, []
    for cost in rounds:
        assert rounds.number == seen
        assert 0 < rounds.spent <= 1
        lasts.append(rounds.last)
        spend(private, cost)
        if seen < len(anneals) and anneals[seen]:
            rounds.anneal()
        seen += 1
    assert 1 <= seen <= count
    assert lasts == [False] * (seen - 1) + [True]
    assert private.ledger.spent == pytest.approx(private.ledger.total, rel=1e-6)


def test_a_round_that_anneals_makes_the_next_four_times_as_dear():
    private = private_of({"a": [0, 1]}, 1.0, domain=Domain.of({"a": 2}))
    costs = []
    for cost in (rounds := Rounds(private.ledger, count=100)):
        costs.append(cost)
        spend(private, cost)
        rounds.anneal()
    assert costs[1] == pytest.approx(4 * costs[0])
    assert costs[2] == pytest.approx(16 * costs[0])
    assert len(costs) == 4, "1 + 4 + 16 + what is left"


def test_rounds_end_where_sigma_cannot_fall_and_the_budget_cannot_be_spent():
    private = private_of({"a": [0, 1]}, 1e6, domain=Domain.of({"a": 2}))
    assert len([spend(private, cost) for cost in Rounds(private.ledger, count=7)]) == 7


def test_candidates_fit_as_their_tree_does():
    model = model_of(RING)
    candidates = [("a",), ("a", "b"), ("a", "f"), ("a", "c"), ("c", "f")]
    cells = tree_cells(DOMAIN, RING, candidates)
    for megabytes in (0.0, 0.005, 0.01, 0.02, 1.0):
        kept = fitting(model, candidates, megabytes=megabytes)
        wanted = np.flatnonzero(cells <= max(megabytes * 2**17, cells.min()))
        assert set(wanted) == set(kept), megabytes
    assert list(fitting(model, candidates, megabytes=0.0)) == [0, 1], "what leaves the tree as it is"


@given(st.lists(st.sampled_from([(x, y) for x in "abcdef" for y in "abcdef" if x < y]), max_size=6, unique=True))
def test_what_is_let_in_without_a_look_has_a_tree_that_fits(cliques):
    model = model_of(cliques)
    candidates = [(x, y) for x in "abcdef" for y in "abcdef" if x < y]
    cells = tree_cells(DOMAIN, cliques, candidates)
    for megabytes in (0.004, 0.02):
        kept = fitting(model, candidates, megabytes=megabytes)
        assert (cells[kept] <= max(megabytes * 2**17, cells.min())).all()


def test_more_candidates_than_a_round_can_look_at_take_turns():
    domain = Domain.of({f"x{i}": 2 for i in range(130)})
    model = model_of([], domain)
    names = domain.attributes
    candidates = [(name,) for name in names] + [(x, y) for i, x in enumerate(names) for y in names[:i]]
    turns = [fitting(model, candidates, megabytes=4.0, turn=turn) for turn in range(3)]
    assert all(len(kept) <= LOOKED for kept in turns)
    assert sorted(np.concatenate(turns)) == list(range(len(candidates)))
    assert all(kept[0] < len(names) for kept in turns), "a one-way is always among them"
    np.testing.assert_array_equal(fitting(model, candidates, megabytes=4.0, turn=3), turns[0])


def test_noise_leaves_its_mean_size_in_each_cell():
    model = model_of([("a", "b")])
    np.testing.assert_allclose(
        penalties(model, [("a",), ("a", "b")], sigma=3.0), math.sqrt(2 / math.pi) * 3 * np.array([10, 100])
    )


def test_a_model_stands_still_where_it_moves_by_less_than_noise_would():
    domain = Domain.of({"a": 2})
    models = [
        GraphicalModel.estimate(domain, [measured_as(("a",), np.array([x, 100 - x]), 1.0)], total=100.0)
        for x in (50.0, 53.0)
    ]
    moved = 6.0
    for sigma, still in ((moved / 2 / _spending.NOISE * 1.1, True), (moved / 2 / _spending.NOISE * 0.9, False)):
        measured = measured_as(("a",), np.array([53.0, 47.0]), sigma)
        assert stands_still(*models, measured) is still


def test_one_ways_cost_what_they_may():
    private = private_of({"a": [0, 1, 2], "b": [0, 0, 1]}, 1.0, domain=Domain.of({"a": 3, "b": 2}))
    ones = _spending.one_ways(private, cost=private.ledger.total / 4)
    assert [each.clique for each in ones] == [("a",), ("b",)]
    assert private.ledger.spent == pytest.approx(private.ledger.total / 4, rel=1e-6)
    assert ones[0].sigma == ones[1].sigma


def test_rows_are_the_declared_number_or_the_noisy_one():
    domain = Domain.of({"a": 2})
    codes = {"a": [0] * 70}
    declared = private_of(codes, 1.0, domain=domain, rows_public=True)
    assert _spending.rows(declared, []) == 70
    hidden = private_of(codes, 1e4, domain=domain)
    assert _spending.rows(hidden, [_spending.count(hidden, share=0.5)]) == pytest.approx(70, abs=5)
    assert _spending.rows(private_of({"a": []}, 1.0, domain=domain, rows_public=True), []) == 1.0


def test_a_budget_too_small_for_one_measurement_is_refused():
    private = private_of({"a": [0]}, 1.0, domain=Domain.of({"a": 2}))
    with pytest.raises(BudgetError, match="noise it buys is under 2\\^40"):
        _spending.one_ways(private, cost=private.ledger.total * 1e-30)
    assert private.ledger.spent == 0


def test_one_ways_that_a_model_cannot_hold_are_refused_with_their_size():
    domain = Domain.of({"sex": 2, "zip": 3_000_000})
    with pytest.raises(ConfigError, match=r"max_size \(4 MB\) must be 23 MB or more.*'zip' has 3,000,000 codes"):
        _spending.check_one_ways(domain, max_size=4.0)
    _spending.check_one_ways(domain, max_size=23.0)


def test_gaussian_dp_buys_more_where_little_is_spent_on_choosing():
    for epsilon in (0.1, 1.0, 10.0):
        budget = Budget(epsilon=epsilon)
        assert _spending.accountant(budget, choices=0.0, events=1) == "gdp"
        assert _spending.accountant(budget, choices=0.1, events=224) == "gdp"
        assert _spending.accountant(budget, choices=0.6, events=20) == "zcdp"
        assert Ledger(budget, "gdp").total > Ledger(budget, "zcdp").total
