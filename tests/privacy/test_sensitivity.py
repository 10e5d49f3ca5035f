from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from replay import record

from pasteur.errors import PrivacyError
from pasteur.privacy import sensitivity

SIZES = {"a": 4, "b": 3, "c": 2}
CLIQUES = [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("c", "b"), ("a", "b", "c")]


def exact_answers(private, asked, sets):
    """What goes into the mechanisms: all marginals, the total, the scores of all that is asked, and their errors."""

    def ask(table):
        table.measure(CLIQUES, sigmas=[1e6] * len(CLIQUES), label="all")
        table.measure_total(sigma=1e6, label="total")
        for chosen in sets:
            candidates, answers, weights, bias, groups = zip(*(asked[k] for k in chosen), strict=True)
            more = {"weights": weights, "bias": bias, "groups": groups}
            table.choose(candidates, answers=answers, epsilon=1e-6, label="score", **more)
            table.measure_errors(candidates, answers=answers, sigma=1e6, label="errors")

    return record(ask, private).questions


def random_candidate(rng, rows):
    """A clique, answers, a weight, a bias and perhaps groups of cells."""
    clique = CLIQUES[rng.integers(len(CLIQUES))]
    shape = [SIZES[name] for name in clique]
    answers = rng.normal(rows / 4, rows, shape).round(rng.integers(0, 6))
    groups = rng.integers(0, np.prod(shape), shape) if rng.random() < 0.5 else None
    return clique, answers, rng.uniform(0.01, 9) if rng.random() < 0.5 else rng.integers(1, 9), rng.normal(0, 9), groups


def test_d04_10000_random_neighbours_stay_within_the_formula(make_private):
    """Of marginals, and of scores that are weighted, biased, grouped or none of it, alone and as a vector of errors."""
    rng = np.random.default_rng(0)
    worst: dict[str, float] = {}
    for m, relation in [(1, "add_remove"), (1, "replace"), (3, "add_remove"), (3, "replace")] * 10:
        people = int(rng.integers(2, 30))
        units = np.repeat(np.arange(people), rng.integers(1, m + 1, people))
        columns = {name: rng.integers(0, size, len(units)) for name, size in SIZES.items()}
        others = {name: values[units > 0] for name, values in columns.items()}
        other_units = units[units > 0]
        if relation == "replace":  # person 0 is another one
            new = int(rng.integers(1, m + 1))
            others = {name: np.append(values, rng.integers(0, SIZES[name], new)) for name, values in others.items()}
            other_units = np.append(other_units, [0] * new)
        asked = [random_candidate(rng, len(units)) for _ in range(250)]
        sets = [range(start, start + 10) for start in range(0, 250, 10)]
        sides = [
            exact_answers(make_private(side, who, m=m, relation=relation, epsilon=10), asked, sets)
            for side, who in ((columns, units), (others, other_units))
        ]
        for before, after in zip(*sides, strict=True):
            kind = f"{type(before.event).__name__} of {before.exact.ndim} axes"
            share = before.distance(after) / before.event.sensitivity
            worst[kind] = max(worst.get(kind, 0), share)
    assert len(worst) == 5, "marginals of 1, 2 and 3 attributes and errors, the total, choices"
    assert all(0.5 < share <= 1 for share in worst.values()), worst


def test_d24_sensitivity_under_both_relations():
    for m in (1, 2, 7):
        assert sensitivity.marginal_l1(m, "add_remove") == m
        assert sensitivity.marginal_l1(m, "replace") == 2 * m
        assert sensitivity.marginal_l2(m, "add_remove") == m
        assert sensitivity.marginal_l2(m, "replace") ** 2 >= 2 * m**2
        assert sensitivity.distance_score(m, "add_remove") == 1024 * m
        assert sensitivity.distance_score(m, "replace") == 2048 * m
        assert sensitivity.total(m) == m
        assert sensitivity.distance_score(m, "replace", 7) == 7 * 2048 * m
        for count in (1, 2, 9, 1000):
            bound = sensitivity.distances_l2(m, "add_remove", count)
            assert Fraction(bound) ** 2 >= count * (1024 * m) ** 2
            assert bound == pytest.approx(1024 * m * math.sqrt(count), rel=1e-15)
            assert sensitivity.distances_l2(m, "replace", count) == pytest.approx(2 * bound, rel=1e-15)


@pytest.mark.parametrize("m", range(1, 200))
def test_roots_are_rounded_up(m):
    assert Fraction(sensitivity.marginal_l2(m, "replace")) ** 2 >= 2 * m**2


def test_d24_replacement_pays_for_both_cells(make_private, rows):
    cheap, dear = (make_private(rows(9), relation=relation) for relation in ("add_remove", "replace"))
    assert dear.sigma(0.01) / cheap.sigma(0.01) == pytest.approx(math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("bad", [None, 0, -1, 2.0, math.nan, True])
def test_d10_no_bound_no_sensitivity(bad):
    for formula in (sensitivity.marginal_l1, sensitivity.marginal_l2, sensitivity.total, sensitivity.distance_score):
        with pytest.raises(PrivacyError, match="max_rows_per_unit"):
            formula(bad)
