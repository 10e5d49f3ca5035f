"""The private engine beside its peers: time, memory and error of each algorithm on one table of codes.

    python benchmarks/engine.py CODES.csv.gz DOMAIN.json [--seeds 5] [--only mst aim] [--cold] [--mbi]

CODES has a header and whole numbers; DOMAIN maps each column to how many codes it has. Every row is a privacy unit of
its own, and their number is private. Each fit is a process of its own on one core, that reads the codes, fits, draws as
many rows and writes them: CPU-seconds and peak memory are the whole process's. TVD2 and TVD3 are the mean total
variation of all pairs and all triples of columns between the data and those rows. numba's cache is warm; with `--cold`
one more fit of each has an empty one. With `--mbi` the same is done with MST on the engine of PyPI's `mbi`, which is
installed in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
from line import MEGABYTE, Cost, timed
from pyarrow import csv

from pasteur.marginals import Domain, count
from pasteur.table import Table

DELTA = 1e-9
MBI = "mbi==2.0.0"

CHILD = """
import json, sys
import numpy as np
import pyarrow as pa
from pathlib import Path
from pyarrow import csv
from pasteur.synth import estimator
codes, domain, out, algorithm, settings, seed = sys.argv[1:]
sizes = json.loads(Path(domain).read_text())
table = csv.read_csv(codes, read_options=csv.ReadOptions(use_threads=False)).select(list(sizes))
fitted = estimator(algorithm)(**json.loads(settings)).fit(table, sizes)
fitted.model_.sample(len(table), rng=np.random.default_rng(int(seed))).write(Path(out))
"""
"""What one process does."""

LAUNCH = """
import json, os, sys, time
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
took = [time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
json.dump(took, open(sys.argv[1], "w"))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts one from a small process: Linux counts the memory of whoever started a process as part of its peak."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row of the table, and what it should reach on the coded Adult."""

    algorithm: str
    epsilon: float
    preset: str | None = None
    aim: str = ""

    @property
    def name(self) -> str:
        """What the row is called."""
        return " ".join([self.algorithm, *([self.preset] if self.preset else []), f"at {self.epsilon:g}"])

    @property
    def settings(self) -> str:
        """Settings of the estimator, as JSON."""
        preset = {"preset": self.preset} if self.preset else {}
        return json.dumps({"epsilon": self.epsilon, "delta": DELTA, **preset})


CASES = (
    Case(algorithm="independent", epsilon=1),
    Case(algorithm="mst", epsilon=1, aim="< 3 s, < 350 MB, 0.0510, 0.1120"),
    Case(algorithm="aim", epsilon=1, aim="< 5 s, < 350 MB, 0.0405, 0.0905"),
    Case(algorithm="aim_gdp", epsilon=1),
    Case(algorithm="mwem", epsilon=1),
    Case(algorithm="privbayes", epsilon=1),
    Case(algorithm="weave", epsilon=1, preset="fast", aim="< 3.5 s, < 350 MB, 0.0310, 0.0745"),
    Case(algorithm="weave", epsilon=1, preset="best", aim="< 12 s, < 500 MB, 0.0287, 0.0705"),
    Case(algorithm="weave", epsilon=10, preset="best", aim="< 12 s, < 500 MB, 0.0150, 0.0515"),
    Case(algorithm="weave", epsilon=0.1, preset="best", aim="< 5 s, < 500 MB, 0.0800, 0.1430"),
)

PEERS = """
Peers on the coded Adult at epsilon 1, delta 1e-9, quoted as they were measured on one core, one seed; not run here:
system                                CPU-s    MB    TVD2    TVD3
bootstrap of the real rows                         0.0150  0.0350
independent columns without noise                  0.0761  0.1716
mbi 2.0.0, MST                        179.0  2236  0.0541  0.1166
google/dpsynth, MST                    68.0  1378  0.0715  0.1417
google/dpsynth, SWIFT                 144.0  1990  0.0481  0.1003
dpmm, MST                             203.0   209  0.0591  0.1268
dpmm, PrivBayes                        94.0   209  0.0703  0.1375
smartnoise-synth, MST                 137.0  3191  0.1370  0.2936
"""


class Data:
    """The real codes, and the counts of all their pairs and triples."""

    def __init__(self, codes: Path, domain: Path) -> None:
        self.domain = Domain.of(json.loads(domain.read_text(encoding="utf-8")))
        table = csv.read_csv(codes).select(list(self.domain.attributes))
        self.rows = len(table)
        self.cliques = {ways: list(combinations(self.domain.attributes, ways)) for ways in (2, 3)}
        self._columns = self._narrow(table)

    def distance(self, drawn: pa.Table, ways: int) -> float:
        """Mean total variation over all cliques of `ways` attributes."""
        other, cliques, whole = self._narrow(drawn), self.cliques[ways], 0.0
        for start in range(0, len(cliques), 50):
            some = cliques[start : start + 50]
            ours, theirs = (count([columns], self.domain, some) for columns in (self._columns, other))
            whole += sum(float(np.abs(a - b).sum()) for a, b in zip(ours, theirs, strict=True))
        return whole / 2 / self.rows / len(cliques)

    def _narrow(self, table: pa.Table) -> dict[str, np.ndarray]:
        kinds = {name: np.min_scalar_type(size - 1) for name, size in self.domain.as_dict().items()}
        return {name: table.column(name).to_numpy().astype(kind) for name, kind in kinds.items()}


def measured(command: list[str], folder: Path) -> Cost:
    """What `command` takes, started from a small process; stop with its output if it fails."""
    found = folder / "cost.json"
    timed([sys.executable, "-S", "-c", LAUNCH, str(found), *command], folder / "log")
    wall, cpu, peak = json.loads(found.read_text(encoding="utf-8"))
    return Cost(wall=wall, cpu=cpu, peak=peak / MEGABYTE)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one process took, and how near its rows are."""

    cost: Cost
    tvd2: float
    tvd3: float


def fit(case: Case, options: argparse.Namespace, data: Data, folder: Path, seed: int) -> Result:
    """One fit in a process of its own."""
    out = folder / "drawn.pq"
    given = [str(options.codes), str(options.domain), str(out), case.algorithm, case.settings, str(seed)]
    cost = measured([sys.executable, "-c", CHILD, *given], folder)
    return _result(cost, Table.read(out).arrow(), data)


def fit_mbi(python: Path, options: argparse.Namespace, data: Data, folder: Path, seed: int) -> Result:
    """The same with `mbi`. Its rho is what (1, 1e-9) buys in zCDP, as its authors spend it."""
    from pasteur.privacy import Budget
    from pasteur.privacy import accountant as accountant_of

    rho = accountant_of("zcdp").total(Budget(epsilon=1, delta=DELTA))
    out = folder / "drawn.npy"
    script = Path(__file__).parent / "mbi_mst.py"
    given = [str(options.codes), str(options.domain), str(out), repr(float(rho)), str(seed)]
    cost = measured([str(python), str(script), *given], folder)
    drawn = dict(zip(data.domain.attributes, np.load(out).T, strict=True))
    return _result(cost, pa.table(drawn), data)


def _result(cost: Cost, drawn: pa.Table, data: Data) -> Result:
    return Result(cost=cost, tvd2=data.distance(drawn, 2), tvd3=data.distance(drawn, 3))


def show(name: str, results: list[Result], cold: float | None, aim: str) -> None:
    """Print a row: means over seeds."""
    cpu, peak, tvd2, tvd3 = (
        statistics.mean(values)
        for values in zip(*((r.cost.cpu, r.cost.peak, r.tvd2, r.tvd3) for r in results), strict=True)
    )
    spread = statistics.stdev(r.tvd2 for r in results) if len(results) > 1 else 0.0
    empty = "" if cold is None else f"{cold:.1f}"
    print(f"{name:<24}{cpu:>7.2f}{empty:>7}{peak:>6.0f}{tvd2:>8.4f}{spread:>8.4f}{tvd3:>8.4f}   {aim}", flush=True)


def installed(folder: Path) -> Path:
    """An environment with `mbi` alone; its Python."""
    python = folder / "mbi" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "mbi")], check=True)  # noqa: S603
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-compile", MBI], check=True)  # noqa: S603
    return python


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("codes", type=Path)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[], help="names of algorithms; all where none is given")
    parser.add_argument("--cold", action="store_true", help="also one fit of each with numba's cache empty")
    parser.add_argument("--mbi", action="store_true", help="also MST on mbi, minutes of CPU")
    parser.add_argument("--mbi-folder", type=Path, help="where its environment is kept for the next time")
    options = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    data = Data(options.codes, options.domain)
    cases = [case for case in CASES if not options.only or case.algorithm in options.only]
    print(f"{data.rows:,} rows, {len(data.domain)} attributes, delta {DELTA:g}; mean of {options.seeds} fits, one core")
    print(f"{'algorithm, epsilon':<24}{'CPU-s':>7}{'cold':>7}{'MB':>6}{'TVD2':>8}{'sd':>8}{'TVD3':>8}   aim")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm: list[Result] = []
        for case in cases:
            fit(case, options, data, folder, 0)  # warms numba's cache
            results = [fit(case, options, data, folder, seed) for seed in range(options.seeds)]
            cold = None
            if options.cold:
                with tempfile.TemporaryDirectory() as empty:
                    os.environ["NUMBA_CACHE_DIR"] = empty
                    cold = fit(case, options, data, folder, 0).cost.cpu
                    del os.environ["NUMBA_CACHE_DIR"]
            show(case.name, results, cold, case.aim)
            warm = results if case.algorithm == "mst" else warm
        if options.mbi:
            peer = [fit_mbi(installed(options.mbi_folder or folder), options, data, folder, 0)]
            show(f"{MBI}, mst at 1", peer, None, "a peer, one fit")
            if warm:
                ours = statistics.mean(result.cost.cpu for result in warm)
                print(f"mst: {peer[0].cost.cpu / ours:.0f} times as fast as {MBI} in the same run")
    print(PEERS)


if __name__ == "__main__":
    main()
