"""What a query's compared columns may hold, as doubles."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur.errors import SqlError, rule

if TYPE_CHECKING:
    from pasteur.metrics.sql_parse import Query
    from pasteur.metrics.sql_score import Side

COMPARED = (type(None), bool, int, float, Decimal, timedelta, pa.MonthDayNano)
"""What a compared value may be."""


def number(value: Any) -> float:
    """A result's value as a double; nothing as NaN, an integer beyond doubles as infinity, a length of time in seconds.

    Raises:
        TypeError: it is neither number nor length of time; names its type, never the value.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool | int | float | Decimal):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, pa.MonthDayNano):
        # DuckDB's intervals; it orders them with months of 30 days.
        return float((value.months * 30 + value.days) * 86_400 + value.nanoseconds / 1e9)
    raise TypeError(rule("a compared value", type(value).__name__, "a number or a length of time"))


def refuse_others(query: Query, side: Side) -> None:
    """Refuse a compared column of text, dates or lists, by its name: a query's mistake fails that query alone.

    Raises:
        SqlError: a value or support column holds what is no number; names the column and the type, never the value.
    """
    for column in dict.fromkeys([*(v.column for v in query.values), *([query.support] if query.support else [])]):
        values = side.result[column]
        if isinstance(values, np.ndarray):
            continue
        wrong = next((type(v).__name__ for v in values if not isinstance(v, COMPARED)), None)
        if wrong is not None:
            raise SqlError(f"{query.where}: '{column}' ({wrong}) must be numbers or lengths of time")
