"""`pca`: the few directions in which coefficients of `linear` differ most, from noisy second moments.

Coefficients of many knots are summed up by a few components: more of the shape for as many columns, once the moments
are known well enough. Moments as of Dwork, Talwar, Thakurta, Zhang (2014), "Analyze Gauss", with a bound on each
unit's vector that holds because it is clipped to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pasteur.compressors._outside import Outside, smooth_targets
from pasteur.compressors._rows import times
from pasteur.compressors.linear import coefficients, hats, lines
from pasteur.embeddings import Part
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pasteur.compressors import Codes, Declaration, Floats, Series
    from pasteur.compressors._private import PrivateFit
    from pasteur.privacy import Budget

CONSTANT = 0.5
"""A feature that is the same for all: its moments are those of the coefficients themselves, and the number of units."""
LEAST = 1e-4
"""Variance of a component, at least: noise may leave none."""
SHARE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Pca:
    """`{"type": "pca", "components": 6, "knots": 4, "levels": 8, "share": 0.05}`; `share` is of the run's budget.

    Attributes:
        mean: (knots * channels,) of the coefficients.
        axes: (knots * channels, components), orthonormal.
        spread: (components,) standard deviations.
    """

    type: ClassVar[str] = "pca"
    PRIVATE_FIT: ClassVar[bool] = True

    declaration: Declaration
    components: int
    knots: int
    levels: int
    share: float
    mean: Floats
    axes: Floats
    spread: Floats

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Read the settings. Until it is fitted, components are cosines over knots, channel after channel."""
        declaration.only("components", "knots", "levels", "share")
        knots = declaration.setting("knots", 4, 1, 16)
        width = knots * len(declaration.channels)
        share = declaration.settings.get("share", SHARE)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
            raise SchemaError(rule(f"compressors.{declaration.component}.share", share, "a number inside (0, 1)"))
        components = declaration.setting("components", min(6, width), 1, width)
        waves = np.linalg.qr(np.cos(np.pi * (np.arange(width)[:, None] + 0.5) * np.arange(width) / width))[0]
        return cls(
            declaration=declaration,
            components=components,
            knots=knots,
            levels=declaration.setting("levels", 8, 2, 64),
            share=float(share),
            mean=np.full(width, 0.5),
            axes=waves[:, :components],
            spread=np.full(components, 0.25),
        )

    @cached_property
    def outside(self) -> Outside:
        """Length and holes."""
        return Outside(declaration=self.declaration)

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """All components: together they say what each channel is."""
        return (tuple(f"{self.declaration.component}.component.{number}" for number in range(self.components)),)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Components, the one that varies most first, then length and holes."""
        own = [Part(name=name, size=self.levels, ordered=True) for name in self.segments[0]]
        return (*own, *self.outside.parts)

    def accountant(self, budget: Budget) -> str | None:
        """Any will do."""
        del budget
        return None

    def fit(self, private: PrivateFit, *, cost: float) -> Self:
        """Find the components of largest variance by noisy second moments."""
        width = len(self.mean)
        # Coefficients lie in [0, 1]: about their middle nothing is clipped.
        clip = float(np.sqrt(width * 0.25 + CONSTANT**2))
        scale = min(1.0, 4.0 / clip)
        found = private.moments(
            lambda series: scale * self._features(series), clip=scale * clip, cost=cost, label="second moments"
        )
        matrix = found.matrix / scale**2
        units = max(matrix[-1, -1] / CONSTANT**2, 1.0)
        offset = matrix[:-1, -1] / CONSTANT / units
        variance = matrix[:-1, :-1] / units - np.outer(offset, offset)
        values, vectors = np.linalg.eigh(variance)
        first = np.argsort(-values)[: self.components]
        spread = np.sqrt(np.maximum(values[first], LEAST))
        mean = np.clip(0.5 + offset, 0.0, 1.0)
        return replace(self, mean=mean, axes=vectors[:, first], spread=spread)

    def _features(self, series: Series) -> Floats:
        rows = np.clip(self._coefficients(series), 0.0, 1.0) - 0.5
        return np.concatenate([rows, np.full((len(rows), 1), CONSTANT)], axis=1)

    def _coefficients(self, series: Series) -> Floats:
        found = coefficients(smooth_targets(series, self.declaration), series.lengths, self._basis)
        return found.reshape(len(found), len(self.mean))

    def encode(self, series: Series) -> Codes:
        """Each component's level: equally many of a normal distribution of its spread lie in each."""
        from scipy.stats import norm

        scores = times(np.clip(self._coefficients(series), 0.0, 1.0) - self.mean, self.axes) / self.spread
        levels = np.floor(norm.cdf(scores) * self.levels)
        codes = np.clip(levels, 0, self.levels - 1).astype(np.int64)
        return np.concatenate([codes, self.outside.encode(series)], axis=1)

    def curves(self, codes: Codes, lengths: Codes) -> Floats:
        """Straight lines between the knots of each level's median."""
        from scipy.stats import norm

        scores = norm.ppf((codes[:, : self.components] + 0.5) / self.levels) * self.spread
        knots = np.clip(self.mean + times(scores, self.axes.T), 0.0, 1.0)
        return lines(knots.reshape(len(codes), self.knots, len(self.declaration.channels)), lengths, self._basis)

    @cached_property
    def _basis(self) -> Floats:
        return hats(self.declaration.steps, self.knots)

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What was found."""
        return {}, {"mean": self.mean, "axes": self.axes, "spread": self.spread}

    @classmethod
    def from_state(
        cls, declaration: Declaration, settings: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """As it was fitted."""
        del settings
        own = cls.declare(declaration)
        for name in ("mean", "axes", "spread"):
            if tensors[name].shape != getattr(own, name).shape:
                raise ValueError(rule(f"shape of {name}", tensors[name].shape, f"{getattr(own, name).shape}"))
        mean, axes, spread = (np.asarray(tensors[name], dtype=np.float64) for name in ("mean", "axes", "spread"))
        return replace(own, mean=mean, axes=axes, spread=spread)
