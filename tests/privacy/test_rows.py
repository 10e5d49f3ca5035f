from __future__ import annotations

import checks
import numpy as np
import pytest
import rows_checks
from tables import codes_of, private_rows_of, rows_of

from pasteur.errors import BudgetError, PrivacyError
from pasteur.marginals import Domain, Levels
from pasteur.privacy import Budget, Ledger, PrivateRows
from pasteur.privacy.contexts import Context


@pytest.mark.parametrize("relation", checks.BOTH)
@pytest.mark.parametrize("ask", rows_checks.QUESTIONS)
def test_d04_d18_d24_one_unit_moves_an_answer_by_all_of_its_sensitivity(ask, relation):
    rows_checks.sensitivity_is_attained(ask, relation)


@pytest.mark.parametrize("relation", checks.BOTH)
@pytest.mark.parametrize("ask", rows_checks.QUESTIONS)
def test_d04_d19_one_unit_moves_no_answer_further(ask, relation):
    for seed in range(20):
        rows_checks.one_unit_moves_no_answer_too_far(ask, relation, seed)


def test_d18_which_rows_count_depends_on_the_unit_alone():
    rows_checks.which_rows_count_depends_on_the_unit_alone()


def test_clipped_vectors_are_what_the_formula_says():
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(40), rng.integers(1, 9, 40))
    columns = {"a": rng.integers(0, 4, len(units)), "b": rng.integers(0, 3, len(units))}
    private = private_rows_of(columns, units, sizes={"a": 4, "b": 3}, m=8)
    expected, means = np.zeros((4, 3)), np.zeros((4, 3))
    for unit in range(40):
        own = np.zeros((4, 3))
        np.add.at(own, (columns["a"][units == unit], columns["b"][units == unit]), 1)
        expected += np.floor(own * min(1, 1.5 / np.linalg.norm(own)) * 1024) / 1024
        means += np.floor(own / own.sum() * 1024) / 1024
    np.testing.assert_allclose(private._counts.clipped(("a", "b"), 1536) / 1024, expected, atol=2e-3)
    np.testing.assert_array_equal(private._counts.exact([("a", "b")])[0] / 1024, means)
    assert private._counts.plain(("a", "b")).sum() == len(units)


def test_the_first_rows_in_order_are_kept():
    columns = {"a": [3, 0, 2, 1, 1], "b": [0, 0, 1, 1, 2], "c": [0, 0, 0, 0, 0]}
    private = private_rows_of(columns, ["x", "x", "x", "y", "x"], m=2, order="a")
    assert private._counts.plain(("a",)).tolist() == [1, 2, 0, 0]
    assert private.max_rows == 2


def test_levels_are_sums_of_finer_codes():
    columns = rows_of(60)
    private = private_rows_of(columns, np.arange(60) // 6, m=6)
    coarse = private.with_levels(Levels(private.domain, {"a~2": ("a", np.array([0, 0, 1, 1]))}))
    fine = private._counts.plain(("a", "b"))
    assert (coarse._counts.plain(("a~2", "b")) == fine.reshape(2, 2, 3).sum(axis=1)).all()
    with pytest.raises(PrivacyError, match="base of the levels"):
        coarse.with_levels(Levels(private.domain, {}))


def test_codes_outside_neither_raise_nor_escape():
    private = private_rows_of({"a": [200, 0, 1], "b": [0, 9, 1], "c": [1, 1, 7]}, [1, 1, 2], m=2)
    assert private._counts.plain(("a", "b", "c")).sum() == 3
    empty = private_rows_of({"a": [], "b": [], "c": []}, [], m=2)
    assert empty.measure_clipped([("a",)], sigmas=[1e3], clip=1, label="x")[0].values.shape == (4,)


def test_a_context_is_chosen_for_what_it_adds():
    """`b` says nothing of `a`, `c` says all: whatever their own distributions are."""
    rng = np.random.default_rng(0)
    columns = {"b": rng.integers(0, 3, 900), "c": rng.integers(0, 2, 900)}
    columns["a"] = columns["c"] * 2
    private = private_rows_of(columns, np.arange(900) // 3, m=3, epsilon=100.0)
    shares = np.array([0.5, 0, 0.5, 0])
    contexts = [Context(clique=(name, "a"), shares=shares) for name in ("b", "c")]
    assert private.choose_context(contexts, epsilon=1.0, label="x") == 1
    known = Context(clique=("c", "b", "a"), shares=np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0]]), bias=50.0)
    assert private.choose_context([known], epsilon=1.0, label="x", stop=True) is None
    assert [event.sensitivity for event in private.ledger.events] == [2 * 1024 * 2**20] * 2


def test_d06_shares_are_shares():
    private = private_rows_of(rows_of(9), range(9), m=2)
    good = {"clique": ("b", "a"), "shares": np.full(4, 0.25)}
    for bad, words in (
        ({"shares": np.full(3, 0.25)}, "shares"),
        ({"shares": np.full(4, -0.25)}, "0 or more"),
        ({"shares": np.full(4, np.nan)}, "finite"),
        ({"clique": ("a",)}, "a context and a target"),
        ({"context": np.array([0, 2, 2])}, "groups of the context"),
        ({"bias": float("inf")}, "bias"),
    ):
        with pytest.raises(PrivacyError, match=words):
            private.choose_context([Context(**good | bad)], epsilon=1.0, label="x")
    too_much = Context(clique=("b", "a"), shares=np.full(4, 0.5)).checked((3, 4))
    assert too_much.sum() <= 2**20
    assert private.ledger.events == ()


def test_some_of_the_rows():
    columns, units = rows_of(60), np.arange(60) // 4
    private = private_rows_of(columns, units, m=4)
    first, later = private.only("a", first=True), private.only("a", first=False)
    assert first._counts.total() + later._counts.total() == 60
    assert first._counts.plain(("a",)).tolist()[1:] == [0, 0, 0]
    assert later._counts.plain(("a",))[0] == 0
    total = first._counts.plain(("b", "c")) + later._counts.plain(("b", "c"))
    assert (total == private._counts.plain(("b", "c"))).all()
    assert (first.max_rows, first.ledger) == (4, private.ledger)


@pytest.mark.parametrize("clip", [None, 0, -1, float("nan"), float("inf"), True, 17])
def test_d10_a_clip_is_a_bound(clip):
    private = private_rows_of(rows_of(9), range(9), m=2)
    with pytest.raises(PrivacyError, match="clip"):
        private.measure_clipped([("a",)], sigmas=[9.0], clip=clip, label="x")
    assert private.ledger.events == ()


@pytest.mark.parametrize("m", [None, 0, 1.5, True, 1 << 17])
def test_d10_rows_of_a_unit_are_a_bound(m):
    with pytest.raises(PrivacyError, match="max_rows_per_unit"):
        private_rows_of(rows_of(9), range(9), m=m)


def test_rows_say_whose_they_are():
    with pytest.raises(PrivacyError, match="_unit"):
        PrivateRows(codes_of({"a": [1]}), Domain.of({"a": 4}), Ledger(Budget(epsilon=1)), salt="s", max_rows_per_unit=2)
    with pytest.raises(PrivacyError, match="did you mean 'bb'"):
        private_rows_of({"a": [1], "bb": [1], "c": [0]}, [1], m=2)


def test_d12_a_question_past_the_budget_is_not_answered():
    private = private_rows_of(rows_of(9), range(9), m=2)
    with pytest.raises(BudgetError):
        private.measure_clipped([("a",), ("b",)], sigmas=[9e3, 1e-2], clip=1, label="x")
    assert private.ledger.events == ()


def test_sigma_is_what_a_share_buys():
    private = private_rows_of(rows_of(9), range(9), m=5)
    cost = private.ledger.remaining / 3
    private.measure_clipped([("a",)], sigmas=[private.clipped_sigma(cost, 2)], clip=2, label="x")
    private.measure_mean([("a",)], sigmas=[private.mean_sigma(cost)], label="x")
    private.measure([("a",)], sigmas=[private.sigma(cost)], label="x")
    assert 0 <= private.ledger.remaining < 1e-4 * private.ledger.total
