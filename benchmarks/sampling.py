"""How fast rows are drawn from a model of coded Adult, and how near they come to it.

    python benchmarks/sampling.py CODES.csv.gz DOMAIN.json [--rows 10000000]

The model is a tree of the pairs that depend most, of the exact counts: no privacy, only a model of the usual size. TVD
is the mean total variation between the rows and the model over the pairs measured and over those that were not; rows
drawn one by one have about `chance`, whatever the sampler. Peak memory is the process's. Refinement is timed on as many
rows as CODES has, against all real pairs.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from pasteur.marginals import Domain, GraphicalModel, Measurement, count
from pasteur.marginals.refinement import refine

Codes = dict[str, np.ndarray]
Tables = dict[tuple[str, str], np.ndarray]


def dependence(table: np.ndarray) -> float:
    """Mutual information, less what chance alone would show."""
    share = table / table.sum()
    apart = share.sum(1, keepdims=True) * share.sum(0, keepdims=True)
    there = share > 0
    bias = (table.shape[0] - 1) * (table.shape[1] - 1) / 2 / table.sum()
    return float((share[there] * np.log(share[there] / apart[there])).sum() - bias)


def tree(tables: Tables) -> list[tuple[str, str]]:
    """The maximum spanning tree of the pairs (Chow and Liu 1968)."""
    of = {name: {name} for pair in tables for name in pair}
    edges = []
    for one, other in sorted(tables, key=lambda pair: -dependence(tables[pair])):
        if of[one] is not of[other]:
            edges.append((one, other))
            both = of[one] | of[other]
            of |= dict.fromkeys(both, both)
    return edges


def variation(rows: Tables, targets: Tables, pairs: list[tuple[str, str]]) -> float:
    """Mean total variation over `pairs`."""
    return float(np.mean([np.abs(rows[p] / rows[p].sum() - targets[p] / targets[p].sum()).sum() / 2 for p in pairs]))


def counted(codes: Codes, domain: Domain) -> Tables:
    """All pairs of the rows."""
    pairs = list(combinations(domain.attributes, 2))
    return dict(zip(pairs, count([codes], domain, pairs), strict=True))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("codes", type=Path)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    domain = Domain.of(json.loads(options.domain.read_text(encoding="utf-8")))
    frame = pd.read_csv(options.codes)
    real = counted({name: frame[name].to_numpy().astype(np.uint8) for name in domain.attributes}, domain)
    edges = tree(real)
    ones = [
        Measurement(clique=(name,), values=np.bincount(frame[name], minlength=domain.size((name,))), sigma=1.0)
        for name in domain.attributes
    ]
    pairs = [Measurement(clique=pair, values=real[pair], sigma=1.0) for pair in edges]
    model = GraphicalModel.estimate(domain, ones + pairs, total=float(len(frame)))
    fitted = {pair: model.marginal(pair) for pair in real}

    for _ in model.sample(1000, rng=np.random.default_rng(0)):
        pass  # compiled, or read from the cache
    print(f"{'rows':>12}{'CPU-s':>8}{'wall-s':>8}{'peak MB':>9}{'measured':>10}{'not':>9}{'chance':>9}")
    for rows in (len(frame), options.rows):
        cpu, wall = time.process_time(), time.perf_counter()
        found = [
            {name: column.astype(np.uint8) for name, column in chunk.items()}
            for chunk in model.sample(rows, rng=np.random.default_rng(0))
        ]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        drawn = {name: np.concatenate([chunk[name] for chunk in found]) for name in domain.attributes}
        tables = counted(drawn, domain)
        others = [pair for pair in real if pair not in edges]
        chance = np.mean([np.sqrt(t / t.sum() / (2 * np.pi * rows)).sum() for t in (fitted[p] for p in others)])
        print(
            f"{rows:>12,}{cpu:>8.2f}{wall:>8.2f}{peak:>9.0f}{variation(tables, fitted, edges):>10.5f}"
            f"{variation(tables, fitted, others):>9.5f}{chance:>9.5f}"
        )
        if rows == len(frame):
            start = drawn
    print(f"\n{'passes':>12}{'CPU-s':>8}{'to real':>10}{'to model':>10}   rows fitted to all pairs of one or the other")
    refine({name: column[:100] for name, column in start.items()}, real, passes=1, rng=np.random.default_rng(0))
    for passes in (0, 1, 2, 5, 8, 20):
        cpu = time.process_time()
        to_real = refine(start, real, passes=passes, rng=np.random.default_rng(0))
        cpu = time.process_time() - cpu
        to_model = refine(start, fitted, passes=passes, rng=np.random.default_rng(0))
        print(
            f"{passes:>12}{cpu:>8.2f}{variation(counted(to_real, domain), real, list(real)):>10.5f}"
            f"{variation(counted(to_model, domain), fitted, list(real)):>10.5f}"
        )


if __name__ == "__main__":
    main()
