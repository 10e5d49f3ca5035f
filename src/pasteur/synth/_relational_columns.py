"""Coarser levels of all that a row may depend on, from noisy one-way answers alone.

A table of three contexts of twenty codes and a target of thirty has a quarter of a million cells, of which noise would
leave nothing. So every column gets levels of 16, 8 and 4 codes, each a coarser one of the last; which of them a
conditional is measured at is part of its choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals import Levels
from pasteur.synth._weave_levels import least, neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.privacy import PrivateRows

    Codes = NDArray[np.intp]
    Floats = NDArray[np.float64]

SIZES = (16, 8, 4)
"""Codes of the levels, besides the column itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """A column's levels.

    Attributes:
        size: codes of the column.
        maps: number of groups -> the group of each code, (size,): falling, the first is the column itself.
    """

    size: int
    maps: Mapping[int, Codes]

    @classmethod
    def of(cls, shares: Floats, *, ordinal: bool, sizes: tuple[int, ...] = SIZES) -> Chain:
        """Merge the rarest codes, of an ordinal column neighbours.

        Args:
            shares: (codes,) how often each comes, noisy.
            ordinal: whether only neighbours may share a group.
            sizes: of the levels.
        """
        size = len(shares)
        wanted = [each for each in sizes if each < size]
        found = (neighbours if ordinal else least)(np.asarray(shares, dtype=np.float64), wanted) if wanted else []
        return cls(size=size, maps={size: np.arange(size)} | dict(zip(wanted, found, strict=True)))

    def with_none(self) -> Chain:
        """The same of a column with one code more, which stays a group of its own."""
        return Chain(size=self.size + 1, maps={k + 1: np.append(codes, k) for k, codes in self.maps.items()})

    @property
    def counted(self) -> int:
        """The level that contexts are counted at: the finest of few codes."""
        return next((k for k in self.maps if k <= SIZES[0] + 1), min(self.maps))

    def between(self, fine: int, coarse: int) -> Codes:
        """The group at `coarse` of each group at `fine`: (fine,)."""
        first = np.unique(self.maps[fine], return_index=True)[1]
        codes: Codes = self.maps[coarse][first]
        return codes


def level(name: str, chain: Chain, groups: int) -> str:
    """How the level of a column is called: the column itself where each code is a group of its own."""
    return name if groups == chain.size else f"{name} in {groups}"


def with_levels(rows: PrivateRows, chains: Mapping[str, Chain]) -> PrivateRows:
    """The rows with every level of every column."""
    maps = {
        level(name, chain, groups): (name, codes)
        for name, chain in chains.items()
        for groups, codes in chain.maps.items()
        if groups < chain.size
    }
    return rows.with_levels(Levels(rows.domain, maps))
