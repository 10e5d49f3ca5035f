"""Total variation distance of all 1-way, 2-way and sampled 3-way marginals, and Wasserstein-1 of numbers.

The distance of a marginal is half the L1 distance of the two empirical distributions over the cells of
`metrics.schema`, in [0, 1]; a metric is the mean over its column sets, each of which is kept as a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.metrics.components import joined, part
from pasteur.metrics.distances import scaled_wasserstein
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.histograms import histograms
from pasteur.metrics.score import GROUPS, Raw, standard_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pasteur.metrics.data import Codes, Data

    Clique = tuple[str, ...]
    Coded = tuple[Codes, NDArray[np.uint8] | None]
    Found = dict[str, tuple[dict[str, float], NDArray[np.float64] | None]]
    """Candidate -> (column set -> distance, mean distance with each jackknife group left out)."""

TRIPLES = {"quick": 50, "standard": 200, "full": 1000}
"""3-way marginals by depth."""

MOST_PAIRS = 5000
"""2-way marginals are all measured up to this many (100 columns); above it this many are drawn with the seed."""


@dataclass(frozen=True, kw_only=True)
class Marginals:
    """The family. Names: `marginals/tvd1`, `/tvd2`, `/tvd3`, `/wasserstein`.

    Where there are several components: `marginals/tvd2/<component>` each, and the plain name is their mean.

    Details of every side: `histograms`, component -> attribute -> `shares` of at most 24 cells, and of the target also
    `column`, `labels` and `ordered`. Of base: `errors`, component -> set of columns -> standard error of base - ref.
    """

    name: str = "marginals"
    depths: frozenset[str] = frozenset({"quick", "standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Distances of each candidate's marginals from the target's."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        errors: dict[str, dict[str, float]] = {}
        for component in task.schema.tables:
            distances, errors[component] = tvds(target, candidates, task, component)
            for metric, found in {**distances, **_numbers(target, candidates, task, component)}.items():
                for name, (parts, replicates) in found.items():
                    scores[name].append(_raw(metric, component, parts, replicates))
        details = {name: {"histograms": histograms(target, data, labels=False)} for name, data in candidates.items()}
        details["target"] = {"histograms": histograms(target, target, labels=True)}
        if "base" in details:
            details["base"]["errors"] = errors
        return Outcome(scores=joined(scores, len(task.schema.tables)), details=details)


def cliques(attributes: tuple[str, ...], width: int, most: int | None, rng: np.random.Generator) -> list[Clique]:
    """All sets of `width` attributes, or `most` of them drawn without replacement.

    Drawn by their rank in lexicographic order, so that the millions of triples of a wide table are never listed.
    """
    total = comb(len(attributes), width)
    if most is None or total <= most:
        return list(combinations(attributes, width))
    ranks = np.sort(rng.choice(total, size=most, replace=False)).tolist()
    return [tuple(attributes[i] for i in _unrank(rank, len(attributes), width)) for rank in ranks]


def _unrank(rank: int, n: int, width: int) -> Iterator[int]:
    """The rank-th combination of `width` out of n, in lexicographic order."""
    start = 0
    for left in range(width, 0, -1):
        while (block := comb(n - start - 1, left - 1)) <= rank:
            rank -= block
            start += 1
        yield start
        start += 1


def tvds(
    target: Data, candidates: Mapping[str, Data], task: Task, component: str
) -> tuple[dict[str, Found], dict[str, float]]:
    """Metric -> what was found; and the standard error of base - ref of each set of columns."""
    encoder = target.encoders[component]
    sizes = encoder.sizes
    triples = TRIPLES[task.settings.depth] if task.settings.triples is None else task.settings.triples
    own, sides = _coded(target, component), {name: _coded(data, component) for name, data in candidates.items()}
    found: dict[str, Found] = {}
    errors: dict[str, float] = {}
    for metric, width, most in (("tvd1", 1, None), ("tvd2", 2, MOST_PAIRS), ("tvd3", 3, triples)):
        chosen = cliques(tuple(sizes), width, most, task.rng(f"{metric}/{component}"))
        if chosen:
            found[metric] = over_cliques(own, sides, chosen, sizes, errors)
    return found, errors


def over_cliques(
    target: Coded,
    candidates: Mapping[str, Coded],
    chosen: list[Clique],
    sizes: Mapping[str, int],
    errors: dict[str, float],
) -> Found:
    """The total variation distance of each set of columns, and the jackknife's replicates of their mean.

    Args:
        target: codes and jackknife groups of T.
        candidates: the same of each candidate.
        chosen: sets of attributes.
        sizes: codes of each attribute.
        errors: is given the standard error of base - ref of each set.
    """
    parts: dict[str, dict[str, float]] = {name: {} for name in candidates}
    replicates = {name: np.zeros(GROUPS) for name, (_, groups) in candidates.items() if groups is not None}
    for clique in chosen:
        cells = prod(sizes[attribute] for attribute in clique)
        of_target = _cells(target[0], clique, sizes)
        own: dict[str, NDArray[np.float64]] = {}
        dealt: dict[int, NDArray[np.float64]] = {}  # T's counts are the same for each candidate, unless compacted
        for name, (codes, groups) in candidates.items():
            left, right, used = _compact(of_target, _cells(codes, clique, sizes), cells)
            parts[name][part(clique)] = tvd(left, right, used)
            if groups is not None and target[1] is not None:
                shares = dealt.get(used) if left is of_target else None
                shares = _left_out(left, target[1], used) if shares is None else shares
                if left is of_target:
                    dealt[used] = shares
                own[name] = 0.5 * np.abs(shares - _left_out(right, groups, used)).sum(axis=1)
                replicates[name] += own[name] / len(chosen)
        if {"ref", "base"} <= own.keys():
            errors[part(clique)] = round(standard_error(own["base"] - own["ref"]), 6)
    return {name: (parts[name], replicates.get(name)) for name in candidates}


def _coded(data: Data, component: str) -> Coded:
    return data.codes[component], None if data.groups is None else data.groups[component]


def _cells(codes: Codes, clique: Clique, sizes: Mapping[str, int]) -> NDArray[np.int64]:
    """Each row's cell number in the marginal over `clique`."""
    cell = codes[clique[0]]
    for attribute in clique[1:]:
        cell = cell * sizes[attribute] + codes[attribute]
    return cell


def _compact(
    a: NDArray[np.int64], b: NDArray[np.int64], cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The same cells under numbers below the rows' count, where the marginal has many more cells than rows."""
    if cells <= 2 * (a.size + b.size) + 1024:
        return a, b, cells
    used, numbers = np.unique(np.concatenate([a, b]), return_inverse=True)
    return numbers[: a.size], numbers[a.size :], used.size


def tvd(a: NDArray[np.int64], b: NDArray[np.int64], cells: int) -> float:
    """Total variation distance of two samples of cell numbers below `cells`. One empty sample: 1; two: 0."""
    if not a.size or not b.size:
        return float(a.size != b.size)
    p = np.bincount(a, minlength=cells) / a.size
    q = np.bincount(b, minlength=cells) / b.size
    return float(0.5 * np.abs(p - q).sum())


def _left_out(cells: NDArray[np.int64], groups: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    """(GROUPS, size) shares of the cells, each with one group left out."""
    counts = np.bincount(groups * np.int64(size) + cells, minlength=GROUPS * size).reshape(GROUPS, size)
    left = counts.sum(axis=0) - counts
    return np.asarray(left / np.maximum(left.sum(axis=1, keepdims=True), 1))


def _numbers(target: Data, candidates: Mapping[str, Data], task: Task, component: str) -> dict[str, Found]:
    """Wasserstein-1 over p99 - p1 of each column of numbers, nulls left out (their share is in tvd1)."""
    columns = [c.name for c in task.schema.tables[component].columns if c.sdtype == "numerical"]
    if not columns:
        return {}
    found: Found = {}
    for name, data in candidates.items():
        pairs = {c: (floats(target.tables[component][c]), floats(data.tables[component][c])) for c in columns}
        parts = {c: scaled_wasserstein(*pair) for c, pair in pairs.items()}
        replicates = None
        if data.groups is not None and target.groups is not None:
            a, b = target.groups[component], data.groups[component]
            left_out = [[scaled_wasserstein(x[a != g], y[b != g]) for x, y in pairs.values()] for g in range(GROUPS)]
            replicates = np.asarray(left_out).mean(axis=1)
        found[name] = (parts, replicates)
    return {"wasserstein": found}


def floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of numbers as doubles, nulls as NaN."""
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy())


def _raw(metric: str, component: str, parts: dict[str, float], replicates: NDArray[np.float64] | None) -> Raw:
    return Raw(
        metric=f"marginals/{metric}/{component}",
        value=float(np.mean(list(parts.values()))),
        better="lower",
        dependence=metric in ("tvd2", "tvd3"),
        parts=parts,
        replicates=() if replicates is None else tuple(replicates.tolist()),
    )


FAMILY: Metric = Marginals()
