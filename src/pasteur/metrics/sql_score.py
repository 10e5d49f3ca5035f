"""How two results of one query are compared. Scores lie in [0, 1], 1 is best, and both sides play the same part.

A result is columns of Python values. Counts are divided by each side's rows before anything else, so that a sample and
a whole table can be compared. A number that is NULL or NaN is "nothing": nothing equals nothing and differs from all
else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.errors import SqlError, near_miss
from pasteur.metrics.distances import scaled_wasserstein
from pasteur.metrics.sql_numbers import number, refuse_others

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.metrics.sql_parse import Query

BOUNDS = {"count": 0.001, "ratio": 0.05}
"""Sanity bounds b: differences are seen against at least this much."""

MEAN_BOUND = 0.1
"""The bound of a mean, in standard deviations of its column."""

Key = tuple[Any, ...]
Cells = dict[str, float]
Parts = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison: a query's result and how many rows it was computed from."""

    result: Mapping[str, Sequence[Any] | NDArray[np.float64]]
    """Column -> values, all of one length."""
    rows: int
    """Rows that counts are divided by."""

    @property
    def height(self) -> int:
        """Rows of the result."""
        return len(next(iter(self.result.values()), ()))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A score and what it is made of. `vacuous`: both sides are empty, so the score of 1 says nothing."""

    score: float
    parts: Parts
    vacuous: bool = False


def compare(query: Query, target: Side, candidate: Side, *, deviations: Mapping[str, float]) -> Comparison:
    """Compare a candidate's result with the target's.

    Args:
        query: says how.
        target: the result on T.
        candidate: the result on the candidate.
        deviations: value column -> standard deviation in T of the column that it is a mean of.

    Raises:
        SqlError: a result lacks a column, has several rows for one key, or is not of the query's kind.
    """
    for side in (target, candidate):
        _check(query, side)
        refuse_others(query, side)
    if not target.height or not candidate.height:
        both = target.height == candidate.height
        return Comparison(score=float(both), parts={}, vacuous=both)
    bounds = {v.column: MEAN_BOUND * deviations.get(v.column, 0.0) or 1e-12 for v in query.values if v.type == "mean"}
    bounds |= {v.column: BOUNDS[v.type] for v in query.values if v.type in BOUNDS}
    if query.kind == "share":
        return _share(query, target, candidate)
    if query.kind == "dist":
        return _dist(query, target, candidate)
    if query.kind == "topk":
        return _topk(query, target, candidate, bounds)
    return _groups(query, target, candidate, bounds)


def cell_error(r: float, s: float, bound: float) -> float:
    """min(1, |r - s| / max(|r|, |s|, bound)): 0 for equal values, at most 1. NaN stands for nothing."""
    if math.isnan(r) or math.isnan(s):
        return float(math.isnan(r) != math.isnan(s))
    if r == s:
        return 0.0
    if math.isinf(r) or math.isinf(s):
        return 1.0
    # Halved: the difference of two doubles of opposite signs may overflow.
    return min(1.0, abs(r / 2 - s / 2) / max(abs(r) / 2, abs(s) / 2, bound / 2))


def _check(query: Query, side: Side) -> None:
    wanted = [*query.keys, *(v.column for v in query.values), *([query.support] if query.support else [])]
    for column in wanted:
        if column not in side.result:
            raise SqlError(f"{query.where}: its result must have a column '{column}'{near_miss(column, side.result)}")
    if query.kind == "scalar" and side.height > 1:
        raise SqlError(f"{query.where}: a query of kind scalar must have one row, not {side.height}")


def keys_of(query: Query, side: Side) -> list[Key]:
    """The key of each row. Nulls are a level of their own, NaN another, whole numbers the same in every type."""
    keys = [tuple(map(_level, row)) for row in zip(*(side.result[c] for c in query.keys), strict=True)]
    if not query.keys:
        return [()] * side.height
    names, seen = ", ".join(query.keys), set[Key]()
    for row, key in enumerate(keys, start=1):
        try:
            repeated = key in seen
        except TypeError as error:
            raise SqlError(f"{query.where}: keys ({names}) must be plain values, not lists") from error
        if repeated:
            raise SqlError(f"{query.where}: keys ({names}) must be unique in the result: row {row} repeats one")
        seen.add(key)
    return keys


def _level(value: Any) -> Any:
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float | Decimal) and value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ("nan",)
    return value


def _cells(query: Query, side: Side) -> dict[Key, Cells]:
    """Key -> value column -> number, counts divided by the side's rows."""
    columns = {v.column: _scaled(side, v.column, count=v.type == "count") for v in query.values}
    return {key: {c: columns[c][i] for c in columns} for i, key in enumerate(keys_of(query, side))}


def _scaled(side: Side, column: str, *, count: bool) -> list[float]:
    values = [number(value) for value in side.result[column]]
    return [value / max(side.rows, 1) for value in values] if count else values


def _support(query: Query, side: Side) -> dict[Key, float]:
    """Key -> rows behind the group, as a share of the side's rows."""
    if query.support is None:
        return dict.fromkeys(keys_of(query, side), 1.0)
    shares = _scaled(side, query.support, count=True)
    known = [share if math.isfinite(share) and share > 0 else 0.0 for share in shares]
    return dict(zip(keys_of(query, side), known, strict=True))


def _groups(query: Query, target: Side, candidate: Side, bounds: Mapping[str, float]) -> Comparison:
    """1 - the mean error of all cells, weighted by the square root of the group's mean support."""
    r, s = _cells(query, target), _cells(query, candidate)
    n, m = _support(query, target), _support(query, candidate)
    least = query.min_support / max(target.rows, 1) if query.support else 0.0
    union = [key for key in dict.fromkeys([*r, *s]) if max(n.get(key, 0.0), m.get(key, 0.0)) >= least]
    if not union:
        return Comparison(score=1.0, parts={}, vacuous=True)
    support = {key: math.sqrt(n.get(key, 0.0) / 2 + m.get(key, 0.0) / 2) for key in union}
    if not any(support.values()):
        support = dict.fromkeys(union, 1.0)
    total = weights = 0.0
    errors = {v.column: [0.0, 0.0] for v in query.values}
    for key, weight in support.items():
        for column, sums in errors.items():
            both = key in r and key in s
            error = cell_error(r[key][column], s[key][column], bounds[column]) if both else 1.0
            sums[0] += weight * error
            sums[1] += weight
            total += weight * error
            weights += weight
    parts = {f"value {column}": 1 - e / w if w else 1.0 for column, (e, w) in errors.items()}
    return Comparison(score=min(max(1 - total / weights, 0.0), 1.0), parts=parts | _presence(union, r, s))


def _presence(union: Sequence[Key], r: Mapping[Key, Cells], s: Mapping[Key, Cells]) -> Parts:
    """F1 of the groups found, and which share of all groups is missing in the candidate or extra."""
    both = sum(key in r and key in s for key in union)
    missing, extra = sum(key not in s for key in union), sum(key not in r for key in union)
    return {
        "group_f1": 2 * both / (2 * both + missing + extra),
        "missing": missing / len(union),
        "extra": extra / len(union),
    }


def _share(query: Query, target: Side, candidate: Side) -> Comparison:
    """1 - total variation of the groups' shares of the total. The volume, total over rows, is a part of its own."""
    column = query.values[0].column
    r, s = (dict(zip(keys_of(query, side), _amounts(query, side), strict=True)) for side in (target, candidate))
    p, q = _shares(r), _shares(s)
    union = list(dict.fromkeys([*r, *s]))
    if not any(p.values()) or not any(q.values()):
        both = any(p.values()) == any(q.values())
        return Comparison(score=float(both), parts={}, vacuous=both)
    distance = 0.5 * math.fsum(abs(p.get(key, 0.0) - q.get(key, 0.0)) for key in union)
    totals = [sum(amounts.values()) / max(side.rows, 1) for amounts, side in ((r, target), (s, candidate))]
    volume = 1 - cell_error(totals[0], totals[1], BOUNDS["count"])
    cells = [{key: {column: value} for key, value in side.items() if value > 0} for side in (r, s)]
    present = [key for key in union if key in cells[0] or key in cells[1]]
    parts = {"volume": volume} | _presence(present, cells[0], cells[1])
    return Comparison(score=min(max(1 - distance, 0.0), 1.0), parts=parts)


def _amounts(query: Query, side: Side) -> list[float]:
    column = query.values[0].column
    amounts = [0.0 if math.isnan(value) else value for value in map(number, side.result[column])]
    if any(amount < 0 for amount in amounts):
        raise SqlError(f"{query.where}: '{column}' must be 0 or more in every group, to have a share of the total")
    return amounts


def _shares(amounts: Mapping[Key, float]) -> dict[Key, float]:
    """Each group's share. An infinite amount outweighs every finite one."""
    largest = max(amounts.values(), default=0.0)
    if largest == 0:
        return dict.fromkeys(amounts, 0.0)
    if math.isinf(largest):
        scaled = {key: float(math.isinf(value)) for key, value in amounts.items()}
    else:
        # Divided by the largest first: the sum of doubles may overflow.
        scaled = {key: value / largest for key, value in amounts.items()}
    total = math.fsum(scaled.values())
    return {key: value / total for key, value in scaled.items()}


def _dist(query: Query, target: Side, candidate: Side) -> Comparison:
    """1 - min(1, W1 / (p99 - p1)) of the values that are there; the share of nothing on each side is a part."""
    column = query.values[0].column
    sides = [_measurements(side.result[column]) for side in (target, candidate)]
    nothing = [float(np.isnan(values).mean()) for values in sides]
    parts = {"nulls_difference": abs(nothing[0] - nothing[1])}
    if nothing == [1.0, 1.0]:
        return Comparison(score=1.0, parts=parts, vacuous=True)
    return Comparison(score=1 - scaled_wasserstein(sides[0], sides[1]), parts=parts)


def _measurements(values: Sequence[Any] | NDArray[np.float64]) -> NDArray[np.float64]:
    return values if isinstance(values, np.ndarray) else np.array([number(value) for value in values], dtype=float)


def _topk(query: Query, target: Side, candidate: Side, bounds: Mapping[str, float]) -> Comparison:
    """0.4 overlap + 0.3 (1 + tau) / 2 + 0.3 value score of the k first groups; a group absent in one has rank k + 1."""
    r, s = _cells(query, target), _cells(query, candidate)
    a, b = _first(query, r), _first(query, s)
    union = list(dict.fromkeys([*a, *b]))
    overlap = len(set(a) & set(b)) / max(len(a), len(b))
    tau = _tau([_ranks(side, union, query.k) for side in (a, b)])
    errors = [
        cell_error(r[key][c], s[key][c], bound) if key in r and key in s else 1.0
        for key in union
        for c, bound in bounds.items()
    ]
    value = 1 - math.fsum(errors) / len(errors)
    parts = {"overlap": overlap, "tau": tau, "values": value}
    return Comparison(score=min(1.0, 0.4 * overlap + 0.3 * (1 + tau) / 2 + 0.3 * value), parts=parts)


def _first(query: Query, cells: Mapping[Key, Cells]) -> list[Key]:
    """The k first groups. Nothing comes last; equal values are ranked by their keys' text, the same on both sides."""
    column = str(query.order)
    sign = -1.0 if query.descending else 1.0

    def place(key: Key) -> tuple[bool, float, str]:
        value = cells[key][column]
        return (math.isnan(value), 0.0 if math.isnan(value) else sign * value, repr(key))

    return sorted(cells, key=place)[: query.k]


def first_keys(query: Query, side: Side) -> list[Key]:
    """The k first groups of one side of a topk query."""
    return _first(query, _cells(query, side))


def _ranks(side: Sequence[Key], union: Sequence[Key], k: int) -> list[int]:
    place = {key: rank for rank, key in enumerate(side)}
    return [place.get(key, k) for key in union]


def _tau(ranks: Sequence[Sequence[int]]) -> float:
    """Kendall's tau-b of two rankings of the same groups; 1 for one group that both sides rank."""
    a, b = (np.array(side) for side in ranks)
    upper = np.triu_indices(a.size, 1)
    x, y = (np.sign(side[:, None] - side[None, :])[upper] for side in (a, b))
    norm = math.sqrt(float((x != 0).sum()) * float((y != 0).sum()))
    if norm == 0:
        return 1.0
    return float((x * y).sum()) / norm
