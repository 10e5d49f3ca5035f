"""Weave's rounds inside the junction tree: choose a pair of levels, measure it, fit; again, until the share is spent.

AIM's rounds (McKenna, Mullins, Sheldon, Miklau 2022, https://arxiv.org/abs/2201.12677, algorithm 2) over pairs of
levels: where a fine pair is mostly noise its coarse one is not, and the penalty for noise lets them compete.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals import GraphicalModel, Stop, tree_cells
from pasteur.synth._spending import NOISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique, Levels, Measurement
    from pasteur.privacy import PrivateTable

Array = NDArray[np.float64]

MOST_CELLS_OF_A_PAIR = 10_000
"""Cells of a pair that is worth measuring at most; finer pairs are seen through their levels."""

STANDS_STILL = 0.5
"""A measurement that moved the model by less than this share of its own noise says that precision is what lacks."""

ONE_WAY_WEIGHT = 0.5
"""What a one-way marginal's error counts beside a pair's: one attribute where the pair has two."""


MEASURING = 0.9
"""Share of a round's budget that measures; the rest chooses."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What may be measured.

    Attributes:
        cliques: pairs of levels of two attributes, and levels alone.
        weights: what the error of each counts, (cliques,).
        cells: size of each, (cliques,).
    """

    cliques: tuple[Clique, ...]
    weights: Array
    cells: Array

    @classmethod
    def of(cls, levels: Levels) -> Candidates:
        """All of `levels`' attributes that are neither too large nor of one value."""
        sizes = levels.domain.as_dict()
        chains: dict[str, list[str]] = {}
        for name, size in sizes.items():
            if size > 1:
                chains.setdefault(levels.origin(name), []).append(name)
        pairs = [
            pair
            for one, other in combinations(chains, 2)
            for pair in product(chains[one], chains[other])
            if sizes[pair[0]] * sizes[pair[1]] <= MOST_CELLS_OF_A_PAIR
        ]
        ones = [(name,) for chain in chains.values() for name in chain] if pairs else []
        cliques: tuple[Clique, ...] = (*pairs, *ones)
        return cls(
            cliques=cliques,
            weights=np.array([1.0] * len(pairs) + [ONE_WAY_WEIGHT] * len(ones)),
            cells=np.array([float(levels.domain.size(clique)) for clique in cliques]),
        )


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
    ties = [zero.clique for zero in model.zeros]
    ground = int(tree_cells(model.domain, [*model.cliques, *ties], [()])[0])
    while not last:
        left = ledger.remaining - keep
        last = left < 2 * cost
        cost = left if last else cost
        sigma = private.sigma(cost * MEASURING)
        spent = min(1.0, 1 - (left - cost) / whole)
        cells = tree_cells(model.domain, [*model.cliques, *ties], candidates.cliques)
        (open_,) = np.nonzero(cells <= max(ground + limits.cells * spent, int(cells.min())))
        cliques = [candidates.cliques[index] for index in open_]
        penalties = NOISE * sigma * candidates.cells[open_]
        answers = model.marginals(cliques)
        chosen = private.choose(
            cliques,
            answers=answers,
            epsilon=private.choice_epsilon(cost * (1 - MEASURING)),
            label="pair in the tree",
            weights=candidates.weights[open_],
            bias=penalties,
        )
        new += private.measure([cliques[chosen]], sigmas=[sigma], label="pair in the tree")
        stop = limits.last if last else limits.between
        model = GraphicalModel.estimate(model.domain, new, total=model.total, start=model, stop=stop, zeros=model.zeros)
        moved = float(np.abs(model.marginal(cliques[chosen]) - answers[chosen]).sum())
        if moved <= STANDS_STILL * penalties[chosen]:
            cost *= 4
    return model, new[len(measured) :]
