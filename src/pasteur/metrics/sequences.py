"""Children under their parents: rows of one component grouped by the parent they name, in order where there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pasteur.metrics.marginals import floats

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import Relationship, Schema

LONGEST = 64
"""Children of one parent beyond which more are not told apart."""


def places(child: pa.ChunkedArray, parents: pa.ChunkedArray) -> NDArray[np.int64]:
    """(children,) the position of each one's parent; -1 where it is not there."""
    keys = parents.combine_chunks()
    found = pc.fill_null(pc.index_in(child.combine_chunks().cast(keys.type), value_set=keys, skip_nulls=True), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def order_column(target: Data, schema: Schema, link: Relationship) -> str | None:
    """The column that a parent's children are in order of.

    SDV's `sequence_index` where the schema declares one; else the first date, or whole number, that no two children of
    one parent share in T.
    """
    component = link.child_table
    declared = schema.sdv["tables"][component].get("sequence_index")
    if declared:
        return str(declared)
    parent = places(target.tables[component][link.child_key], target.tables[link.parent_table][link.parent_key])
    for column in schema.tables[component].columns:
        kind = (column.embedding or {}).get("type")
        if column.sdtype == "datetime" or (column.sdtype == "numerical" and kind == "integers"):
            values = _moments(target, component, column.name)
            pairs = np.stack([parent.astype(np.float64), values])[:, (parent >= 0) & ~np.isnan(values)]
            if pairs.shape[1] > 1 and np.unique(pairs, axis=1).shape[1] == pairs.shape[1]:
                return column.name
    return None


def _moments(data: Data, component: str, column: str) -> NDArray[np.float64]:
    """A column of numbers as they are, one of dates as one number made of its parts' codes; NaN is missing."""
    embedding = data.encoders[component].embeddings[column]
    if len(embedding.parts) == 1 and embedding.type != "datetime":
        return floats(data.tables[component][column])
    value = np.zeros(data.rows(component))
    for part in embedding.parts:
        codes = data.codes[component][part.name]
        value = value * part.size + codes
        if getattr(embedding, "null", False):
            value[codes == part.size - 1] = np.nan
    return value


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Children sorted by parent, then by the order column. Orphans are left out."""

    parent: NDArray[np.int64]
    """(rows,) each child's parent, rising."""
    order: NDArray[np.float64] | None
    channels: Mapping[str, NDArray[np.float64]]
    """Numerical column -> (rows,) values, NaN for missing."""
    codes: Mapping[str, NDArray[np.int64]]
    """Attribute -> (rows,) codes in `metrics.schema`."""
    parents: int
    """Parents there are, those without children too."""
    groups: NDArray[np.uint8] | None
    """(parents,) jackknife groups."""

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(parents,) children of each, at most `LONGEST`."""
        return np.minimum(np.bincount(self.parent, minlength=self.parents), LONGEST)

    @cached_property
    def next(self) -> NDArray[np.int64]:
        """Rows whose next row is of the same parent."""
        return np.flatnonzero(self.parent[:-1] == self.parent[1:])

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(parents,) mean of a channel's known values; NaN where none is known."""
        known = ~np.isnan(values)
        sums = np.bincount(self.parent[known], weights=values[known], minlength=self.parents)
        n = np.bincount(self.parent[known], minlength=self.parents)
        return np.asarray(np.divide(sums, n, out=np.full(self.parents, np.nan), where=n > 0))

    def without(self, group: int) -> Sequences:
        """The sequences with the parents of one jackknife group left out."""
        if self.groups is None:
            raise ValueError("sequences without jackknife groups have none to leave out")
        kept = self.groups != group
        rows = kept[self.parent]
        renumbered = np.cumsum(kept) - 1
        return replace(
            self,
            parent=renumbered[self.parent[rows]],
            order=None if self.order is None else self.order[rows],
            channels={name: values[rows] for name, values in self.channels.items()},
            codes={name: codes[rows] for name, codes in self.codes.items()},
            parents=int(kept.sum()),
            groups=None,
        )


def arrange(data: Data, schema: Schema, link: Relationship, order: str | None) -> Sequences:
    """The children of one relationship, sorted."""
    component = link.child_table
    parents = data.tables[link.parent_table][link.parent_key]
    parent = places(data.tables[component][link.child_key], parents)
    at = None if order is None else _moments(data, component, order)
    kept = np.flatnonzero(parent >= 0)
    sort = kept[np.lexsort((np.zeros(kept.size) if at is None else at[kept], parent[kept]))]
    columns: dict[str, Any] = {}
    for column in schema.tables[component].columns:
        if column.sdtype == "numerical" and column.name != order:
            values = floats(data.tables[component][column.name])[sort]
            columns[column.name] = np.where(np.isfinite(values), values, np.nan)
    own = {p.name for p in data.encoders[component].embeddings[order].parts} if order is not None else set()
    codes = {name: values[sort] for name, values in data.codes[component].items() if name not in own}
    return Sequences(
        parent=parent[sort],
        order=None if at is None else at[sort],
        channels=columns,
        codes=codes,
        parents=len(parents),
        groups=None if data.groups is None else data.groups[link.parent_table],
    )
