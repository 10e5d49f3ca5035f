"""Twenty synthetic rows for a person to look at. Never a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.report.text import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.schema import Schema
    from pasteur.table import Table

ROWS = 20

CELL = 60
"""Characters of a cell."""


def first(tables: Mapping[str, Table], *, schema: Schema) -> dict[str, Any]:
    """The first rows of each synthetic component as text.

    Args:
        tables: component -> synthetic rows.
        schema: says which columns are shown, in which order.

    Returns:
        component -> `columns` (names), `rows` (lists of text, None for a null), `of` (rows that there are, or None).
    """
    found: dict[str, Any] = {}
    for component, table in tables.items():
        names = [name for name in schema.tables[component].names if name in table.columns]
        batch = next(iter(table.batches(names, ROWS)), None)
        shown = [] if batch is None else batch.slice(0, ROWS).to_pylist()
        cells = [[None if row[name] is None else short(row[name], CELL) for name in names] for row in shown]
        found[component] = {"columns": names, "rows": cells, "of": table.rows}
    return found
