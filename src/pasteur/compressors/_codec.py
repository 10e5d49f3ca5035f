"""A compressor and the chains that go with it: series to codes and back, with all that curves leave out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from pasteur.compressors import DEFAULT, find
from pasteur.compressors._residual import Residual
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    from pasteur.compressors import Codes, Compressor, Declaration, Series

SHARE = 0.1
"""Of the budget of the run, what chains of residuals take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Codec:
    """One component's way to codes and back.

    Attributes:
        compressor: of the curves.
        residual: of what lies off them.
        share: of the run's budget that the residual takes; 0: none is measured.
    """

    compressor: Compressor
    residual: Residual
    share: float

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Read `type`, which compressor, and `residual`: true, false, or its share of the budget."""
        settings = dict(declaration.settings)
        where = f"compressors.{declaration.component}"
        kind = find(settings.pop("type", DEFAULT), where=where)
        share = _share(settings.pop("residual", True), where)
        compressor = kind.declare(replace(declaration, settings=settings))
        return cls(compressor=compressor, residual=Residual.declare(declaration), share=share)

    @property
    def spends(self) -> float:
        """Share of the run's budget that is spent before there is a model."""
        return self.share + (self.compressor.share if self.compressor.PRIVATE_FIT else 0.0)

    def encode(self, series: Series) -> Codes:
        """(entities, parts) codes; what is too long is cut, what is out of range goes to an edge."""
        return self.compressor.encode(series)

    def decode(self, codes: Codes, *, rng: np.random.Generator) -> Series:
        """Series of the codes."""
        outside = self.outside(codes)
        lengths = self.compressor.outside.lengths(outside, rng=rng)
        levels = self.compressor.outside.levels(outside)
        return self.residual.draw(self.compressor.curves(codes, lengths), lengths, levels, rng=rng)

    def outside(self, codes: Codes) -> Codes:
        """(entities, parts of `compressor.outside`): of codes, the columns of length and holes."""
        return codes[:, len(self.compressor.parts) - len(self.compressor.outside.parts) :]

    def smooth(self, series: Series) -> tuple[Codes, Series]:
        """Codes of `series`, and what is left of it without residuals: its own length and holes, values on curves."""
        codes = self.encode(series)
        curves = self.compressor.curves(codes, series.lengths)
        holding = self.residual.holding(series)
        values = np.select([holding == 0, holding == 1], [curves, np.zeros_like(curves)], np.nan)
        return codes, replace(series, values=values)


def _share(given: object, where: str) -> float:
    if isinstance(given, bool):
        return SHARE if given else 0.0
    if not isinstance(given, (int, float)) or not 0 < given < 1:
        raise SchemaError(rule(f"{where}.residual", given, "true, false or a share inside (0, 1)"))
    return float(given)
