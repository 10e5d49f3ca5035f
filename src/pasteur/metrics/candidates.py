"""Candidates cut to one size, the base that stands for "no dependence at all", and the jackknife's groups.

Total variation between a sample and its source falls with 1/sqrt(rows), so candidates of different sizes cannot be
compared: each is cut to the same number of rows, drawn with a seed. In a view of several components the rows of the
components without a parent are drawn, and children follow their parents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pasteur.schema import Relationship, Schema
    from pasteur.table import Table

HEADROOM = 0.95
"""Share of the smaller anchor's rows that candidates are cut to. A private algorithm's row count is noisy: with some
room below the anchors' size, synthetic data that came out a little short is still scored at the size of its anchors,
which are measured once, before it exists."""


def links(schema: Schema, component: str) -> list[Relationship]:
    """The relationships in which `component` is the child of another component."""
    return [r for r in schema.relationships if r.child_table == component != r.parent_table]


def order(schema: Schema) -> list[str]:
    """Components, parents before children."""
    placed: list[str] = []
    left = list(schema.tables)
    while left:
        ready = [c for c in left if all(r.parent_table in placed for r in links(schema, c))]
        # A cycle has no first table: take them as they are declared.
        placed += ready or left[:1]
        left = [c for c in left if c not in placed]
    return placed


def roots(schema: Schema) -> tuple[str, ...]:
    """Components without a parent, whose rows are drawn."""
    return tuple(c for c in order(schema) if not links(schema, c))


def count(table: Table) -> int:
    """Rows of a table, read if need be."""
    if table.rows is not None:
        return table.rows
    return sum(batch.num_rows for batch in table.batches(table.columns[:1]))


def common_size(anchors: Iterable[Mapping[str, Table]], *, schema: Schema, most: int) -> dict[str, int]:
    """Rows of each root component that every candidate is cut to: `HEADROOM` of the smallest anchor, at most `most`."""
    held = list(anchors)
    return {c: min(most, int(HEADROOM * min(count(tables[c]) for tables in held))) for c in roots(schema)}


def cut(
    tables: Mapping[str, Table], *, schema: Schema, rows: Mapping[str, int], rng: np.random.Generator
) -> dict[str, pa.Table]:
    """At most `rows` rows of each root component, drawn without replacement, and their children.

    Args:
        tables: one candidate, a table per component.
        schema: its relationships say which component is whose child; its columns are kept, and the unit's.
        rows: component -> most rows; a component that is not named keeps all of its own.
        rng: drawn from for the components that are longer than that.

    Returns:
        Arrow tables in memory, rows in the order they were read.
    """
    held: dict[str, pa.Table] = {}
    short: set[str] = set()
    for component in order(schema):
        table = tables[component]
        columns = [c for c in table.columns if c == UNIT or c in schema.tables[component].names]
        parents = [r for r in links(schema, component) if r.parent_table in short]
        most = rows.get(component)
        if most is not None and count(table) > most:
            held[component] = _draw(table, columns, most, rng)
            short.add(component)
        elif parents:
            held[component] = _follow(table, columns, parents, (tables, held), rng)
            short.add(component)
        else:
            held[component] = table.arrow(columns)
    return held


def _draw(table: Table, columns: list[str], rows: int, rng: np.random.Generator) -> pa.Table:
    chosen = np.sort(rng.choice(count(table), size=rows, replace=False))
    taken, start = [], 0
    for batch in table.batches(columns):
        low, high = np.searchsorted(chosen, [start, start + batch.num_rows])
        taken.append(batch.take(pa.array(chosen[low:high] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(taken, schema=pa.schema([table.schema.field(c) for c in columns]))


def _follow(
    table: Table,
    columns: list[str],
    parents: list[Relationship],
    sides: tuple[Mapping[str, Table], Mapping[str, pa.Table]],
    rng: np.random.Generator,
) -> pa.Table:
    """The children of the parents that were kept.

    Orphans, whose parent was not there before the cut either, are kept in the same proportion: what is wrong with the
    data must stay in it.
    """
    whole, held = sides
    known = []
    for link in parents:
        kept = held[link.parent_table][link.parent_key].combine_chunks()
        every = whole[link.parent_table].arrow([link.parent_key])[link.parent_key].combine_chunks()
        known.append((columns.index(link.child_key), kept, every, len(kept) / max(len(every), 1)))
    taken = []
    for batch in table.batches(columns):
        mask = np.ones(batch.num_rows, dtype=bool)
        for place, kept, every, share in known:
            child = batch.column(place).cast(kept.type)
            orphan = ~_among(child, every)
            mask &= _among(child, kept) | (orphan & (rng.random(batch.num_rows) < share))
        taken.append(batch.filter(pa.array(mask)))
    return pa.Table.from_batches(taken, schema=pa.schema([table.schema.field(c) for c in columns]))


def _among(values: pa.Array, keys: pa.Array) -> NDArray[np.bool_]:
    """Which values are keys; nothing is none."""
    found = pc.is_in(values, value_set=keys.drop_null(), skip_nulls=True)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def independent(tables: Mapping[str, pa.Table], *, schema: Schema, rng: np.random.Generator) -> dict[str, pa.Table]:
    """`base`: every column drawn on its own from its one-way marginal in `tables` (which is ref).

    Drawn without replacement, which is a shuffle: one-way marginals stay exactly ref's, so that one-way metrics show no
    signal and all that base lacks is dependence. Keys stay in place, so that each parent keeps its number of children.
    """
    base = {}
    for component in order(schema):
        table = tables[component]
        keys = {c.name for c in schema.tables[component].columns if c.sdtype == "id"} | {UNIT}
        for position, name in enumerate(table.column_names):
            if name not in keys:
                shuffled = table.column(name).take(pa.array(rng.permutation(table.num_rows)))
                table = table.set_column(position, table.schema.field(name), shuffled)
        base[component] = table
    return base


def deal(
    tables: Mapping[str, pa.Table], *, schema: Schema, groups: int, rng: np.random.Generator
) -> dict[str, NDArray[np.uint8]]:
    """The jackknife group of each row: rows of one unit, and children and their parent, share theirs.

    Returns:
        component -> (rows,) numbers in [0, groups), as equal in number as the units allow.
    """
    dealt: dict[str, NDArray[np.uint8]] = {}
    for component in order(schema):
        table = tables[component]
        link = next((r for r in links(schema, component) if r.parent_table in dealt), None)
        if link:
            parent = tables[link.parent_table][link.parent_key].combine_chunks()
            child = table[link.child_key].combine_chunks().cast(parent.type)
            place = pc.fill_null(pc.index_in(child, value_set=parent), -1).to_numpy(zero_copy_only=False)
            orphans = rng.integers(groups, size=place.size)
            of_parent = dealt[link.parent_table]
            known = of_parent[np.maximum(place, 0)] if of_parent.size else orphans
            dealt[component] = np.where(place >= 0, known, orphans).astype(np.uint8)
            continue
        units = table[UNIT].combine_chunks() if UNIT in table.column_names else pa.array(np.arange(table.num_rows))
        codes = units.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        distinct = int(codes.max()) + 1 if codes.size else 0
        dealt[component] = rng.permutation(np.arange(distinct) % groups)[codes].astype(np.uint8)
    return dealt
