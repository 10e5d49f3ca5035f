"""One column: from the texts or types of a file to one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pasteur.datasets.config import TableConfig

MICROSECONDS = pa.timestamp("us")
ARROW: dict[str, pa.DataType] = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": MICROSECONDS,
}
"""What each type of the YAML is in Arrow."""
NAMES = {
    pa.int64(): "a whole number (int64)",
    pa.float64(): "a number (float64)",
    pa.string(): "text (string)",
    pa.bool_(): "true or false (bool)",
    pa.date32(): "a date (date)",
    MICROSECONDS: "a date and time (timestamp)",
}
"""What each type is called in a message."""

_ZONED = pa.timestamp("us", tz="UTC")
_ZEROS = r"^[+-]?0[0-9]"
"""A code that only looks like a number: 00123."""
_BOOL = r"^(?i:true|false)$"


def plain(kind: pa.DataType) -> pa.DataType | None:
    """Our type for a type of parquet's; None for one that is not flat."""
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type)
    for test, ours in (
        (pa.types.is_integer, pa.int64()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_decimal, pa.float64()),
        (pa.types.is_boolean, pa.bool_()),
        (pa.types.is_date, pa.date32()),
        (pa.types.is_timestamp, MICROSECONDS),
        (pa.types.is_string, pa.string()),
        (pa.types.is_large_string, pa.string()),
        (pa.types.is_string_view, pa.string()),
        (pa.types.is_null, pa.string()),
    ):
        if test(kind):
            return ours
    return None


def by_value(function: Callable[[pa.Array], pa.Array], texts: pa.Array) -> pa.Array:
    """`function` of each text, computed once for each different one: columns of data repeat themselves."""
    coded = texts.dictionary_encode()
    return function(coded.dictionary).take(coded.indices)


def clean(values: pa.Array, entry: TableConfig, column: str) -> pa.Array:
    """Texts without surrounding blanks, replaced where the YAML says so, nulls as nulls. Other types as they are."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if not pa.types.is_string(values.type):
        return values

    def tidied(texts: pa.Array) -> pa.Array:
        if entry.strip:
            texts = pc.utf8_trim_whitespace(texts)
        changed = texts
        for old, new in entry.replace.get(column, {}).items():
            changed = pc.if_else(pc.equal(texts, old), new, changed)
        missing = pc.is_in(changed, value_set=pa.array(entry.nulls, pa.string()))
        return pc.if_else(missing, pa.scalar(None, pa.string()), changed)

    return by_value(tidied, values)


def cast(values: pa.Array, kind: pa.DataType, form: str | None = None) -> tuple[pa.Array, int | None]:
    """The values as `kind`, or the index of the first that is not one."""
    try:
        return _cast(values, kind, form), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    low, high = 0, len(values)  # the first `low` values are good, the first `high` are not
    while high - low > 1:
        middle = (low + high) // 2
        try:
            _cast(values.slice(low, middle - low), kind, form)
            low = middle
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
    return values, low


def _cast(values: pa.Array, kind: pa.DataType, form: str | None) -> pa.Array:
    if pa.types.is_string(values.type) and kind == MICROSECONDS:
        return _moments(values, form)
    if pa.types.is_string(values.type) and kind == pa.date32():
        return values.cast(kind) if form is None else _days(_moments(values, form))
    if pa.types.is_timestamp(values.type):
        zoned = values.cast(_ZONED, safe=False) if values.type.tz is not None else values
        moments = zoned.cast(MICROSECONDS, safe=False)  # nanoseconds are cut: no clock of people has them
        return _days(moments) if kind == pa.date32() else moments.cast(kind)
    return values.cast(kind)


def _days(moments: pa.Array) -> pa.Array:
    """Midnights as dates; Arrow's own cast would cut the hours off whatever else there is."""
    days = moments.cast(pa.date32())
    if pc.any(pc.not_equal(days.cast(MICROSECONDS), moments)).as_py():
        raise pa.ArrowInvalid
    return days


def _moments(values: pa.Array, form: str | None) -> pa.Array:
    """Times from texts: ISO 8601, in UTC where a zone is given; or in a format."""
    if form is not None:
        return pc.strptime(values, format=form, unit="us")
    try:
        return values.cast(MICROSECONDS)
    except pa.ArrowInvalid:
        return values.cast(_ZONED).cast(MICROSECONDS)


def infer(texts: Iterable[pa.Array]) -> pa.DataType:
    """The narrowest type that every text fits; text where none does, or where all are null."""
    candidates = [pa.int64(), pa.float64(), pa.bool_(), pa.date32(), MICROSECONDS]
    seen = False
    for values in texts:
        seen |= values.null_count < len(values)
        candidates = [kind for kind in candidates if _fits(values, kind)]
    return candidates[0] if candidates and seen else pa.string()


def _fits(values: pa.Array, kind: pa.DataType) -> bool:
    if kind in (pa.int64(), pa.float64()) and pc.any(pc.match_substring_regex(values, _ZEROS)).as_py():
        return False
    if kind == pa.bool_() and pc.all(pc.match_substring_regex(values, _BOOL)).as_py() is False:
        return False
    try:
        _cast(values, kind, None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
