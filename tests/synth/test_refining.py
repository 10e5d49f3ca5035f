from __future__ import annotations

import numpy as np
import pytest

from pasteur.marginals import Domain, GraphicalModel, Levels, Measurement
from pasteur.synth._refining import Refinement, moved, targets

BASE = Domain.of({"a": 4, "b": 3, "one": 1})
LEVELS = Levels(BASE, {"a~2": ("a", np.array([0, 0, 1, 1]))})
ONES = [
    Measurement(clique=("a",), values=np.array([10.0, 30, 20, 40]), sigma=1.0),
    Measurement(clique=("b",), values=np.array([50.0, 30, 20]), sigma=1.0),
]


def model():
    return GraphicalModel.estimate(LEVELS.domain, ONES, total=100.0, zeros=LEVELS.ties)


def test_without_outside_pairs_the_targets_are_the_model_s():
    found = targets(model(), LEVELS, BASE, [])
    assert list(found) == [("a", "b")]
    np.testing.assert_allclose(found["a", "b"], np.outer([10, 30, 20, 40], [0.5, 0.3, 0.2]), rtol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_an_outside_pair_of_levels_moves_the_fine_table(turned):
    values = np.array([[40.0, 0, 0], [10, 30, 20]])
    clique = ("b", "a~2") if turned else ("a~2", "b")
    outside = Measurement(clique=clique, values=values.T if turned else values, sigma=0.01)
    table = targets(model(), LEVELS, BASE, [outside])["a", "b"]
    np.testing.assert_allclose(table[:2].sum(axis=0), values[0], atol=0.01)
    # Inside a level the model's own proportions stay.
    np.testing.assert_allclose(table[0, 0] / table[1, 0], 1 / 3, rtol=1e-3)


def test_what_noise_explains_is_not_believed():
    rng = np.random.default_rng(0)
    table, codes = np.full((6, 6), 20.0), [np.arange(6)] * 2
    noisy = table + rng.normal(0, 5, table.shape)
    assert np.abs(moved(table, codes, noisy, 20.0) - table).max() < 1e-9
    near = moved(table, codes, noisy, 0.01)
    np.testing.assert_allclose(near / near.sum(), noisy / noisy.sum(), atol=1e-4)
    assert moved(table, codes, noisy, 3.0).sum() == pytest.approx(table.sum())


def test_many_attributes_get_fewer_passes_but_one():
    refinement = Refinement(passes=5)
    assert refinement.affordable(50_000, 14) == 5
    assert refinement.affordable(262_144, 300) == 1
    assert Refinement(passes=0).affordable(10, 3) == 0
    with pytest.raises(ValueError, match=r"passes \(-1\) must be 0 or more"):
        Refinement(passes=-1)
