"""What weave may measure: pairs of levels of two attributes, and levels alone, with the model's answers to all of them.

The model is asked for the finest pairs only; the coarser ones are sums of those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique, GraphicalModel, Levels

Array = NDArray[np.float64]

MOST_CELLS = 10_000
"""Cells of a pair that is worth measuring at most; finer pairs are seen through their levels."""

MOST_AT_ONCE = 6_000
"""Candidates that one choice looks at, at most: where there are more, choices take turns through them."""

PENALTY = 0.6
"""Share of its noise that a pair is charged for: fitting takes some of it out, so that finer pairs are worth more."""

ONE_WAY_WEIGHT = 0.5
"""What a one-way marginal's error counts beside a pair's: one attribute where the pair has two."""


def turn(numbers: Sequence[int], number: int) -> list[int]:
    """Give those of `numbers` that the choice of this number (from 0) looks at: `MOST_AT_ONCE` at most, in turns."""
    stride = max(1, math.ceil(len(numbers) / MOST_AT_ONCE))
    return list(numbers[number % stride :: stride])


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """What may be measured.

    Attributes:
        levels: of the attributes.
        cliques: pairs of levels of two attributes, then levels alone.
        weights: what the error of each counts, (cliques,).
        cells: size of each, (cliques,).
        finest: of each, the candidate that it is a sum of: the number of the first finer one, or its own.
        pairs: of each, the attributes that it is of.
    """

    levels: Levels
    cliques: tuple[Clique, ...]
    weights: Array
    cells: Array
    finest: tuple[int, ...]
    pairs: tuple[frozenset[str], ...]

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
            if sizes[pair[0]] * sizes[pair[1]] <= MOST_CELLS
        ]
        ones = [(name,) for chain in chains.values() for name in chain] if pairs else []
        cliques: tuple[Clique, ...] = (*pairs, *ones)
        depth = {name: place for chain in chains.values() for place, name in enumerate(chain)}
        first: dict[frozenset[str], list[int]] = {}
        finest = []
        origins = tuple(frozenset(levels.origin(name) for name in clique) for clique in cliques)
        for number, clique in enumerate(cliques):
            tops = first.setdefault(origins[number], [])
            below = [
                top
                for top in tops
                if all(depth[fine] <= depth[name] for fine, name in zip(cliques[top], clique, strict=True))
            ]
            finest.append(below[0] if below else number)
            if not below:
                tops.append(number)
        return cls(
            levels=levels,
            cliques=cliques,
            weights=np.array([1.0] * len(pairs) + [ONE_WAY_WEIGHT] * len(ones)),
            cells=np.array([float(levels.domain.size(clique)) for clique in cliques]),
            finest=tuple(finest),
            pairs=origins,
        )

    def answers(self, model: GraphicalModel, numbers: Sequence[int]) -> list[Array]:
        """Give the model's expected counts of the candidates `numbers`, each shaped by its sizes."""
        tops = list(dict.fromkeys(self.finest[number] for number in numbers))
        fine = dict(zip(tops, model.marginals([self.cliques[top] for top in tops]), strict=True))
        return [self._folded(number, fine[self.finest[number]]) for number in numbers]

    def _folded(self, number: int, table: Array) -> Array:
        for axis, (fine, coarse) in enumerate(
            zip(self.cliques[self.finest[number]], self.cliques[number], strict=True)
        ):
            if fine != coarse:
                sums = self._sums(fine, coarse)
                table = table @ sums.T if axis else sums @ table
        return table

    def _sums(self, fine: str, coarse: str) -> Array:
        """The 0/1 matrix (coarse values, fine values) of which belongs to which."""
        known: dict[tuple[str, str], Array] = self.__dict__.setdefault("_known", {})
        if (fine, coarse) not in known:
            upper, lower = self.levels.codes(fine), self.levels.codes(coarse)
            matrix = np.zeros((int(lower.max()) + 1, int(upper.max()) + 1))
            matrix[lower, upper] = 1.0
            known[fine, coarse] = matrix
        return known[fine, coarse]
