"""What a caller of the library hands over, checked: codes, their domain, and whose row is whose.

Here bad data may still be refused: messages name column and row, never a value. Past it nothing depends on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.errors import ConfigError, DataError, near_miss, rule
from pasteur.marginals import Domain
from pasteur.table import UNIT, Table, column_of, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


def domain_of(given: object) -> Domain:
    """The domain that a caller means.

    Args:
        given: {attribute: number of codes}, whose codes are all taken to stand in a natural order; or a `Domain`, which
            says which do.

    Raises:
        ConfigError: it is neither, has no attribute, or one whose name or size cannot be.
    """
    if isinstance(given, Domain):
        sizes: Mapping[Any, Any] = given.as_dict()
    elif isinstance(given, Mapping):
        sizes = given
    else:
        raise ConfigError(rule("domain", type(given).__name__, "a mapping from attribute to size, or a Domain"))
    if not sizes:
        raise ConfigError(rule("domain", "no attribute", "of one attribute or more"))
    for name, size in sizes.items():
        if not isinstance(name, str) or name == UNIT:
            raise ConfigError(rule("name of an attribute", name, f"text, and not '{UNIT}'"))
        if isinstance(size, bool) or not isinstance(size, Integral) or not 1 <= int(size) <= 2**31:
            raise ConfigError(rule(f"size of attribute '{name}'", size, "a whole number from 1 to 2^31"))
    if isinstance(given, Domain):
        return given
    return Domain.of({name: int(size) for name, size in sizes.items()}, ordinal=sizes)


def table_of(codes: object, domain: Domain, units: object = None) -> tuple[Table, Domain]:
    """Codes as a table in the smallest types, with column `_unit` where units are given, and the domain in its order.

    Args:
        codes: (rows, attributes) whole numbers in the domain's order; or a pandas frame, an Arrow table or a `Table`,
            the last of which is streamed, with a column for each attribute in any order.
        domain: of the codes.
        units: (rows,) ids, row by row, all text or all whole numbers; None: each row is a unit of its own.

    Raises:
        ConfigError: codes of another kind, or units of another length.
        DataError: a column too many or too few, one that is not of whole numbers, a code outside of the domain, units
            of another kind or a missing one.
    """
    held = _columns(codes, domain)
    domain = domain.project(held.columns)
    kinds = {name: np.min_scalar_type(size - 1) for name, size in domain.as_dict().items()}
    schema = pa.schema([(name, pa.from_numpy_dtype(kind)) for name, kind in kinds.items()])

    def make() -> Iterator[pa.RecordBatch]:
        row = 0
        for batch in held.batches():
            checked = [
                _checked(column, name, domain.size((name,)), row).astype(kinds[name])
                for name, column in zip(held.columns, batch.columns, strict=True)
            ]
            row += batch.num_rows
            yield pa.record_batch([column_of(column) for column in checked], schema=schema)

    if isinstance(codes, Table):
        rows = sum(batch.num_rows for batch in make())
        streamed = Table.stream(schema, make, rows=rows)
        return (streamed if units is None else _with_units(streamed.arrow(), _units(units, rows))), domain
    arrow = pa.Table.from_batches(list(make()), schema=schema)
    return (Table.of(arrow) if units is None else _with_units(arrow, _units(units, arrow.num_rows))), domain


def _columns(codes: object, domain: Domain) -> Table:
    if isinstance(codes, Table):
        table = codes
    elif isinstance(codes, pa.Table):
        table = Table.of(codes)
    elif hasattr(codes, "columns") and hasattr(codes, "iloc"):
        table = _frame(codes)
    else:
        return _array(codes, domain)
    _same(table.columns, domain)
    return table


def _frame(frame: Any) -> Table:
    names = [str(name) if isinstance(name, str) else repr(name) for name in frame.columns]
    if len(set(names)) != len(names):
        raise DataError(rule("columns of codes", ", ".join(names), "different"))
    with suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
        return Table.of(pa.table([pa.array(frame[name], from_pandas=True) for name in frame.columns], names=names))
    # Raised out here: what Arrow said holds a cell, and an error raised beside it would keep it.
    kinds = ", ".join(sorted({str(kind) for kind in frame.dtypes}))
    raise DataError(rule("types of codes", kinds, "whole numbers"))


def _array(codes: object, domain: Domain) -> Table:
    try:
        array = np.asarray(codes)
    except ValueError:  # rows of different lengths
        raise ConfigError(rule("codes", type(codes).__name__, "an array (rows, attributes), or a frame")) from None
    if array.ndim != 2 or array.shape[1] != len(domain):
        raise DataError(rule("shape of codes", array.shape, f"(rows, {len(domain)}), a column for each attribute"))
    if array.dtype.kind not in "iub":
        raise DataError(rule("type of codes", array.dtype, "whole numbers"))
    array = array.astype(np.uint8) if array.dtype.kind == "b" else array
    columns = [column_of(array[:, place]) for place in range(len(domain))]
    return Table.of(pa.table(columns, names=list(domain.attributes)))


def _same(columns: Sequence[str], domain: Domain) -> None:
    for name in domain.attributes:
        if name not in columns:
            raise DataError(f"attribute '{name}' of the domain is no column of codes{near_miss(name, columns)}")
    for name in columns:
        if name not in domain:
            raise DataError(f"column '{name}' of codes is not in the domain{near_miss(name, domain.attributes)}")


def _checked(column: pa.Array, name: str, size: int, first: int) -> NDArray[np.integer[Any]]:
    """The codes of a column, all of them in the domain; `first` is the number of its first row."""
    what = f"column '{name}' of codes"
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if not pa.types.is_integer(column.type):
        raise DataError(rule(what, column.type, "of whole numbers"))
    must_be = f"a whole number from 0 to {size - 1}, and not missing"
    if column.null_count:
        row = first + int(pc.index(column.is_null(), value=True).as_py())
        raise DataError(rule(what, f"row {row}, counted from 0", must_be))
    codes: NDArray[np.integer[Any]] = numbers(column)
    if len(codes) and (codes.min() < 0 or codes.max() >= size):
        row = first + int(np.argmax((codes < 0) | (codes >= size)))
        raise DataError(rule(what, f"row {row}, counted from 0", must_be))
    return codes


def _units(units: object, rows: int) -> pa.Array:
    """The ids as text. Were ids of several kinds taken, one person's could change how another's are spelt."""
    ids = _ids(units)
    if ids is None:
        must_be = "an id for each row in one dimension, all of them text or all whole numbers"
        raise DataError(rule("units", type(units).__name__, must_be))
    if len(ids) != rows:
        raise ConfigError(rule("units", f"{len(ids)} ids", f"as many as rows of codes, {rows}"))
    if ids.null_count:
        row = int(pc.index(ids.is_null(), value=True).as_py())
        raise DataError(rule("units", f"row {row}, counted from 0", "the id of whose row it is, and not missing"))
    return ids


def _ids(units: object) -> pa.Array | None:
    """Ids of one kind, text or whole numbers, as text; None where they are not."""
    if isinstance(units, (str, bytes, Mapping, pa.Table)) or getattr(units, "ndim", 1) != 1:
        return None
    with suppress(pa.ArrowException, TypeError, ValueError, OverflowError, LookupError):
        ids = pa.array(getattr(units, "array", units), from_pandas=True)
        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        if isinstance(ids, pa.DictionaryArray):
            ids = ids.dictionary_decode()
        kind = ids.type
        if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return ids.cast(pa.string())
    return None


def _with_units(codes: pa.Table, units: pa.Array) -> Table:
    return Table.of(codes.add_column(0, UNIT, units))
