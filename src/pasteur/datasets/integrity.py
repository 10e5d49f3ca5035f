"""What the YAML says of rows together: ids that are unique, children that have a parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pasteur.errors import DataError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.datasets.config import DatasetConfig
    from pasteur.table import Table


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
