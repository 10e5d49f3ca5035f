"""Eliminating attributes one by one, compiled: the cliques of a chordal graph around theirs.

First go attributes whose neighbours are all joined: that adds no edge, is never wrong, and ends in the same graph in
any order. Which order is best for the rest is NP-hard, so that three greedy rules are tried and the one with the fewest
cells wins (Koller and Friedman 2009, section 9.4.3): fewest cells of the clique made, fewest edges added, fewest
neighbours.

Graphs are matrices of 0 and 1, (attributes, attributes). A row is an attribute's neighbours; once it is eliminated,
those that it had then.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals.compiled import compiled

Graph = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

DEGREE, FIRST, MAXIMAL = range(3)
"""Rows of the state: neighbours of an attribute when it was eliminated, which of them went first, and whether the
clique they all made lies in no other."""

THERE, GONE = -2, -1
"""In place of which went first: the attribute itself has not gone; none of them has."""

RULES = 3
NONE, ALL = cast("int", np.int64(0)), cast("int", np.int64(1 << 60))
"""Where counting begins and ends: for a literal, the compiler would make a copy of its own."""


@compiled
def _added(graph: Graph, left: Numbers, name: int, most: int) -> int:
    """Edges that eliminating `name` adds; counting ends past `most`."""
    missing = NONE
    for one in range(len(left)):
        if graph[name, left[one]] and missing <= most:
            for other in range(one):
                if graph[name, left[other]] and not graph[left[one], left[other]]:
                    missing += 1
    return missing


@compiled
def _cells(graph: Graph, left: Numbers, name: int, sizes: Floats) -> tuple[float, int]:
    """Cells of the clique that eliminating `name` makes, and its neighbours."""
    cells, degree = float(sizes[name]), NONE
    for other in left:
        if graph[name, other]:
            cells *= float(sizes[other])
            degree += 1
    return cells, degree


@compiled
def _eliminate(graph: Graph, left: Numbers, place: int, sizes: Floats, state: Numbers) -> float:
    """Eliminate the attribute at a place of `left`; those after it move up.

    The clique is maximal unless the attribute goes first among the neighbours of one eliminated before that had one
    neighbour more (Blair and Peyton 1993, lemma 4.1).

    Returns:
        Cells of the clique that this made; 0 where it lies inside another.
    """
    name = left[place]
    cells, degree = _cells(graph, left, name, sizes)
    state[DEGREE, name], state[MAXIMAL, name] = degree, 1
    for other in range(len(graph)):
        if state[FIRST, other] == GONE and graph[other, name]:
            state[FIRST, other] = name
            if state[DEGREE, other] == degree + 1:
                state[MAXIMAL, name] = 0
        if state[FIRST, other] != THERE:
            graph[name, other] = 0
    state[FIRST, name] = GONE
    for other in range(place + 1, len(left)):
        left[other - 1] = left[other]
    for one in left[: len(left) - 1]:
        if graph[name, one]:
            for other in left[: len(left) - 1]:
                if graph[name, other] and one != other:
                    graph[one, other] = 1
    return cells if state[MAXIMAL, name] else 0.0


@compiled
def simplify(graph: Graph, left: Numbers, sizes: Floats, state: Numbers, made: Floats, order: Numbers) -> int:
    """Eliminate attributes whose neighbours are all joined, until none is one.

    Args:
        graph: neighbours; each row becomes those at the attribute's elimination.
        left: attributes not eliminated yet, rising; those that remain come first.
        sizes: of all attributes.
        state: (3, attributes); `THERE` for those left.
        made: gets the cells of each attribute's clique where that lies inside no other, else 0.
        order: gets those eliminated, one after the other.

    Returns:
        How many are left.
    """
    many, before = len(left), len(left) + 1
    while many < before:
        before, place = many, NONE
        while place < many:
            name = left[place]
            if _added(graph, left[:many], name, NONE) == 0:
                made[name] = _eliminate(graph, left[:many], place, sizes, state)
                order[len(left) - many] = name
                many -= 1
            else:
                place += 1
    return many


@compiled
def _stale(graph: Graph, left: Numbers, name: int, fill: bool, stale: NDArray[np.bool_]) -> None:  # noqa: FBT001
    """Mark whose cost eliminating `name` changes: its neighbours', and with `fill` that of both ends' at a new edge."""
    for place in range(len(left)):
        one = left[place]
        if graph[name, one]:
            stale[one] = True
            for before in range(place if fill else NONE):
                other = left[before]
                if graph[name, other] and not graph[one, other]:
                    for each in left:
                        if graph[each, one] and graph[each, other]:
                            stale[each] = True


@compiled
def greedy(graph: Graph, left: Numbers, sizes: Floats, rule: int, state: Numbers, made: Floats) -> None:
    """Eliminate those that `simplify` left by one of the rules, the earliest of equals first.

    Args:
        graph: neighbours; each row becomes those at the attribute's elimination.
        left: attributes not eliminated yet, rising; used up.
        sizes: of all attributes.
        rule: 0 fewest cells; 1 fewest edges, then cells; 2 fewest neighbours, then cells.
        state: as `simplify` left it.
        made: gets the cells of each attribute's clique where that lies inside no other, else 0.
    """
    first, second, stale = np.empty(len(graph)), np.empty(len(graph)), np.ones(len(graph), dtype=np.bool_)
    for many in range(len(left), 0, -1):
        best = NONE
        for place in range(many):
            name, least = left[place], left[best]
            if stale[name]:
                cells, degree = _cells(graph, left[:many], name, sizes)
                first[name], second[name], stale[name] = float(degree), cells, False
                if rule == 0:
                    first[name] = cells
                elif rule == 1:
                    first[name] = float(_added(graph, left[:many], name, ALL))
            if first[name] < first[least] or (first[name] == first[least] and second[name] < second[least]):
                best = place
        name = left[best]
        _stale(graph, left[:many], name, rule == 1 and first[name] > 0, stale)
        made[name] = _eliminate(graph, left[:many], best, sizes, state)


@compiled
def _stays(graph: Graph, order: Numbers) -> Graph:
    """For each attribute, which must stay where it does, the core aside: its neighbours as it went, theirs, and it."""
    stays = np.zeros_like(graph)
    for name in range(len(graph)):
        stays[name, name] = 1
    for place in range(len(order) - 1, -1, -1):
        name = order[place]
        for other in range(len(graph)):
            if graph[name, other]:
                for each in range(len(graph)):
                    stays[name, each] |= stays[other, each]
    return stays


@compiled
def _begin(
    graph: Graph, went: Graph, extra: NDArray[np.uint8], stay: NDArray[np.uint8], left: Numbers, changed: Graph
) -> int:
    """Write the graph of those that stay, with the extra clique, and of the others as they went; how many stay."""
    many = NONE
    for name in range(len(graph)):
        for other in range(len(graph)):
            joined = graph[name, other] | (extra[name] & extra[other])
            changed[name, other] = stay[other] & joined if stay[name] else went[name, other]
        changed[name, name] = 0
        if stay[name]:
            left[many] = name
            many += 1
    return many


@compiled
def _staying(extra: NDArray[np.uint8], stays: Graph, core: Numbers, stay: NDArray[np.uint8]) -> None:
    """Mark the core, and what must stay where the extra clique does."""
    for name in range(len(stay)):
        stay[name] = 0
    for name in core:
        stay[name] = 1
    for one in range(len(stay)):
        if extra[one]:
            for name in range(len(stay)):
                stay[name] |= stays[one, name]


@compiled
def _restore(common: Numbers, early: Floats, stay: NDArray[np.uint8], state: Numbers, made: Floats) -> None:
    """Write the state of those that went, as if those that stay were all still there."""
    for name in range(len(stay)):
        first = common[FIRST, name]
        state[DEGREE, name], state[FIRST, name], made[name] = common[DEGREE, name], first, early[name]
        if stay[name]:
            state[FIRST, name] = THERE
        elif first >= 0 and stay[first]:
            state[FIRST, name] = GONE


@compiled
def _total(made: Floats) -> float:
    total = 0.0
    for cells in made:
        total += cells
    return total


@compiled
def joined_cells(graph: Graph, sizes: Floats, extras: Graph) -> Floats:
    """Give the cells of the best graph that the rules find after joining each one of `extras` alone: (extras,).

    Most attributes are eliminated as they would be without the extra clique, first and once: all but those in the
    extra, their neighbours when they went, these ones' neighbours and so on, and those that a rule was needed for.

    Args:
        graph: neighbours of each attribute.
        sizes: of the attributes.
        extras: 1 for the attributes of each, (extras, attributes).
    """
    names = len(graph)
    went, left, order = graph.copy(), np.arange(names), np.empty(names, dtype=np.int64)
    common, early = np.full((3, names), THERE), np.zeros(names)
    core = simplify(went, left, sizes, common, early, order)
    hard = left[:core].copy()
    stays = _stays(went, order[: names - core])
    begun, begun_state, begun_made = np.empty_like(graph), np.empty_like(common), np.empty(names)
    changed, state, made, rest = np.empty_like(graph), np.empty_like(common), np.empty(names), np.empty_like(order)
    stay, best = np.empty(names, dtype=np.uint8), np.full(len(extras), np.inf)
    for index in range(len(extras)):
        _staying(extras[index], stays, hard, stay)
        _restore(common, early, stay, begun_state, begun_made)
        many = _begin(graph, went, extras[index], stay, left, begun)
        many = simplify(begun, left[:many], sizes, begun_state, begun_made, order)
        for rule in range(RULES if many else 1):
            for name in range(names):
                made[name], rest[name] = begun_made[name], left[name]
                for each in range(len(state)):
                    state[each, name] = begun_state[each, name]
                for other in range(names):
                    changed[name, other] = begun[name, other]
            greedy(changed, rest[:many], sizes, rule, state, made)
            best[index] = min(best[index], _total(made))
    return best
