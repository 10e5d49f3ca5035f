"""How fast all pairs of a table are counted, in memory and from parquet, beside NumPy's histogram.

    python benchmarks/counting.py [--rows 10000000] [--parquet 100000000] [--threads 2] [--values uniform|skewed]

15 columns of 2 to 100 codes, one byte each. Speed is in millions of rows x pairs per CPU-second; peak memory is that of
a process of its own. The parquet file goes into a folder that is removed. Exact: the counts are compared with NumPy's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pasteur.marginals import Domain, count
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (85, 9, 100, 16, 7, 15, 6, 5, 2, 100, 100, 99, 42, 2, 20)
DOMAIN = Domain([f"x{place}" for place in range(len(SIZES))], SIZES)
PAIRS = list(combinations(DOMAIN.attributes, 2))
GROUP = 1_000_000


def made(rows: int, values: str, seed: int) -> dict[str, np.ndarray]:
    """Columns of codes; skewed ones have most rows in their first few codes."""
    rng = np.random.default_rng(seed)
    power = 1 if values == "uniform" else 6
    return {
        name: (rng.random(rows, dtype=np.float32) ** power * (size - 1e-3)).astype(np.uint8)
        for name, size in DOMAIN.as_dict().items()
    }


def by_numpy(codes: dict[str, np.ndarray], pairs: list[tuple[str, str]]) -> list[np.ndarray]:
    """The same tables by numpy.bincount."""
    return [
        np.bincount(
            codes[one].astype(np.intp) * DOMAIN.size((other,)) + codes[other], minlength=DOMAIN.size((one, other))
        ).reshape(DOMAIN.shape((one, other)))
        for one, other in pairs
    ]


def line(name: str, rows: int, pairs: int, cpu: float, wall: float) -> None:
    """Print one row of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<34}{rows:>12,}{rows * pairs / cpu / 1e6:>9.0f}{cpu:>8.2f}{wall:>8.2f}{peak:>9.0f}", flush=True)


def in_memory(rows: int, values: str, threads: int) -> None:
    """Count columns that are in memory."""
    codes = made(rows, values, seed=0)
    count([{name: column[: 1 << 18] for name, column in codes.items()}], DOMAIN, PAIRS)  # compiled, or from the cache
    for workers in sorted({1, threads}):
        cpu, wall = time.process_time(), time.perf_counter()
        tables = count([codes], DOMAIN, PAIRS, threads=workers)
        line(
            f"count, {workers} thread(s), {values}",
            rows,
            len(PAIRS),
            time.process_time() - cpu,
            time.perf_counter() - wall,
        )
    some = PAIRS[::10]
    cpu, wall = time.process_time(), time.perf_counter()
    expected = by_numpy(codes, some)
    line(
        f"numpy.bincount, {len(some)} of the pairs",
        rows,
        len(some),
        time.process_time() - cpu,
        time.perf_counter() - wall,
    )
    for table, peer in zip(tables[::10], expected, strict=True):
        np.testing.assert_array_equal(table, peer)


def write(path: Path, rows: int, values: str) -> None:
    """Write the parquet file: the same million rows again and again, each time moved on by some."""
    codes = pa.table(made(GROUP, values, seed=1))
    with pq.ParquetWriter(path, codes.schema, compression="zstd") as writer:
        for start in range(0, rows, GROUP):
            moved = start // GROUP * 7919 % GROUP
            part = pa.concat_tables([codes.slice(moved), codes.slice(0, moved)]).slice(0, rows - start)
            writer.write_table(part, row_group_size=1 << 18)


def from_parquet(path: Path, rows: int, threads: int) -> None:
    """Count a file, a batch at a time."""

    def batches() -> Iterator[dict[str, np.ndarray]]:
        for batch in Table.read(path).batches():
            yield {name: batch.column(name).to_numpy() for name in batch.schema.names}

    cpu, wall = time.process_time(), time.perf_counter()
    tables = count(batches(), DOMAIN, PAIRS, threads=threads)
    line(
        f"count from parquet, {threads} thread(s)",
        rows,
        len(PAIRS),
        time.process_time() - cpu,
        time.perf_counter() - wall,
    )
    assert all(table.sum() == rows for table in tables)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parquet", type=int, default=100_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--values", choices=["uniform", "skewed"], default="uniform")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{len(SIZES)} columns, {len(PAIRS)} pairs")
    print(f"{'':<34}{'rows':>12}{'M/CPU-s':>9}{'CPU-s':>8}{'wall-s':>8}{'peak MB':>9}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes.pq"
        for work in (
            (in_memory, (options.rows, options.values, options.threads)),
            (write, (path, options.parquet, options.values)),
            (from_parquet, (path, options.parquet, options.threads)),
        ):
            process = context.Process(target=work[0], args=work[1])
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(1)


if __name__ == "__main__":
    main()
