"""Score the synthetic data and its anchors against the one target. Reads real data again: nothing here is private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.metrics.config import MetricsConfig
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import Schema
    from pasteur.table import Table


def _components(schema: Schema, tables: Sequence[Table]) -> list[dict[str, Table]]:
    """`tables` holds data set after data set, each with one table per component of `schema`."""
    names = list(schema.tables)
    return [dict(zip(names, tables[i : i + len(names)], strict=True)) for i in range(0, len(tables), len(names))]


def measure_anchors(
    schema: Schema, settings: MetricsConfig, queries: Sequence[Query], seed: int, *tables: Table
) -> dict[str, Any]:
    """Raw scores of dec, ref and base. `tables`: the target's components, then the decoded ones, then ref's."""
    target, decoded, reference = _components(schema, tables)
    return metrics.measure_anchors(
        target, decoded=decoded, reference=reference, schema=schema, settings=settings, queries=queries, seed=seed
    )


def measure(
    schema: Schema,
    settings: MetricsConfig,
    queries: Sequence[Query],
    seed: int,
    anchors: dict[str, Any],
    *tables: Table,
) -> dict[str, Any]:
    """Scores of the synthetic data beside its anchors. `tables`: the target's components, then the synthetic ones."""
    target, synthetic = _components(schema, tables)
    return metrics.measure_synthetic(
        target, synthetic, anchors=anchors, schema=schema, settings=settings, queries=queries, seed=seed
    )
