from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, joint, projected, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, pairs
from pasteur.marginals.inference import Propagation
from pasteur.marginals.junction_tree import JunctionTree


def calibrated(domain, cliques, potentials):
    return Propagation(JunctionTree.of(domain, cliques), cliques).calibrate(potentials)


def check(domain, cliques, seed):
    rng = np.random.default_rng(seed)
    potentials = [rng.normal(0, 4, domain.shape(clique)) for clique in cliques]
    truth, model = joint(domain, cliques, potentials), calibrated(domain, cliques, potentials)
    queries = [*permutations(domain.attributes, 2), (), *combinations(domain.attributes, 1)]
    for query, answer in zip(queries, model.marginals(queries), strict=True):
        np.testing.assert_allclose(answer, projected(domain, truth, query), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_all_pairs_of_the_six_shapes_agree_with_brute_force(shape):
    check(DOMAIN, SHAPES[shape], 0)


@settings(max_examples=40, deadline=None)
@given(random_graphs(attributes=8), st.integers(0, 2**32))
def test_all_pairs_of_random_graphs_agree_with_brute_force(graph, seed):
    check(*graph, seed)


def test_a_deep_tree_with_branches_is_crossed_in_every_direction():
    """Attributes under one child, under two siblings, and under cousins; separators of two attributes that differ."""
    names = "abcdefghij"
    domain = Domain.of(dict(zip(names, [2, 3, 2, 2, 3, 2, 2, 2, 3, 2], strict=True)))
    cliques = ["abc", "bcd", "ace", "cdf", "eg", "eh", "fi", "bj"]
    check(domain, [tuple(clique) for clique in cliques], 1)


def test_few_attributes_at_a_time_give_the_same(monkeypatch):
    cliques = SHAPES["tree"]
    rng = np.random.default_rng(2)
    model = calibrated(DOMAIN, cliques, [rng.normal(size=DOMAIN.shape(clique)) for clique in cliques])
    queries = list(permutations(DOMAIN.attributes, 2))
    whole = model.marginals(queries)
    monkeypatch.setattr(pairs, "MOST", 1)
    for one, other in zip(whole, model.marginals(queries), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)


def test_cells_that_cannot_be_leave_no_nan():
    cliques = [("a", "b"), ("b", "c"), ("c", "d")]
    potentials = [np.zeros(DOMAIN.shape(clique)) for clique in cliques]
    potentials[1][1] = -np.inf
    model, truth = calibrated(DOMAIN, cliques, potentials), joint(DOMAIN, cliques, potentials)
    for query, answer in zip([("a", "d"), ("d", "b")], model.marginals([("a", "d"), ("d", "b")]), strict=True):
        np.testing.assert_allclose(answer, projected(DOMAIN, truth, query), atol=1e-12)


def test_pairs_mix_with_larger_cliques_and_with_the_same_again():
    cliques = SHAPES["cyclic"]
    model = calibrated(DOMAIN, cliques, [np.zeros(DOMAIN.shape(clique)) for clique in cliques])
    queries = [("a", "c", "e"), ("e", "a"), ("a", "e"), ("e", "a"), ("b",)]
    assert [answer.shape for answer in model.marginals(queries)] == [DOMAIN.shape(query) for query in queries]
    assert model.marginals([]) == []


@pytest.mark.parametrize("clique", [("a", "a"), ("a", "z"), ("z",)])
def test_a_query_that_makes_no_sense_is_refused(clique):
    model = calibrated(DOMAIN, [], [])
    with pytest.raises(ValueError, match=r"different attributes|not in the domain"):
        model.marginals([clique])


def test_a_chain_of_hundreds_is_crossed():
    names = [f"x{i}" for i in range(300)]
    domain = Domain(names, [2] * 300)
    cliques = list(pairwise(names))
    stay = np.log([[0.9, 0.1], [0.1, 0.9]])
    model = calibrated(domain, cliques, [stay] * 299)
    (near, far) = model.marginals([("x0", "x2"), ("x0", "x299")])
    np.testing.assert_allclose(near, [[0.41, 0.09], [0.09, 0.41]])
    np.testing.assert_allclose(far, (1 + 0.8**299 * np.array([[1, -1], [-1, 1]])) / 4)
