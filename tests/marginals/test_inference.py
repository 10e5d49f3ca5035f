from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, joint, projected, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals.inference import Propagation
from pasteur.marginals.junction_tree import JunctionTree


def queries(domain):
    names = domain.attributes
    return [clique for ways in range(min(4, len(names)) + 1) for clique in combinations(names, ways)]


def check(domain, cliques, potentials):
    propagation = Propagation(JunctionTree.of(domain, cliques), cliques)
    calibrated = propagation.calibrate(potentials)
    truth = joint(domain, cliques, potentials)
    for clique, answer in zip(cliques, propagation.project(calibrated), strict=True):
        np.testing.assert_allclose(answer, projected(domain, truth, clique), atol=1e-12)
    for clique in queries(domain):
        np.testing.assert_allclose(calibrated.marginal(clique), projected(domain, truth, clique), atol=1e-12)
        np.testing.assert_allclose(
            calibrated.marginal(clique[::-1]), projected(domain, truth, clique[::-1]), atol=1e-12
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_six_shapes_agree_with_brute_force(shape):
    rng = np.random.default_rng(1)
    check(DOMAIN, SHAPES[shape], [rng.normal(0, 3, DOMAIN.shape(clique)) for clique in SHAPES[shape]])


@settings(max_examples=40, deadline=None)
@given(random_graphs(), st.integers(0, 2**32))
def test_random_graphs_agree_with_brute_force(graph, seed):
    domain, cliques = graph
    rng = np.random.default_rng(seed)
    check(domain, cliques, [rng.normal(0, 5, domain.shape(clique)) for clique in cliques])


@pytest.mark.parametrize("shape", SHAPES)
def test_extreme_potentials_neither_overflow_nor_vanish(shape):
    rng = np.random.default_rng(2)
    check(DOMAIN, SHAPES[shape], [rng.normal(0, 2000, DOMAIN.shape(clique)) for clique in SHAPES[shape]])


def test_cells_that_cannot_be_have_no_mass_and_leave_no_nan():
    cliques = SHAPES["cyclic"]
    potentials = [np.zeros(DOMAIN.shape(clique)) for clique in cliques]
    potentials[0][0, :] = -np.inf
    potentials[1][1, 2] = -np.inf
    check(DOMAIN, cliques, potentials)


def test_a_potential_needs_a_home():
    with pytest.raises(ValueError, match="must be inside a node of the tree"):
        Propagation(JunctionTree.of(DOMAIN, [("a", "b")]), [("a", "c")])


@pytest.mark.parametrize("clique", [("a", "a"), ("a", "z")])
def test_a_query_that_makes_no_sense_is_refused(clique):
    calibrated = Propagation(JunctionTree.of(DOMAIN, []), []).calibrate([])
    with pytest.raises(ValueError, match=r"different attributes|not in the domain"):
        calibrated.marginal(clique)


def test_a_marginal_that_would_not_fit_is_refused():
    domain = type(DOMAIN)([f"x{i}" for i in range(9)], [50] * 9)
    calibrated = Propagation(JunctionTree.of(domain, []), []).calibrate([])
    with pytest.raises(ValueError, match=r"cells of the marginal of .* must be at most .*; ask for less"):
        calibrated.marginal(domain.attributes)


def test_larger_cliques_that_no_node_holds_agree_with_brute_force():
    domain = type(DOMAIN)("abcdefg", [2, 3, 2, 3, 2, 2, 3])
    cliques = [tuple(clique) for clique in ("abc", "bcd", "de", "cf", "fg")]
    rng = np.random.default_rng(4)
    potentials = [rng.normal(0, 3, domain.shape(clique)) for clique in cliques]
    calibrated = Propagation(JunctionTree.of(domain, cliques), cliques).calibrate(potentials)
    truth = joint(domain, cliques, potentials)
    for ways in (3, 4, 7):
        for clique in combinations("gaecbdf", ways):
            np.testing.assert_allclose(calibrated.marginal(clique), projected(domain, truth, clique), atol=1e-12)
