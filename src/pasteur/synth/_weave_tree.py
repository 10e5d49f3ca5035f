"""Weave's rounds inside the junction tree: choose a pair of levels, measure it, fit; again, until the share is spent.

AIM's rounds (McKenna, Mullins, Sheldon, Miklau 2022, https://arxiv.org/abs/2201.12677, algorithm 2) over pairs of
levels: where a fine pair is mostly noise its coarse one is not, and the penalty for noise lets them compete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals import GraphicalModel, Stop, tree_cells
from pasteur.synth._spending import NOISE
from pasteur.synth._weave_candidates import PENALTY, turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique, Measurement
    from pasteur.privacy import PrivateTable
    from pasteur.synth._weave_candidates import Candidates

STANDS_STILL = 0.5
"""A measurement that moved the model by less than this share of its own noise says that precision is what lacks."""

PATIENCE = 2
"""Measurements in a row that have to say so: one says it by chance, where a pair is chosen that was measured before."""

GROWTH = 2
"""What the cost of a round is then multiplied by."""

MEASURING = 0.9
"""Share of a round's budget that measures; the rest chooses."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds the work.

    Attributes:
        rounds: T, that the budget is first divided by.
        cells: of the junction tree, once all is spent, beyond those of the one-way marginals and the ties.
        between: when a fit between two rounds ends.
        last: when the last one does.
    """

    rounds: int
    cells: int
    between: Stop
    last: Stop


def grow(
    private: PrivateTable,
    model: GraphicalModel,
    measured: Sequence[Measurement],
    candidates: Candidates,
    *,
    keep: float,
    limits: Limits,
) -> tuple[GraphicalModel, list[Measurement]]:
    """Choose, measure and fit until all but `keep` (rho) of what is left is spent.

    Args:
        private: over the levels' domain.
        model: of the one-way marginals.
        measured: what `model` was fitted to.
        candidates: to choose from.
        keep: what to leave on the ledger.
        limits: of the work.

    Returns:
        The last model, and the new measurements.
    """
    ledger = private.ledger
    whole = ledger.remaining - keep
    cost, new, last = whole / limits.rounds, list(measured), whole <= 0 or not candidates.cliques
    still = 0
    room = _Room(model, candidates, limits.cells)
    while not last:
        # What may join: the tree grows with the share that is spent.
        left = ledger.remaining - keep
        last = left < 2 * cost
        cost = left if last else cost
        numbers = room.open(new, min(1.0, 1 - (left - cost) / whole))

        # Choose the pair whose error is largest, above what its noise would leave.
        sigma = private.sigma(cost * MEASURING)
        penalties = PENALTY * NOISE * sigma * candidates.cells[numbers]
        answers = candidates.answers(model, numbers)
        chosen = private.choose(
            [candidates.cliques[number] for number in numbers],
            answers=answers,
            epsilon=private.choice_epsilon(cost * (1 - MEASURING)),
            label="pair in the tree",
            weights=candidates.weights[numbers],
            bias=penalties,
        )

        # Measure and fit; where precision is what lacks, the next rounds get more of it.
        number = numbers[chosen]
        new += private.measure([candidates.cliques[number]], sigmas=[sigma], label="pair in the tree")
        stop = limits.last if last else limits.between
        model = GraphicalModel.estimate(model.domain, new, total=model.total, start=model, stop=stop, zeros=model.zeros)
        moved = float(np.abs(model.marginal(candidates.cliques[number]) - answers[chosen]).sum())
        still = still + 1 if moved <= STANDS_STILL * NOISE * sigma * candidates.cells[number] else 0
        if still == PATIENCE:
            cost, still = cost * GROWTH, 0
    return model, new[len(measured) :]


class _Room:
    """Which candidates the junction tree has room for. What it has none for now it will never have: it only grows.

    Args:
        model: of the one-way marginals.
        candidates: all.
        cells: of the tree at the end, beyond those of `model`.
    """

    def __init__(self, model: GraphicalModel, candidates: Candidates, cells: int) -> None:
        self._domain, self._candidates, self._most = model.domain, candidates, cells
        self._ties: list[Clique] = [zero.clique for zero in model.zeros]
        self._ground = int(tree_cells(self._domain, [*model.cliques, *self._ties], [()])[0])
        self._left = list(range(len(candidates.cliques)))
        self._rounds = 0

    def open(self, measured: Sequence[Measurement], spent: float) -> list[int]:
        """Numbers of the candidates that keep the tree under its size for a share `spent` of the budget."""
        numbers = np.array(turn(self._left, self._rounds))
        self._rounds += 1
        cliques = [self._candidates.cliques[number] for number in numbers]
        joined = sorted({each.clique for each in measured})
        cells = tree_cells(self._domain, [*joined, *self._ties], cliques) - self._ground
        never = set(numbers[cells > max(self._most, int(cells.min()))].tolist())
        self._left = [number for number in self._left if number not in never]
        return [int(number) for number in numbers[cells <= max(self._most * spent, float(cells.min()))]]
