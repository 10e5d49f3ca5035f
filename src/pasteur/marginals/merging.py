"""Merging the cells of an attribute that noise hides, and undoing it in rows (McKenna, Miklau, Sheldon 2021, 3.2).

A cell whose noisy count is within some sigmas of nothing cannot be told from an empty one, and makes every pair it is
in larger. All such cells of an attribute become one cell; rows that fall into it are dealt out by the noisy shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule
from pasteur.marginals.domain import Domain
from pasteur.marginals.measurement import Measurement
from pasteur.marginals.sampling import systematic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals.inference import Array
    from pasteur.marginals.sampling import Codes


@dataclass(frozen=True, kw_only=True, eq=False)
class Merging:
    """Old codes to new ones, an attribute at a time.

    Attributes:
        domain: before merging.
        maps: of each attribute the new code of every old one, (size,); they use all of 0 .. k - 1.
        shares: of each attribute the share of every old code in its new one, (size,); 1 where it stands alone.

    Raises:
        ValueError: a map or shares of another size than the attribute's, or a code that no old one has.
    """

    domain: Domain
    maps: Mapping[str, NDArray[np.intp]]
    shares: Mapping[str, Array]

    def __post_init__(self) -> None:
        """Check."""
        for name, size in self.domain.as_dict().items():
            for what, table in (("map", self.maps), ("shares", self.shares)):
                if name not in table or table[name].shape != (size,):
                    raise ValueError(rule(f"{what} of '{name}'", table.get(name), f"of shape {(size,)}"))
            used = np.unique(self.maps[name])
            if not np.array_equal(used, np.arange(len(used))):
                raise ValueError(rule(f"map of '{name}'", used, "whole numbers that use all of 0 .. k - 1"))

    @classmethod
    def none(cls, domain: Domain) -> Merging:
        """Merge nothing."""
        return cls(
            domain=domain,
            maps={name: np.arange(size) for name, size in domain.as_dict().items()},
            shares={name: np.ones(size) for name, size in domain.as_dict().items()},
        )

    @classmethod
    def below(cls, domain: Domain, ones: Sequence[Measurement], sigmas: float) -> Merging:
        """Merge the cells of each attribute whose noisy count is under `sigmas` standard deviations.

        Args:
            domain: before merging.
            ones: one-way measurements, one for each attribute.
            sigmas: 0 or more; 0 merges only the cells that came out negative.
        """
        if not sigmas >= 0:
            raise ValueError(rule("sigmas", sigmas, "0 or more"))
        maps: dict[str, NDArray[np.intp]] = {}
        shares: dict[str, Array] = {}
        for measured in ones:
            (name,) = measured.clique
            noisy = np.asarray(measured.values, dtype=np.float64)
            alone = noisy >= sigmas * measured.sigma
            maps[name] = np.where(alone, np.cumsum(alone) - 1, np.count_nonzero(alone))
            weights = np.maximum(noisy[~alone], 0.0) if np.any(noisy[~alone] > 0) else np.ones(np.count_nonzero(~alone))
            shares[name] = np.ones(len(noisy))
            shares[name][~alone] = weights / weights.sum()
        return cls(domain=domain, maps=maps, shares=shares)

    @cached_property
    def merged(self) -> Domain:
        """The domain after merging."""
        return Domain(self.domain.attributes, (int(self.maps[name].max()) + 1 for name in self.domain.attributes))

    def fold(self, measured: Measurement, total: float) -> Measurement:
        """Give a one-way measurement over the merged attribute.

        A cell of k old ones has k times the variance, yet a measurement has one sigma. So the gap to `total`, which
        is known far better, is first spread over the cells by their variances: the least-squares estimate.
        """
        (name,) = measured.clique
        codes, size = self.maps[name], self.merged.size((name,))
        noisy = np.asarray(measured.values, dtype=np.float64)
        spread = noisy + (total - noisy.sum()) / len(noisy)
        return Measurement(
            clique=measured.clique, values=np.bincount(codes, weights=spread, minlength=size), sigma=measured.sigma
        )

    def unfold(self, codes: Mapping[str, Codes], *, rng: np.random.Generator) -> dict[str, Codes]:
        """Give rows of old codes for rows of new ones: a merged cell's rows are dealt out by its shares."""
        return {name: self._unfold(name, column, rng) for name, column in codes.items()}

    def _unfold(self, name: str, column: Codes, rng: np.random.Generator) -> Codes:
        new, counts = self.maps[name], np.bincount(self.maps[name])
        old: Codes = np.argsort(new, kind="stable")[np.cumsum(counts) - counts][column]
        for several in np.flatnonzero(counts > 1):
            (members,) = np.nonzero(new == several)
            (rows,) = np.nonzero(column == several)
            cells = systematic(self.shares[name][members][None], np.zeros(len(rows), dtype=np.intp), rng=rng)
            old[rows] = members[cells]
        return old
