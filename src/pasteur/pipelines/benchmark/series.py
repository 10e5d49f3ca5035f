"""What a run's compressors did to its series, for the report: what was lost, which codes are used, what each means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.randomness import Stage, generator
from pasteur.table import UNIT

if TYPE_CHECKING:
    from pasteur.compressors import Codes, Floats, Series
    from pasteur.compressors._store import Compression
    from pasteur.table import Table

MOST = 20_000
"""Entities that are looked at."""
SHOWN = 12
"""Series drawn of each kind."""
FEW = 5
"""Entities under a code, below which it has no curve of its own."""
COLUMNS = 24
"""Latent columns that are told of."""


def told(compression: Compression, rows: Table, parents: Table, codes: Table, *, seed: int) -> dict[str, Any]:
    """Numbers and curves of one component, in its channels' own units.

    Args:
        compression: as it was fitted.
        rows: the component's real rows.
        parents: the real rows that they belong to.
        codes: synthetic codes.
        seed: of what is drawn.
    """
    layout, codec = compression.layout, compression.codec
    known = [UNIT] if UNIT in parents.columns else []
    above = parents.arrow([*known, layout.parent_key]).slice(0, MOST)
    units = above[UNIT].combine_chunks() if known else None
    real = layout.series(rows, above[layout.parent_key].combine_chunks(), units)
    latents, smooth = codec.smooth(real)
    names = [part.name for part in codec.compressor.parts]
    held = codes.arrow(names).slice(0, MOST)
    drawn = np.stack([held[name].to_numpy().astype(np.int64) for name in names], axis=1)
    rng = generator(seed, Stage.SCORES)
    made = codec.decode(drawn, rng=rng)
    again = codec.decode(latents, rng=rng)
    return {
        "component": layout.declaration.component,
        "kind": codec.compressor.type,
        "entities": len(above),
        "channels": _channels(compression, real, smooth, again, made),
        "usage": _usage(compression, latents, drawn),
        "meaning": _meaning(compression, real, latents),
        "samples": {
            "real, encoded and decoded": _samples(compression, again, rng),
            "synthetic": _samples(compression, made, rng),
        },
    }


def _values(compression: Compression, series: Series) -> Floats:
    """(entities, steps, channels) in own units; NaN where missing and past the length."""
    channels = compression.layout.declaration.channels
    held = [channel.values(series.values[:, :, place]) for place, channel in enumerate(channels)]
    return np.where(series.inside[:, :, None], np.stack(held, axis=2), np.nan)


def _channels(
    compression: Compression, real: Series, smooth: Series, again: Series, made: Series
) -> list[dict[str, Any]]:
    exact, curve = _values(compression, real), _values(compression, smooth)
    back, synthetic = _values(compression, again), _values(compression, made)
    found = []
    for place, channel in enumerate(compression.layout.declaration.channels):
        own = exact[:, :, place]
        spread = _mean(own, np.nanstd)
        lost = _mean((own - curve[:, :, place]) ** 2, np.nanmean) ** 0.5
        sides = {"real": exact, "decoded": back, "synthetic": synthetic}
        found.append(
            {
                "name": channel.name,
                "spread": spread,
                "lost": lost,
                "share": lost / spread if spread else float("nan"),
                **{f"spread_{side}": _mean(values[:, :, place], np.nanstd) for side, values in sides.items()},
            }
        )
    return found


def _mean(values: Floats, what: Any) -> float:
    return float(what(values)) if np.isfinite(values).any() else float("nan")


def _usage(compression: Compression, latents: Codes, drawn: Codes) -> list[dict[str, Any]]:
    found = []
    for place, part in enumerate(compression.codec.compressor.parts[:COLUMNS]):
        real, synthetic = (np.bincount(codes[:, place], minlength=part.size) for codes in (latents, drawn))
        shares = [(counts / max(counts.sum(), 1)).tolist() for counts in (real, synthetic)]
        found.append({"name": part.name, "real": shares[0], "synthetic": shares[1], "used": int((real > 0).sum())})
    return found


def _meaning(compression: Compression, real: Series, latents: Codes) -> list[dict[str, Any]]:
    """Of each latent column the mean series of each of its codes, in the channel that they differ in most."""
    parts = compression.codec.compressor.parts
    curves = len(parts) - len(compression.codec.compressor.outside.parts)
    channels = compression.layout.declaration.channels
    found = []
    for place, part in enumerate(parts[:curves][:COLUMNS]):
        counts = np.bincount(latents[:, place], minlength=part.size)
        codes = np.flatnonzero(counts >= FEW)
        if not len(codes):
            continue
        means = np.stack([_average(real.values[latents[:, place] == code]) for code in codes])
        level = np.array(
            [[_mean(means[row, :, c], np.nanmean) for c in range(len(channels))] for row in range(len(codes))]
        )
        channel = int(np.argmax(np.nan_to_num(level).std(axis=0)))
        lines = [channels[channel].values(means[row, :, channel]).tolist() for row in range(len(codes))]
        found.append({"name": part.name, "channel": channels[channel].name, "codes": codes.tolist(), "lines": lines})
    return found


def _average(values: Floats) -> Floats:
    """(steps, channels): the mean of what is known; NaN where few have anything."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count >= FEW, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _samples(compression: Compression, series: Series, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Some series, each channel's values step by step."""
    long = np.flatnonzero(series.lengths >= min(3, series.values.shape[1]))
    chosen = rng.choice(long, size=min(SHOWN, len(long)), replace=False) if len(long) else long
    values = _values(compression, series)
    channels = compression.layout.declaration.channels
    return [
        {
            channel.name: values[entity, : series.lengths[entity], place].tolist()
            for place, channel in enumerate(channels)
        }
        for entity in chosen.tolist()
    ]
