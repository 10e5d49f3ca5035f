"""`JunctionTree`: cliques arranged so that what is true between neighbours is true of the whole.

The measured cliques' graph is made chordal by eliminating its attributes one by one; the cliques that this leaves are
joined by a spanning tree of largest separators (Koller and Friedman 2009, sections 9.4 and 10.4). Which order is best
is NP-hard, so several greedy ones are tried and the one with the fewest cells wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pasteur.marginals.domain import Clique, Domain

Graph = dict[str, set[str]]
Cost = tuple[float, ...]
Rule = "Callable[[Graph, str, Mapping[str, float]], Cost]"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One clique of the tree, its axes in the order `separator + residual`.

    Attributes:
        separator: attributes shared with the parent, in the parent's order of axes; empty for a root.
        residual: the other attributes. Each attribute is in the residual of exactly one node, its highest.
        parent: index of the parent, which comes earlier; -1 for a root.
        shape: sizes of the axes.
    """

    separator: Clique
    residual: Clique
    parent: int
    shape: tuple[int, ...]

    @property
    def clique(self) -> Clique:
        """All attributes, in the order of the axes."""
        return self.separator + self.residual

    @property
    def matrix(self) -> tuple[int, int]:
        """Cells of the separator and of the residual: the node's table as rows and columns."""
        split = len(self.separator)
        return math.prod(self.shape[:split]), math.prod(self.shape[split:])


@dataclass(frozen=True, kw_only=True)
class JunctionTree:
    """A forest of nodes, parents before children. Parts that share no attribute are trees of their own."""

    domain: Domain
    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, domain: Domain, cliques: Iterable[Clique]) -> JunctionTree:
        """Make a tree in which each of `cliques` lies inside some node; every attribute of `domain` gets one.

        Raises:
            ValueError: a clique names an attribute that the domain lacks.
        """
        graph: Graph = {name: set() for name in domain.attributes}
        for clique in cliques:
            for one, other in combinations(domain.ordered(clique), 2):
                graph[one].add(other)
                graph[other].add(one)
        weights = {name: math.log(size) for name, size in domain.as_dict().items()}
        triangulations = [_eliminate(graph, weights, rule) for rule in (_least_weight, _least_fill, _least_degree)]
        best = min(triangulations, key=lambda found: sum(domain.size(clique) for clique in found))
        return cls(domain=domain, nodes=tuple(_span(domain, [domain.ordered(clique) for clique in best])))

    @property
    def cells(self) -> int:
        """Cells of all nodes together: what one propagation touches."""
        return sum(math.prod(node.shape) for node in self.nodes)

    def home(self, clique: Iterable[str]) -> int | None:
        """Give the smallest node that holds all of `clique`, or None where none does."""
        wanted = set(clique)
        holders = [index for index, node in enumerate(self.nodes) if wanted <= set(node.clique)]
        return min(holders, key=lambda index: math.prod(self.nodes[index].shape), default=None)


def _least_weight(graph: Graph, name: str, weights: Mapping[str, float]) -> Cost:
    """Cells of the clique that eliminating `name` makes."""
    return (weights[name] + sum(sorted(weights[other] for other in graph[name])),)


def _least_fill(graph: Graph, name: str, weights: Mapping[str, float]) -> Cost:
    """Edges that eliminating `name` adds, then cells."""
    missing = sum(other not in graph[one] for one, other in combinations(graph[name], 2))
    return (missing, *_least_weight(graph, name, weights))


def _least_degree(graph: Graph, name: str, weights: Mapping[str, float]) -> Cost:
    """Neighbours, then cells."""
    return (len(graph[name]), *_least_weight(graph, name, weights))


def _eliminate(
    graph: Graph, weights: Mapping[str, float], rule: Callable[[Graph, str, Mapping[str, float]], Cost]
) -> list[frozenset[str]]:
    """Maximal cliques of the chordal graph that eliminating the attribute of least cost, again and again, makes."""
    left = {name: set(others) for name, others in graph.items()}
    costs = {name: rule(left, name, weights) for name in left}
    found: list[frozenset[str]] = []
    while left:
        name = min(left, key=lambda each: (costs[each], each))
        neighbours = left.pop(name)
        clique = frozenset(neighbours | {name})
        if not any(clique <= other for other in found):
            found.append(clique)
        for one in neighbours:
            left[one] |= neighbours
            left[one] -= {one, name}
        for touched in neighbours.union(*(left[one] for one in neighbours)):
            costs[touched] = rule(left, touched, weights)
    return found


def _span(domain: Domain, cliques: Sequence[Clique]) -> list[Node]:
    """Nodes of a spanning forest of largest separators (Prim), which has the running intersection property."""
    nodes: list[Node] = []
    best: dict[int, tuple[int, int]] = dict.fromkeys(range(len(cliques)), (0, -1))
    while best:
        index = max(best, key=lambda each: (best[each][0], -each))
        shared, parent = best.pop(index)
        own = set(cliques[index])
        separator = tuple(name for name in nodes[parent].clique if name in own) if shared else ()
        residual = tuple(name for name in cliques[index] if name not in separator)
        shape = domain.shape(separator + residual)
        nodes.append(Node(separator=separator, residual=residual, parent=parent if shared else -1, shape=shape))
        for other, (size, _) in best.items():
            overlap = len(own.intersection(cliques[other]))
            if overlap > size:
                best[other] = (overlap, len(nodes) - 1)
    return nodes
