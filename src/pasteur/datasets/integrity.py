"""What the YAML says of rows together: ids that are unique, children that have a parent."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pasteur.errors import ConfigError, DataError, near_miss, rule
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pasteur.datasets.config import DatasetConfig


def check_unique(dataset: DatasetConfig, tables: Mapping[str, Table]) -> None:
    """Refuse a value that comes twice, or is missing, in a column that is declared unique.

    Raises:
        DataError: naming table, column and row number (from 1, over all files of the table).
    """
    for name, entry in dataset.tables.items():
        for column in entry.unique:
            values = _column(tables[name], column)
            if values.null_count:
                row = pc.index(values.is_null(), True).as_py() + 1
                raise DataError(f"table '{name}', row {row}: column '{column}' must be unique, but is missing")
            if (row := _repeat(values)) is not None:
                raise DataError(
                    f"table '{name}', row {row}: column '{column}' must be unique, but has an earlier value"
                )


def settle_orphans(dataset: DatasetConfig, tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with the rows that name no parent dealt with as their columns' `orphans` say, parents first.

    A row whose parent is dropped is an orphan itself, so that a policy reaches down a chain of tables. Whose policy is
    `refuse` stays as it is, for `check_foreign_keys`.

    Raises:
        ConfigError: a policy in a circle of tables, where no parent comes first.
    """
    settled = dict(tables)
    if not any(entry.orphans for entry in dataset.tables.values()):
        return settled
    above = {
        name: {target.split(".")[0] for target in entry.foreign_keys.values()} - {name}
        for name, entry in dataset.tables.items()
    }
    try:
        order = tuple(TopologicalSorter(above).static_order())
    except CycleError as error:
        raise ConfigError(
            rule("orphans", " <- ".join(error.args[1]), "of tables whose foreign keys go in no circle")
        ) from None
    for name in order:
        entry = dataset.tables[name]
        for column, policy in entry.orphans.items():
            parent, key = entry.foreign_keys[column].split(".")
            here = column in settled[name].columns and key in settled[parent].columns
            if here and policy != "refuse":
                settled[name] = _settled(settled[name], column, _column(settled[parent], key), policy)
    return settled


def _settled(table: Table, column: str, parents: pa.ChunkedArray, policy: str) -> Table:
    """Rows whose `column` is none of `parents` left out, or with a null there. A null is no orphan."""
    where = table.schema.get_field_index(column)
    if table.schema.field(where).type != parents.type:
        return table  # refused by check_foreign_keys
    keys = parents.combine_chunks()

    def settle(batch: pa.RecordBatch) -> pa.RecordBatch:
        values = batch.column(where)
        fine = pc.or_(values.is_null(), pc.is_in(values, value_set=keys))
        if policy == "drop":
            return batch.filter(fine)
        return batch.set_column(where, batch.schema.field(where), pc.if_else(fine, values, None))

    def make() -> Iterator[pa.RecordBatch]:
        return (settle(batch) for batch in table.batches())

    return Table.stream(table.schema, make, rows=table.rows if policy == "keep" else None)


def check_foreign_keys(dataset: DatasetConfig, tables: Mapping[str, Table]) -> None:
    """Refuse a child row whose parent is not there. A missing reference is no child.

    Raises:
        DataError: naming table, column and row number of the first orphan, and how many there are.
        DataError: the two columns have different types, or the parent's is not there.
    """
    for name, entry in dataset.tables.items():
        for column, target in entry.foreign_keys.items():
            parent, key = target.split(".")
            if key not in tables[parent].columns:
                hint = near_miss(key, tables[parent].columns)
                raise DataError(f"column '{key}' (foreign_keys of table '{name}') is not in table '{parent}'{hint}")
            child, parents = _column(tables[name], column), _column(tables[parent], key)
            if child.type != parents.type:
                types = f"{child.type} and {parents.type}"
                raise DataError(rule(f"types of {name}.{column} and {target}", types, "the same"))
            orphans = pc.and_(child.is_valid(), pc.invert(pc.is_in(child, value_set=parents)))
            if count := pc.sum(orphans).as_py():
                row = pc.index(orphans, True).as_py() + 1
                raise DataError(
                    f"table '{name}', row {row}: column '{column}' names no row of {target} ({count} such rows)"
                )


def _column(table: Table, column: str) -> pa.ChunkedArray:
    return table.arrow([column]).column(column)


def _repeat(values: pa.ChunkedArray) -> int | None:
    """Number of the first row whose value an earlier row has; None where there is none."""
    if pc.count_distinct(values).as_py() == len(values):
        return None
    codes = values.combine_chunks().dictionary_encode().indices.to_numpy()
    seen = -1
    for row, code in enumerate(codes, start=1):
        if code <= seen:  # codes count up in the order in which values first come
            return row
        seen = code
    return None
