"""How the tables of a fit lie in memory, and in which order a step goes over them.

All tables have their axes in one order, of rising size, so that a smaller table lies in a larger one in *runs*: cells
that follow one another in the larger table and either do so in the smaller one, too, or fall into one cell of it. The
last axis is the largest, runs are long, and loops over them are what a processor does best.

Inside a node lie its *factors*: measured cliques, separators to the nodes below, and *faces* (the node without one of
its axes) through which several of these reach the node in one pass. Each factor has an owner, the smallest that it
lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals.descent import COPY, MULTIPLIER, NORMALISE, PLACES, PROJECT, RATIO, TIMES, Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique
    from pasteur.marginals.junction_tree import JunctionTree

SEPARATOR, MEASURED, FACE = range(3)
"""Kinds of factors; of the same axes, an earlier kind lies in a later one."""

SHARES, SLOPES, TARGETS, MULTIPLIERS, PASSED, AREAS = 0, 2, 4, 5, 6, 7
"""Areas of memory, by number; of shares and of slopes there is one for each side."""

Operation = tuple[int, ...]
NONE = (0, 0, 0, 0)
"""An operation without a link."""


@dataclass(kw_only=True, eq=False)
class _Factor:
    """A table inside a node; `axes` are bits of a number, `owner` None the node itself."""

    axes: int
    cells: int
    kind: int
    owner: _Factor | None = None
    start: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """Rising from what lies inside to what it lies in."""
        return self.cells, self.axes.bit_count(), self.kind

    def inside(self, axes: int) -> bool:
        return self.axes & axes == self.axes


class Layout:
    """Where the tables of a fit are, and the program that `descent.descend` runs on them.

    Memory holds the nodes' tables twice, for the accepted step and the proposed one, then some areas in which each
    factor has its place: shares twice, slopes twice, targets, multipliers, and what a separator's node passed up.

    Args:
        tree: the nodes.
        cliques: that were measured, each inside a node; the same one may come twice, also in another order.

    Attributes:
        nodes: where each node's table starts, (nodes,).
        starts: where each clique's table starts in an area, (cliques,).
        area: cells of an area.
        cells: of all memory.
    """

    def __init__(self, tree: JunctionTree, cliques: Sequence[Clique]) -> None:
        sizes = tree.domain.as_dict()
        order = sorted(sizes, key=lambda name: (sizes[name], tree.domain.index(name)))
        self._sizes = [sizes[name] for name in order]
        self._bits = {name: 1 << place for place, name in enumerate(order)}
        self._links: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self._runs: list[NDArray[np.int64]] = []
        self._used = 0

        self._around = [self._mask(node.clique) for node in tree.nodes]
        self._inside: list[list[_Factor]] = [[] for _ in self._around]
        self._joints: list[_Factor | None] = []
        for node in tree.nodes:
            joint = self._factor(self._mask(node.separator), SEPARATOR) if node.parent >= 0 else None
            if joint is not None:
                self._inside[node.parent].append(joint)
            self._joints.append(joint)
        masks = [self._mask(clique) for clique in cliques]
        self._measured = self._housed(set(masks))
        for axes, factors in zip(self._around, self._inside, strict=True):
            self._owned(axes, factors)

        lengths = [self._cells(axes) for axes in self._around]
        self.nodes = [sum(lengths[:place]) for place in range(len(lengths))]
        self.area = 0
        for factor in (factor for factors in self._inside for factor in factors):
            factor.start, self.area = self.area, self.area + factor.cells
        self._tables = sum(lengths)
        self.cells = 2 * self._tables + AREAS * self.area
        self.starts = [self._measured[mask].start for mask in masks]

    def area_of(self, number: int) -> int:
        """Give where an area starts: `SHARES`, `SLOPES` (each one of two), `TARGETS`, `MULTIPLIERS` or `PASSED`."""
        return 2 * self._tables + number * self.area

    def program(self, weights: Mapping[int, float]) -> Program:
        """Give what `descend` runs.

        Args:
            weights: 1/sigma^2 of the clique whose table starts there in an area.
        """
        first, *steps = self._projections(0), self._step(0), self._step(1)
        measured = sorted(self._measured.values(), key=lambda factor: factor.start)
        return Program(
            operations=np.array([*first, *steps[0], *steps[1]], dtype=np.int64).reshape(-1, PLACES + 1),
            ends=np.cumsum([len(first), *map(len, steps)]),
            places=np.concatenate([*self._runs, np.zeros(0, dtype=np.int64)]),
            measured=np.array([(f.start, f.cells) for f in measured], dtype=np.int64).reshape(-1, 2),
            areas=np.array([self.area_of(number) for number in range(TARGETS + 1)], dtype=np.int64),
            weights=np.array([weights[factor.start] for factor in measured], dtype=np.float64),
        )

    def _step(self, side: int) -> list[Operation]:
        """Operations of a step from one side to the other."""
        tables = [start + (1 - side) * self._tables for start in self.nodes]
        multipliers, passed = self.area_of(MULTIPLIERS), self.area_of(PASSED)
        done: list[Operation] = [
            (MULTIPLIER, multipliers + factor.start, self.area_of(SLOPES + side) + factor.start, 0, factor.cells, *NONE)
            for factors in self._inside
            for factor in factors
            if factor.kind != SEPARATOR  # a face has no slopes, and so begins with ones
        ]
        for node in reversed(range(len(tables))):
            table, axes, joint = tables[node], self._around[node], self._joints[node]
            source = self.nodes[node] + side * self._tables
            for factor in self._inside[node]:
                if factor.owner is None:
                    link = self._link(axes, factor.axes)
                    done.append((TIMES, table, source, multipliers + factor.start, 0, *link))
                    source = table
                else:
                    out, link = multipliers + factor.owner.start, self._link(factor.owner.axes, factor.axes)
                    done.append((TIMES, out, out, multipliers + factor.start, 0, *link))
            if source != table:
                done.append((COPY, table, source, 0, self._cells(axes), *NONE))
            if joint is None:
                done.append((NORMALISE, table, 0, 0, self._cells(axes), *NONE))
            else:
                up, old = passed + joint.start, self.area_of(SHARES + side) + joint.start
                done.append((PROJECT, up, table, 0, joint.cells, *self._link(axes, joint.axes)))
                done.append((RATIO, multipliers + joint.start, up, old, joint.cells, *NONE))
        return done + self._projections(1 - side, down=True)

    def _projections(self, side: int, *, down: bool = False) -> list[Operation]:
        """Operations that find the shares of all factors; those that bring separators down, too, where asked."""
        shares, multipliers, passed = self.area_of(SHARES + side), self.area_of(MULTIPLIERS), self.area_of(PASSED)
        done: list[Operation] = []
        for start, axes, joint, factors in zip(self.nodes, self._around, self._joints, self._inside, strict=True):
            table = start + side * self._tables
            if down and joint is not None:
                change = multipliers + joint.start
                done.append((RATIO, change, shares + joint.start, passed + joint.start, joint.cells, *NONE))
                done.append((TIMES, table, table, change, 0, *self._link(axes, joint.axes)))
            for factor in reversed(factors):
                owner = factor.owner
                source = table if owner is None else shares + owner.start
                link = self._link(axes if owner is None else owner.axes, factor.axes)
                done.append((PROJECT, shares + factor.start, source, 0, factor.cells, *link))
        return done

    def axes(self, clique: Clique) -> tuple[int, ...]:
        """Give the order that puts the axes of a clique's table into the layout's: an argument for `transpose`."""
        return tuple(sorted(range(len(clique)), key=lambda axis: self._bits[clique[axis]]))

    def _mask(self, clique: Clique) -> int:
        return sum(self._bits[name] for name in clique)

    def _members(self, axes: int) -> Iterator[int]:
        """Places of axes, rising."""
        while axes:
            low = axes & -axes
            yield low.bit_length() - 1
            axes ^= low

    def _cells(self, axes: int) -> int:
        cells = 1
        for place in self._members(axes):
            cells *= self._sizes[place]
        return cells

    def _factor(self, axes: int, kind: int, owner: _Factor | None = None) -> _Factor:
        return _Factor(axes=axes, cells=self._cells(axes), kind=kind, owner=owner)

    def _housed(self, masks: set[int]) -> dict[int, _Factor]:
        """Put each measured clique into the node of the smallest table that it lies in, be it a measured one."""
        known: dict[int, _Factor] = {}
        homes: dict[int, int] = {}
        cells = [self._cells(axes) for axes in self._around]
        for factor in sorted((self._factor(mask, MEASURED) for mask in masks), key=lambda each: each.key, reverse=True):
            axes = factor.axes
            best, home = min((cells[place], place) for place, node in enumerate(self._around) if axes & node == axes)
            for other in reversed(known.values()):  # the smallest first
                if other.cells >= best:
                    break
                if factor.inside(other.axes):
                    home = homes[other.axes]
                    break
            known[axes], homes[axes] = factor, home
            self._inside[home].append(factor)
        return known

    def _owned(self, axes: int, factors: list[_Factor]) -> None:
        """Give each factor of a node its owner, and sort them such that owners come later."""
        factors.sort(key=lambda each: each.key)
        for place, factor in enumerate(factors):
            factor.owner = next((other for other in factors[place + 1 :] if factor.inside(other.axes)), None)
        self._faced(axes, None, [factor for factor in factors if factor.owner is None], factors)
        factors.sort(key=lambda each: each.key)

    def _faced(self, axes: int, owner: _Factor | None, tops: list[_Factor], factors: list[_Factor]) -> None:
        """Put tables without one axis between a table and what lies in it, where that makes fewer cells to go over."""
        for place in sorted(self._members(axes), reverse=True):
            face = axes & ~(1 << place)
            under = [factor for factor in tops if factor.inside(face)]
            if (len(under) - 1) * self._sizes[place] > len(under):
                between = self._factor(face, FACE, owner)
                for factor in under:
                    factor.owner = between
                factors.append(between)
                self._faced(face, between, under, factors)
                tops = [factor for factor in tops if not factor.inside(face)]

    def _link(self, big: int, small: int) -> tuple[int, int, int, int]:
        """How many runs, how long, whether they are runs in the smaller table too, and where `places` has them."""
        if (big, small) not in self._links:
            axes = [(self._sizes[place], bool(small >> place & 1)) for place in self._members(big)]
            length, together = 1, axes[-1][1]
            while axes and axes[-1][1] == together:
                length *= axes.pop()[0]
            stride = length if together else 1
            begins = np.zeros(1, dtype=np.int64)
            for size, shared in reversed(axes):
                steps = np.arange(size) * (stride if shared else 0)
                begins = (steps[:, None] + begins).ravel()
                stride *= size if shared else 1
            self._links[big, small] = (len(begins), length, int(together), self._used)
            self._runs.append(begins)
            self._used += len(begins)
        return self._links[big, small]
