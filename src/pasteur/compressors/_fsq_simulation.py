"""Series drawn from nothing but what is declared: what `fsq` is pretrained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pasteur.compressors import Series

if TYPE_CHECKING:
    import numpy.typing as npt

    from pasteur.compressors import Codes, Declaration, Floats

WAVES = 6
"""Half cosines over a series that its curve is made of, besides its level."""
LEVEL, BEND, FALL, ROUGH = 1.2, 1.0, 0.8, 0.1
"""Size of the level and of the waves, how fast waves shrink with their number, and the size of what is not smooth; in
logits, in which the middle half of the curves' range is about 1.4 wide."""


def simulated(series: int, declaration: Declaration, *, rng: np.random.Generator) -> Series:
    """Curves of random level and bend, alike in all channels to a random degree, with a little noise upon them.

    Args:
        series: how many.
        declaration: steps, and of each channel where curves may run and whether values may be missing.
        rng: source of randomness.

    Returns:
        As they would be read; lengths from 1 on, half of them uniform, half mostly short.
    """
    steps, channels = declaration.steps, len(declaration.channels)
    short = np.minimum(1 + (steps * rng.random(series) ** 3).astype(np.int64), steps)
    lengths = np.where(rng.random(series) < 0.5, rng.integers(1, steps + 1, size=series), short)
    place = np.arange(steps) / np.maximum(lengths - 1, 1)[:, None]
    number = np.arange(WAVES + 1)
    waves = np.cos(np.pi * place[:, :, None] * number)
    sizes = _gamma(BEND, series, rng) / np.maximum(number, 1) ** FALL
    sizes[:, :, 0] = LEVEL
    alike = rng.random((series, 1, 1))
    common, own = rng.normal(size=(series, 1, WAVES + 1)), rng.normal(size=(series, channels, WAVES + 1))
    mixed = sizes * (np.sqrt(alike) * common + np.sqrt(1 - alike) * own)
    curves = waves @ mixed.transpose(0, 2, 1)
    curves += _gamma(ROUGH, series, rng) * rng.normal(size=curves.shape)
    low, high = np.array([channel.bounds for channel in declaration.channels]).T
    values = low + (high - low) / (1 + np.exp(-1.6 * curves))
    return Series(values=np.where(_gone(lengths, declaration, rng), np.nan, values), lengths=lengths)


def _gamma(mean: float, series: int, rng: np.random.Generator) -> Floats:
    return rng.gamma(1.5, mean / 1.5, size=(series, 1, 1))


def _gone(lengths: Codes, declaration: Declaration, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(series, steps, channels): what is past the end, or missing where that may be, mostly few values of a series."""
    may = np.array([channel.holes for channel in declaration.channels])
    share = rng.random((len(lengths), 1, len(may))) ** 3
    holes = (rng.random((len(lengths), declaration.steps, len(may))) < share) & may
    past = np.arange(declaration.steps) >= lengths[:, None]
    return np.asarray(holes | past[:, :, None])
