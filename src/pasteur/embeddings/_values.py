"""Values of any Arrow type as text or as numbers, one by one and never raising."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER = r"^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|[nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)$"
"""Text that is a number. Read by RE2, in time linear in the text."""

UNREADABLE = "\0"
"""What stands for a value that has no text; no declared level can be it."""


def smallest(size: int) -> np.dtype[Any]:
    """The smallest unsigned dtype that holds codes below `size`."""
    return np.min_scalar_type(max(size - 1, 0))


def flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same values in one chunk, without dictionary or extension wrapping."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = flat(values.dictionary).take(values.indices)
    return values


def nulls(values: pa.Array) -> NDArray[np.bool_]:
    """Which of the flat `values` are missing: null, NaT or NaN."""
    if pa.types.is_floating(values.type):
        return values.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    if values.null_count == 0:
        return np.zeros(len(values), dtype=np.bool_)
    return values.is_null().to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this type are numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def text(values: pa.Array) -> pa.Array:
    """The flat `values` as text; whole numbers have no decimals, booleans are `true` and `false`, missing is null."""
    kind = values.type
    if is_text(kind):
        return values if pa.types.is_string(kind) else values.cast(pa.string())
    if is_number(kind) and not pa.types.is_integer(kind):
        values = values.cast(pa.float64(), safe=False) if pa.types.is_decimal(kind) else values
        spelt = values.cast(pa.string())
        return pc.if_else(pa.array(nulls(values)), pa.scalar(None, pa.string()), spelt)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return values.cast(pa.string())
    return pa.array([_spell(value) for value in values], pa.string())


def _spell(value: pa.Scalar) -> str | None:
    """One value of an unusual type as text."""
    if not value.is_valid:
        return None
    try:
        plain = value.as_py()
        spelt = plain.decode() if isinstance(plain, bytes) else str(plain)
        spelt.encode()
    except (ValueError, OverflowError, pa.ArrowException):  # invalid UTF-8, or a date outside Python's years
        return UNREADABLE
    return spelt


def numbers(values: pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The flat `values` as numbers: (rows,) int64 or float64, and which of them are no number: (rows,).

    Missing values and those that are no number are NaN. Integers come back as int64 where that loses nothing, so
    that no precision goes through a float on the way to its bin.
    """
    kind, rows = values.type, len(values)
    none = np.zeros(rows, dtype=np.bool_)
    if is_number(kind) or pa.types.is_boolean(kind):
        if pa.types.is_decimal(kind):
            values = values.cast(pa.float64(), safe=False)
        plain = values.to_numpy(zero_copy_only=False)
        if pa.types.is_boolean(kind):
            plain = values.cast(pa.int8()).to_numpy(zero_copy_only=False)
        whole = plain.dtype.kind in "iu" and plain.dtype != np.uint64
        return plain.astype(np.int64 if whole else np.float64, copy=False), none
    if pa.types.is_null(kind):
        return np.full(rows, np.nan), none
    if not (is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return np.full(rows, np.nan), ~nulls(values)
    trimmed = pc.ascii_trim_whitespace(text(values))
    good = pc.match_substring_regex(trimmed, NUMBER)
    parsed = pc.if_else(good, trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
    return parsed.to_numpy(zero_copy_only=False), ~good.fill_null(True).to_numpy(zero_copy_only=False)


def first(mask: NDArray[np.bool_]) -> int | None:
    """The index of the first True."""
    index = int(mask.argmax()) if len(mask) else 0
    return index if len(mask) and mask[index] else None
