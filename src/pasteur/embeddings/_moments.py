"""Dates and times as whole seconds since 1970, read from any Arrow type and written back in the original's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.embeddings._values import flat, nulls, text
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.schema import Column

UNITS = ("year", "month", "day", "hour", "minute", "second")
CODES = dict(zip(UNITS, ("Y", "M", "D", "h", "m", "s"), strict=True))
"""numpy's codes of the units."""

SHOWN = {"second": "STcsrX+f", "minute": "MR", "hour": "HIk", "day": "dejDFxuaAw", "month": "mbBh"}
"""Directives of strftime by the finest unit that they show."""

ARROW = set("YmdHMSyjbBaADFTRpe%")
"""Directives that Arrow reads and writes; the others go through pandas, which is slower."""

ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
"""What ISO text usually is; other spellings (a zone, fractions) go through pandas."""

STORED = {"timestamp": pa.timestamp("us"), "date": pa.date32(), "text": pa.string()}


def parse_bound(where: str, value: Any, *, upper: bool) -> int:
    """An ISO date or time in seconds; an upper bound without a time is the last second of its day.

    Raises:
        SchemaError: it is not one.
    """
    try:
        moment = datetime.fromisoformat(value)
        days_only = len(value) <= len("2020-01-01") and date.fromisoformat(value) is not None
    except (TypeError, ValueError) as error:
        raise SchemaError(
            rule(where, value, "an ISO date or time, such as 2020-01-31 or 2020-01-31T08:30:00")
        ) from error
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds + 86_399 if upper and days_only else seconds


def stored_as(column: Column, value: str | None) -> str:
    """How the original holds its moments: as `declared`, else text where SDV gives a format, else timestamps.

    Raises:
        SchemaError: unknown, or text without a format.
    """
    form = column.sdv.get("datetime_format")
    chosen = value if value is not None else ("text" if form else "timestamp")
    if chosen not in STORED:
        raise SchemaError(
            f"{column.where} domain.type ({chosen}) must be a way to hold a moment{near_miss(str(chosen), STORED)}"
        )
    if chosen == "text" and not form:
        raise SchemaError(f"{column.where} must have a datetime_format in its sdv part: its domain.type is text")
    return chosen


def resolution(stored: str, form: str | None) -> str:
    """The finest unit that the original shows."""
    if stored == "date":
        return "day"
    if stored == "timestamp" or form is None:
        return "second"
    used = set(re.findall(r"%[-#]?(.)", form))
    return next((unit for unit, directives in SHOWN.items() if used & set(directives)), "year")


def read(values: pa.Array, form: str | None) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Moments of any Arrow type: (rows,) datetime64[s] with NaT for none, and which values are no moment: (rows,).

    Times with a zone are taken in UTC, fractions of a second are dropped.
    """
    column = flat(values)
    kind = column.type
    missing = nulls(column)
    if pa.types.is_date(kind):
        days = column.cast(pa.date32(), safe=False).cast(pa.int32()).to_numpy(zero_copy_only=False)
        found = _nat(days, missing, 86_400)
    elif pa.types.is_timestamp(kind):
        ticks = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        found = np.where(missing, np.datetime64("NaT", "s"), (ticks // per).astype("datetime64[s]"))
    else:
        found = _parse(text(column), form)
    return found, np.isnat(found) & ~missing


def _nat(ticks: NDArray[Any], missing: NDArray[np.bool_], seconds: int) -> NDArray[np.datetime64]:
    """Ticks of so many seconds each as moments."""
    plain = np.where(missing, 0, ticks).astype(np.int64) * seconds
    return np.where(missing, np.datetime64("NaT", "s"), plain.astype("datetime64[s]"))


def _parse(spelt: pa.Array, form: str | None) -> NDArray[np.datetime64]:
    """Text as moments, each by itself: by the format where there is one, else ISO."""
    if form is not None:
        parsed = _strptime(spelt, form) if _by_arrow(form) else pa.nulls(len(spelt), pa.timestamp("s"))
        rest = not _by_arrow(form)
    else:
        parsed, rest = pc.coalesce(*(_strptime(spelt, iso) for iso in ISO)), True
    found = parsed.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    left = np.flatnonzero(np.isnat(found) & ~nulls(spelt)) if rest else np.empty(0, dtype=np.int64)
    if len(left):
        found[left] = _by_pandas(spelt.take(pa.array(left)), form)
    return found  # type: ignore[no-any-return]


def _strptime(spelt: pa.Array, form: str) -> pa.Array:
    """Text as moments by Arrow; as in C, 30 February is 1 or 2 March."""
    return pc.strptime(spelt, format=form, unit="s", error_is_null=True)


def _by_pandas(spelt: pa.Array, form: str | None) -> NDArray[np.datetime64]:
    import pandas as pd

    once = spelt.dictionary_encode()
    read_in = pd.to_datetime(once.dictionary.to_pandas(), format=form or "ISO8601", errors="coerce", utc=True)
    table = read_in.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    return table[once.indices.to_numpy(zero_copy_only=False)]  # type: ignore[no-any-return]


def _by_arrow(form: str) -> bool:
    return {match[1:] for match in re.findall(r"%.", form)} <= ARROW


def write(moments: NDArray[np.datetime64], stored: str, form: str | None) -> pa.Array:
    """Moments (rows,) datetime64[s], NaT being null, in the original's type."""
    array = pa.array(moments, pa.timestamp("s"))
    if stored != "text":
        return array.cast(STORED[stored], safe=False)
    once = array.dictionary_encode()
    if form is None or _by_arrow(form):
        words = pc.strftime(once.dictionary, format=form or ISO[1])
    else:
        words = pa.array(once.dictionary.to_pandas().dt.strftime(form), pa.string(), from_pandas=True)
    return words.take(once.indices)
