"""Pairs of latent columns that belong together: channels over the same stretch of time.

An algorithm's tree has room for few of them and loses the rest, so they are measured first, and fitted to whatever the
algorithm found.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals import GraphicalModel, Measurement, tree_cells
from pasteur.synth._refining import Refinement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique
    from pasteur.privacy import PrivateTable
    from pasteur.synth.model import Model

SHARE = 0.15
"""Of the run's budget, what the pairs take."""
MOST_CELLS = 1 << 20
"""Of a junction tree with the pairs in it: where it would be larger, rows alone are fitted to them."""
PASSES = 3
"""Swaps proposed for each row and attribute, where the algorithm fits none itself."""


def pairs(segments: Sequence[Sequence[str]]) -> list[Clique]:
    """Every pair of columns of a segment."""
    return [pair for segment in segments for pair in combinations(segment, 2)]


def measure(private: PrivateTable, cliques: Sequence[Clique], *, budget: float) -> list[Measurement]:
    """Measure all of them, with the same noise."""
    if not cliques:
        return []
    sigma = private.sigma(budget * SHARE / len(cliques))
    return private.measure(cliques, sigmas=[sigma] * len(cliques), label="channels of a segment")


def forced(model: Model, measured: Sequence[Measurement]) -> Model:
    """The model with `measured` pairs fitted too: inside its tree where there is room, and by its rows."""
    if not measured:
        return model
    folded = [_folded(model, each) for each in measured]
    graphical = model.graphical
    new = [each.clique for each in folded]
    if tree_cells(graphical.domain, [*graphical.cliques, *new[:-1]], [new[-1]])[0] <= MOST_CELLS:
        held = [
            Measurement(clique=clique, values=table, sigma=_sigma(model))
            for clique, table in zip(graphical.cliques, graphical.marginals(graphical.cliques), strict=True)
        ]
        graphical = GraphicalModel.estimate(
            graphical.domain, [*held, *folded], total=graphical.total, start=graphical, zeros=graphical.zeros
        )
    refinement = model.refinement or Refinement(passes=PASSES)
    first = len(model.measurements)
    outside = (*refinement.outside, *range(first, first + len(folded)))
    return replace(
        model,
        graphical=graphical,
        measurements=(*model.measurements, *folded),
        refinement=replace(refinement, outside=outside),
    )


def _sigma(model: Model) -> float:
    """What the algorithm's own answers count: as its measurements of pairs, in the middle."""
    own = [each.sigma for each in model.measurements if len(each.clique) > 1] or [e.sigma for e in model.measurements]
    return float(np.median(own))


def _folded(model: Model, measured: Measurement) -> Measurement:
    """A pair over merged attributes. Cells of several old ones sum their noise: the sigma is that of a usual cell."""
    one, other = (model.merging.maps[name] for name in measured.clique)
    values = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(values, (one[:, None], other[None, :]), measured.values)
    ratio = measured.values.size / values.size
    return Measurement(clique=measured.clique, values=values, sigma=measured.sigma * float(np.sqrt(ratio)))
