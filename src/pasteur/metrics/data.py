"""`Data`: one side of a comparison, as rows and as codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pasteur.embeddings.table import TableEncoder

Tables = Mapping[str, Table]
"""Component -> table: typed rows, as a view or a decoder gives them."""
Codes = Mapping[str, "NDArray[np.int64]"]
Groups = Mapping[str, "NDArray[np.uint8]"]


@dataclass(frozen=True, kw_only=True)
class Data:
    """A candidate or the target: Arrow tables in memory, by component, and their codes in `metrics.schema`."""

    tables: Mapping[str, pa.Table]
    encoders: Mapping[str, TableEncoder]
    groups: Groups | None = None
    """Each row's jackknife group; None for data that needs no standard error."""

    @cached_property
    def codes(self) -> dict[str, Codes]:
        """Component -> attribute -> (rows,) codes."""
        return {component: self._encode(component) for component in self.tables}

    def _encode(self, component: str) -> Codes:
        encoder = self.encoders[component]
        names = [part.name for part in encoder.attributes]
        coded = encoder.encode(Table.of(self.tables[component])).arrow(names)
        return {name: coded[name].to_numpy().astype(np.int64) for name in names}

    def rows(self, component: str) -> int:
        """Rows of a component."""
        return int(self.tables[component].num_rows)

    def visible(self, component: str) -> pa.Table:
        """The component as a query sees it: without the unit's id, which synthetic data has none of."""
        table = self.tables[component]
        return table.drop_columns([UNIT]) if UNIT in table.column_names else table

    def without(self, left_out: Sequence[int]) -> Data:
        """The data with some jackknife groups left out."""
        groups = self.groups or {}
        kept = {c: table.filter(~np.isin(groups[c], left_out)) for c, table in self.tables.items()}
        return Data(tables=kept, encoders=self.encoders)
