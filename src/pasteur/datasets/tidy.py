"""primary: typed, renamed, with nulls as nulls.

Declared in YAML, column by column; no row depends on another, but an orphan on the parent that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pasteur.datasets import columns
from pasteur.datasets.identity import content_ids
from pasteur.datasets.integrity import check_foreign_keys, check_unique, settle_orphans
from pasteur.errors import DataError, near_miss
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pasteur.datasets.config import DatasetConfig, TableConfig

TYPED = {"parquet", "feather"}
"""Formats whose files say their columns' types; of the others a reader guesses them from the values."""


def tidy(dataset: DatasetConfig, intermediate: Mapping[str, Table]) -> dict[str, Table]:
    """The primary tables.

    A table of a data set without a unit column gets the column `_unit` first: an id from each row's content (see
    `identity`). Rows keep the order of the files.

    Args:
        dataset: which columns there are, and what they must be.
        intermediate: the table of each name in `dataset.files`.

    Raises:
        DataError: a column that is declared and not there, two files of a table with different columns, a value that
            is not of its declared type, a value twice where it must be unique, a child row without a parent. Row
            numbers count from 1 in their file, without the header.
    """
    tables = {name: _table(name, entry, _parts(dataset, name, intermediate)) for name, entry in dataset.tables.items()}
    if dataset.unit.column is None:
        tables[dataset.unit_table] = content_ids(tables[dataset.unit_table])
    elif dataset.unit.column not in tables[dataset.unit_table].columns:
        raise _unknown(dataset.unit.column, tables[dataset.unit_table].columns, f"table '{dataset.unit_table}' (unit)")
    check_unique(dataset, tables)
    tables = settle_orphans(dataset, tables)
    check_foreign_keys(dataset, tables)
    return tables


def inferred(dataset: DatasetConfig, primary: Mapping[str, Table]) -> dict[str, dict[str, str]]:
    """Table -> column -> the type that was read off its values, where neither the YAML nor the file says one.

    Such a type follows from all rows: one person's odd value changes how everybody's is read, and so codes, the ids
    that are made from content, and splits. No claim covers that.
    """
    names = {kind: name for name, kind in columns.ARROW.items()}
    found: dict[str, dict[str, str]] = {}
    for table, entry in dataset.tables.items():
        forms = {dataset.read.format_of(dataset.files[file].filename) for file in entry.files}
        if forms <= TYPED:
            continue
        open_ones = [c for c in primary[table].columns if c != UNIT and c not in entry.types]
        if open_ones:
            found[table] = {column: names[primary[table].schema.field(column).type] for column in open_ones}
    return found


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One file of a table: its columns under the names they end with."""

    file: str
    table: Table
    names: dict[str, str]
    """Final name -> the file's name."""
    typed: bool
    """Whether the file itself has types."""


def _parts(dataset: DatasetConfig, name: str, intermediate: Mapping[str, Table]) -> list[_Part]:
    typed = {file: dataset.read.format_of(entry.filename) != "csv" for file, entry in dataset.files.items()}
    entry = dataset.tables[name]
    return [_part(name, entry, file, intermediate[file], typed=typed[file]) for file in entry.files]


def _table(name: str, entry: TableConfig, parts: Sequence[_Part]) -> Table:
    final = list(parts[0].names)
    for part in parts[1:]:
        if set(part.names) != set(final):
            odd = sorted(set(part.names) ^ set(final))
            raise DataError(f"table '{name}': files '{parts[0].file}' and '{part.file}' differ in columns {odd}")
    _check_names(name, entry, final)
    types = {column: _type(name, entry, column, parts) for column in final}
    schema = pa.schema(list(types.items()))

    def make(wanted: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
        chosen = schema if wanted is None else pa.schema([schema.field(column) for column in wanted])
        for part in parts:
            yield from _batches(name, entry, part, chosen, size)

    known = [part.table.rows for part in parts]
    rows = None if None in known else sum(count for count in known if count is not None)
    return Table(schema=schema, rows=rows, make=make)


def _part(name: str, entry: TableConfig, file: str, table: Table, *, typed: bool) -> _Part:
    for column in (*entry.drop, *entry.rename):
        if column not in table.columns:
            raise _unknown(column, table.columns, f"file '{file}' of table '{name}'")
    kept = {entry.rename.get(column, column): column for column in table.columns if column not in entry.drop}
    if len(kept) != len(table.columns) - len(set(entry.drop)):
        raise DataError(f"table '{name}': a column is renamed to the name of another in file '{file}'")
    if UNIT in kept:
        raise DataError(f"table '{name}': column name '{UNIT}' is kept for the unit's id; rename it in the YAML")
    return _Part(file=file, table=table, names=kept, typed=typed)


def _check_names(name: str, entry: TableConfig, final: Sequence[str]) -> None:
    for column in (*entry.types, *entry.replace, *entry.unique, *entry.foreign_keys):
        if column not in final:
            raise _unknown(column, final, f"table '{name}'")


def _unknown(column: str, present: Sequence[str], where: str) -> DataError:
    """Names the near miss only: where a header is missing, the other names are somebody's values."""
    hint = near_miss(column, present)
    hint = hint if "did you mean" in hint else f", which has {len(present)} columns"
    return DataError(f"column '{column}' is not in {where}{hint}")


def _type(name: str, entry: TableConfig, column: str, parts: Sequence[_Part]) -> pa.DataType:
    """The declared type, else parquet's own, else the narrowest that every text fits."""
    if column in entry.types:
        return columns.ARROW[entry.types[column]]
    found = {columns.plain(part.table.schema.field(part.names[column]).type) for part in parts}
    if None in found:
        raise DataError(f"table '{name}': column '{column}' must be flat: a number, text, truth value, date or time")
    if len(found) > 1:
        listed = ", ".join(sorted(str(kind) for kind in found))
        raise DataError(f"table '{name}': column '{column}' has several types in its files ({listed}); declare one")
    held = found.pop()
    if held != pa.string() or any(part.typed for part in parts):
        return held
    texts = (
        columns.clean(batch.column(0), entry, column)
        for part in parts
        for batch in part.table.batches([part.names[column]])
    )
    return columns.infer(texts)


def _batches(name: str, entry: TableConfig, part: _Part, schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in part.table.batches([part.names[column] for column in schema.names], rows=size):
        made = []
        for field in schema:
            values = columns.clean(batch.column(part.names[field.name]), entry, field.name)
            form = entry.formats.get(field.name)
            typed, bad = columns.cast(values, field.type, form)
            if bad is not None:
                raise DataError(
                    f"table '{name}', file '{part.file}', row {start + bad + 1}: column '{field.name}' is not "
                    f"{columns.NAMES[field.type]}" + (f" in the format {form}" if form else "")
                )
            made.append(typed)
        yield pa.RecordBatch.from_arrays(made, schema=schema)
        start += batch.num_rows
