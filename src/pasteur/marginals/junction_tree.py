"""`JunctionTree`: cliques arranged so that what is true between neighbours is true of the whole.

The measured cliques' graph is made chordal by eliminating its attributes one by one (`elimination`); the cliques that
this leaves are joined by a spanning tree of largest separators (Koller and Friedman 2009, sections 9.4 and 10.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule
from pasteur.marginals import elimination

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique, Domain

MOST_CELLS = 1 << 26
"""Cells that a tree may have: fitting keeps a few numbers of 8 bytes a cell, and half a gigabyte each is too much."""


COUNTED = float(1 << 62)
"""Counts of cells end here, far past any table that can be."""


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
    def of(cls, domain: Domain, cliques: Iterable[Clique], *, most: int = MOST_CELLS) -> JunctionTree:
        """Make a tree in which each of `cliques` lies inside some node; every attribute of `domain` gets one.

        Args:
            domain: of the model.
            cliques: in any order, any number of times; neither changes the tree.
            most: cells that its nodes may have together.

        Raises:
            ValueError: a clique names an attribute that the domain lacks, or the tree would have more cells.
        """
        tree = cls(domain=domain, nodes=tuple(_span(domain, _chordal(*_graph(domain, cliques)))))
        if tree.cells > most:
            largest = max(tree.nodes, key=lambda node: math.prod(node.shape))
            message = (
                rule("cells of the model's tree", tree.cells, f"at most {most} ({most * 8 / 1e6:.0f} MB)")
                + f"; its largest table {largest.clique} has {math.prod(largest.shape)}: choose smaller or fewer"
                + " cliques (the algorithm's largest model size), or fewer codes for these attributes (bins, levels)"
            )
            raise ValueError(message)
        return tree

    @property
    def cells(self) -> int:
        """Cells of all nodes together: what one propagation touches."""
        return sum(math.prod(node.shape) for node in self.nodes)

    @cached_property
    def _holders(self) -> tuple[tuple[int, ...], dict[str, int]]:
        """Nodes, the smallest first, and of each attribute the places therein that hold it, as bits of a number."""
        order = sorted(range(len(self.nodes)), key=lambda index: (math.prod(self.nodes[index].shape), index))
        holders = dict.fromkeys(self.domain.attributes, 0)
        for place, index in enumerate(order):
            for name in self.nodes[index].clique:
                holders[name] |= 1 << place
        return tuple(order), holders

    def home(self, clique: Iterable[str]) -> int | None:
        """Give the smallest node that holds all of `clique`, or None where none does."""
        order, holders = self._holders
        common = (1 << len(order)) - 1
        for name in clique:
            common &= holders.get(name, 0)
        return order[(common & -common).bit_length() - 1] if common else None


def tree_cells(domain: Domain, cliques: Iterable[Clique], extras: Sequence[Clique]) -> NDArray[np.int64]:
    """Give the cells of the junction tree of `cliques` and one more, for each of `extras`: (extras,).

    They are those of `JunctionTree.of`, up to 2^62, where counting ends.

    Raises:
        ValueError: a clique names an attribute that the domain lacks.
    """
    graph, sizes = _graph(domain, cliques)
    marked = np.zeros((len(extras), len(domain)), dtype=np.uint8)
    rows = [index for index, clique in enumerate(extras) for _ in clique]
    marked[rows, [domain.index(name) for clique in extras for name in clique]] = 1
    counted: NDArray[np.int64] = np.minimum(elimination.joined_cells(graph, sizes, marked), COUNTED).astype(np.int64)
    return counted


def _graph(domain: Domain, cliques: Iterable[Clique]) -> tuple[elimination.Graph, elimination.Floats]:
    """Neighbours of each attribute, and the sizes."""
    graph = np.zeros((len(domain), len(domain)), dtype=np.uint8)
    for clique in cliques:
        for one, other in combinations([domain.index(name) for name in clique], 2):
            graph[one, other] = graph[other, one] = 1
    return graph, np.array(domain.sizes, dtype=np.float64)


def _chordal(graph: elimination.Graph, sizes: elimination.Floats) -> list[int]:
    """Maximal cliques of the chordal graph of fewest cells that was found, as bits of a number each."""
    names = len(graph)
    left, made, state = np.arange(names), np.zeros(names), np.full((3, names), elimination.THERE)
    many = elimination.simplify(graph, left, sizes, state, made, np.empty_like(left))
    tried: list[tuple[elimination.Graph, elimination.Numbers, elimination.Floats]] = []
    for greedy in range(elimination.RULES if many else 1):
        went = (graph.copy(), state.copy(), made.copy())
        elimination.greedy(went[0], left[:many].copy(), sizes, greedy, went[1], went[2])
        tried.append(went)
    chordal, ended, _ = min(tried, key=lambda each: float(each[2].sum()))
    np.fill_diagonal(chordal, 1)
    rows = [np.packbits(chordal[name], bitorder="little") for name in np.flatnonzero(ended[elimination.MAXIMAL])]
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def _span(domain: Domain, masks: Sequence[int]) -> list[Node]:
    """Nodes of a spanning forest of largest separators (Prim), which has the running intersection property.

    Args:
        domain: of the attributes.
        masks: cliques as bits of a number.
    """
    nodes: list[Node] = []
    placed: list[int] = []
    best: dict[int, tuple[int, int]] = dict.fromkeys(range(len(masks)), (0, -1))
    while best:
        index = max(best, key=lambda each: (best[each][0], -each))
        shared, parent = best.pop(index)
        own = {name for place, name in enumerate(domain.attributes) if masks[index] >> place & 1}
        separator = tuple(name for name in nodes[parent].clique if name in own) if shared else ()
        residual = tuple(name for name in domain.attributes if name in own.difference(separator))
        shape = domain.shape(separator + residual)
        nodes.append(Node(separator=separator, residual=residual, parent=parent if shared else -1, shape=shape))
        placed.append(masks[index])
        for other, (size, _) in best.items():
            overlap = (masks[index] & masks[other]).bit_count()
            if overlap > size:
                best[other] = (overlap, len(nodes) - 1)
    return nodes
