"""Choices with weights, biases and groups, several at once; errors as a vector; levels: what they ask, by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import record
from tables import SIZES, private_of, rows_of

from pasteur.errors import BudgetError, PrivacyError
from pasteur.marginals import Domain, Levels
from pasteur.privacy import DiscreteGaussian, ExponentialChoice

CLIQUES = [("a",), ("b", "a"), ("a", "c"), ("c", "b", "a")]


def table(columns, clique):
    counts = np.zeros([SIZES[name] for name in clique], dtype=np.int64)
    np.add.at(counts, tuple(columns[name] for name in clique), 1)
    return counts


def scores_of(private, candidates, **how):
    """The exact scores that a choice draws from."""
    (question,) = record(lambda p: p.choose(candidates, epsilon=1e-6, label="x", **how), private).questions
    return question.exact


@settings(max_examples=60)
@given(data=st.data())
def test_a_score_is_what_the_formula_says(data):
    seed = data.draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    columns = rows_of(int(rng.integers(0, 60)), seed)
    candidates = [CLIQUES[k] for k in rng.integers(0, len(CLIQUES), 5)]
    answers = [rng.normal(3, 5, [SIZES[n] for n in clique]).round(rng.integers(0, 6)) for clique in candidates]
    weights = data.draw(st.sampled_from([[1.0] * 5, [1, 2, 3, 4, 4096], [0.25, 0.5, 1, 1, 0.75], [3e9, 1, 2, 3, 1e9]]))
    bias = rng.normal(0, 10, 5)
    groups = [
        None if rng.random() < 0.5 else rng.integers(0, answer.size, answer.shape).astype(rng.choice(["u1", "i8"]))
        for answer in answers
    ]
    scores = scores_of(private_of(columns), candidates, answers=answers, weights=weights, bias=bias, groups=groups)
    units = np.array(weights)
    if units.max() > 4096 or (units % 1).any():
        units = np.maximum(1, np.rint(units / units.max() * 4096))
    units = units.astype(int) // math.gcd(*units.astype(int).tolist())
    for score, clique, answer, unit, less, group in zip(scores, candidates, answers, units, bias, groups, strict=True):
        exact = table(columns, clique)
        if group is not None:
            exact = np.bincount(group.ravel(), exact.ravel(), minlength=answer.size)
            answer = np.bincount(group.ravel(), answer.ravel(), minlength=answer.size)  # noqa: PLW2901
        far = sum(abs(1024 * int(n) - round(1024 * x)) for n, x in zip(exact.ravel(), answer.ravel(), strict=True))
        assert score == int(unit) * (far - round(1024 * less))


@pytest.mark.parametrize(
    ("weights", "largest"),
    [(None, 1), ([1, 1], 1), ([5, 5], 1), ([0.1, 0.1], 1), ([2, 6], 3), ([1e-9, 1], 4096), ([4096, 1], 4096)],
)
def test_the_sensitivity_is_the_largest_weight_s(weights, largest):
    private = private_of(rows_of(9), range(9), m=3)
    private.choose([("a",), ("b",)], answers=[[0] * 4, [0] * 3], weights=weights, epsilon=0.01, label="edge")
    assert private.ledger.events == (ExponentialChoice(epsilon=0.01, sensitivity=3 * 1024 * largest),)


def test_weights_that_are_multiples_of_each_other_change_nothing():
    candidates, answers = [("a",), ("b",)], [[0] * 4, [0] * 3]
    one, ten = (
        scores_of(private_of(rows_of(9)), candidates, answers=answers, weights=weights)
        for weights in ([0.3, 0.6], [3e11, 6e11])
    )
    assert one.tolist() == ten.tolist()


def test_several_are_different_ones_and_the_worst_come_first():
    columns = rows_of(300)
    answers = [table(columns, ("a",)) + shift for shift in (0, 50, 100, 20)]
    private = private_of(columns, epsilon=1e4)
    chosen = private.choose_several([("a",)] * 4, answers=answers, epsilon=50.0, count=3, label="outside")
    assert chosen == [2, 1, 3]
    assert private.ledger.events == (ExponentialChoice(epsilon=50.0, sensitivity=1024),) * 3
    assert [entry.label for entry in private.ledger.entries] == [f"outside: 1 of {k}" for k in (4, 3, 2)]
    everyone = private.choose_several([("a",)] * 4, answers=answers, epsilon=50.0, count=4, label="outside")
    assert sorted(everyone) == [0, 1, 2, 3]


def test_several_are_charged_together_or_not_at_all():
    private = private_of(rows_of(9))
    ask = {"answers": [[0] * 4] * 3, "label": "x"}
    dear = private.choice_epsilon(private.ledger.total / 2)
    with pytest.raises(BudgetError):
        private.choose_several([("a",)] * 3, epsilon=dear, count=3, **ask)
    assert private.ledger.events == ()
    for count in (0, 4, -1, 1.0, True, None):
        with pytest.raises(PrivacyError, match=r"count \(.*\) must be a whole number from 1 to that of candidates, 3"):
            private.choose_several([("a",)] * 3, epsilon=1e-3, count=count, **ask)
    assert len(private.choose_several([("a",)] * 3, epsilon=dear, count=2, **ask)) == 2


@pytest.mark.parametrize(("m", "relation", "rows"), [(1, "add_remove", 1), (3, "add_remove", 3), (3, "replace", 6)])
def test_errors_are_one_vector(m, relation, rows):
    columns = rows_of(300)
    private = private_of(columns, range(300), m=m, relation=relation, epsilon=1e5)
    candidates = [("a",), ("a", "b"), ("c", "b")] * 3
    errors = private.measure_errors(
        candidates, answers=[np.zeros([SIZES[name] for name in clique]) for clique in candidates], sigma=0.5, label="x"
    )
    assert errors.shape == (9,)
    assert np.abs(errors - 300).max() < 5
    (event,) = private.ledger.events
    assert event.sigma == 512
    assert 3 * rows * 1024 <= event.sensitivity <= 3 * rows * 1024 * (1 + 1e-15)
    # sigma is what a share of the budget buys: the noise of the vector, m sqrt(k) / sigma
    cost = 1e-3
    sigma = private.error_sigma(cost, 9)
    assert sigma == pytest.approx(3 * rows / math.sqrt(2 * cost), rel=1e-6)
    assert private.ledger.accountant.cost(DiscreteGaussian(sigma=sigma * 1024, sensitivity=event.sensitivity)) <= cost


def test_refusals_charge_nothing():
    private = private_of(rows_of(9))
    one, two = {"answers": [[0] * 4]}, {"answers": [[0] * 4, [0] * 4]}
    calls = {
        r"weights \(one of them\) must be finite and above 0": [
            one | {"weights": [bad]} for bad in (0, -1, math.nan, math.inf)
        ],
        r"number of weights \(\(1,\)\) must be 2": [two | {"weights": [1]}],
        r"number of bias \(\(\)\) must be 2": [two | {"bias": 1.0}],
        r"bias \(of a candidate\) must be finite and under 2\^50": [one | {"bias": [b]} for b in (math.nan, 2.0**50)],
        r"answer to \('a',\) \(its sum\) must be finite and under 2\^38 rows": [
            two | {"answers": [[2.0**38, 0, 0, 0]] * 2, "weights": [1, 4096]}
        ],
        r"number of groups \(1\) must be 2": [two | {"groups": [None]}],
        r"groups of \('a',\) \(\(3,\)\) must be of shape \(4,\)": [one | {"groups": [[0, 1, 2]]}],
        r"groups of \('a',\) \(float64\) must be whole numbers": [one | {"groups": [[0, 1, 2, 0.5]]}],
        r"groups of \('a',\) \(one of them\) must be 0 or more and under the number of cells": [
            one | {"groups": [bad]} for bad in ([0, 0, 0, 4], [0, -1, 0, 0])
        ],
    }
    for says, bad in calls.items():
        for how in bad:
            with pytest.raises(PrivacyError, match=says):
                private.choose([("a",)] * len(how["answers"]), epsilon=0.01, label="x", **how)
    for sigma in (0, -1.0, math.nan, None):
        with pytest.raises(PrivacyError, match="sigma"):
            private.measure_errors([("a",)], sigma=sigma, label="x", **one)
    with pytest.raises(PrivacyError, match="scale of the noise"):
        private.measure_errors([("a",)], sigma=2.0**40, label="x", **one)
    assert private.ledger.events == ()


def levels_of_a_and_b():
    maps = {
        "a@3": ("a", np.array([0, 1, 1, 2])),
        "a@2": ("a@3", np.array([1, 0, 0])),
        "b@2": ("b", np.array([0, 1, 0])),
        "b@1": ("b", np.array([0, 0, 0])),
    }
    return Levels(Domain.of(SIZES), maps)


def test_tables_of_levels_are_those_of_their_columns():
    columns = rows_of(300)
    levels = levels_of_a_and_b()
    mapped = columns | {name: levels.codes(name)[columns[levels.origin(name)]] for name in levels.domain.attributes}
    private = private_of(columns, epsilon=1e5).with_levels(levels)
    assert private.domain == levels.domain
    of = {"a": ("a", "a@3", "a@2"), "b": ("b", "b@2", "b@1"), "c": ("c",)}
    cliques = [
        clique
        for count in (1, 2, 3)
        for sources in itertools.permutations(of, count)
        for clique in itertools.product(*(of[source] for source in sources))
    ]
    assert len(cliques) == 7 + 2 * (9 + 3 + 3) + 6 * 9
    tape = record(lambda p: p.measure(cliques, sigmas=[9.0] * len(cliques), label="x"), private)
    for clique, question in zip(cliques, tape.questions, strict=True):
        expected = np.zeros(levels.domain.shape(clique), dtype=np.int64)
        np.add.at(expected, tuple(mapped[name] for name in clique), 1)
        np.testing.assert_array_equal(question.exact, expected)
        assert question.exact.dtype == np.int64


def test_levels_share_the_ledger_and_the_base_s_counts(monkeypatch):
    from pasteur.privacy import counts

    passes = []
    real = counts.count
    monkeypatch.setattr(counts, "count", lambda *args: passes.append(args[2]) or real(*args))
    private = private_of(rows_of(50), epsilon=1e5)
    coarse = private.with_levels(levels_of_a_and_b())
    assert coarse.ledger is private.ledger
    pairs = [("a", "b"), ("a@3", "b@2"), ("b@1", "a"), ("a@2", "b")]
    answers = [np.zeros(coarse.domain.shape(pair)) for pair in pairs]
    for _ in range(3):
        coarse.choose(pairs, answers=answers, epsilon=1.0, label="x")
    assert passes == [[("a", "b")]]
    again = coarse.merged({"c": [0, 0]})
    again.measure([("a@3", "c")], sigmas=[9.0], label="x")
    assert passes[1:] == [[("a", "c")]]


def test_levels_that_do_not_fit_are_refused():
    private = private_of(rows_of(9))
    coarse = private.with_levels(levels_of_a_and_b())
    with pytest.raises(PrivacyError, match="must be of functions of different attributes"):
        coarse.measure([("a", "a@2")], sigmas=[9.0], label="x")
    with pytest.raises(PrivacyError, match="attribute 'a@4' is not in the domain; did you mean"):
        coarse.measure([("a@4",)], sigmas=[9.0], label="x")
    with pytest.raises(PrivacyError, match=r"base of the levels .* must be the table's domain"):
        private.with_levels(Levels(Domain.of({"a": 5}), {}))
    assert private.ledger.events == ()


def test_exact_tables_cannot_be_written_to():
    private = private_of(rows_of(9))
    exact = private._counts.exact([("a", "b")])[0]
    with pytest.raises(ValueError, match="read-only"):
        exact[0, 0] = 7
