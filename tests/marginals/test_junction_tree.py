from __future__ import annotations

from itertools import pairwise

import pytest
from graphs import DOMAIN, SHAPES, random_graphs
from hypothesis import given, settings

from pasteur.marginals import Domain
from pasteur.marginals.junction_tree import JunctionTree


def check(tree, domain, cliques):
    for clique in cliques:
        assert tree.home(clique) is not None, f"{clique} has no home"
    residuals = [name for node in tree.nodes for name in node.residual]
    assert sorted(residuals) == sorted(domain.attributes), "each attribute in one residual"
    for place, node in enumerate(tree.nodes):
        assert node.parent < place
        assert node.residual
        assert node.shape == domain.shape(node.clique)
        if node.parent < 0:
            assert node.separator == ()
        else:
            parent = tree.nodes[node.parent]
            assert node.separator == tuple(name for name in parent.clique if name in node.clique)
            # Running intersection: what is shared with anything earlier is shared with the parent.
            earlier = {name for other in tree.nodes[:place] for name in other.clique}
            assert earlier.intersection(node.clique) == set(node.separator)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_six_shapes_have_junction_trees(shape):
    check(JunctionTree.of(DOMAIN, SHAPES[shape]), DOMAIN, SHAPES[shape])


@settings(max_examples=60)
@given(random_graphs())
def test_any_graph_has_a_junction_tree(graph):
    domain, cliques = graph
    check(JunctionTree.of(domain, cliques), domain, cliques)


def test_the_order_of_fewest_cells_wins():
    # Around a cycle through one large attribute, the chord must not touch it.
    domain = Domain.of({"big": 100, "b": 2, "c": 2, "d": 2})
    tree = JunctionTree.of(domain, [("big", "b"), ("b", "c"), ("c", "d"), ("d", "big")])
    assert tree.cells == 100 * 2 * 2 + 2 * 2 * 2


def test_a_tree_of_pairs_keeps_its_pairs():
    tree = JunctionTree.of(DOMAIN, SHAPES["tree"])
    assert sorted(sorted(node.clique) for node in tree.nodes) == sorted(sorted(pair) for pair in SHAPES["tree"])


def test_parts_that_share_nothing_are_trees_of_their_own():
    tree = JunctionTree.of(DOMAIN, SHAPES["missing"])
    assert sum(node.parent < 0 for node in tree.nodes) == 4


def test_a_chain_of_hundreds_is_quick():
    names = [f"x{i}" for i in range(300)]
    tree = JunctionTree.of(Domain(names, [3] * 300), list(pairwise(names)))
    assert len(tree.nodes) == 299
    assert tree.cells == 299 * 9
