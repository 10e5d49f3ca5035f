"""What the inference of an adaptive run costs: rounds like AIM's on a table of codes, in CPU-seconds a phase.

    python benchmarks/inference.py CODES.csv.gz DOMAIN.json [--rho 0.0117] [--megabytes 1] [--levels] [--rounds 500]

All one-ways are measured, then in each round the pair that the model misses most among those that keep the tree small;
noise is halved when a round teaches nothing, as in McKenna, Mullins, Sheldon, Miklau (2022), but errors are looked up
exactly: nothing that this prints is private. `--levels` adds two levels an attribute, 20 codes and 6, as `weave` has.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pasteur.marginals import Domain, GraphicalModel, Levels, Measurement, Stop, count, tree_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pasteur.marginals import Clique

ALPHA, ROUND = 0.9, 0.1
"""Share of a round's budget for its measurement, and of the first sigma in the one-ways' extra cost."""


class Clock:
    """CPU-seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Add what the block costs to `phase`."""
        start = time.process_time()
        yield
        self.seconds[phase] += time.process_time() - start


def chains(domain: Domain, frame: pd.DataFrame) -> Levels:
    """Give two levels an attribute, of about equally many rows a bin."""
    maps: dict[str, tuple[str, np.ndarray]] = {}
    for name, size in domain.as_dict().items():
        source, codes, counts = name, np.arange(size), np.bincount(frame[name], minlength=size) + 1.0
        for bins in (20, 6):
            if len(counts) > bins:
                places = np.cumsum(counts) - counts / 2
                codes = np.unique((places * bins / counts.sum()).astype(np.intp), return_inverse=True)[1]
                level = f"{name}.{bins}"
                maps[level] = (source, codes)
                source, counts = level, np.bincount(codes, weights=counts)
    return Levels(domain, maps)


def run(levels: Levels, frame: pd.DataFrame, options: argparse.Namespace) -> tuple[Clock, GraphicalModel, int]:
    """Run all rounds; the clock counts inference only."""
    rng, clock, stop = np.random.default_rng(options.seed), Clock(), Stop(iterations=100)
    domain = levels.domain
    codes = {name: levels.codes(name)[frame[levels.origin(name)].to_numpy()] for name in domain.attributes}
    pairs = [
        pair
        for pair in combinations(domain.attributes, 2)
        if levels.origin(pair[0]) != levels.origin(pair[1]) and domain.size(pair) <= 10_000
    ]
    exact: dict[Clique, np.ndarray] = dict(zip(pairs, count([codes], domain, pairs), strict=True))
    ones = [(name,) for name in levels.base.attributes]
    exact |= dict(zip(ones, count([codes], domain, ones), strict=True))
    ties = [tie.clique for tie in levels.ties]
    print(f"{len(frame)} rows, {len(domain)} attributes, {len(pairs)} candidate pairs")

    def measured(clique: Clique, sigma: float) -> Measurement:
        table = exact[clique]
        return Measurement(clique=clique, values=table + rng.normal(0, sigma, table.shape), sigma=sigma)

    rounds = 16 * len(levels.base)
    sigma, spent = math.sqrt(rounds / (2 * ALPHA * options.rho)), 0.0
    measurements = [measured(one, sigma) for one in ones]
    spent += len(ones) / (2 * sigma**2)
    model = GraphicalModel.estimate(domain, measurements, zeros=levels.ties, stop=stop)
    done = 0
    while spent < options.rho and done < options.rounds:
        cost = 1 / (2 * ALPHA * sigma**2)
        if options.rho - spent < 2 * cost:
            sigma, cost = math.sqrt(1 / (2 * ALPHA * (options.rho - spent))), options.rho - spent
        spent, done = spent + cost, done + 1
        with clock("cells of trees"):
            cliques = [*(each.clique for each in measurements), *ties]
            cells = tree_cells(domain, cliques, pairs)
        fitting = np.flatnonzero(cells * 8 <= options.megabytes * 1e6 * spent / options.rho)
        with clock("marginals"):
            answers = model.marginals([pairs[index] for index in fitting])
        bias = math.sqrt(2 / math.pi) * sigma
        scores = [
            np.abs(exact[pairs[index]] - answer).sum() - bias * answer.size
            for index, answer in zip(fitting, answers, strict=True)
        ]
        best = int(np.argmax(scores))
        chosen = pairs[fitting[best]]
        measurements.append(measured(chosen, sigma))
        with clock("fits"):
            model = GraphicalModel.estimate(domain, measurements, start=model, zeros=levels.ties, stop=stop)
        with clock("marginals"):
            moved = np.abs(model.marginal(chosen) - answers[best]).sum()
        if moved <= bias * exact[chosen].size:
            sigma /= 2
    with clock("last fit"):
        model = GraphicalModel.estimate(domain, measurements, start=model, zeros=levels.ties, stop=Stop(iterations=300))
    return clock, model, done


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("codes", type=Path)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--rho", type=float, default=0.0117)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--levels", action="store_true")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    base = Domain.of(json.loads(options.domain.read_text(encoding="utf-8")))
    frame = pd.read_csv(options.codes)
    start = time.process_time()
    levels = Levels(base, {"warm": (base.attributes[0], np.arange(base.sizes[0]))})
    clock, model, done = run(
        levels, frame.head(100), argparse.Namespace(**{**vars(options), "rounds": 2, "megabytes": 100.0})
    )
    print(f"{'compiled code, loaded or made':<32}{time.process_time() - start:8.2f}")

    levels = chains(base, frame) if options.levels else Levels(base, {})
    clock, model, done = run(levels, frame, options)
    for phase, seconds in clock.seconds.items():
        print(f"{phase:<32}{seconds:8.2f}")
    print(f"{f'all of it, {done} rounds':<32}{sum(clock.seconds.values()):8.2f} CPU-seconds")
    pairs = list(combinations(base.attributes, 2))
    exact = count([{name: frame[name].to_numpy() for name in base.attributes}], base, pairs)
    answers = [answer * len(frame) / model.total for answer in model.marginals(pairs)]
    errors = [np.abs(one - other).sum() / 2 / len(frame) for one, other in zip(exact, answers, strict=True)]
    print(f"{'cells of the tree':<32}{model.calibrated.tree.cells:8}")
    print(f"{'mean error of all pairs (TVD2)':<32}{np.mean(errors):8.4f}")


if __name__ == "__main__":
    main()
