"""Sequences: how long they are, how they move, and what ties them to their parents.

Each name is an error against T, lower is better: total variation of `lengths`, of `steps` (from row to row in
the order column) and of `transitions` (the code of a row and of the next, per attribute); Wasserstein-1 over
p99 - p1 of `deltas` (of a channel's values from row to row) and of `aggregates` (each parent's mean, sd, least and
greatest value); the absolute difference of `missing` rates, of lag-1 autocorrelations (`lag1` over all rows,
`lag1-within` about each parent's own mean), of rank correlations across channels (`cross`) and of those of parents'
columns with their children's means (`parent`; with categories the correlation ratio). A channel is a column of numbers.

Where no column orders the rows, what looks from row to row is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.metrics.association import ranks, ratio
from pasteur.metrics.candidates import links
from pasteur.metrics.components import joined, part
from pasteur.metrics.distances import scaled_wasserstein
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.marginals import tvd
from pasteur.metrics.score import GROUPS, Raw
from pasteur.metrics.sequences import LONGEST, Sequences, arrange, order_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data

    Parts = dict[str, float]
    Errors = dict[str, Parts]
    """Metric -> part -> error."""

DEPENDENCE = frozenset({"deltas", "transitions", "lag1", "lag1-within", "cross", "aggregates", "parent"})
"""Metrics that independent columns get wrong."""

FEW = 256
"""Distinct steps that are compared value by value."""


@dataclass(frozen=True, kw_only=True)
class Sequential:
    """The family. Names: `sequential/<metric>`, with `/<component>` where several are sequences.

    Details of every side: component -> `group` (the key), `order` (a column or null), `lengths` (`labels`, `shares`),
    `channels` (column -> `missing`, `lag1`, `lag1-within`) and `cross` (`columns`, `matrix`).
    """

    name: str = "sequential"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Compare each candidate's sequences with the target's."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in ("target", *candidates)}
        found = [(c, links(task.schema, c)[0]) for c in task.schema.tables if links(task.schema, c)]
        for component, link in found:
            order = order_column(target, task.schema, link)
            own = arrange(target, task.schema, link, order)
            about = {"group": link.child_key, "order": order}
            details["target"][component] = about | _shown(own)
            for name, data in candidates.items():
                theirs = arrange(data, task.schema, link, order)
                upper = (_parents(target, link.parent_table), _parents(data, link.parent_table))
                details[name][component] = about | _shown(theirs)
                scores[name] += _raws(component, own, theirs, upper)
        return Outcome(scores=joined(scores, len(found)), details=details if found else {})


@dataclass(frozen=True, kw_only=True)
class Parents:
    """Parents' numbers, NaN for missing, and codes of their categories: (parents,) each."""

    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, NDArray[np.int64]]

    def take(self, kept: NDArray[np.bool_]) -> Parents:
        """Some of them."""
        return Parents(
            numbers={name: values[kept] for name, values in self.numbers.items()},
            categories={name: values[kept] for name, values in self.categories.items()},
        )


def _parents(data: Data, component: str) -> Parents:
    numbers: dict[str, NDArray[np.float64]] = {}
    categories: dict[str, NDArray[np.int64]] = {}
    for embedding in data.encoders[component].embeddings.values():
        for piece in embedding.parts:
            codes = data.codes[component][piece.name]
            if piece.ordered:
                missing = (codes == piece.size - 1) & bool(getattr(embedding, "null", False))
                numbers[piece.name] = np.where(missing, np.nan, codes)
            else:
                categories[piece.name] = codes
    return Parents(numbers=numbers, categories=categories)


def _raws(component: str, own: Sequences, theirs: Sequences, upper: tuple[Parents, Parents]) -> list[Raw]:
    whole = compare(own, theirs, upper)
    left_out: list[Errors] = []
    if own.groups is not None and theirs.groups is not None:
        for group in range(GROUPS):
            sides = (own.without(group), theirs.without(group))
            kept = (upper[0].take(own.groups != group), upper[1].take(theirs.groups != group))
            left_out.append(compare(*sides, kept))
    return [
        Raw(
            metric=f"sequential/{metric}/{component}",
            value=_mean(parts),
            better="lower",
            dependence=metric in DEPENDENCE,
            parts=parts,
            replicates=tuple(_mean(errors.get(metric, {})) for errors in left_out),
        )
        for metric, parts in whole.items()
    ]


def _mean(parts: Parts) -> float:
    return float(np.mean(list(parts.values()))) if parts else 0.0


def compare(own: Sequences, theirs: Sequences, parents: tuple[Parents, Parents]) -> Errors:
    """Every error of `theirs` against `own`; a metric that `own` says nothing of is left out."""
    found: Errors = {"lengths": {"": tvd(own.counts, theirs.counts, LONGEST + 1)}}
    sides = (own, theirs)
    if own.order is not None:
        found |= _from_row_to_row(own, theirs)
    found["missing"] = {
        name: abs(_missing(values) - _missing(theirs.channels[name])) for name, values in own.channels.items()
    }
    found["cross"] = _differences(*(_cross(side) for side in sides))
    found["aggregates"] = {
        f"{name} {kind}": scaled_wasserstein(values, _aggregates(theirs, name)[kind])
        for name in own.channels
        for kind, values in _aggregates(own, name).items()
        if not np.isnan(values).all()
    }
    found["parent"] = _differences(*(_ties(side, upper) for side, upper in zip(sides, parents, strict=True)))
    return {metric: parts for metric, parts in found.items() if parts}


def _from_row_to_row(own: Sequences, theirs: Sequences) -> Errors:
    steps = [side.order[side.next + 1] - side.order[side.next] for side in (own, theirs) if side.order is not None]
    found: Errors = {"deltas": {}, "transitions": {}}
    if not own.next.size:
        return {}
    found["steps"] = {"": _steps(steps[0], steps[1])}
    for name in own.channels:
        a, b = (side.channels[name][side.next + 1] - side.channels[name][side.next] for side in (own, theirs))
        if not np.isnan(a).all():
            found["deltas"][name] = scaled_wasserstein(a, b)
    for name in own.codes:
        found["transitions"][name] = _transitions(own, theirs, name)
    for metric, within in (("lag1", False), ("lag1-within", True)):
        found[metric] = _differences(
            *({c: _lag(side, c, within=within) for c in side.channels} for side in (own, theirs))
        )
    return found


def _steps(own: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Total variation where steps take few values (almost all are 1, say), else Wasserstein-1 over p99 - p1."""
    own, theirs = own[~np.isnan(own)], theirs[~np.isnan(theirs)]
    used, numbers = np.unique(np.concatenate([own, theirs]), return_inverse=True)
    if used.size <= FEW:
        return tvd(numbers[: own.size], numbers[own.size :], used.size)
    return scaled_wasserstein(own, theirs)


def _transitions(own: Sequences, theirs: Sequences, name: str) -> float:
    size = int(max((side.codes[name].max() for side in (own, theirs) if side.codes[name].size), default=0)) + 1
    cells = [side.codes[name][side.next] * size + side.codes[name][side.next + 1] for side in (own, theirs)]
    used, numbers = np.unique(np.concatenate(cells), return_inverse=True)
    return tvd(numbers[: cells[0].size], numbers[cells[0].size :], used.size)


def _missing(values: NDArray[np.float64]) -> float:
    return float(np.isnan(values).mean()) if values.size else 0.0


def _differences(own: Mapping[str, float], theirs: Mapping[str, float]) -> Parts:
    """Absolute differences where T's is defined; what only a candidate lacks counts as no correlation there."""
    return {
        name: abs(value - float(np.nan_to_num(theirs.get(name, np.nan))))
        for name, value in own.items()
        if not np.isnan(value)
    }


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's correlation over the rows where both are known; NaN under three rows or for equal values."""
    known = ~(np.isnan(a) | np.isnan(b))
    if known.sum() < 3:
        return float("nan")
    a, b = a[known] - a[known].mean(), b[known] - b[known].mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(a @ b / norm, -1, 1)) if norm > 1e-12 else float("nan")


def _lag(side: Sequences, name: str, *, within: bool) -> float:
    values = side.channels[name]
    if within:
        values = values - side.means(values)[side.parent]
    return correlation(values[side.next], values[side.next + 1])


def _ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of what is known, NaN elsewhere."""
    known = ~np.isnan(values)
    found = np.full(values.shape, np.nan)
    found[known] = ranks(values[known])
    return found


def _cross(side: Sequences) -> dict[str, float]:
    ranked = {name: _ranked(values) for name, values in side.channels.items()}
    return {part((a, b)): correlation(ranked[a], ranked[b]) for a, b in combinations(ranked, 2)}


def _aggregates(side: Sequences, name: str) -> dict[str, NDArray[np.float64]]:
    """(parents,) each: of a parent's known values; NaN where there is none."""
    values = side.channels[name]
    known = ~np.isnan(values)
    mean = side.means(values)
    spread = np.sqrt(np.maximum(side.means((values - mean[side.parent]) ** 2), 0))
    least, greatest = np.full(side.parents, np.inf), np.full(side.parents, -np.inf)
    np.minimum.at(least, side.parent[known], values[known])
    np.maximum.at(greatest, side.parent[known], values[known])
    nothing = np.isnan(mean)
    least[nothing] = greatest[nothing] = np.nan
    return {"mean": mean, "sd": spread, "least": least, "greatest": greatest}


def _ties(side: Sequences, parents: Parents) -> dict[str, float]:
    """Association of each column of the parents with each channel's mean over their children."""
    found = {}
    for channel, values in side.channels.items():
        means = side.means(values)
        ranked = _ranked(means)
        for name, numbers in parents.numbers.items():
            found[part((name, channel))] = correlation(_ranked(numbers), ranked)
        for name, levels in parents.categories.items():
            found[part((name, channel))] = float(ratio(levels, means, np.zeros(levels.size, dtype=np.int64), 1)[0])
    return found


def _shown(side: Sequences) -> dict[str, Any]:
    """What a report shows of one side."""
    shares = np.bincount(side.counts, minlength=1) / max(side.parents, 1)
    labels = [str(n) for n in range(len(shares))]
    if len(shares) > LONGEST:
        labels[-1] += " or more"
    cross = _cross(side)
    names = list(side.channels)
    matrix = [
        [1.0 if a == b else _json(cross.get(part((a, b)), cross.get(part((b, a))))) for b in names] for a in names
    ]
    channels = {
        name: {
            "missing": _json(_missing(values)),
            "lag1": _json(_lag(side, name, within=False)) if side.order is not None else None,
            "lag1-within": _json(_lag(side, name, within=True)) if side.order is not None else None,
        }
        for name, values in side.channels.items()
    }
    return {
        "lengths": {"labels": labels, "shares": shares.round(6).tolist()},
        "channels": channels,
        "cross": {"columns": names, "matrix": matrix},
    }


def _json(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 4)


FAMILY: Metric = Sequential()
