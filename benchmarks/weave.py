"""How near `weave` comes to a table of codes, and what that costs: each fit in a fresh process, imports included.

    python benchmarks/weave.py [--data CODES.csv.gz DOMAIN.json] [--epsilons 0.1 1 10] [--presets fast best]
        [--seeds 5] [--set passes=5 ...]

CODES (a csv file with a header, or npz with an array a column) holds whole numbers; DOMAIN is the mapping column to
size, or {"sizes": that mapping, "ordered": [columns whose codes have a natural order]}. Every row is a privacy unit of
its own, the number of rows is private, delta is 1e-9. TVD2 and TVD3 are the mean total variation of all pairs and of
all triples of columns (of 1,000 of them at most) between the data and as many synthetic rows. CPU-seconds and the peak
of memory are those of the whole process that reads, fits and samples, on one core; `fit`, `draw` are its parts.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

ORDERED = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
"""Columns of the coded Adult that are numbers: its domain file does not say."""

MOST = 1000
"""Cliques that a mean is taken over at most; which ones is drawn once."""


def read(codes: Path, described: Path):  # noqa: ANN201
    """Columns by name, and the domain."""
    import numpy as np

    from pasteur.marginals import Domain

    text = json.loads(described.read_text(encoding="utf-8"))
    sizes = text.get("sizes", text)
    ordered = text["ordered"] if "sizes" in text else [name for name in ORDERED if name in sizes]
    if codes.suffix == ".npz":
        with np.load(codes) as file:
            columns = {name: file[name] for name in sizes}
    else:
        import pyarrow.csv

        table = pyarrow.csv.read_csv(codes)
        columns = {name: table.column(name).to_numpy() for name in sizes}
    kinds = {name: np.min_scalar_type(size - 1) for name, size in sizes.items()}
    return {name: columns[name].astype(kinds[name]) for name in sizes}, Domain.of(sizes, ordinal=ordered)


def once(options: argparse.Namespace) -> None:
    """Fit and sample in this process; write the rows and the costs to `options.once`."""
    import numpy as np
    import pyarrow as pa

    from pasteur.privacy import Budget, Ledger, PrivateTable
    from pasteur.synth import weave
    from pasteur.table import Table

    columns, domain = read(*options.data)
    given = dict(text.split("=", 1) for text in options.set)
    settings = weave.Settings(preset=options.presets[0], **{name: json.loads(value) for name, value in given.items()})
    budget = Budget(epsilon=options.epsilons[0])
    start = time.process_time()
    private = PrivateTable(
        Table.of(pa.table(columns)), domain, Ledger(budget, weave.accountant(budget, settings)), salt="benchmark"
    )
    model = weave.fit(private, settings)
    fitted = time.process_time()
    drawn = model.sample(len(next(iter(columns.values()))), rng=np.random.default_rng(options.seeds)).arrow()
    done = time.process_time()
    # Not ru_maxrss: that begins with what the parent had.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    costs = {"cpu": done, "fit": fitted - start, "draw": done - fitted, "peak": peak}
    rows = {name: drawn.column(name).to_numpy() for name in domain.attributes}
    options.once.write_bytes(pickle.dumps((costs, rows, len(model.measurements))))


def distance(real, synthetic, domain, ways: int) -> float:  # noqa: ANN001
    """Mean total variation over cliques of `ways` attributes."""
    import numpy as np

    from pasteur.marginals import count

    cliques = list(combinations(domain.attributes, ways))
    if len(cliques) > MOST:
        cliques = [cliques[index] for index in np.random.default_rng(0).choice(len(cliques), MOST, replace=False)]
    rows, total = len(next(iter(real.values()))), 0.0
    for start in range(0, len(cliques), 25):
        some = cliques[start : start + 25]
        tables = [count([columns], domain, some) for columns in (real, synthetic)]
        total += sum(float(np.abs(one - other).sum()) / 2 / rows for one, other in zip(*tables, strict=True))
    return total / len(cliques)


def main() -> None:
    """Run every epsilon, preset and seed, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs=2, type=Path, required=True, metavar=("CODES", "DOMAIN"))
    parser.add_argument("--epsilons", nargs="+", type=float, default=[0.1, 1.0, 10.0])
    parser.add_argument("--presets", nargs="+", default=["fast", "best"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=JSON")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        once(options)
        return
    real, domain = read(*options.data)
    print(f"{len(next(iter(real.values())))} rows, {len(domain)} attributes {' '.join(options.set)}")
    print(f"{'preset':<8}{'epsilon':>8}{'CPU-s':>8}{'fit':>7}{'draw':>7}{'peak MB':>9}{'TVD2':>9}{'sd':>9}{'TVD3':>9}")
    for preset in options.presets:
        for epsilon in options.epsilons:
            report(options, preset, epsilon, real, domain)


def report(options: argparse.Namespace, preset: str, epsilon: float, real, domain) -> None:  # noqa: ANN001
    """Print the line of one preset and epsilon."""
    import numpy as np

    costs, scores = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows"
        for seed in range(options.seeds):
            command = [sys.executable, __file__, "--data", *options.data, "--epsilons", epsilon, "--presets", preset]
            command += ["--seeds", seed, "--once", out, "--set", *options.set]
            one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            subprocess.run([str(word) for word in command], check=True, env=one_core)  # noqa: S603
            cost, rows, _ = pickle.loads(out.read_bytes())  # noqa: S301
            costs.append(cost)
            scores.append([distance(real, rows, domain, ways) for ways in (2, 3)])
    mean = {name: statistics.mean(cost[name] for cost in costs) for name in costs[0]}
    pairs, triples = np.mean(scores, axis=0)
    spread = float(np.std([score[0] for score in scores], ddof=1)) if len(scores) > 1 else 0.0
    print(
        f"{preset:<8}{epsilon:>8g}{mean['cpu']:>8.1f}{mean['fit']:>7.1f}{mean['draw']:>7.1f}{mean['peak']:>9.0f}"
        f"{pairs:>9.4f}{spread:>9.4f}{triples:>9.4f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
