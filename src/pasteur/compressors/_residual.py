"""What curves leave out: where values are missing or zero, and how far they lie off the curve, step after step.

A Markov chain a channel, measured once on the private side: first what a step holds (a value, a zero, nothing), by what
the step before held and the levels in the latent columns; then the residual, in bins, by the residual before, the
height of the curve, and the residual beside it, of the channel before at the same step. Without it every codec is too
smooth: no value of a decoded series would lie off its curve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from pasteur.compressors import Series
from pasteur.marginals import Domain
from pasteur.table import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pasteur.compressors import Codes, Declaration, Floats
    from pasteur.privacy import PrivateRows

VALUE, ZERO, MISSING, START = range(4)
"""What a step holds, and, of a step before the first one, nothing yet."""
EDGES = np.array([-1.0, -0.4, -0.22, -0.12, -0.04, 0.04, 0.12, 0.22, 0.4, 1.0])
"""Of the residuals' bins, in shares of the declared range after its transform."""
BINS = len(EDGES) - 1
HEIGHTS = 4
"""Bins of the curve's own height."""
SIDES = 4
"""Coarse residuals beside: below, about and above the curve, or none."""
NONE = SIDES - 1
HOLES_SHARE = 0.2
"""Of what is spent, the share that learns what steps hold."""
TRUST = 2.0
"""Sigmas of noise over a row's cells that count as much as the row itself: below them the coarser table speaks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Residual:
    """The chains of one component.

    Attributes:
        declaration: of the component.
        holds: of each channel with holes or zeros, shares (held before, missing level, zero level, holds).
        bins: of each channel, shares (bin before, height, beside, bin).
    """

    declaration: Declaration
    holds: Mapping[str, Floats]
    bins: Mapping[str, Floats]

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Chains that have learned nothing: what levels say, and values on the curve."""
        residual = cls(declaration=declaration, holds={}, bins={})
        flat = {channel.name: np.zeros((BINS + 1, HEIGHTS, SIDES, BINS)) for channel in declaration.channels}
        for table in flat.values():
            table[..., BINS // 2] = 1.0
        holds = {name: _held(np.zeros((4, 4, 4, 3)), 1.0) for name in residual.uncertain}
        return replace(residual, holds=holds, bins=flat)

    @property
    def uncertain(self) -> tuple[str, ...]:
        """Channels of which a step may hold no value."""
        return tuple(channel.name for channel in self.declaration.channels if channel.holes or channel.zero)

    @cached_property
    def domain(self) -> Domain:
        """Of the rows that are learned from: a row a step."""
        sizes: dict[str, int] = {}
        for channel in self.declaration.channels:
            sizes |= {f"{channel.name}.before": BINS + 1, f"{channel.name}.height": HEIGHTS}
            sizes |= {f"{channel.name}.beside": SIDES, f"{channel.name}.bin": BINS + 1}
        for name in self.uncertain:
            sizes |= {f"{name}.held": 4, f"{name}.missing": 4, f"{name}.zero": 4, f"{name}.holds": 3}
        return Domain.of(sizes)

    def rows(self, series: Series, curves: Floats, levels: tuple[Codes, Codes], units: pa.Array) -> pa.Table:
        """A row for each step there is, with column `_unit`, of series beside their curves."""
        inside = series.inside
        entity, _ = np.nonzero(inside)
        columns: dict[str, npt.NDArray[np.int64]] = {}
        beside = np.full(inside.shape, NONE)
        holding = self.holding(series)
        for place, channel in enumerate(self.declaration.channels):
            held = holding[:, :, place]
            off = np.where(held == VALUE, series.values[:, :, place] - curves[:, :, place], 0.0)
            bins = np.where(held == VALUE, _bin(off), BINS)
            columns[f"{channel.name}.before"] = _before(bins, BINS)[inside]
            columns[f"{channel.name}.height"] = _height(curves[:, :, place])[inside]
            columns[f"{channel.name}.beside"] = beside[inside]
            columns[f"{channel.name}.bin"] = bins[inside]
            beside = _side(bins)
            if channel.name in self.uncertain:
                columns[f"{channel.name}.held"] = _before(held, START)[inside]
                columns[f"{channel.name}.missing"] = levels[0][entity, place]
                columns[f"{channel.name}.zero"] = levels[1][entity, place]
                columns[f"{channel.name}.holds"] = held[inside]
        names = self.domain.attributes
        arrays = [column_of(columns[name].astype(np.uint8)) for name in names]
        return pa.table([units.take(pa.array(entity)), *arrays], names=["_unit", *names])

    def holding(self, series: Series) -> Codes:
        """(entities, steps, channels): what each step holds; missing past the length."""
        zero = np.array([channel.zero for channel in self.declaration.channels])
        known = series.known
        return np.where(known, np.where(zero & (series.values == 0), ZERO, VALUE), MISSING)

    def fit(self, private: PrivateRows, *, cost: float) -> Self:
        """Measure each chain's table once, at most at this cost (rho); each unit's steps weigh 1 together."""
        holes = [(f"{n}.held", f"{n}.missing", f"{n}.zero", f"{n}.holds") for n in self.uncertain]
        shares = HOLES_SHARE if holes else 0.0
        names = [channel.name for channel in self.declaration.channels]
        steps = [(f"{n}.before", f"{n}.height", f"{n}.beside", f"{n}.bin") for n in names]
        sigma = private.mean_sigma(cost * (1 - shares) / len(steps))
        measured = private.measure_mean(steps, sigmas=[sigma] * len(steps), label="residuals")
        bins = {
            name: _backed(np.asarray(each.values[..., :BINS], dtype=np.float64), sigma)
            for name, each in zip(names, measured, strict=True)
        }
        holds = dict(self.holds)
        if holes:
            sigma = private.mean_sigma(cost * shares / len(holes))
            found = private.measure_mean(holes, sigmas=[sigma] * len(holes), label="what steps hold")
            holds = {
                n: _held(np.asarray(each.values, dtype=np.float64), sigma)
                for n, each in zip(self.uncertain, found, strict=True)
            }
        return replace(self, bins=bins, holds=holds)

    def draw(self, curves: Floats, lengths: Codes, levels: tuple[Codes, Codes], *, rng: np.random.Generator) -> Series:
        """Series about `curves`, step by step; NaN where missing, 0 where a zero is drawn."""
        values = np.full(curves.shape, np.nan)
        order = np.argsort(-lengths, kind="stable")
        channels = self.declaration.channels
        held = np.full((len(curves), len(channels)), START)
        bins = np.full((len(curves), len(channels)), BINS)
        for step in range(int(lengths.max(initial=0))):
            own = order[: int(np.count_nonzero(lengths > step))]
            beside = np.full(len(own), NONE)
            for place, channel in enumerate(channels):
                curve = curves[own, step, place]
                holds = self._hold(channel.name, held[own], levels[0][own, place], levels[1][own, place], place, rng)
                chain = self.bins[channel.name]
                shares = chain[bins[own, place], _height(curve), beside]
                found = _chosen(shares, rng)
                low = np.maximum(EDGES[found], -curve)
                high = np.minimum(EDGES[found + 1], 1 - curve)
                off = low + rng.random(len(own)) * np.maximum(high - low, 0.0)
                if not self.learned(channel.name):
                    off = np.zeros(len(own))
                value = np.clip(curve + off, channel.least, 1.0)
                values[own, step, place] = np.select([holds == VALUE, holds == ZERO], [value, 0.0], np.nan)
                held[own, place] = holds
                bins[own, place] = np.where(holds == VALUE, found, BINS)
                beside = _side(bins[own, place])
        return Series(values=values, lengths=lengths)

    def learned(self, name: str) -> bool:
        """Whether a channel's residuals were measured."""
        return bool(self.bins[name][..., BINS // 2].min() < 1.0)

    def _hold(self, name: str, held: Codes, missing: Codes, zero: Codes, place: int, rng: np.random.Generator) -> Codes:
        """What a step holds. `held`: (rows, channels) of the step before, and of this one up to this channel."""
        channel = self.declaration.channels[place]
        if channel.missing_with is not None:
            names = [each.name for each in self.declaration.channels]
            return np.where(held[:, names.index(channel.missing_with)] == ZERO, MISSING, VALUE)
        if name not in self.holds:
            return np.full(len(held), VALUE)
        return _chosen(self.holds[name][held[:, place], missing, zero], rng)


def _bin(off: Floats) -> Codes:
    return np.asarray(np.clip(np.searchsorted(EDGES, off, side="right") - 1, 0, BINS - 1))


def _side(bins: Codes) -> Codes:
    """Coarse residuals: below, about or above the curve; none."""
    middle = BINS // 2
    return np.asarray(np.select([bins == BINS, bins < middle, bins == middle], [NONE, 0, 1], 2))


def _height(curve: Floats) -> Codes:
    return np.asarray(np.clip((curve * HEIGHTS).astype(np.int64), 0, HEIGHTS - 1))


def _before(codes: Codes, first: int) -> Codes:
    """Each step's predecessor, (entities, steps); `first` before the first step."""
    shifted = np.full(codes.shape, first)
    shifted[:, 1:] = codes[:, :-1]
    return shifted


def _chosen(shares: Floats, rng: np.random.Generator) -> Codes:
    """A column of each row (rows, choices) with these shares."""
    below = np.cumsum(shares, axis=1)
    drawn = rng.random(len(shares))[:, None] * below[:, -1:]
    return np.asarray(np.minimum((drawn >= below).sum(axis=1), shares.shape[1] - 1))


def _rates(counts: Floats, coarser: Floats, sigma: float) -> Floats:
    """Shares over the last axis, leant towards those of a coarser table by as much as noise hides."""
    kept = np.maximum(counts, 0.0)
    lean = TRUST * sigma * np.sqrt(counts.shape[-1])
    leant = kept + lean * coarser
    return np.asarray(leant / leant.sum(axis=-1, keepdims=True))


def _backed(counts: Floats, sigma: float) -> Floats:
    """Shares of the bin by all it depends on, (before, height, beside, bin), through ever finer tables."""
    axes: tuple[tuple[int, ...], ...] = ((0, 1, 2), (0, 1), (1,), ())
    shares = np.full(BINS, 1.0 / BINS)
    whole = counts.size // BINS
    for gone in axes:
        table = counts.sum(axis=gone, keepdims=True)
        summed = whole / max(table.size // BINS, 1)
        shares = _rates(table, shares, sigma * np.sqrt(summed))
    return np.asarray(np.broadcast_to(shares, counts.shape))


def _held(counts: Floats, sigma: float) -> Floats:
    """Shares of what a step holds, (held before, missing level, zero level, holds), as far as levels do not say it."""
    share = np.array([0.0, 0.25, 0.75, 1.0])
    missing, zero = share[:, None], share[None, :]
    said = np.stack(np.broadcast_arrays((1 - missing) * (1 - zero), (1 - missing) * zero, missing), axis=-1)
    leant = _rates(counts * (said > 0), said[None], sigma)
    leant = np.where(said > 0, leant, 0.0)
    return np.asarray(leant / leant.sum(axis=-1, keepdims=True))
