from __future__ import annotations

from itertools import combinations, pairwise, permutations

import pytest
from graphs import DOMAIN, SHAPES, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=60)
@given(random_graphs())
def test_nodes_that_hold_an_attribute_are_connected(graph):
    """Running intersection, said the other way: walking up from any holder leads to the one with it as residual."""
    domain, cliques = graph
    tree = JunctionTree.of(domain, cliques)
    for name in domain.attributes:
        holders = {index for index, node in enumerate(tree.nodes) if name in node.clique}
        (top,) = (index for index in holders if name in tree.nodes[index].residual)
        assert all(tree.nodes[index].parent in holders for index in holders - {top})


@settings(max_examples=60)
@given(random_graphs())
def test_no_node_lies_inside_another_and_cells_are_counted(graph):
    domain, cliques = graph
    nodes = JunctionTree.of(domain, cliques).nodes
    for one, other in permutations(nodes, 2):
        assert not set(one.clique) <= set(other.clique)
    assert JunctionTree.of(domain, cliques).cells == sum(domain.size(node.clique) for node in nodes)
    for node in nodes:
        assert node.matrix == (domain.size(node.separator), domain.size(node.residual))


@settings(max_examples=40)
@given(random_graphs(), st.randoms(use_true_random=False))
def test_the_order_of_cliques_and_of_their_axes_changes_nothing(graph, random):
    """A model is loaded from its cliques: the same tree must come back, or a seed would mean other rows."""
    domain, cliques = graph
    mixed = [tuple(random.sample(clique, len(clique))) for clique in random.sample(cliques, len(cliques))]
    assert JunctionTree.of(domain, mixed) == JunctionTree.of(domain, cliques)


@settings(max_examples=40)
@given(random_graphs())
def test_a_home_is_the_smallest_node_that_holds_all(graph):
    domain, cliques = graph
    tree = JunctionTree.of(domain, cliques)
    for pair in combinations(domain.attributes, 2):
        sizes = [domain.size(node.clique) for node in tree.nodes if set(pair) <= set(node.clique)]
        home = tree.home(pair)
        assert (home is None) == (not sizes)
        assert home is None or domain.size(tree.nodes[home].clique) == min(sizes)


def test_a_clique_of_something_else_is_refused():
    with pytest.raises(ValueError, match="attribute 'z' is not in the domain"):
        JunctionTree.of(DOMAIN, [("a", "z")])
