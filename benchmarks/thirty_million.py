"""The whole line on more rows than fit in memory: encode, fit, sample and decode, in one process, with its peak memory.

    python benchmarks/thirty_million.py [--rows 30000000] [--algorithms independent mst] [--folder DIR]

The rows are those of kdd_census (42 columns; fetched on first use), again and again, with jitter: each number moves by
a little within its declared bounds, and of every column one value in fifty is another row's. Each row is a person of
its own, with an id. They are written once, as parquet, by another process. All files lie in a temporary folder and are
removed afterwards. Memory that the process has before it reads a row, its imports, is part of the peak.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import yaml
from line import MEGABYTE

from pasteur import datasets, metadata, synth
from pasteur.app.typed import build
from pasteur.datasets import DatasetConfig
from pasteur.embeddings.table import TableEncoder
from pasteur.marginals import Domain
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pasteur.schema import TableSchema

ROOT = Path(__file__).parents[1]
NAME = "kdd_census"
MOVED = 0.02
"""Share of each column's values that are another row's."""
PART = 3_000_000
"""Rows of a parquet file."""


def described() -> TableSchema:
    """What is declared about the rows."""
    found = metadata.load(view=NAME, dataset=NAME, schema="detail", components=("core",), folders=[ROOT / "metadata"])
    return found.table("core")


def primary(raw: Path) -> pa.Table:
    """All rows of the data set, in memory: 299,285 of them."""
    plain = yaml.safe_load((ROOT / "configs" / "dataset" / f"{NAME}.yaml").read_text(encoding="utf-8"))
    plain.pop("defaults")
    config = build(DatasetConfig, plain, "dataset")
    parsed = datasets.parse(config, datasets.fetch(config, raw))
    return datasets.tidy(config, parsed)["core"].without([UNIT]).arrow().combine_chunks()


def jittered(table: pa.Table, replica: int) -> pa.RecordBatch:
    """Every row once more, changed a little, with an id that no other row has."""
    rng = np.random.default_rng([7, replica])
    columns = [pa.array([f"{replica}-{row}" for row in range(len(table))])]
    for column in described().columns:
        values = table.column(column.name).combine_chunks()
        index = np.arange(len(table))
        moved = rng.random(len(table)) < MOVED
        index[moved] = rng.integers(len(table), size=int(moved.sum()))
        values = values.take(pa.array(index))
        if column.sdtype == "numerical" and values.type == pa.int64():
            held = values.fill_null(0).to_numpy()
            step = rng.integers(-1, 2, len(held)) * (held > column.domain["min"]) * (held < column.domain["max"])
            values = pa.array(held + step, mask=values.is_null().to_numpy(zero_copy_only=False))
        columns.append(values)
    return pa.RecordBatch.from_arrays(columns, names=[UNIT, *(column.name for column in described().columns)])


def make(folder: Path, raw: Path, rows: int) -> None:
    """Write `rows` rows as part files."""
    table = primary(raw)
    kinds = jittered(table.slice(0, 10), 0).schema
    replica, done = 0, 0
    while done < rows:
        wanted = min(PART, rows - done)
        start = replica

        def batches(first: int = start, wanted: int = wanted) -> Iterator[pa.RecordBatch]:
            left, number = wanted, first
            while left > 0:
                batch = jittered(table, number)
                yield batch.slice(0, left)
                left, number = left - batch.num_rows, number + 1

        Table.stream(kinds, batches).write(folder / f"part-{start:04d}.pq")
        replica += -(-wanted // len(table))
        done += wanted


class Steps:
    """Prints what each step took, and the process's peak so far."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        print(f"{'step':<26}{'wall s':>9}{'CPU-s':>9}{'peak MB':>9}")

    def done(self, name: str) -> None:
        """Print one line."""
        wall, cpu = time.perf_counter(), time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
        print(f"{name:<26}{wall - self._wall:>9.1f}{cpu - self._cpu:>9.1f}{peak:>9.0f}", flush=True)
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def line(folder: Path, algorithms: list[str]) -> None:
    """Encode, then fit, sample and decode with each algorithm: through files, as the pipelines do."""
    steps = Steps()
    steps.done("imports")
    encoder = TableEncoder.declare(described())
    encoder.encode(Table.read(folder / "primary")).write(folder / "encoded.pq")
    steps.done("encode")
    ordinal = [part.name for part in encoder.attributes if part.ordered]
    domain = Domain.of(encoder.sizes, ordinal=ordinal)
    for name in algorithms:
        algorithm = synth.find(name)
        settings, budget = algorithm.Settings(), Budget(epsilon=1)
        ledger = Ledger(budget, algorithm.accountant(budget, settings))
        private = PrivateTable(Table.read(folder / "encoded.pq"), domain, ledger, salt="benchmark")
        model = algorithm.fit(private, settings)
        steps.done(f"{name}: fit")
        model.sample(None, rng=np.random.default_rng(0)).write(folder / "drawn.pq")
        steps.done(f"{name}: sample {model.rows:,}")
        decoded = encoder.decode(Table.read(folder / "drawn.pq"), rng=np.random.default_rng(0))
        decoded.write(folder / "decoded.pq")
        steps.done(f"{name}: decode")
        assert Table.read(folder / "decoded.pq").rows == model.rows


def main() -> None:
    """Make the rows, run the line, remove all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=30_000_000)
    parser.add_argument("--algorithms", nargs="+", default=["independent", "mst"])
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    raw = Path(tempfile.gettempdir()) / "pasteur-test-data" / "data" / "orig" / "raw" / NAME
    processes = multiprocessing.get_context("spawn")
    try:
        start = time.perf_counter()
        for step, given in ((make, (folder / "primary", raw, options.rows)), (line, (folder, options.algorithms))):
            process = processes.Process(target=step, args=given)
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(process.exitcode)
            if step is make:
                size = sum(part.stat().st_size for part in (folder / "primary").iterdir())
                print(
                    f"{options.rows:,} rows of {NAME} made in {time.perf_counter() - start:.0f} s, {size / 1e9:.1f} GB"
                )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
