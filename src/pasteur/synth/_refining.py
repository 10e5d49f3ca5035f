"""Rows fitted to more pairs than the tree of a model holds: what `Model` does with them after drawing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.errors import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique, Domain, GraphicalModel, Levels, Measurement

Array = NDArray[np.float64]

MOST_CELLS = 1 << 23
"""Cells of all targets together, at most: 64 MB. Where there are more, the largest pairs stay as they were drawn."""

MOST_WORK = 1 << 33
"""Tables that all proposals together look at, at most, for a chunk of rows: more attributes get fewer passes."""


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """How rows are fitted to pairs.

    Attributes:
        passes: each proposes one swap for every row and attribute; 0 or more.
        outside: which of the model's measurements, by number, are pairs that its distribution was not fitted to.

    Raises:
        ValueError: passes under 0.
    """

    passes: int
    outside: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check."""
        if self.passes < 0:
            raise ValueError(rule("passes", self.passes, "0 or more"))

    def affordable(self, rows: int, attributes: int) -> int:
        """Give the passes over so many rows and attributes that stay under `MOST_WORK`; 1 at least, if any are set."""
        work = max(1, rows * attributes * max(1, attributes - 1))
        return min(self.passes, max(1, MOST_WORK // work))


def targets(
    graphical: GraphicalModel, levels: Levels | None, base: Domain, outside: Sequence[Measurement]
) -> dict[Clique, Array]:
    """Give what the pairs of `base` should count, in rows of the whole model.

    The model's own tables; those of `outside` moved to what was measured, as far as that is more than noise.

    Args:
        graphical: over the levels' domain, or `base` where there are none.
        levels: of the attributes of `base`.
        base: attributes that rows have.
        outside: noisy pairs of attributes or levels.
    """
    names = [name for name, size in base.as_dict().items() if size > 1]
    pairs: list[Clique] = sorted(combinations(names, 2), key=base.size)
    cells = np.cumsum([base.size(pair) for pair in pairs])
    pairs = [pair for pair, upto in zip(pairs, cells, strict=True) if upto <= MOST_CELLS]
    tables = dict(zip(pairs, graphical.marginals(pairs), strict=True)) if pairs else {}
    for measured in outside:
        clique, values = measured.clique, np.asarray(measured.values, dtype=np.float64)
        pair = tuple(levels.origin(name) if levels else name for name in clique)
        if pair not in tables:
            pair, clique, values = pair[::-1], clique[::-1], values.T
        if pair in tables:
            codes = [levels.codes(name) if levels else np.arange(base.size((name,))) for name in clique]
            tables[pair] = moved(tables[pair], codes, values, measured.sigma)
    return tables


def moved(table: Array, codes: Sequence[NDArray[np.intp]], values: Array, sigma: float) -> Array:
    """Scale a pair's table so that its levels count what was measured, shrunk towards what they count already.

    The mean squared gap v between the two is sigma^2 from noise and the rest from the model: the share
    max(0, v - sigma^2) / v of each gap is believed (the James-Stein estimate towards the model).

    Args:
        table: counts of two attributes.
        codes: of each attribute, the level's code of every value.
        values: noisy counts of the levels.
        sigma: of their noise.
    """
    coarse = np.zeros(values.shape)
    np.add.at(coarse, (codes[0][:, None], codes[1][None, :]), table)
    gaps = values - coarse
    mean_square = float(np.mean(gaps**2))
    believed = max(0.0, mean_square - sigma**2) / max(mean_square, sigma**2)
    wanted = np.maximum(coarse + believed * gaps, 0.0)
    wanted *= coarse.sum() / max(wanted.sum(), 1e-300)
    ratios = np.divide(wanted, coarse, out=np.ones_like(coarse), where=coarse > 1e-200)  # a ratio stays finite
    scaled: Array = table * ratios[codes[0][:, None], codes[1][None, :]]
    return scaled
