"""Score the synthetic data and its anchors against the one target. Reads real data again: nothing here is private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.metrics import Bench
    from pasteur.schema import Schema
    from pasteur.table import Table


def _components(schema: Schema, tables: Sequence[Table]) -> list[dict[str, Table]]:
    """`tables` holds the public tables, then data set after data set, each with one table per component of `schema`.

    The first data set, the target, has the public ones beside its own.
    """
    names, first = list(schema.tables), len(schema.public)
    sides = [dict(zip(names, tables[i : i + len(names)], strict=True)) for i in range(first, len(tables), len(names))]
    return [sides[0] | dict(zip(schema.public, tables, strict=False)), *sides[1:]]


def measure_anchors(bench: Bench, seed: int, *tables: Table) -> dict[str, Any]:
    """Raw scores of dec, ref and base.

    `tables` are the public ones, the target's components, the decoded ones, wrk's, and ref's where it is an anchor.
    """
    target, decoded, working, *reference = _components(bench.schema, tables)
    found = metrics.measure_anchors(
        target,
        decoded=decoded,
        reference=reference[0] if reference else None,
        working=working,
        schema=bench.schema,
        settings=bench.settings,
        queries=bench.queries,
        seed=seed,
    )
    del found["seconds"]  # the anchors are the same bytes each time they are made
    return found


def measure(bench: Bench, seed: int, anchors: dict[str, Any], *tables: Table) -> dict[str, Any]:
    """Scores of the synthetic data beside its anchors.

    `tables` are the public ones, the target's components, the synthetic ones, and wrk's, which no objective may read.
    """
    target, synthetic, working = _components(bench.schema, tables)
    return metrics.measure_synthetic(
        target,
        synthetic,
        working=working,
        anchors=anchors,
        schema=bench.schema,
        settings=bench.settings,
        queries=bench.queries,
        seed=seed,
    )
