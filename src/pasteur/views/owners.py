"""Which tables of a view are nobody's, as far as is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.views.build import read_by
from pasteur.views.relations import owned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.schema import Relationship
    from pasteur.table import Table
    from pasteur.views.config import ViewConfig


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
