"""A query's results as a report shows them: a few lines, the same groups on every side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.errors import PasteurError
from pasteur.metrics.sql_numbers import number
from pasteur.metrics.sql_score import first_keys, keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pasteur.metrics.sql_parse import Query
    from pasteur.metrics.sql_score import Key, Side

LINES = 20
"""Groups that are shown."""
LETTERS = 80
BINS = 20
QUANTILES = (1, 25, 50, 75, 99)


def about(query: Query) -> dict[str, Any]:
    """The query itself."""
    said = {name: getattr(query, name) for name in ("name", "kind", "sql", "file", "line", "weight")}
    return said | {"keys": list(query.keys), "values": [f"{v.column}={v.type}" for v in query.values]}


def shown(query: Query, target: Side, side: Side) -> dict[str, Any]:
    """One side's result: `edges`, `shares`, `quantiles`, `nulls`, `total` of a dist query, else the lines.

    Lines are `columns` (of values), `keys`, `rows` (null where the group is not there) and `total`, the rows of the
    whole result: of `topk` the side's own first, else T's largest groups. A dist query's values are not shown, only
    where they lie: each may be of one person.
    """
    if query.kind == "dist":
        return _distribution(query, target, side)
    columns = [value.column for value in query.values]
    chosen = (first_keys(query, side) if query.kind == "topk" else _largest(query, target))[:LINES]
    place = {key: row for row, key in enumerate(keys_of(query, side))}
    plain = {key: row for row, key in enumerate(keys_of(query, target))} if query.kind != "topk" else place
    source = side if query.kind == "topk" else target
    return {
        "columns": columns,
        "keys": [[_plain(source.result[name][plain[key]]) for name in query.keys] for key in chosen],
        "rows": [
            [_plain(side.result[column][place[key]]) for column in columns] if key in place else None for key in chosen
        ],
        "total": side.height,
    }


def _largest(query: Query, side: Side) -> list[Key]:
    """Keys by support, or by the first count; in the result's order where there is neither."""
    keys = keys_of(query, side)
    column = query.support or next((v.column for v in query.values if v.type == "count"), None)
    if column is None:
        return keys
    sizes = [number(value) for value in side.result[column]]
    order = sorted(range(len(keys)), key=lambda i: (-sizes[i] if math.isfinite(sizes[i]) else 0.0, i))
    return [keys[i] for i in order]


def _distribution(query: Query, target: Side, side: Side) -> dict[str, Any]:
    column = query.values[0].column
    own, theirs = (_finite(held.result[column]) for held in (target, side))
    known = theirs[~np.isnan(theirs)]
    inside = own[np.isfinite(own)]
    low, high = (float(np.quantile(inside, q)) for q in (0.01, 0.99)) if inside.size else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    bins = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, BINS - 1)
    finite = known[np.isfinite(known)]
    return {
        "edges": [_plain(float(edge)) for edge in edges],
        "shares": (np.bincount(bins, minlength=BINS) / max(known.size, 1)).round(6).tolist(),
        "quantiles": {str(q): _plain(float(np.quantile(finite, q / 100))) if finite.size else None for q in QUANTILES},
        "nulls": round(float(np.isnan(theirs).mean()), 6) if theirs.size else 0.0,
        "total": int(theirs.size),
    }


def _finite(values: Sequence[Any] | NDArray[np.float64]) -> NDArray[np.float64]:
    return values if isinstance(values, np.ndarray) else np.array([number(value) for value in values], dtype=float)


def _plain(value: Any) -> Any:
    """A value as JSON: numbers to six digits, anything else as text of at most `LETTERS` letters."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)
    try:
        found = number(value)
    except (TypeError, PasteurError):
        text = str(value)
        return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
    return float(f"{found:.6g}") if math.isfinite(found) else None
