"""What weave may measure: pairs of levels of two attributes, and levels alone, with the model's answers to all of them.

The model is asked for the finest pairs only; the coarser ones are sums of those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
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
        tables = {(top, clique): table for top, own in fine.items() for clique, table in self._coarser(top, own)}
        return [tables[self.finest[number], self.cliques[number]] for number in numbers]

    def _coarser(self, top: int, table: Array) -> list[tuple[Clique, Array]]:
        """A candidate's table, and those of all coarser levels: one product an axis for all levels of its attribute."""
        found: list[tuple[Clique, Array]] = [((), table)]
        for axis, name in enumerate(self.cliques[top]):
            levels, sums = self._below[name]
            wider: list[tuple[Clique, Array]] = []
            for clique, fine in found:
                wider.append(((*clique, name), fine))
                if levels:
                    coarse = fine @ sums.T if axis else sums @ fine
                    wider += [
                        ((*clique, level), coarse[:, rows] if axis else coarse[rows]) for level, rows in levels.items()
                    ]
            found = wider
        return found

    @cached_property
    def _below(self) -> dict[str, tuple[dict[str, slice], Array]]:
        """Of each name its coarser levels' rows in the 0/1 matrix of which fine value belongs to which coarse one."""
        chains: dict[str, list[str]] = {}
        for name in self.levels.domain.attributes:
            chains.setdefault(self.levels.origin(name), []).append(name)
        below: dict[str, tuple[dict[str, slice], Array]] = {}
        for chain in chains.values():
            for depth, name in enumerate(chain):
                sums = [self._sums(name, coarse) for coarse in chain[depth + 1 :]]
                ends = np.cumsum([0, *map(len, sums)]).tolist()
                rows = {level: slice(*ends[place : place + 2]) for place, level in enumerate(chain[depth + 1 :])}
                below[name] = rows, np.vstack(sums) if sums else np.empty((0, 0))
        return below

    def _sums(self, fine: str, coarse: str) -> Array:
        """The 0/1 matrix (coarse values, fine values) of which belongs to which."""
        upper, lower = self.levels.codes(fine), self.levels.codes(coarse)
        matrix = np.zeros((int(lower.max()) + 1, int(upper.max()) + 1))
        matrix[lower, upper] = 1.0
        return matrix
