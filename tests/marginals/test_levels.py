from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from graphs import projected
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, GraphicalModel, Levels, Measurement, Stop

BASE = Domain.of({"a": 6, "b": 5, "c": 2})


def chain():
    """a -> a3 -> a2, and b -> b2."""
    return Levels(
        BASE,
        {
            "a3": ("a", np.array([0, 0, 1, 1, 2, 2])),
            "a2": ("a3", np.array([0, 1, 1])),
            "b2": ("b", np.array([1, 0, 0, 1, 1])),
        },
    )


def test_a_level_knows_its_origin_and_its_codes():
    levels = chain()
    assert levels.domain.as_dict() == {"a": 6, "b": 5, "c": 2, "a3": 3, "a2": 2, "b2": 2}
    assert [levels.origin(name) for name in levels.domain.attributes] == ["a", "b", "c", "a", "a", "b"]
    np.testing.assert_array_equal(levels.codes("a2"), [0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(levels.codes("c"), [0, 1])
    with pytest.raises(ValueError, match="attribute 'a4' is not in the domain"):
        levels.origin("a4")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_a_level_is_exactly_the_function_it_is_of_its_origin(seed):
    levels, rng = chain(), np.random.default_rng(seed)
    pairs = [("a3", "b2"), ("a2", "c"), ("b", "c"), ("a3", "b2", "c")]
    measurements = [
        Measurement(clique=c, values=rng.uniform(-20, 100, levels.domain.shape(c)), sigma=5.0)
        for c in [("a",), ("b",), *pairs]
    ]
    model = GraphicalModel.estimate(levels.domain, measurements, zeros=levels.ties, stop=Stop(iterations=40))
    for name in ("a3", "a2", "b2"):
        origin, codes = levels.origin(name), levels.codes(name)
        joint = model.marginal((origin, name))
        assert np.count_nonzero(joint) <= len(codes), "one cell a code"
        np.testing.assert_allclose(joint[np.arange(len(codes)), codes], model.marginal((origin,)), rtol=1e-9)
    fine = model.marginal(("a", "b"))
    folded = np.zeros((3, 2))
    np.add.at(folded, (levels.codes("a3")[:, None], levels.codes("b2")[None]), fine)
    np.testing.assert_allclose(model.marginal(("a3", "b2")), folded, rtol=1e-9)


def test_a_pair_of_levels_says_what_it_can_of_the_fine_values():
    levels, rng = chain(), np.random.default_rng(0)
    table = 1000 * rng.dirichlet(np.ones(BASE.size())).reshape(BASE.sizes)
    coarse = np.zeros((3, 2))
    np.add.at(coarse, (levels.codes("a3")[:, None], levels.codes("b2")[None]), projected(BASE, table, ("a", "b")))
    ones = [Measurement(clique=(n,), values=projected(BASE, table, (n,)), sigma=1.0) for n in BASE.attributes]
    pair = Measurement(clique=("a3", "b2"), values=coarse, sigma=1.0)
    stop = Stop(iterations=4000, progress=1e-9, patience=50)
    model = GraphicalModel.estimate(levels.domain, [*ones, pair], zeros=levels.ties, stop=stop)
    np.testing.assert_allclose(model.marginal(("a3", "b2")), coarse, atol=0.5)
    fine = [projected(BASE, table, ("a",)), projected(BASE, table, ("b",))]
    shares = [
        one / np.bincount(levels.codes(n), weights=one)[levels.codes(n)]
        for n, one in zip(("a3", "b2"), fine, strict=True)
    ]
    expected = coarse[levels.codes("a3")][:, levels.codes("b2")] * np.outer(*shares)
    np.testing.assert_allclose(model.marginal(("a", "b")), expected, atol=0.5)


def test_all_pairs_of_levels_come_from_one_sweep_as_they_do_one_by_one():
    levels, rng = chain(), np.random.default_rng(1)
    measurements = [
        Measurement(clique=c, values=rng.uniform(0, 100, levels.domain.shape(c)), sigma=5.0)
        for c in [("a3", "b2"), ("a", "c")]
    ]
    model = GraphicalModel.estimate(levels.domain, measurements, zeros=levels.ties, stop=Stop(iterations=40))
    pairs = list(combinations(levels.domain.attributes, 2))
    for pair, answer in zip(pairs, model.marginals(pairs), strict=True):
        np.testing.assert_allclose(answer, model.marginal(pair), rtol=1e-9, atol=1e-9)


def test_no_levels_are_levels_too():
    levels = Levels(BASE, {})
    assert levels.domain == BASE
    assert levels.ties == ()


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({"b": ("a", np.zeros(6, dtype=int))}, r"level \('b'\) must be named unlike any attribute"),
        ({"x": ("aa", np.zeros(6, dtype=int))}, r"source 'aa' of level 'x' .* did you mean 'a'"),
        ({"x": ("a", np.zeros(5, dtype=int))}, r"must be whole numbers of shape \(6,\)"),
        ({"x": ("a", np.zeros(6))}, r"must be whole numbers of shape \(6,\)"),
        ({"x": ("a", np.array([0, 0, 2, 2, 2, 2]))}, "use all of 0 .. k - 1"),
        ({"x": ("a", np.array([-1, 0, 1, 1, 1, 1]))}, "use all of 0 .. k - 1"),
        ({"x": ("y", np.zeros(1, dtype=int)), "y": ("a", np.zeros(6, dtype=int))}, "earlier level"),
    ],
)
def test_levels_that_make_no_sense_are_refused(maps, message):
    with pytest.raises(ValueError, match=message):
        Levels(BASE, maps)
