"""How fast series become codes and come back, and what the codecs that learn take: on all careers of `lahman_careers`.

    python benchmarks/compressors.py [--root FOLDER] [--types linear sax pca fsq] [--repeats 5] [--copies 5]

A point is a value of a channel at a step that there is; speed is in millions of them a CPU-second, median of repeats,
with chains of residuals drawn (`decode`) and without (`curves`). `fit` is what learning on the private side takes, at
epsilon 3 with a tenth of the budget (pca's directions, fsq's fine-tuning by DP-SGD), in wall and in CPU-seconds;
`pretrain` what fsq does before it meets data, with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from series import DELTA, VIEW, real_frames

from pasteur import metadata
from pasteur.catalog import Paths
from pasteur.compressors._private import PrivateFit
from pasteur.compressors._store import Compression
from pasteur.privacy import Budget, ExactMechanisms, Ledger
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pasteur.compressors import Series
    from pasteur.schema import Schema

COMPONENT = "batting"
TYPES = ("linear", "sax", "pca", "fsq")


@dataclass(frozen=True, kw_only=True)
class Took:
    """Of one call, medians where there were several."""

    wall: float
    cpu: float


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[Any, Took]:
    """What it gave the last time, and how long it took."""
    walls, cpus, found = [], [], None
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        found = call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return found, Took(wall=statistics.median(walls), cpu=statistics.median(cpus))


def declared(schema: Schema, kind: str) -> Compression:
    """The view's compressor, of another type."""
    settings = {**schema.compressors[COMPONENT], "type": kind}
    if kind in {"fsq", "pca"}:
        settings["share"] = 0.1
    return Compression.declare(replace(schema, compressors={COMPONENT: settings}), COMPONENT)


def learned(compression: Compression, series: Series) -> tuple[Compression, Took]:
    """The compressor with what it learns of these series, each a unit of its own."""
    compressor = compression.codec.compressor
    budget = Budget(epsilon=3, delta=DELTA)
    ledger = Ledger(budget, (compressor.accountant(budget) if compressor.PRIVATE_FIT else None) or "gdp")
    units = pa.array(range(len(series.lengths))).cast(pa.string())
    private = PrivateFit(series, units, ledger, max_rows_per_unit=1, salt="benchmark", mechanisms=ExactMechanisms())
    fitted, took = timed(lambda: compressor.fit(private, cost=ledger.total * compressor.share))
    return replace(compression, codec=replace(compression.codec, compressor=fitted)), took


def report(compression: Compression, series: Series, options: argparse.Namespace) -> None:
    """One line."""
    codec, kind = compression.codec, compression.codec.compressor.type
    first = f"{'':>9}"
    if kind == "fsq":
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_CACHE_HOME"] = folder
            _, took = timed(lambda: codec.compressor.encode(small(series)))
        first = f"{took.wall:>9.1f}"
    fitting = f"{'':>9}{'':>9}"
    if codec.compressor.PRIVATE_FIT and codec.compressor.share:
        compression, took = learned(compression, series)
        codec, fitting = compression.codec, f"{took.wall:>9.1f}{took.cpu:>9.1f}"
    whole = several(series, options.copies)
    points = int(whole.lengths.sum()) * whole.values.shape[2] / 1e6
    codes, encode = timed(lambda: codec.encode(whole), options.repeats)
    _, curves = timed(lambda: codec.compressor.curves(codes, whole.lengths), options.repeats)
    _, decode = timed(lambda: codec.decode(codes, rng=np.random.default_rng(0)), options.repeats)
    speeds = "".join(f"{points / took.cpu:>9.1f}" for took in (encode, curves, decode))
    print(f"{kind:<8}{first}{fitting}{speeds}", flush=True)


def small(series: Series) -> Series:
    """The first hundred."""
    return replace(series, values=series.values[:100], lengths=series.lengths[:100])


def several(series: Series, copies: int) -> Series:
    """The same series, again and again."""
    values = np.tile(series.values, (copies, 1, 1))
    return replace(series, values=values, lengths=np.tile(series.lengths, copies))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, help="where data/ lies; default: a temporary folder")
    parser.add_argument("--types", nargs="+", default=list(TYPES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--copies", type=int, default=5, help="of all careers, that are encoded at once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = (options.root or Path(folder)).resolve()
        core, batting = real_frames(root)
        schema = metadata.load(
            view=VIEW,
            dataset="lahman",
            schema="detail",
            components=("core", COMPONENT),
            folders=Paths(root=root).folders("metadata"),
        )
        found = [declared(schema, kind) for kind in options.types]
        layout = found[0].layout
        keys = pa.array(core[layout.parent_key])
        series = layout.series(Table.of(pa.Table.from_pandas(batting, preserve_index=False)), keys)
        steps, channels = int(series.lengths.sum()), series.values.shape[2]
        print(f"{len(keys):,} careers, {steps:,} seasons of {channels} channels; millions of points a CPU-second")
        heads = ("pretrain", "fit, s", "CPU-s", "encode", "curves", "decode")
        print(f"{'':<8}" + "".join(f"{head:>9}" for head in heads))
        for compression in found:
            report(compression, series, options)


if __name__ == "__main__":
    main()
