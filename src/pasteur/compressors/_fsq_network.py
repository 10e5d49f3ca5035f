"""The network behind `fsq`: an autoencoder whose middle is a few numbers on few levels.

Finite scalar quantisation (Mentzer et al. 2023, section 3): each latent is squashed to [0, 1] and rounded to one of its
levels, and the gradient passes the rounding as if it were not there. There is no codebook to learn, or to collapse.

Series enter as averages about a few knots, evenly spaced over each series' own length, and leave as values at these
knots, straight lines between them: so the size of the network does not grow with the number of steps. Length and how
much is missing are given to it from outside, on both sides. Each side is a straight linear map and a perceptron added
up: the map is found within a few steps, and pretraining takes seconds.

Needs torch, which is imported where this module is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from pasteur.compressors._rows import each_times
from pasteur.compressors.linear import hats

if TYPE_CHECKING:
    from pasteur.compressors import Codes, Floats


@dataclass(frozen=True, kw_only=True)
class Shape:
    """All that fixes a network's layers.

    Attributes:
        steps: of the longest series.
        channels: of each step.
        latents: numbers in the middle.
        levels: of each of them.
        knots: of each channel's straight lines.
        hidden: width of the two hidden layers on each side.
    """

    steps: int
    channels: int
    latents: int
    levels: int
    knots: int
    hidden: int

    @property
    def cells(self) -> int:
        """Values of a series, at most."""
        return self.steps * self.channels

    @property
    def entering(self) -> int:
        """Numbers that the encoder sees: the averages about knots and how many values they are of, shares, length."""
        return (2 * self.channels + 1) * self.knots + self.channels + 1


def packed(values: Floats, lengths: Codes, shares: Floats, shape: Shape) -> Floats:
    """A series a row, as the network takes it: (series, 2 cells + entering), float64.

    Its values (0 where there is none), which of them are known, and what the encoder sees.

    Args:
        values: (series, steps, channels) in [0, 1], NaN where missing and past a series' length.
        lengths: (series,).
        shares: (series, channels) of values that are known, as the decoder will be told.
        shape: of the network.
    """
    count = len(values)
    known = np.isfinite(values) & (np.arange(shape.steps) < lengths[:, None])[:, :, None]
    filled = np.where(known, np.clip(values, 0, 1), 0.0)
    about = hats(shape.steps, shape.knots)[lengths].transpose(0, 2, 1)
    weight = each_times(about, known.astype(np.float64))
    mean = np.where(weight > 0, each_times(about, filled) / np.maximum(weight, 1e-9) - 0.5, 0.0)
    there = about.sum(2) > 0
    seen = (4 * mean, weight / (1 + weight), there, shares, lengths / shape.steps)
    return np.concatenate([part.reshape(count, -1) for part in (filled, known, *seen)], axis=1)


class Autoencoder(nn.Module):
    """See the module. Its weights lie in `Linear` layers, so that ghost norms cover them."""

    hats: torch.Tensor
    """(steps + 1, steps, knots): of each length, how much each knot counts at each step; rows past the length are 0."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("hats", torch.as_tensor(hats(shape.steps, shape.knots), dtype=torch.float32))
        self.encoder = _Side(shape.entering, shape.hidden, shape.latents)
        self.decoder = _Side(shape.latents + 1 + shape.channels, shape.hidden, shape.channels * shape.knots)

    def latents(self, rows: torch.Tensor) -> torch.Tensor:
        """Squashed but not rounded, of packed series: (rows, latents) in [0, 1]."""
        squashed: torch.Tensor = torch.sigmoid(self.encoder(rows[:, 2 * self.shape.cells :]))
        return squashed

    def rounded(self, latents: torch.Tensor) -> torch.Tensor:
        """The nearest level of each latent, in [0, 1]; gradients pass."""
        top = self.shape.levels - 1
        return latents + (torch.round(latents * top) / top - latents).detach()

    def curves(self, levels: torch.Tensor, length: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """Values at every step: (rows, steps, channels) in [0, 1], 0 past a series' length.

        Args:
            levels: (rows, latents) in [0, 1].
            length: (rows,) whole numbers.
            share: (rows, channels) of values that are known, among the steps there are.
        """
        given = (length / self.shape.steps)[:, None].to(levels.dtype)
        knots = torch.sigmoid(self.decoder(torch.cat([2 * levels - 1, 2 * given - 1, 2 * share - 1], dim=1)))
        lines, shaped = self.hats[length], knots.reshape(-1, self.shape.knots, self.shape.channels)
        if torch.is_grad_enabled():
            return lines @ shaped
        values = lines.new_zeros(len(lines), self.shape.steps, self.shape.channels)
        for place in range(self.shape.knots):
            values += lines[:, :, place, None] * shaped[:, place, None, :]
        return values

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Packed series after the bottleneck: (rows, steps, channels)."""
        length = (rows[:, -1] * self.shape.steps).round().long().clamp(0, self.shape.steps)
        share = rows[:, -1 - self.shape.channels : -1]
        return self.curves(self.rounded(self.latents(rows)), length, share)

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """Mean squared error of each series' known values: (rows,). 0 of a series that has none."""
        cells = self.shape.cells
        values, known = rows[:, :cells], rows[:, cells : 2 * cells]
        squares = ((self(rows).flatten(1) - values) ** 2 * known).sum(1)
        mean: torch.Tensor = squares / known.sum(1).clamp(min=1)
        return mean


class _Side(nn.Module):
    """A linear map, and a perceptron of two hidden layers that begins near 0, added up."""

    def __init__(self, entering: int, hidden: int, leaving: int) -> None:
        super().__init__()
        self.straight = nn.Linear(entering, leaving)
        last = nn.Linear(hidden, leaving)
        self.bent = nn.Sequential(nn.Linear(entering, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last)
        with torch.no_grad():
            self.straight.weight *= 2  # latents spread over their levels from the first step on
            last.weight *= 0.1

    def forward(self, entering: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            added: torch.Tensor = self.straight(entering) + self.bent(entering)
            return added
        bent = entering
        for layer in self.bent:
            bent = _by_rows(layer, bent) if isinstance(layer, nn.Linear) else layer(bent)
        return _by_rows(self.straight, entering) + bent


def _by_rows(layer: nn.Linear, rows: torch.Tensor) -> torch.Tensor:
    """The layer, each row by itself: no row's last bits depend on how many others there are; see `_rows`."""
    found = layer.bias.expand(len(rows), -1).clone()
    for column, weights in zip(rows.T, layer.weight.T, strict=True):
        found += column[:, None] * weights
    return found
