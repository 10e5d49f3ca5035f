"""Which tables of a view are nobody's, as far as is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.views.build import read_by
from pasteur.views.relations import owned, path_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pasteur.schema import Relationship
    from pasteur.table import Table
    from pasteur.views.config import ViewConfig


def entangled(
    primary: Mapping[str, Table],
    *,
    unit: str,
    orphans: Mapping[str, Iterable[str]],
    public: Collection[str],
    relationships: Sequence[Relationship] = (),
) -> tuple[str, str] | None:
    """A table and its column by which what becomes of a unit's rows follows from which other units there are.

    Rows that name no parent are dropped, or lose its name, before any view is built, so that `respects_units` cannot
    see it. That is sound where the parent is the row's own unit's, or nobody's.

    Args:
        primary: the data set's primary tables.
        unit: the column with the unit's id.
        orphans: table -> its columns whose orphans are dropped or kept.
        public: the tables that are nobody's.
        relationships: declared between the tables.
    """
    columns = {name: table.columns for name, table in primary.items()}
    for table, settled in orphans.items():
        path = path_to(table, columns, unit, relationships) or ()
        own = path[0].child_key if path else unit
        for link in relationships:
            named = link.child_table == table and link.child_key in settled and link.parent_table not in public
            if named and link.child_key != own:
                return table, link.child_key
    return None


def unowned(view: ViewConfig, primary: Mapping[str, Table], *, relationships: Sequence[Relationship] = ()) -> list[str]:
    """The tables that the view reads and whose rows lead to no unit: `respects_units` takes them to be public.

    They had better be: rows of people whose relation nobody declared stay when a unit is left out, so that a mixing of
    units by way of them is not seen.
    """
    columns = {name: table.columns for name, table in primary.items()}
    return [
        name
        for name in read_by(view, primary)
        if owned(name, columns=columns, unit=view.unit, relationships=relationships) is None
    ]
