"""Cells that are encoded and decoded in a CPU-second, for each embedding and for a mixed table, beside scikit-learn.

    python benchmarks/encoding.py [--rows 1000000]

CPU time is that of the whole process, threads included; the best of three runs. Peers: `OrdinalEncoder` on the same
text and `KBinsDiscretizer` (uniform, ordinal) on the same numbers, fitted beforehand.
"""

from __future__ import annotations

import argparse
import platform
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur.embeddings.table import TableEncoder
from pasteur.schema import Column, TableSchema
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = 1e6
LEVELS = [f"level {index:02}" for index in range(42)]
DATES = {"min": "1990-01-01", "max": "2029-12-31"}
COLUMNS: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, Any]]] = {
    "categories": ("categorical", {"type": "categories"}, {"levels": LEVELS[1:], "other": LEVELS[0], "null": True}, {}),
    "categories, coarse": (
        "categorical",
        {"type": "categories", "height": 1},
        {"levels": LEVELS, "null": True, "hierarchy": {level: level[:-1] for level in LEVELS}},
        {},
    ),
    "integers": ("numerical", {"type": "integers"}, {"min": 17, "max": 90}, {}),
    "uniform": ("numerical", {"type": "uniform", "bins": 100}, {"min": 0, "max": 2e6, "decimals": 2, "null": True}, {}),
    "log": ("numerical", {"type": "log", "bins": 100}, {"min": 0, "max": 99_999, "null": True}, {}),
    "numbers as text": ("numerical", {"type": "uniform", "bins": 100}, {"min": 0, "max": 99_999}, {}),
    "boolean": ("boolean", {"type": "boolean"}, {"null": True}, {}),
    "datetime": ("datetime", {"type": "datetime", "parts": ["year", "month", "day", "hour"]}, DATES, {}),
    "dates as text": (
        "datetime",
        {"type": "datetime", "parts": ["year", "month", "day"]},
        DATES,
        {"datetime_format": "%Y-%m-%d"},
    ),
    "constant": ("categorical", {"type": "constant"}, {"value": "x"}, {}),
    "rdt": ("numerical", {"type": "rdt", "transformer": "GaussianNormalizer", "bins": 32}, None, {}),
}


def data(rows: int) -> pa.Table:
    """A column for each of `COLUMNS`."""
    rng = np.random.default_rng(0)
    seconds = rng.integers(700_000_000, 1_800_000_000, rows).astype("M8[s]")
    missing = rng.random(rows) < 0.05
    tail = rng.lognormal(6, 2, rows)
    return pa.table(
        {
            "categories": pa.array(np.array(LEVELS)[rng.integers(0, 42, rows)], mask=missing),
            "categories, coarse": np.array(LEVELS)[rng.integers(0, 42, rows)],
            "integers": rng.integers(17, 91, rows),
            "uniform": pa.array(rng.random(rows) * 2e6, mask=missing),
            "log": pa.array(tail.astype(np.int64), mask=missing),
            "numbers as text": tail.astype(np.int64).astype(str),
            "boolean": pa.array(rng.random(rows) < 0.3, mask=missing),
            "datetime": pa.array(seconds.astype("M8[us]")),
            "dates as text": seconds.astype("M8[D]").astype(str),
            "constant": np.full(rows, "x"),
            "rdt": rng.lognormal(0, 1, rows),
        }
    )


def encoder(names: list[str]) -> TableEncoder:
    """The declared encoder of some of `COLUMNS`."""
    columns = [
        Column(
            name=name,
            table="core",
            sdtype=sdtype,
            embedding=embedding,
            domain=domain,
            source="made",
            declared=True,
            sdv={"sdtype": sdtype, **sdv},
        )
        for name in names
        for sdtype, embedding, domain, sdv in [COLUMNS[name]]
    ]
    return TableEncoder.declare(TableSchema(name="core", columns=tuple(columns), primary_key=None))


def best(function: Callable[[], object]) -> float:
    """CPU-seconds, the best of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def consume(table: Table) -> None:
    """Read a lazy table to its end, holding one batch at a time."""
    for _ in table.batches():
        pass


def line(name: str, cells: int, encode: float, decode: float | None = None) -> None:
    """Print one row of the table."""
    back = f"{cells / decode / 1e6:10.1f}" if decode is not None else f"{'':>10}"
    print(f"{name:<34}{cells / encode / 1e6:10.1f}{back}")


def main() -> None:
    """Print the table; leave with 1 where the mixed table misses the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    held = data(rows)
    print(
        f"{rows:,} rows; {platform.processor() or platform.machine()}; numpy {np.__version__}, pyarrow {pa.__version__}"
    )
    print(f"{'million cells per CPU-second':<34}{'encode':>10}{'decode':>10}")
    for name in COLUMNS:
        one = Table.of(held.select([name]))
        fitted = encoder([name]).fit(Table.of(held.select([name]).slice(0, 10_000)))
        codes = Table.of(fitted.encode(one).arrow())
        seconds = best(lambda table=one, fitted=fitted: consume(fitted.encode(table)))
        back = best(lambda table=codes, fitted=fitted: consume(fitted.decode(table, rng=np.random.default_rng(0))))
        line(name, rows, seconds, back)
    names = [name for name in COLUMNS if name != "rdt"]
    mixed, all_of_it = encoder(names), Table.of(held.select(names))
    codes = Table.of(mixed.encode(all_of_it).arrow())
    seconds = best(lambda: consume(mixed.encode(all_of_it)))
    back = best(lambda: consume(mixed.decode(codes, rng=np.random.default_rng(0))))
    line(f"mixed table of {len(names)} columns", rows * len(names), seconds, back)
    peers(held, rows)
    if rows * len(names) / seconds < TARGET:
        raise SystemExit(1)


def peers(held: pa.Table, rows: int) -> None:
    """scikit-learn on columns of the same values."""
    from sklearn.preprocessing import KBinsDiscretizer, OrdinalEncoder

    words = held.select(["categories, coarse"]).to_pandas()
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(words.head(10_000))
    line("sklearn OrdinalEncoder, text", rows, best(lambda: ordinal.transform(words)))
    for name in ("integers", "rdt"):
        numbers = held.select([name]).to_pandas()
        bins = KBinsDiscretizer(n_bins=32, encode="ordinal", strategy="uniform").fit(numbers.head(10_000))
        forward = best(lambda numbers=numbers, bins=bins: bins.transform(numbers))
        codes = bins.transform(numbers)
        back = best(lambda codes=codes, bins=bins: bins.inverse_transform(codes))
        line(f"sklearn KBinsDiscretizer, {'int64' if name == 'integers' else 'float64'}", rows, forward, back)


if __name__ == "__main__":
    main()
