"""How near `mst` and `independent` come to a table of codes, and what that costs.

    python benchmarks/mst_adult.py CODES.csv.gz DOMAIN.json [--seeds 3] [--epsilon 1] [--delta 1e-9]

CODES has a header and whole numbers; DOMAIN maps each of its columns to how many codes it has. Every row is a privacy
unit of its own. TVD2 and TVD3 are the mean total variation of all pairs and of all triples of columns between the
data and as many synthetic rows; CPU-seconds are those of fitting and sampling.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from pasteur import synth
from pasteur.marginals import Domain, count
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.table import Table


def distance(real: Table, synthetic: Table, domain: Domain, ways: int) -> float:
    """Mean total variation over all cliques of `ways` attributes."""
    rows = len(real.frame())
    cliques = list(combinations(domain.attributes, ways))
    total = 0.0
    for start in range(0, len(cliques), 50):
        some = cliques[start : start + 50]
        tables = [count(_columns(table, domain), domain, some) for table in (real, synthetic)]
        total += sum(float(np.abs(one - other).sum()) / 2 / rows for one, other in zip(*tables, strict=True))
    return total / len(cliques)


def _columns(table: Table, domain: Domain) -> list[dict[str, np.ndarray]]:
    frame = table.frame()
    return [{name: frame[name].to_numpy() for name in domain.attributes}]


def main() -> None:
    """Run both algorithms and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("codes", type=Path)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--algorithms", nargs="+", default=["independent", "mst"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--delta", type=float, default=1e-9)
    options = parser.parse_args()

    domain = Domain.of(json.loads(options.domain.read_text(encoding="utf-8")))
    frame = pd.read_csv(options.codes)
    data = Table.of(frame[list(domain.attributes)].astype(dict.fromkeys(domain.attributes, np.uint32)))
    budget = Budget(epsilon=options.epsilon, delta=options.delta)
    print(f"{len(frame)} rows, {len(domain)} attributes, epsilon {budget.epsilon:g}, delta {budget.delta:g}")
    print(f"{'algorithm':<14}{'accountant':<12}{'CPU-s':>7}{'TVD2':>9}{'sd':>9}{'TVD3':>9}")
    for name in options.algorithms:
        algorithm = synth.find(name)
        settings = algorithm.Settings()
        accountant = algorithm.accountant(budget, settings)
        seconds, pairs, triples = [], [], []
        for seed in range(options.seeds):
            start = time.process_time()
            private = PrivateTable(data, domain, Ledger(budget, accountant), salt="benchmark")
            model = algorithm.fit(private, settings)
            drawn = Table.of(model.sample(len(frame), rng=np.random.default_rng(seed)).arrow())
            seconds.append(time.process_time() - start)
            pairs.append(distance(data, drawn, domain, 2))
            triples.append(distance(data, drawn, domain, 3))
        spread = statistics.stdev(pairs) if len(pairs) > 1 else 0.0
        print(
            f"{name:<14}{accountant:<12}{statistics.mean(seconds):>7.2f}{statistics.mean(pairs):>9.4f}"
            f"{spread:>9.4f}{statistics.mean(triples):>9.4f}"
        )


if __name__ == "__main__":
    main()
