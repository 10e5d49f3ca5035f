"""Marginals of many pairs at once, from one sweep over a calibrated tree.

A pair inside a node is summed out of it. For the others, what each separator needs to know of an attribute x on one of
its sides is P(x, separator). All x together are one matrix, which a product carries over a node to the next separator,
and another product turns into P(x, y) for the attributes y behind it. So the work is a few matrix products an edge of
the tree, not an elimination a pair.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, cast

import numpy as np
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from pasteur.marginals.domain import Clique
    from pasteur.marginals.inference import Array
    from pasteur.marginals.junction_tree import JunctionTree

MOST = 1 << 22
"""Cells of the widest matrix: with more, attributes are carried over the tree some at a time."""


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Keep matrix products to one thread inside: these are small, and threads that wait for each other spin."""
    return cast("AbstractContextManager[object]", _libraries().limit(limits=1, user_api="blas"))


class Stack:
    """P(x, separator) of several x: (cells of all x, cells of the separator), and the rows of each x."""

    def __init__(self, blocks: Sequence[tuple[str, Array]]) -> None:
        self.names = tuple(name for name, _ in blocks)
        self.rows: dict[str, slice] = {}
        end = 0
        for name, block in blocks:
            self.rows[name] = slice(end, end + len(block))
            end += len(block)
        tables = [block for _, block in blocks]
        self.table: Array = tables[0] if len(tables) == 1 else np.concatenate(tables)

    def only(self, names: Iterable[str]) -> list[tuple[str, Array]]:
        """Give the blocks of those of `names` that are here."""
        return [(name, self.table[self.rows[name]]) for name in names if name in self.rows]


class Sweep:
    """The way over a tree.

    Args:
        tree: the nodes.
        tables: P(node) of each, shape = the node's.
    """

    def __init__(self, tree: JunctionTree, tables: Sequence[Array]) -> None:
        self.tree, self.tables = tree, tables
        self.sizes = tree.domain.as_dict()
        self.homes = {name: index for index, node in enumerate(tree.nodes) for name in node.residual}
        children: list[list[int]] = [[] for _ in tree.nodes]
        for index, node in enumerate(tree.nodes):
            if node.parent >= 0:
                children[node.parent].append(index)
        # Depth first, so that what lies below a node is a range.
        self.order: list[int] = []
        waiting = [index for index, node in reversed(list(enumerate(tree.nodes))) if node.parent < 0]
        while waiting:
            self.order.append(waiting.pop())
            waiting += reversed(children[self.order[-1]])
        self.children = children
        self.first = {index: place for place, index in enumerate(self.order)}
        self.after = dict.fromkeys(self.order, 0)
        for index in reversed(self.order):
            ends = [self.first[index] + 1, *(self.after[child] for child in children[index])]
            self.after[index] = max(ends)

    def answers(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Array]:
        """Give P(x, y) of pairs of one tree of the forest that no node holds; (y, x) where y comes first in `order`."""
        asked: dict[str, set[str]] = {}
        for one, other in pairs:
            x, y = sorted((one, other), key=lambda name: self.first[self.homes[name]])
            asked.setdefault(x, set()).add(y)
        widest = max((node.matrix[0] for node in self.tree.nodes), default=1)
        found: dict[tuple[str, str], Array] = {}
        group: dict[str, set[str]] = {}
        for x, others in asked.items():
            if group and sum(self.sizes[name] for name in [*group, x]) * widest > MOST:
                self._carry(group, found)
                group = {}
            group[x] = others
        self._carry(group, found)
        return found

    def _carry(self, asked: dict[str, set[str]], found: dict[tuple[str, str], Array]) -> None:
        """Answer some x with all that is asked of them."""
        ups = self._ups({x: max(self.first[self.homes[y]] for y in others) for x, others in asked.items()})
        wanted = self._wanted(asked)
        downs: dict[int, Stack] = {}
        for index in self.order:
            node = self.tree.nodes[index]
            if node.parent < 0:
                continue
            below = range(self.first[index], self.after[index])
            sources = wanted[index].difference(node.separator)
            names = [x for x in asked if x in sources and self.first[self.homes[x]] not in below]
            blocks = self._beside(node.parent, node.separator, names)
            arriving = [(self.tree.nodes[node.parent].separator, downs.get(node.parent))]
            arriving += [
                (self.tree.nodes[sibling].separator, ups.get(sibling))
                for sibling in self.children[node.parent]
                if self.first[sibling] < self.first[index]
            ]
            for separator, stack in arriving:
                if stack is not None:
                    blocks += self._over(node.parent, separator, node.separator, stack, names)
            if blocks:
                downs[index] = Stack(blocks)
                self._answer(index, downs[index], asked, found)

    def _wanted(self, asked: dict[str, set[str]]) -> list[set[str]]:
        """Which x something in or below each node is asked with."""
        wanted: list[set[str]] = [set() for _ in self.tree.nodes]
        for x, others in asked.items():
            for y in others:
                wanted[self.homes[y]].add(x)
        for index in reversed(self.order):
            parent = self.tree.nodes[index].parent
            if parent >= 0:
                wanted[parent] |= wanted[index]
        return wanted

    def _ups(self, reach: dict[str, int]) -> dict[int, Stack]:
        """P(x, separator) for the x below each node that something asked for lies past: `reach` says how far."""
        ups: dict[int, Stack] = {}
        for index in reversed(self.order):
            node = self.tree.nodes[index]
            if node.parent < 0:
                continue
            names = [x for x, far in reach.items() if far >= self.after[index]]
            blocks = self._beside(index, node.separator, [x for x in names if x in node.residual])
            for child in self.children[index]:
                if child in ups:
                    others = [x for x in names if x not in node.clique]
                    blocks += self._over(index, self.tree.nodes[child].separator, node.separator, ups[child], others)
            if blocks:
                ups[index] = Stack(blocks)
        return ups

    def _beside(self, index: int, separator: Clique, names: Sequence[str]) -> list[tuple[str, Array]]:
        """P(x, separator) of the x in a node."""
        node = self.tree.nodes[index]
        cells = self.tree.domain.size(separator)
        return [
            (x, self._sum(index, (x, *separator)).reshape(-1, cells))
            for x in names
            if x in node.clique and x not in separator
        ]

    def _sum(self, index: int, clique: Clique) -> Array:
        """A node's table, summed down to `clique`, axes in its order."""
        axes = self.tree.nodes[index].clique
        kept = [name for name in axes if name in clique]
        others = tuple(axis for axis, name in enumerate(axes) if name not in clique)
        table: Array = self.tables[index].sum(axis=others) if others else self.tables[index]
        return table.transpose([kept.index(name) for name in clique])

    def _over(
        self, index: int, left: Clique, right: Clique, stack: Stack, names: Iterable[str]
    ) -> list[tuple[str, Array]]:
        """Carry P(x, left) over a node to P(x, right)."""
        blocks = stack.only(names)
        if not blocks or left == right:
            return blocks
        carried = stack if len(blocks) == len(stack.names) else Stack(blocks)
        both = tuple(name for name in left if name in right)
        gone = tuple(name for name in left if name not in right)
        new = tuple(name for name in right if name not in left)
        rows = len(carried.table)
        moved = carried.table.reshape(rows, *(self.sizes[name] for name in left))
        moved = moved.transpose([*(1 + left.index(name) for name in both), 0, *(1 + left.index(name) for name in gone)])
        shared, lost, gained = (math.prod(self.sizes[name] for name in part) for part in (both, gone, new))
        moved = moved.reshape(shared, rows, lost)
        if new:
            kernel = _conditional(self._sum(index, (*both, *gone, *new)).reshape(shared * lost, gained))
            moved = np.matmul(moved, kernel.reshape(shared, lost, gained))
        else:
            moved = moved.sum(axis=2, keepdims=True)
        shape = tuple(self.sizes[name] for name in both), tuple(self.sizes[name] for name in new)
        moved = moved.reshape(*shape[0], rows, *shape[1])
        places = {name: axis for axis, name in enumerate((*both, "", *new))}
        table = moved.transpose([places[""], *(places[name] for name in right)]).reshape(rows, -1)
        return [(name, table[carried.rows[name]]) for name in carried.names]

    def _answer(
        self, index: int, stack: Stack, asked: dict[str, set[str]], found: dict[tuple[str, str], Array]
    ) -> None:
        """P(x, y) for the y that are new in a node."""
        node = self.tree.nodes[index]
        for y in node.residual:
            blocks = stack.only(x for x in stack.names if y in asked[x])
            if blocks:
                here = stack if len(blocks) == len(stack.names) else Stack(blocks)
                kernel = _conditional(self._sum(index, (*node.separator, y)).reshape(-1, self.sizes[y]))
                table = here.table @ kernel
                found |= {(x, y): table[here.rows[x]] for x in here.names}


def _conditional(table: Array) -> Array:
    """Rows that sum to 1; rows without mass stay so."""
    sums = table.sum(axis=1, keepdims=True)
    return table / np.where(sums > 0, sums, 1.0)
