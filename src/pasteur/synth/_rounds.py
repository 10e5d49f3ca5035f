"""Rounds of choose and measure: what each may spend, how large the model may grow, and when precision doubles.

McKenna, Mullins, Sheldon, Miklau (2022), https://arxiv.org/abs/2201.12677, sections 4.1 and 4.3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals import tree_cells
from pasteur.synth._spending import MEGABYTE, NOISE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Clique, GraphicalModel, Measurement
    from pasteur.privacy import Ledger


LOOKED = 4000
"""Candidates that are scored in a round, at most: of more, each round looks at every k-th, the next at those beside."""


class Rounds:
    """Costs of rounds, one after the other: equal shares until `anneal` makes the next dearer; the last takes the rest.

    Args:
        ledger: what is spent; its whole remaining budget is shared out.
        count: T, rounds that share it where nothing anneals, those among them that were spent on one-ways.
    """

    def __init__(self, ledger: Ledger, *, count: int) -> None:
        self._ledger, self._count = ledger, count
        self._whole = ledger.remaining
        self.cost = self._whole / count
        """What the present round may spend, in rho."""
        self.number = 0
        """Of the present round, from 0."""
        self.last = False
        """Whether the present round is the last."""

    def __iter__(self) -> Iterator[float]:
        """Yield the cost of each round, while there is anything left to spend."""
        for number in range(self._count):
            left = self._ledger.remaining
            self.number, self.last = number, left < 2 * self.cost or number == self._count - 1
            if self.last:
                self.cost = left
            if left > 0:
                yield self.cost
            if self.last:
                return

    @property
    def spent(self) -> float:
        """Share of the budget that is spent once the present round has spent its own: inside (0, 1]."""
        return min(1.0, (self._whole - self._ledger.remaining + self.cost) / self._whole)

    def anneal(self) -> None:
        """Twice the precision from the next round on: half the sigma and twice the epsilon, which cost four times."""
        self.cost *= 4


def fitting(
    model: GraphicalModel, candidates: Sequence[Clique], *, megabytes: float, turn: int = 0
) -> NDArray[np.intp]:
    """Which candidates may join the model in this round: those whose junction tree then stays under `megabytes`.

    Those that leave the tree as it is may always, so that where every attribute is a candidate there is one. Where
    there are more than `LOOKED`, one out of every few is looked at, other ones each turn.

    Args:
        model: what there is.
        candidates: small ones first.
        megabytes: of the tree, at most.
        turn: number of the round.

    Returns:
        Indices into `candidates`, ascending.
    """
    step = -(-len(candidates) // LOOKED)
    looked = np.arange(turn % step, len(candidates), step)
    cliques = [candidates[int(index)] for index in looked]
    # Widening every table by all attributes of a clique but its largest makes it a tree: where that fits, all is well.
    sizes = model.domain.as_dict()
    widths = [[sizes[name] for name in clique] for clique in cliques]
    own = np.array([math.prod(map(float, width)) for width in widths])
    limit, now = megabytes * MEGABYTE, model.calibrated.tree.cells
    cells = now * own / np.array([max(width) for width in widths]) + own
    if len(unsure := np.flatnonzero(cells > limit)):
        cells[unsure] = tree_cells(model.domain, model.cliques, [cliques[place] for place in unsure])
    kept: NDArray[np.intp] = looked[cells <= max(limit, cells.min())]
    return kept


def penalties(model: GraphicalModel, candidates: Sequence[Clique], *, sigma: float) -> NDArray[np.float64]:
    """What measuring each candidate would leave of an L1 error, in rows: sqrt(2/pi) sigma a cell, by noise alone."""
    sizes = model.domain.as_dict()
    return np.array([NOISE * sigma * np.prod([float(sizes[name]) for name in clique]) for clique in candidates])


def stands_still(before: GraphicalModel, after: GraphicalModel, measured: Measurement) -> bool:
    """Whether a measurement moved the model by no more, in L1, than its noise alone would: precision is what lacks."""
    moved = float(np.abs(after.marginal(measured.clique) - before.marginal(measured.clique)).sum())
    return moved <= NOISE * measured.sigma * measured.values.size
