from __future__ import annotations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, joint, projected, random_graphs, widened
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pasteur.marginals import Domain, GraphicalModel, Measurement, Stop
from pasteur.marginals.estimation import total_of

CLOSELY = Stop(iterations=3000, progress=1e-9, patience=20)


def exact_measurements(domain, cliques, seed=0, total=1000.0, sigma=1.0):
    """Noiseless counts of a random positive table."""
    table = np.random.default_rng(seed).dirichlet(np.ones(domain.size())).reshape(domain.sizes) + 0.5 / domain.size()
    table = total * table / table.sum()
    return [Measurement(clique=c, values=projected(domain, table, c), sigma=sigma) for c in cliques]


def gaps(domain, measurements, probabilities, total):
    return [(total * projected(domain, probabilities, m.clique) - m.values, m) for m in measurements]


def loss_of(domain, measurements, probabilities, total):
    return sum(float((gap**2).sum()) / (2 * m.sigma**2) for gap, m in gaps(domain, measurements, probabilities, total))


@pytest.mark.parametrize("shape", SHAPES)
def test_measurements_without_noise_are_met(shape):
    measurements = exact_measurements(DOMAIN, SHAPES[shape])
    model = GraphicalModel.estimate(DOMAIN, measurements, stop=CLOSELY)
    assert model.total == pytest.approx(1000)
    for measured in measurements:
        np.testing.assert_allclose(model.marginal(measured.clique), measured.values, atol=1.0)


@settings(max_examples=15, deadline=None)
@given(random_graphs(attributes=4), st.integers(0, 2**32))
def test_measurements_of_any_graph_are_met(graph, seed):
    domain, cliques = graph
    measurements = exact_measurements(domain, cliques, seed)
    model = GraphicalModel.estimate(domain, measurements, stop=CLOSELY)
    for measured in measurements:
        np.testing.assert_allclose(model.marginal(measured.clique), measured.values, atol=5.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_noisy_measurements_are_fitted_as_well_as_any_table_can(shape):
    rng = np.random.default_rng(3)
    measurements = [
        Measurement(clique=m.clique, values=m.values + rng.normal(0, s, m.values.shape), sigma=s)
        for m, s in zip(exact_measurements(DOMAIN, SHAPES[shape], total=300), np.geomspace(2, 20, 9), strict=False)
    ]
    model = GraphicalModel.estimate(DOMAIN, measurements, total=300, stop=CLOSELY)
    probabilities = model.marginal(DOMAIN.attributes) / model.total

    def objective(logits):
        masses = np.exp(logits - logits.max())
        table = (masses / masses.sum()).reshape(DOMAIN.sizes)
        slope = sum(
            300 * widened(DOMAIN, gap / m.sigma**2, m.clique) for gap, m in gaps(DOMAIN, measurements, table, 300)
        )
        return loss_of(DOMAIN, measurements, table, 300), (table * (slope - (table * slope).sum())).ravel()

    best = minimize(objective, np.zeros(DOMAIN.size()), method="L-BFGS-B", jac=True, options={"maxiter": 5000}).fun
    assert loss_of(DOMAIN, measurements, probabilities, 300) <= best * 1.01 + 0.01


def test_precise_measurements_weigh_by_their_inverse_variance():
    domain = Domain.of({"a": 2})
    measurements = [
        Measurement(clique=("a",), values=np.array([80.0, 20.0]), sigma=1.0),
        Measurement(clique=("a",), values=np.array([20.0, 80.0]), sigma=3.0),
    ]
    model = GraphicalModel.estimate(domain, measurements, stop=CLOSELY)
    np.testing.assert_allclose(model.marginal(("a",)), [74, 26], atol=0.1)  # (9 * 80 + 20) / 10


def test_what_was_not_measured_has_most_entropy():
    measurements = exact_measurements(DOMAIN, [("a", "b"), ("b", "c")])
    model = GraphicalModel.estimate(DOMAIN, measurements, stop=CLOSELY)
    np.testing.assert_allclose(model.marginal(("d",)), [500, 500])
    left, right, middle = (model.marginal(c) for c in (("a", "b"), ("b", "c"), ("b",)))
    given_b = np.einsum("ab,bc,b->ac", left, right, 1 / middle)
    np.testing.assert_allclose(model.marginal(("a", "c")), given_b, rtol=1e-9)
    np.testing.assert_allclose(model.marginal(("a", "d")), np.outer(model.marginal(("a",)), [0.5, 0.5]), rtol=1e-9)


def test_the_total_is_the_inverse_variance_mean():
    measurements = [
        Measurement(clique=("a",), values=np.array([40.0, 60.0]), sigma=1.0),  # variance 2
        Measurement(clique=("b",), values=np.array([50.0, 50.0, 20.0]), sigma=2.0),  # variance 12
    ]
    assert total_of(measurements) == pytest.approx((100 / 2 + 120 / 12) / (1 / 2 + 1 / 12))
    assert GraphicalModel.estimate(DOMAIN, measurements, total=7.0).total == 7.0


@pytest.mark.parametrize("values", [np.zeros(2), np.array([-50.0, -9.0])])
def test_a_table_that_looks_empty_still_has_a_model(values):
    model = GraphicalModel.estimate(DOMAIN, [Measurement(clique=("a",), values=values, sigma=10.0)])
    assert model.total == 1
    assert np.isfinite(model.marginal(("a", "c"))).all()


def test_a_model_of_no_measurements_is_uniform():
    model = GraphicalModel.estimate(DOMAIN, [])
    np.testing.assert_allclose(model.marginal(("c",)), [0.25] * 4)


def test_a_warm_start_survives_a_new_tree_and_gets_there_sooner():
    old, new = SHAPES["tree"], [*SHAPES["tree"], ("a", "d")]
    measurements = exact_measurements(DOMAIN, new)
    short = Stop(iterations=10, progress=0)
    start = GraphicalModel.estimate(DOMAIN, measurements[: len(old)], stop=CLOSELY)
    same = GraphicalModel.estimate(DOMAIN, measurements[: len(old)], start=start, stop=Stop(iterations=1))
    for one, other in zip(start.potentials, same.potentials, strict=True):
        np.testing.assert_array_equal(one, other)
    losses = []
    for begin in (start, None):
        model = GraphicalModel.estimate(DOMAIN, measurements, start=begin, stop=short)
        probabilities = model.marginal(DOMAIN.attributes) / model.total
        losses.append(loss_of(DOMAIN, measurements, probabilities, model.total))
    assert losses[0] < losses[1]


def test_more_steps_never_fit_worse():
    measurements = exact_measurements(DOMAIN, SHAPES["cyclic"])
    losses = []
    for iterations in (1, 2, 5, 20, 100):
        model = GraphicalModel.estimate(DOMAIN, measurements, stop=Stop(iterations=iterations, progress=0))
        losses.append(loss_of(DOMAIN, measurements, model.marginal(DOMAIN.attributes) / model.total, model.total))
    assert losses == sorted(losses, reverse=True)


def test_arrays_bring_a_model_back():
    model = GraphicalModel.estimate(DOMAIN, exact_measurements(DOMAIN, SHAPES["cyclic"]))
    back = GraphicalModel.from_arrays(DOMAIN, model.cliques, model.total, model.arrays())
    np.testing.assert_array_equal(back.marginal(("a", "c", "e")), model.marginal(("a", "c", "e")))
    with pytest.raises(ValueError, match="must be with potential_0"):
        GraphicalModel.from_arrays(DOMAIN, model.cliques, model.total, {})


def test_the_joint_is_the_potentials_own():
    model = GraphicalModel.estimate(DOMAIN, exact_measurements(DOMAIN, SHAPES["cyclic"]))
    truth = joint(DOMAIN, model.cliques, model.potentials)
    np.testing.assert_allclose(model.marginal(DOMAIN.attributes) / model.total, truth, atol=1e-12)


def test_what_does_not_match_is_refused():
    measured = Measurement(clique=("a",), values=np.zeros(3), sigma=1.0)
    with pytest.raises(ValueError, match=r"shape of the measurement of \('a',\) \(\(3,\)\) must be \(2,\)"):
        GraphicalModel.estimate(DOMAIN, [measured])
    start = GraphicalModel.estimate(DOMAIN, exact_measurements(DOMAIN, [("a",)]))
    with pytest.raises(ValueError, match="a model of the first of"):
        GraphicalModel.estimate(DOMAIN, exact_measurements(DOMAIN, [("b",)]), start=start)
    with pytest.raises(ValueError, match=r"total .* must be finite and above 0"):
        GraphicalModel.estimate(DOMAIN, [], total=0.0)


@pytest.mark.parametrize("wrong", [{"iterations": 0}, {"patience": 0}, {"progress": -1.0}, {"progress": np.nan}])
def test_a_stop_rule_is_checked(wrong):
    with pytest.raises(ValueError, match="must be"):
        Stop(**wrong)


def test_cliques_that_share_nothing_begin_next_to_the_answer():
    measurements = exact_measurements(DOMAIN, SHAPES["singleton"])
    model = GraphicalModel.estimate(DOMAIN, measurements, stop=Stop(iterations=1))
    for measured in measurements:
        np.testing.assert_allclose(model.marginal(measured.clique), measured.values)


def test_fitting_ends_where_only_noise_is_left():
    rng = np.random.default_rng(0)
    domain = Domain.of({"a": 30, "b": 30})
    table = 5000 * rng.dirichlet(np.ones(900)).reshape(30, 30)
    noisy = [Measurement(clique=("a", "b"), values=table + rng.normal(0, 2, (30, 30)), sigma=2.0) for _ in range(2)]
    losses = []
    for progress in (1e-2, 1e-7):
        stop = Stop(iterations=3000, progress=progress)
        model = GraphicalModel.estimate(domain, noisy, total=5000.0, stop=stop)
        losses.append(loss_of(domain, noisy, model.marginal(("a", "b")) / 5000, 5000.0))
    assert losses[1] < losses[0] < 900  # half the cells: what the noise of the true table would leave
