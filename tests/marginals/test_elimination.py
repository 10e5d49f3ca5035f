from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, tree_cells
from pasteur.marginals import elimination as e
from pasteur.marginals.junction_tree import JunctionTree


def matrix(names, edges):
    graph = np.zeros((names, names), dtype=np.uint8)
    for one, other in edges:
        graph[one, other] = graph[other, one] = 1
    return graph


def run(graph, sizes, rule):
    """Maximal cliques by one rule, what they are said to have of cells, and for how many a rule was needed."""
    names = len(graph)
    went, left, made, state = graph.copy(), np.arange(names), np.zeros(names), np.full((3, names), e.THERE)
    needed = e.simplify(went, left, np.asarray(sizes, dtype=float), state, made, np.empty_like(left))
    e.greedy(went, left[:needed], np.asarray(sizes, dtype=float), rule, state, made)
    np.fill_diagonal(went, 1)
    cliques = [frozenset(np.flatnonzero(went[name]).tolist()) for name in np.flatnonzero(state[e.MAXIMAL])]
    return cliques, made.sum(), needed


@st.composite
def graphs(draw, names=9):
    count = draw(st.integers(1, names))
    edges = draw(st.lists(st.sampled_from([*combinations(range(count), 2), (0, 0)]), max_size=14))
    graph = matrix(count, [edge for edge in edges if edge[0] != edge[1]])
    return graph, draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))


@settings(max_examples=100, deadline=None)
@given(graphs(), st.integers(0, 2))
def test_every_rule_makes_a_chordal_graph_around_the_given_one(drawn, rule):
    graph, sizes = drawn
    cliques, cells, _ = run(graph, sizes, rule)
    for one, other in combinations(range(len(graph)), 2):
        assert not graph[one, other] or any({one, other} <= clique for clique in cliques)
    assert not any(one < other for one in cliques for other in cliques), "maximal"
    assert len(set(cliques)) == len(cliques)
    assert cells == sum(math.prod(sizes[name] for name in clique) for clique in cliques)
    filled = matrix(len(graph), [pair for clique in cliques for pair in combinations(clique, 2)])
    again, _, needed = run(filled, sizes, rule)
    assert needed == 0, "a chordal graph has an order that adds no edge"
    assert set(again) == set(cliques)


@pytest.mark.parametrize("rule", range(e.RULES))
def test_a_chordal_graph_is_left_as_it_is(rule):
    graph = matrix(5, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4)])
    cliques, _, needed = run(graph, [2] * 5, rule)
    assert sorted(map(sorted, cliques)) == [[0, 1, 2], [2, 3], [3, 4]]
    assert needed == 0


def test_the_rules_differ_where_they_should():
    # A cycle of four: the chord of fewest cells joins the small ones.
    graph = matrix(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
    cliques, cells, needed = run(graph, [9, 2, 9, 2], 0)
    assert {1, 3} <= set.intersection(*map(set, cliques))
    assert (cells, needed) == (2 * 9 * 2 * 2, 4)


@settings(max_examples=40, deadline=None)
@given(random_graphs(attributes=9), st.data())
def test_cells_of_trees_are_those_of_the_trees(graph, data):
    domain, cliques = graph
    extra = st.lists(st.sampled_from(domain.attributes), max_size=3, unique=True).map(tuple)
    extras = data.draw(st.lists(extra, min_size=1, max_size=8))
    expected = [JunctionTree.of(domain, [*cliques, one]).cells for one in extras]
    np.testing.assert_array_equal(tree_cells(domain, cliques, extras), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_extra_that_is_there_already_changes_nothing(shape):
    cliques = SHAPES[shape]
    cells = tree_cells(DOMAIN, cliques, [(), *cliques])
    assert set(cells.tolist()) == {JunctionTree.of(DOMAIN, cliques).cells}


def test_no_extras_have_no_cells():
    assert tree_cells(DOMAIN, [], []).shape == (0,)


def test_cells_end_where_counting_does():
    names = [f"x{i}" for i in range(300)]
    domain = Domain(names, [1000] * 300)
    huge, small = tree_cells(domain, [], [tuple(names), ("x0", "x1")])
    assert huge == 1 << 62
    assert small == 298 * 1000 + 1000 * 1000


def test_hundreds_of_attributes_are_quick_to_count():
    names = [f"x{i}" for i in range(300)]
    domain = Domain(names, [3] * 300)
    extras = [(names[0], name) for name in names[2::75]]
    cells = tree_cells(domain, list(pairwise(names)), extras)
    assert cells.tolist() == [JunctionTree.of(domain, [*pairwise(names), extra]).cells for extra in extras]


def test_an_extra_of_something_else_is_refused():
    with pytest.raises(ValueError, match="attribute 'z' is not in the domain"):
        tree_cells(DOMAIN, [], [("a", "z")])


def test_a_tree_that_would_not_fit_says_how_large_and_what_helps():
    domain = Domain.of({"a": 300, "b": 400, "c": 500, "d": 2})
    with pytest.raises(
        ValueError, match=r"cells of the model's tree \(60000002\) must be at most 1000000 \(8 MB\)"
    ) as no:
        JunctionTree.of(domain, [("a", "b", "c")], most=1_000_000)
    assert "('a', 'b', 'c') has 60000000: choose smaller or fewer cliques" in str(no.value)
    assert JunctionTree.of(domain, [("a", "b", "c")]).cells == 60_000_002
