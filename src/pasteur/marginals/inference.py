"""Inference in a junction tree: all marginals of p ~ exp(sum of potentials), exactly, in one sweep up and one down.

Each node keeps its table as P(residual | separator), so that the sweep up needs one exponential a cell, the sweep
down only products, nothing under- or overflows, and rows can be drawn from root to leaves without more work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.errors import rule
from pasteur.marginals.junction_tree import MOST_CELLS
from pasteur.marginals.pairs import Sweep, one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals.domain import Clique
    from pasteur.marginals.junction_tree import JunctionTree
    from pasteur.marginals.zeros import Zeros

Array = NDArray[np.float64]
PAIR = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """A distribution over the whole domain, by the tree's nodes.

    Attributes:
        tree: the nodes.
        conditionals: P(residual | separator) a node, as matrices (cells of separator, cells of residual).
        tables: P(separator, residual) a node, shape = the node's.
    """

    tree: JunctionTree
    conditionals: tuple[Array, ...]
    tables: tuple[Array, ...]

    def marginal(self, clique: Clique) -> Array:
        """Give the probabilities of `clique`, axes in its order; measured or not, by variable elimination.

        Raises:
            ValueError: an attribute that the domain lacks, or comes twice, or a table that would not fit into memory.
        """
        if len(set(clique)) != len(clique):
            raise ValueError(rule("clique", clique, "different attributes"))
        cells = self.tree.domain.size(clique)
        if cells > MOST_CELLS:
            raise ValueError(rule(f"cells of the marginal of {clique}", cells, f"at most {MOST_CELLS}; ask for less"))
        home = self.tree.home(clique)
        if home is not None:
            return _project(self.tables[home], self.tree.nodes[home].clique, clique)
        parts = [self._within(names) for names in self._parts(clique)]
        axes = tuple(name for names, _ in parts for name in names)
        product = parts[0][1]
        for _, table in parts[1:]:
            product = np.multiply.outer(product, table)
        return _project(product, axes, clique)

    def marginals(self, cliques: Sequence[Clique]) -> list[Array]:
        """Give the probabilities of many cliques.

        Raises:
            ValueError: an attribute that the domain lacks, or comes twice.
        """
        roots = {name: self._paths[home][0] for name, home in self._homes.items()}
        pairs = {(min(clique), max(clique)) for clique in cliques if len(set(clique)) == len(clique) == PAIR}
        crossing = [
            (one, other)
            for one, other in sorted(pairs)
            if one in roots and roots[one] == roots.get(other) and self.tree.home((one, other)) is None
        ]
        with one_thread():
            found = Sweep(self.tree, self.tables).answers(crossing)
            found |= {(other, one): table.T for (one, other), table in found.items()}
            return [found[clique] if clique in found else self.marginal(clique) for clique in cliques]

    def _one(self, name: str) -> Array:
        """Probabilities of one attribute, found once."""
        if name not in self._ones:
            index = self._homes[name]
            self._ones[name] = _project(self.tables[index], self.tree.nodes[index].clique, (name,))
        return self._ones[name]

    @cached_property
    def _ones(self) -> dict[str, Array]:
        return {}

    @cached_property
    def _homes(self) -> dict[str, int]:
        """The node in whose residual each attribute is."""
        return {name: index for index, node in enumerate(self.tree.nodes) for name in node.residual}

    @cached_property
    def _paths(self) -> tuple[tuple[int, ...], ...]:
        """The way from each node's root down to it, both included."""
        paths: list[tuple[int, ...]] = []
        for index, node in enumerate(self.tree.nodes):
            paths.append((*(paths[node.parent] if node.parent >= 0 else ()), index))
        return tuple(paths)

    def _parts(self, clique: Clique) -> list[Clique]:
        """Split `clique` by the tree of the forest that each attribute is in: those are independent."""
        parts: dict[int, list[str]] = {}
        for name in clique:
            parts.setdefault(self._paths[self._homes[name]][0], []).append(name)
        return [tuple(names) for names in parts.values()]

    def _within(self, clique: Clique) -> tuple[Clique, Array]:
        """Give the probabilities of attributes of one tree, from the nodes between them only."""
        if len(clique) == 1:
            return clique, self._one(clique[0])
        paths = [self._paths[self._homes[name]] for name in clique]
        depth = 1
        while all(len(path) > depth and path[depth] == paths[0][depth] for path in paths):
            depth += 1
        top = paths[0][depth - 1]
        between = {index for path in paths for index in path[depth:]}
        nodes = self.tree.nodes
        factors: list[tuple[Clique, Array]] = [(nodes[top].clique, self.tables[top])]
        factors += [(nodes[i].clique, self.conditionals[i].reshape(nodes[i].shape)) for i in sorted(between)]
        return _eliminated(factors, clique, self.tree.domain.as_dict())


class Propagation:
    """Belief propagation for potentials over `cliques`, planned once and run for many values.

    Args:
        tree: a junction tree in which each clique has a home.
        cliques: of the potentials, in any order, any number of times.
        zeros: cells that cannot be, each inside a node too.

    Raises:
        ValueError: a clique is inside no node.
    """

    def __init__(self, tree: JunctionTree, cliques: Sequence[Clique], zeros: Sequence[Zeros] = ()) -> None:
        self.tree = tree
        self.cliques = tuple(cliques)
        self.zeros = tuple(zeros)
        self._homes, self._spread = self._places(self.cliques)
        self._zero_homes, self._zero_spread = self._places([zero.clique for zero in zeros])
        nodes = tree.nodes
        self._messages = [
            _spread(nodes[node.parent].clique, nodes[node.parent].shape, node.separator) if node.parent >= 0 else None
            for node in nodes
        ]

    def _places(self, cliques: Sequence[Clique]) -> tuple[list[int], list[_Spread]]:
        homes = [self.tree.home(clique) for clique in cliques]
        found = [-1 if home is None else home for home in homes]
        if -1 in found:
            raise ValueError(rule("clique", cliques[found.index(-1)], "inside a node of the tree"))
        nodes = self.tree.nodes
        return found, [_spread(nodes[h].clique, nodes[h].shape, c) for h, c in zip(found, cliques, strict=True)]

    def calibrate(self, potentials: Sequence[Array]) -> Calibrated:
        """Give the distribution proportional to exp(sum of potentials); -inf marks cells that cannot be.

        Args:
            potentials: one a clique, shape = its sizes.

        Raises:
            ValueError: nothing can be.
        """
        nodes = self.tree.nodes
        logs = [np.zeros(node.shape) for node in nodes]
        for home, spread, zero in zip(self._zero_homes, self._zero_spread, self.zeros, strict=True):
            logs[home] += spread.up(zero.potential)
        for home, spread, potential in zip(self._homes, self._spread, potentials, strict=True):
            logs[home] += spread.up(potential)
        conditionals: list[Array] = [np.empty(0)] * len(nodes)
        for index in range(len(nodes) - 1, -1, -1):
            conditionals[index], log_total = _normalised(logs[index].reshape(nodes[index].matrix))
            message = self._messages[index]
            if message is not None:
                logs[nodes[index].parent] += message.up(log_total)
            elif np.isneginf(log_total).any():
                cliques = [zero.clique for zero in self.zeros] or self.cliques
                raise ValueError(rule("zeros of cliques", cliques, "such that some cell may be"))
        tables: list[Array] = []
        for node, conditional, message in zip(nodes, conditionals, self._messages, strict=True):
            if message is not None:
                conditional = conditional * message.down(tables[node.parent]).reshape(-1, 1)  # noqa: PLW2901
            tables.append(conditional.reshape(node.shape))
        return Calibrated(tree=self.tree, conditionals=tuple(conditionals), tables=tuple(tables))

    def project(self, calibrated: Calibrated) -> list[Array]:
        """Give the probabilities of each clique."""
        pairs = zip(self._homes, self._spread, strict=True)
        return [spread.down(calibrated.tables[home]) for home, spread in pairs]


class _Spread:
    """How a clique's table lies in a node's: `up` widens it to the node's axes, `down` sums the node's table to it."""

    def __init__(self, node: Clique, shape: tuple[int, ...], clique: Clique) -> None:
        inside = [name for name in node if name in clique]
        self._to_node = tuple(clique.index(name) for name in inside)
        self._to_clique = tuple(inside.index(name) for name in clique)
        self._wide = tuple(size if name in clique else 1 for name, size in zip(node, shape, strict=True))
        self._narrow = tuple(size for name, size in zip(node, shape, strict=True) if name in clique)
        self._others = tuple(axis for axis, name in enumerate(node) if name not in clique)

    def up(self, table: Array) -> Array:
        ordered = table.reshape(tuple(self._narrow[axis] for axis in self._to_clique)).transpose(self._to_node)
        return ordered.reshape(self._wide)

    def down(self, table: Array) -> Array:
        summed: Array = table.sum(axis=self._others) if self._others else table
        return summed.transpose(self._to_clique)


@lru_cache(maxsize=1 << 13)
def _spread(node: Clique, shape: tuple[int, ...], clique: Clique) -> _Spread:
    """Found once: fits that grow out of each other have most in common."""
    return _Spread(node, shape, clique)


def _normalised(logs: Array) -> tuple[Array, Array]:
    """Rows of exp(logs) that sum to 1, and the logarithm of what they summed to. A row of -inf stays without mass."""
    top = logs.max(axis=1)
    masses = np.exp(logs - np.where(np.isneginf(top), 0.0, top)[:, None])
    sums = masses.sum(axis=1)
    empty = sums == 0
    masses /= np.where(empty, 1.0, sums)[:, None]
    return masses, np.where(empty, -np.inf, top + np.log(np.where(empty, 1.0, sums)))


def _project(table: Array, axes: Clique, clique: Clique) -> Array:
    return _spread(axes, table.shape, clique).down(table)


def _eliminated(factors: list[tuple[Clique, Array]], clique: Clique, sizes: dict[str, int]) -> tuple[Clique, Array]:
    """Multiply `factors` and sum out all but `clique`, the attribute that makes the smallest table first."""
    factors = list(factors)
    hidden = {name for names, _ in factors for name in names}.difference(clique)

    def made(name: str) -> tuple[int, str]:
        touched = {other for names, _ in factors if name in names for other in names}
        return math.prod(sizes[other] for other in touched), name

    while hidden:
        name = min(hidden, key=made)
        hidden.remove(name)
        touched = [factor for factor in factors if name in factor[0]]
        factors = [factor for factor in factors if name not in factor[0]]
        factors.append(_product(touched, drop=name))
    return _product(factors)


def _product(factors: Sequence[tuple[Clique, Array]], drop: str | None = None) -> tuple[Clique, Array]:
    """Multiply tables, the narrow ones first, and sum out `drop`."""
    first, *rest = sorted(factors, key=lambda factor: factor[1].size)
    for index, other in enumerate(rest, start=1):
        first = _joined(first, other, drop if index == len(rest) else None)
    return first if rest else _summed(first, drop)


def _joined(one: tuple[Clique, Array], other: tuple[Clique, Array], drop: str | None) -> tuple[Clique, Array]:
    """Multiply two tables and sum out `drop`: a matrix product for each value of what they share."""
    if (drop in one[0]) != (drop in other[0]):
        one, other, drop = _summed(one, drop), _summed(other, drop), None
    shared = tuple(name for name in one[0] if name in other[0] and name != drop)
    gone = (drop,) if drop in one[0] else ()
    left = tuple(name for name in one[0] if name not in other[0])
    right = tuple(name for name in other[0] if name not in one[0])
    first = one[1].transpose([one[0].index(name) for name in (*shared, *left, *gone)])
    second = other[1].transpose([other[0].index(name) for name in (*shared, *gone, *right)])
    shape = first.shape[: len(shared) + len(left)] + second.shape[len(shared) + len(gone) :]
    batch, inner = math.prod(shape[: len(shared)]), math.prod(first.shape[len(shared) + len(left) :])
    first = first.reshape(batch, math.prod(shape[len(shared) : len(shared) + len(left)]), inner)
    second = second.reshape(batch, inner, -1)
    table: Array = first @ second if gone else first * second
    return (*shared, *left, *right), table.reshape(shape)


def _summed(factor: tuple[Clique, Array], drop: str | None) -> tuple[Clique, Array]:
    names, table = factor
    if drop not in names:
        return factor
    return tuple(name for name in names if name != drop), table.sum(axis=names.index(drop))
