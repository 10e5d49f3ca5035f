from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, projected, random_graphs, widened
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, GraphicalModel, Measurement, Stop
from pasteur.marginals.estimation import total_of

LONG = Stop(iterations=30_000, progress=0)


def noisy(domain, cliques, seed, total=400.0):
    rng = np.random.default_rng(seed)
    table = total * rng.dirichlet(np.ones(domain.size())).reshape(domain.sizes)
    return [
        Measurement(clique=c, values=projected(domain, table, c) + rng.normal(0, s, domain.shape(c)), sigma=s)
        for c, s in zip(cliques, rng.uniform(2, 15, len(cliques)), strict=True)
    ]


def optimality(domain, measurements, model):
    """The loss, and how much at most any distribution could lower it (the gap of Frank and Wolfe 1956)."""
    table = model.marginal(domain.attributes) / model.total
    loss, slope = 0.0, np.zeros(domain.sizes)
    for measured in measurements:
        gap = model.total * projected(domain, table, measured.clique) - measured.values
        loss += float((gap**2).sum()) / (2 * measured.sigma**2)
        slope = slope + widened(domain, model.total * gap / measured.sigma**2, measured.clique)
    return loss, float((table * slope).sum() - slope.min())


@pytest.mark.parametrize("shape", SHAPES)
def test_no_distribution_fits_better_than_the_estimate(shape):
    measurements = noisy(DOMAIN, SHAPES[shape], 4)
    _, gap = optimality(DOMAIN, measurements, GraphicalModel.estimate(DOMAIN, measurements, stop=LONG))
    assert gap < 0.05  # the loss has about half a unit a cell


@settings(max_examples=15, deadline=None)
@given(random_graphs(attributes=4), st.integers(0, 2**32))
def test_no_distribution_fits_better_than_the_estimate_of_any_graph(graph, seed):
    domain, cliques = graph
    measurements = noisy(domain, cliques, seed)
    _, gap = optimality(domain, measurements, GraphicalModel.estimate(domain, measurements, stop=LONG))
    assert gap < 0.5


@pytest.mark.parametrize("shape", SHAPES)
def test_a_warm_start_ends_at_the_same_optimum(shape):
    measurements = noisy(DOMAIN, SHAPES[shape], 5)
    start = GraphicalModel.estimate(DOMAIN, measurements[:1], stop=Stop(iterations=50))
    for first in range(1, len(measurements)):
        start = GraphicalModel.estimate(DOMAIN, measurements[:first], start=start, stop=Stop(iterations=50))
    warm = GraphicalModel.estimate(DOMAIN, measurements, total=400, start=start, stop=LONG)
    cold = GraphicalModel.estimate(DOMAIN, measurements, total=400, stop=LONG)
    for clique in SHAPES[shape]:
        np.testing.assert_allclose(warm.marginal(clique), cold.marginal(clique), atol=0.2)


def test_the_same_clique_measured_twice_counts_by_inverse_variances_in_either_order_of_axes():
    domain = Domain.of({"a": 2, "b": 3})
    rng = np.random.default_rng(6)
    first, second = rng.uniform(50, 100, (2, 3)), rng.uniform(50, 100, (3, 2))
    apart = [
        Measurement(clique=("a", "b"), values=first, sigma=1.0),
        Measurement(clique=("b", "a"), values=second, sigma=2.0),
    ]
    mean = Measurement(clique=("a", "b"), values=(4 * first + second.T) / 5, sigma=np.sqrt(4 / 5))
    for stop in (Stop(iterations=7, progress=0), LONG):
        one, other = (
            GraphicalModel.estimate(domain, each, total=450, stop=stop, start=None).marginal(("a", "b"))
            for each in (apart, [mean, Measurement(clique=("a",), values=np.zeros(2), sigma=1e9)])
        )
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_potentials_are_those_of_the_distribution_that_the_steps_reached():
    """Steps multiply probabilities; the potentials are added up apart. Both must come to the same loss."""
    measurements = noisy(DOMAIN, SHAPES["cyclic"], 7)
    losses = []
    for iterations in (2, 20, 200, 2000):
        stop = Stop(iterations=iterations, progress=0)
        model = GraphicalModel.estimate(DOMAIN, measurements, stop=stop)
        losses.append(optimality(DOMAIN, measurements, model)[0])
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(losses[-2], rel=1e-3)


def test_one_iteration_moves_nothing():
    measurements = noisy(DOMAIN, SHAPES["tree"], 8)
    model = GraphicalModel.estimate(DOMAIN, measurements, stop=Stop(iterations=1))
    assert all(not potential.any() for potential in model.potentials)
    np.testing.assert_allclose(model.marginal(("c",)), model.total / 4)


@pytest.mark.parametrize("sizes", [{"a": 1}, {"a": 7}, {"a": 1, "b": 1}, {"a": 1, "b": 4}])
def test_the_smallest_domains_have_models(sizes):
    domain = Domain.of(sizes)
    values = np.arange(1.0, domain.size() + 1).reshape(domain.sizes)
    measured = Measurement(clique=domain.attributes, values=values, sigma=1.0)
    model = GraphicalModel.estimate(domain, [measured], stop=LONG)
    np.testing.assert_allclose(model.marginal(domain.attributes), values, atol=1e-3)


def test_an_empty_clique_is_a_measurement_of_the_total():
    domain = Domain.of({"a": 3})
    measured = Measurement(clique=(), values=np.array(77.0), sigma=1.0)
    model = GraphicalModel.estimate(domain, [measured])
    assert model.total == pytest.approx(77)
    np.testing.assert_allclose(model.marginal(("a",)), [77 / 3] * 3)


def test_hundreds_of_attributes_have_a_model():
    names = [f"x{i}" for i in range(300)]
    domain = Domain(names, [3] * 300)
    rng = np.random.default_rng(9)
    tables = {pair: 900 * (rng.dirichlet(np.ones(3)) / 3)[None].repeat(3, axis=0) for pair in pairwise(names)}
    measurements = [
        Measurement(clique=pair, values=table + rng.normal(0, 1, (3, 3)), sigma=1.0) for pair, table in tables.items()
    ]
    model = GraphicalModel.estimate(domain, measurements, total=900.0, stop=Stop(iterations=60))
    assert model.marginal((names[0], names[-1])).sum() == pytest.approx(900)
    assert len(model.marginals(list(pairwise(names)))) == 299


def test_a_model_that_would_not_fit_is_refused_before_anything_is_made():
    names = [f"x{i}" for i in range(20)]
    domain = Domain(names, [50] * 20)
    measurements = [
        Measurement(clique=pair, values=np.zeros((50, 50)), sigma=1.0) for pair in combinations(names[:7], 2)
    ]
    with pytest.raises(ValueError, match=r"cells of the model's tree .* must be at most .*choose smaller or fewer"):
        GraphicalModel.estimate(domain, measurements)


@pytest.mark.parametrize("shift", [-1e6, 1e6])
def test_targets_that_no_table_meets_leave_the_model_finite(shift):
    values = np.array([shift, 5.0, 10.0])
    domain = Domain.of({"a": 3, "b": 2})
    pair = Measurement(clique=("a", "b"), values=np.outer(values, [1.0, -1.0]), sigma=0.01)
    one = Measurement(clique=("a",), values=values, sigma=0.01)
    model = GraphicalModel.estimate(domain, [pair, one], total=10.0)
    answer = model.marginal(("a", "b"))
    assert np.isfinite(answer).all()
    assert answer.sum() == pytest.approx(10)


def test_totals_are_weighted_by_cells_and_noise():
    domain_total = [
        Measurement(clique=("a",), values=np.full(4, 30.0), sigma=1.0),
        Measurement(clique=("b",), values=np.full(100, 1.0), sigma=1.0),
    ]
    assert total_of(domain_total) == pytest.approx((120 / 4 + 100 / 100) / (1 / 4 + 1 / 100))
