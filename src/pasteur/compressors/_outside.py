"""What lies outside of the curves: how long a series is, and which share of a channel is missing or a zero."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pasteur.embeddings import Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pasteur.compressors import Channel, Codes, Declaration, Floats, Series

MOST_LENGTHS = 33
"""Codes of the length at most: longer series share some."""
HOLES = np.array([0.0, 0.25, 0.75, 1.0])
"""What a level stands for: none, less than half, half or more, all."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Columns of a component that every compressor has: length, then levels of what is missing, then of zeros."""

    declaration: Declaration

    @cached_property
    def edges(self) -> npt.NDArray[np.int64]:
        """Least length of each code, and one past the largest: each length its own code, or ever wider ones."""
        steps = self.declaration.steps
        if steps < MOST_LENGTHS:
            return np.arange(steps + 2)
        spaced = np.geomspace(1, steps + 1, MOST_LENGTHS).round().astype(np.int64)
        return np.unique(np.concatenate([[0], spaced]))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Length, a missing level for each channel that says for itself where it is missing, a zero level."""
        component = self.declaration.component
        length = Part(name=f"{component}.length", size=len(self.edges) - 1, ordered=True)
        missing = [f"{component}.{channel.name}.missing" for channel in self._missing]
        zero = [f"{component}.{channel.name}.zero" for channel in self._zero]
        return (length, *(Part(name=name, size=len(HOLES), ordered=True) for name in (*missing, *zero)))

    @property
    def _missing(self) -> Sequence[Channel]:
        return [channel for channel in self.declaration.channels if channel.holes]

    @property
    def _zero(self) -> Sequence[Channel]:
        return [channel for channel in self.declaration.channels if channel.zero]

    def encode(self, series: Series) -> Codes:
        """(entities, parts) codes."""
        lengths = np.clip(series.lengths, 0, self.declaration.steps)
        columns = [np.searchsorted(self.edges, lengths, side="right") - 1]
        known = series.known
        for place, channel in enumerate(self.declaration.channels):
            if channel.holes:
                columns.append(_level(lengths - known[:, :, place].sum(axis=1), lengths))
        for place, channel in enumerate(self.declaration.channels):
            if channel.zero:
                zeros = known[:, :, place] & (series.values[:, :, place] == 0)
                columns.append(_level(zeros.sum(axis=1), known[:, :, place].sum(axis=1)))
        return np.stack(columns, axis=1).astype(np.int64)

    def lengths(self, codes: Codes, *, rng: np.random.Generator) -> Codes:
        """(entities,) lengths of these columns, drawn inside of their codes."""
        low, high = self.edges[codes[:, 0]], self.edges[codes[:, 0] + 1]
        return np.asarray(low + (rng.random(len(codes)) * (high - low)).astype(np.int64))

    def levels(self, codes: Codes) -> tuple[Codes, Codes]:
        """(entities, channels) levels of what is missing and of zeros; 0 of channels that have none."""
        missing, zero = np.zeros((2, len(codes), len(self.declaration.channels)), dtype=np.int64)
        column = 1
        for place, channel in enumerate(self.declaration.channels):
            if channel.holes:
                missing[:, place] = codes[:, column]
                column += 1
        for place, channel in enumerate(self.declaration.channels):
            if channel.zero:
                zero[:, place] = codes[:, column]
                column += 1
        return missing, zero


def _level(count: npt.NDArray[np.int64], among: npt.NDArray[np.int64]) -> Codes:
    """The level of a share: 0 none, 1 less than half, 2 half or more, 3 all; of nothing none."""
    level = np.where(count == 0, 0, np.where(2 * count < among, 1, np.where(count < among, 2, 3)))
    return np.asarray(np.where(among == 0, 0, level), dtype=np.int64)


def smooth_targets(series: Series, declaration: Declaration) -> Floats:
    """The values that a curve is fitted to, (entities, steps, channels): NaN where missing, and where a zero symbol."""
    values = np.where(series.known, series.values, np.nan)
    zero = np.array([channel.zero for channel in declaration.channels])
    values[(values == 0) & zero] = np.nan
    return values
