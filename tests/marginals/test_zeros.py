from __future__ import annotations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, projected, random_graphs, widened
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, GraphicalModel, Measurement, Stop, Zeros


def noisy(domain, cliques, seed, zeros=(), total=500.0):
    """Counts with noise of a random table in which the zeros hold, and that table."""
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.ones(domain.size())).reshape(domain.sizes)
    for zero in zeros:
        table = table * widened(domain, zero.possible, zero.clique)
    table = total * table / table.sum()
    return [
        Measurement(clique=c, values=projected(domain, table, c) + rng.normal(0, 3, domain.shape(c)), sigma=3.0)
        for c in cliques
    ], table


@st.composite
def with_zeros(draw):
    domain, cliques = draw(random_graphs(attributes=5))
    wheres = draw(
        st.lists(st.lists(st.sampled_from(domain.attributes), min_size=1, max_size=2, unique=True), max_size=3)
    )
    seed = draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    zeros = []
    for where in wheres:
        possible = rng.random(domain.shape(where)) < 0.7
        possible[(0,) * possible.ndim] = True  # so that the cell of all first codes may be
        zeros.append(Zeros(tuple(where), possible))
    return domain, cliques, zeros, seed


@settings(max_examples=40, deadline=None)
@given(with_zeros())
def test_cells_that_cannot_be_have_exactly_no_mass_and_the_rest_follows_the_potentials(drawn):
    domain, cliques, zeros, seed = drawn
    measurements, _ = noisy(domain, cliques, seed, zeros)
    model = GraphicalModel.estimate(domain, measurements, total=500.0, zeros=zeros, stop=Stop(iterations=30))
    masses = np.ones(domain.sizes)
    for clique, potential in zip(model.cliques, model.potentials, strict=True):
        masses = masses * np.exp(widened(domain, potential, clique))
    for zero in zeros:
        masses = masses * widened(domain, zero.possible, zero.clique)
        assert np.all(model.marginal(zero.clique)[~zero.possible] == 0)
    np.testing.assert_allclose(model.marginal(domain.attributes), 500 * masses / masses.sum(), rtol=1e-6, atol=1e-9)


def test_mass_goes_where_it_may():
    domain = Domain.of({"a": 2, "b": 2})
    zeros = [Zeros(("b", "a"), np.array([[True, False], [True, True]]))]
    measured = Measurement(clique=("a",), values=np.array([60.0, 40.0]), sigma=1.0)
    model = GraphicalModel.estimate(domain, [measured], zeros=zeros, stop=Stop(iterations=2000, progress=0))
    np.testing.assert_allclose(model.marginal(("a", "b")), [[30, 30], [0, 40]], atol=1e-3)


@pytest.mark.parametrize("cliques", [[], SHAPES["cyclic"]])
def test_zeros_that_rule_out_everything_are_named(cliques):
    zeros = [
        Zeros(("a", "b"), np.arange(6).reshape(2, 3) < 3),  # a is 0
        Zeros(("a", "c"), np.arange(8).reshape(2, 4) >= 4),  # a is 1
    ]
    measurements, _ = noisy(DOMAIN, cliques, 0)
    with pytest.raises(ValueError, match=r"zeros of cliques .*\('a', 'b'\), \('a', 'c'\).* some cell may be"):
        GraphicalModel.estimate(DOMAIN, measurements, zeros=zeros)


def test_a_saved_model_keeps_its_zeros():
    zeros = [Zeros(("a", "c"), np.random.default_rng(0).random((2, 4)) < 0.6)]
    measurements, _ = noisy(DOMAIN, SHAPES["tree"], 1, zeros)
    model = GraphicalModel.estimate(DOMAIN, measurements, zeros=zeros)
    back = GraphicalModel.from_arrays(DOMAIN, model.cliques, model.total, model.arrays(), zeros=[("a", "c")])
    np.testing.assert_array_equal(back.marginal(("d", "a", "c")), model.marginal(("d", "a", "c")))
    with pytest.raises(ValueError, match="must be with possible_0"):
        GraphicalModel.from_arrays(
            DOMAIN,
            model.cliques,
            model.total,
            {name: table for name, table in model.arrays().items() if name != "possible_0"},
            zeros=[("a", "c")],
        )


@pytest.mark.parametrize(
    ("clique", "possible", "message"),
    [
        (("a", "a"), np.ones((2, 2), dtype=bool), "different attributes"),
        (("a",), np.ones(2), "must be booleans"),
        (("a",), np.ones((2, 2), dtype=bool), "as many as the clique's 1"),
    ],
)
def test_zeros_that_make_no_sense_are_refused(clique, possible, message):
    with pytest.raises(ValueError, match=message):
        Zeros(clique, possible)


def test_zeros_of_another_domain_are_refused():
    zeros = [Zeros(("a", "c"), np.ones((3, 4), dtype=bool))]
    with pytest.raises(ValueError, match=r"shape of the zeros of \('a', 'c'\) \(\(3, 4\)\) must be \(2, 4\)"):
        GraphicalModel.estimate(DOMAIN, [], zeros=zeros)
