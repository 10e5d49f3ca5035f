"""`linear`: a few numbers of each channel, straight lines between them. Needs no data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pasteur.compressors._outside import Outside, smooth_targets
from pasteur.compressors._rows import each_times, times
from pasteur.embeddings import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pasteur.compressors import Codes, Declaration, Floats, Series
    from pasteur.compressors._private import PrivateFit
    from pasteur.privacy import Budget

RIDGE = 0.05
"""Weight of the squared difference between neighbouring coefficients: what is not known follows what is."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """`{"type": "linear", "segments": 3, "levels": 8}`.

    The basis are hats on `segments` knots, spread evenly over each series' own length; a channel's coefficients are
    the ridge least squares over the values that are known, rounded to `levels` levels of where its curves may run.
    """

    type: ClassVar[str] = "linear"
    PRIVATE_FIT: ClassVar[bool] = False

    declaration: Declaration
    segments_: int
    levels: int

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Read `segments` and `levels`."""
        declaration.only("segments", "levels")
        return cls(
            declaration=declaration,
            segments_=declaration.setting("segments", 3, 1, 64),
            levels=declaration.setting("levels", 8, 2, 256),
        )

    @property
    def share(self) -> float:
        """Nothing is learned."""
        return 0.0

    @cached_property
    def outside(self) -> Outside:
        """Length and holes."""
        return Outside(declaration=self.declaration)

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """Each knot's coefficients in all channels."""
        return tuple(
            tuple(f"{self.declaration.component}.{channel.name}.{knot}" for channel in self.declaration.channels)
            for knot in range(self.segments_)
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        """Coefficients, knot by knot, then length and holes."""
        curves = [Part(name=name, size=self.levels, ordered=True) for knot in self.segments for name in knot]
        return (*curves, *self.outside.parts)

    def accountant(self, budget: Budget) -> str | None:
        """Any will do."""
        del budget
        return None

    def fit(self, private: PrivateFit, *, cost: float) -> Self:
        """Nothing to learn."""
        del private, cost
        return self

    def encode(self, series: Series) -> Codes:
        """Coefficients as levels, then length and holes."""
        found = coefficients(smooth_targets(series, self.declaration), series.lengths, self._basis)
        low, high = self._bounds
        levels = np.floor((found - low) / (high - low) * self.levels)
        codes = np.clip(levels, 0, self.levels - 1).astype(np.int64)
        flat = codes.reshape(len(codes), codes.shape[1] * codes.shape[2])
        return np.concatenate([flat, self.outside.encode(series)], axis=1)

    def curves(self, codes: Codes, lengths: Codes) -> Floats:
        """Straight lines between the middles of the coefficients' levels."""
        low, high = self._bounds
        channels = len(self.declaration.channels)
        levels = codes[:, : self.segments_ * channels].reshape(len(codes), self.segments_, channels)
        return lines(low + (levels + 0.5) / self.levels * (high - low), lengths, self._basis)

    @cached_property
    def _basis(self) -> Floats:
        return self.basis(self.declaration.steps, self.segments_)

    @staticmethod
    def basis(steps: int, knots: int) -> Floats:
        """What curves are made of; see `hats`."""
        return hats(steps, knots)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        bounds = np.array([channel.bounds for channel in self.declaration.channels])
        return bounds[:, 0], bounds[:, 1]

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The declaration says all."""
        return {}, {}

    @classmethod
    def from_state(
        cls, declaration: Declaration, settings: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """As declared."""
        del settings, tensors
        return cls.declare(declaration)


def hats(steps: int, knots: int) -> Floats:
    """(steps + 1 lengths, steps, knots): how much each knot counts at each step of a series of each length.

    Knots are spread evenly over a series, the first at its first step and the last at its last; rows past the length
    are 0, and a series of one step stands at the first knot.
    """
    found = np.zeros((steps + 1, steps, knots))
    for length in range(1, steps + 1):
        place = np.arange(length) * ((knots - 1) / max(length - 1, 1))
        found[length, :length] = np.clip(1 - np.abs(place[:, None] - np.arange(knots)), 0, 1)
    return found


def coefficients(values: Floats, lengths: Codes, basis: Floats) -> Floats:
    """(entities, knots, channels) by least squares over the values that are known; 0.5 where none is.

    Args:
        values: (entities, steps, channels), NaN where unknown.
        lengths: (entities,), from 0 on.
        basis: as of `hats`.
    """
    count, _, channels = values.shape
    knots = basis.shape[2]
    found = np.full((count, knots, channels), 0.5)
    smooth = RIDGE * _differences(knots)
    squares = basis[:, :, :, None] * basis[:, :, None, :]
    order = np.argsort(lengths, kind="stable")
    ends = np.searchsorted(lengths[order], np.arange(len(basis) + 1))
    for length in range(1, len(basis)):
        own = order[ends[length] : ends[length + 1]]
        if not len(own):
            continue
        part = values[own, :length].transpose(0, 2, 1).reshape(-1, length)
        known = np.isfinite(part)
        left = times(known.astype(np.float64), squares[length, :length].reshape(length, -1))
        right = times(np.where(known, part, 0.0), basis[length, :length])
        some = known.any(axis=1)
        solved = np.full((len(part), knots), 0.5)
        tiny = 1e-9 * np.eye(knots)
        normal = left[some].reshape(-1, knots, knots) + smooth + tiny
        solved[some] = np.linalg.solve(normal, right[some][:, :, None])[:, :, 0]
        found[own] = solved.reshape(len(own), channels, knots).transpose(0, 2, 1)
    return found


def lines(knots: Floats, lengths: Codes, basis: Floats) -> Floats:
    """(entities, steps, channels) of knots (entities, knots, channels), 0 past each length."""
    found = np.zeros((len(knots), basis.shape[1], knots.shape[2]))
    order = np.argsort(lengths, kind="stable")
    ends = np.searchsorted(lengths[order], np.arange(len(basis) + 1))
    for length in range(1, len(basis)):
        own = order[ends[length] : ends[length + 1]]
        if len(own):
            found[own, :length] = each_times(basis[None, length, :length], knots[own])
    return found


def _differences(knots: int) -> Floats:
    step = np.diff(np.eye(knots), axis=0)
    return np.asarray(step.T @ step)
