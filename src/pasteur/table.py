"""`Table`: a lazily read parquet data set, the one form in which rows travel between rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pasteur.errors import DataError, near_miss
from pasteur.files import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

UNIT = "_unit"
"""The text column that holds the privacy unit's id in keys, views and encoded files."""

BATCH = 131_072
"""Rows a batch: large enough to be fast, small enough that memory stays flat."""


def numbers(column: pa.Array) -> NDArray[Any]:
    """The numbers of a column that has no nulls, as they lie in memory: (rows,), not to be written to.

    Arrow's own way to numpy, and back, imports pandas: half a second and 60 MB that a private fit has no other use for.
    """
    name = str(column.type)
    kind = np.dtype({"float": "float32", "double": "float64"}.get(name, name))
    _, data = column.buffers()
    if data is None:
        return np.zeros(0, dtype=kind)
    return np.frombuffer(data, dtype=kind, count=len(column), offset=column.offset * kind.itemsize)


def column_of(values: NDArray[Any]) -> pa.Array:
    """Whole or floating-point numbers as an Arrow array over the same memory."""
    held = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    return pa.Array.from_buffers(pa.from_numpy_dtype(held.dtype), len(held), [None, pa.py_buffer(held)])


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under an Arrow schema, produced in batches each time they are asked for.

    `rows` is the row count, or None where it is not known before reading. `make(columns, rows)` yields record batches
    of at most `rows` rows each, with `columns` only (None: all), in a fixed order.
    """

    schema: pa.Schema
    rows: int | None
    make: Callable[[Sequence[str] | None, int], Iterator[pa.RecordBatch]]

    @classmethod
    def read(cls, path: Path) -> Table:
        """The parquet file at `path`, or the part files of the folder at `path` in sorted order.

        Raises:
            DataError: nothing is there, or it is not parquet.
        """
        parts = sorted(path.glob("*.p*q*")) if path.is_dir() else [path]
        try:
            footers = [pq.read_metadata(part) for part in parts]
            schema = footers[0].schema.to_arrow_schema()
        except (OSError, IndexError, pa.ArrowInvalid) as error:
            message = f"{path}: is not a readable parquet file"
            raise DataError(message) from error

        def make(columns: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
            for part in parts:
                with pq.ParquetFile(part) as file:
                    # A row group at a time: a reader of a whole file keeps all that it has read until it is closed.
                    for group in range(file.num_row_groups):
                        chosen = None if columns is None else list(columns)
                        yield from file.iter_batches(batch_size=size, row_groups=[group], columns=chosen)

        return cls(schema=schema.remove_metadata(), rows=sum(footer.num_rows for footer in footers), make=make)

    @classmethod
    def of(cls, data: pa.Table | pd.DataFrame) -> Table:
        """Rows already in memory."""
        held = data if isinstance(data, pa.Table) else pa.Table.from_pandas(data, preserve_index=False)
        held = held.replace_schema_metadata(None)

        def make(columns: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
            chosen = held if columns is None else held.select(list(columns))
            yield from chosen.to_batches(max_chunksize=size)

        return cls(schema=held.schema, rows=held.num_rows, make=make)

    @classmethod
    def stream(cls, schema: pa.Schema, make: Callable[[], Iterable[pa.RecordBatch]], rows: int | None = None) -> Table:
        """Rows made afresh by `make()` on each reading; it must yield the same rows each time."""

        def batches(columns: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
            for batch in make():
                chosen = batch if columns is None else batch.select(list(columns))
                for start in range(0, chosen.num_rows, size):
                    yield chosen.slice(start, size)

        return cls(schema=schema, rows=rows, make=batches)

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(self.schema.names)

    def batches(self, columns: Sequence[str] | None = None, rows: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Record batches of at most `rows` rows.

        Raises:
            DataError: a column that is not there.
        """
        for name in columns or ():
            if name not in self.schema.names:
                message = f"column '{name}' is not in the table{near_miss(name, self.schema.names)}"
                raise DataError(message)
        return self.make(columns, rows)

    def blocks(self, columns: Sequence[str] | None = None, rows: int = BATCH) -> Iterator[pa.Table]:
        """Blocks of exactly `rows` rows (the last may be shorter), whatever the batches that come in."""
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        held: list[pa.RecordBatch] = []
        count = 0
        for batch in self.batches(columns, rows):
            held.append(batch)
            count += batch.num_rows
            while count >= rows:
                whole = pa.Table.from_batches(held, schema=schema)
                yield whole.slice(0, rows).combine_chunks()
                held, count = whole.slice(rows).to_batches(), count - rows
        if count:
            yield pa.Table.from_batches(held, schema=schema).combine_chunks()

    def map(self, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema) -> Table:
        """The table whose batches are `function` of this one's; row by row, so that row counts stay."""
        return Table.stream(schema, lambda: (function(batch) for batch in self.batches()), rows=self.rows)

    def without(self, names: Iterable[str]) -> Table:
        """The same rows, those columns left out."""
        gone = set(names)
        kept = [name for name in self.columns if name not in gone]
        schema = pa.schema([self.schema.field(name) for name in kept])
        return Table.stream(schema, lambda: self.batches(kept), rows=self.rows) if gone else self

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows in memory, as Arrow."""
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches(list(self.batches(columns)), schema=schema)

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All rows in memory, as pandas."""
        frame: pd.DataFrame = self.arrow(columns).to_pandas()
        return frame

    def write(self, path: Path) -> None:
        """Write one parquet file, whole or not at all. The same rows give the same bytes: row groups are re-blocked."""
        with atomic(path) as temporary, pq.ParquetWriter(temporary, self.schema, compression="zstd") as writer:
            for block in self.blocks():
                writer.write_table(block, row_group_size=BATCH)
