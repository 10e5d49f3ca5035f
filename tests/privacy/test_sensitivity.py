from __future__ import annotations

import math

import numpy as np
import pytest
from replay import record

from pasteur.errors import PrivacyError
from pasteur.privacy import sensitivity

SIZES = {"a": 4, "b": 3, "c": 2}
CLIQUES = [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("c", "b"), ("a", "b", "c")]


def exact_answers(private, answers):
    """What goes into the mechanisms: the marginals of all cliques, the total, and the scores of all answers."""
    candidates = [clique for clique, _ in answers]

    def ask(table):
        table.measure(CLIQUES, sigmas=[1e6] * len(CLIQUES), label="all")
        table.measure_total(sigma=1e6, label="total")
        table.choose(candidates, answers=[answer for _, answer in answers], epsilon=1e-6, label="score")

    return [question.exact for question in record(ask, private).questions]


def test_d04_10000_random_neighbours_stay_within_the_formula(make_private):
    rng = np.random.default_rng(0)
    worst = dict.fromkeys(("l1", "l2", "score"), 0.0)
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
        drawn = [CLIQUES[k] for k in rng.integers(0, len(CLIQUES), 250)]
        answers = [
            (clique, rng.normal(len(units) / 4, len(units), [SIZES[name] for name in clique]).round(rng.integers(0, 6)))
            for clique in drawn
        ]
        sides = [
            exact_answers(make_private(side, who, m=m, relation=relation), answers)
            for side, who in ((columns, units), (others, other_units))
        ]
        for before, after in zip(sides[0][: len(CLIQUES)], sides[1][: len(CLIQUES)], strict=True):
            gap = np.abs(before - after)
            worst["l1"] = max(worst["l1"], gap.sum() / sensitivity.marginal_l1(m, relation))
            worst["l2"] = max(worst["l2"], np.sqrt((gap**2).sum()) / sensitivity.marginal_l2(m, relation))
        assert abs(sides[0][-2] - sides[1][-2]) <= sensitivity.total(m)
        moved = np.abs(sides[0][-1] - sides[1][-1]).max() / sensitivity.distance_score(m, relation)
        worst["score"] = max(worst["score"], moved)
    assert all(0.5 < ratio <= 1 for ratio in worst.values()), worst


@pytest.mark.parametrize("m", [1, 3])
def test_d04_an_adversarial_pair_attains_it(make_private, m):
    mine, theirs = {"a": [0] * m, "b": [0] * m, "c": [0] * m}, {"a": [1] * m, "b": [1] * m, "c": [1] * m}
    nobody = {"a": [], "b": [], "c": []}
    answers = [(("a",), np.array([-5.0, 5.0, 0.0, 0.0]))]
    for relation, other, who in (("add_remove", nobody, []), ("replace", theirs, [1] * m)):
        sides = [
            exact_answers(make_private(side, units, m=m, relation=relation), answers)
            for side, units in ((mine, [1] * m), (other, who))
        ]
        gap = np.abs(sides[0][0] - sides[1][0])
        assert gap.sum() == sensitivity.marginal_l1(m, relation)
        assert math.sqrt((gap**2).sum()) == pytest.approx(sensitivity.marginal_l2(m, relation), rel=1e-15)
        assert abs(sides[0][-1] - sides[1][-1]).max() == sensitivity.distance_score(m, relation)


def test_d24_sensitivity_under_both_relations():
    for m in (1, 2, 7):
        assert sensitivity.marginal_l1(m, "add_remove") == m
        assert sensitivity.marginal_l1(m, "replace") == 2 * m
        assert sensitivity.marginal_l2(m, "add_remove") == m
        assert sensitivity.marginal_l2(m, "replace") ** 2 >= 2 * m**2
        assert sensitivity.distance_score(m, "add_remove") == 1024 * m
        assert sensitivity.distance_score(m, "replace") == 2048 * m
        assert sensitivity.total(m) == m


def test_d24_replacement_pays_for_both_cells(make_private, rows):
    cheap, dear = (make_private(rows(9), relation=relation) for relation in ("add_remove", "replace"))
    assert dear.sigma(0.01) / cheap.sigma(0.01) == pytest.approx(math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("bad", [None, 0, -1, 2.0, math.nan, True])
def test_d10_no_bound_no_sensitivity(bad):
    for formula in (sensitivity.marginal_l1, sensitivity.marginal_l2, sensitivity.total, sensitivity.distance_score):
        with pytest.raises(PrivacyError, match="max_rows_per_unit"):
            formula(bad)
