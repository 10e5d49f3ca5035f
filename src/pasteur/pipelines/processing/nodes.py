"""From raw bytes to codes: plain functions. All of it up to `encode` may refuse data; nothing after it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pasteur import datasets, naming, views
from pasteur.embeddings.table import TableEncoder
from pasteur.randomness import Stage, generator

UNITS = 3
"""Units that a run leaves out, beside the largest; `pasteur check` leaves out more."""

if TYPE_CHECKING:
    from pathlib import Path

    from pasteur.datasets.config import DatasetConfig
    from pasteur.schema import Relationship, Schema
    from pasteur.table import Table
    from pasteur.views.config import ViewConfig


def fetch(dataset: DatasetConfig, root: Path, folder: Path, accept: bool) -> dict[str, Path]:  # noqa: FBT001 - a node
    """The data set's raw files, there and with the bytes they should have."""
    return datasets.fetch(dataset, folder, accept=accept, root=root)


def parse(dataset: DatasetConfig, raw: dict[str, Path]) -> dict[str, Table]:
    """Each raw file as a table of untouched values."""
    return datasets.parse(dataset, raw)


def tidy(dataset: DatasetConfig, *intermediate: Table) -> dict[str, Table]:
    """Typed and renamed tables with nulls as nulls."""
    return datasets.tidy(dataset, dict(zip(datasets.raw_names(dataset), intermediate, strict=True)))


def split_keys(dataset: DatasetConfig, *primary: Table) -> dict[str, Table]:
    """The privacy units of each split."""
    return datasets.split_keys(dataset, dict(zip(dataset.tables, primary, strict=True)))


def build_view(dataset: DatasetConfig, view: ViewConfig, *tables: Table) -> dict[str, Table]:
    """Each component of the view, cut by the splits of its units.

    `tables` are the data set's primary tables, then the keys of each split.
    """
    names = list(dataset.tables)
    primary = dict(zip(names, tables, strict=False))
    keys = dict(zip(datasets.SPLITS, tables[len(names) :], strict=True))
    built = views.build(view, primary, keys)
    return {f"{component}__{split}": table for component, parts in built.items() for split, table in parts.items()}


def build_public(dataset: DatasetConfig, view: ViewConfig, *primary: Table) -> list[Table]:
    """The view's tables that are nobody's."""
    built = views.build_public(view, dict(zip(dataset.tables, primary, strict=True)), nobodys=dataset.nobodys)
    return [built[name] for name in view.public]


def halve(dataset: DatasetConfig, components: tuple[str, ...], *tables: Table) -> dict[str, Table]:
    """Each component's rows of ref in two: those of the units that stand for wrk, and of those that stand for ref."""
    halves: dict[str, Table] = {}
    for component, table in zip(components, tables, strict=True):
        fitted, held = datasets.halve(table, salt=dataset.salt)
        halves |= {f"{component}__wrk": fitted, f"{component}__ref": held}
    return halves


def respect_units(dataset: DatasetConfig, view: ViewConfig, *primary: Table) -> list[str]:
    """How the view mixes privacy units, if it does: some units are left out and the rest must not change (D27)."""
    tables = dict(zip(dataset.tables, primary, strict=True))
    found: list[str] = views.respects_units(
        view,
        tables,
        relationships=datasets.relationships(dataset),
        sample=UNITS,
        rng=generator(0, Stage.UNITS),
    )
    return found


def inspect(schema: Schema, *tables: Table) -> dict[str, Any]:
    """Check every component's rows against the declared domains: the last place that may refuse data.

    Returns, for the curator alone, the share of each column's values that the encoding will move to `other` or an edge,
    and, at a child's foreign key, of its rows that will not count. `tables` are all splits of each component, component
    by component, and then the public tables.
    """
    splits = len(datasets.SPLITS)
    naming.check(schema, dict(zip(schema.public, tables[splits * len(schema.tables) :], strict=True)))
    report: dict[str, Any] = {}
    wrk = dict(zip(schema.tables, tables[::splits], strict=False))
    for index, (component, described) in enumerate(schema.tables.items()):
        encoder = TableEncoder.declare(described)
        parts = tables[index * splits : (index + 1) * splits]
        for split, table in zip(datasets.SPLITS, parts, strict=True):
            encoder.check(table.without(described.drop), file=f"{component}.{split}")
        report[component] = encoder.report(parts[0])
        most = described.max_rows
        for link in schema.relationships:
            owns = link.child_table == component and described.owner in (None, link.parent_table)
            if owns and most and isinstance(link.child_key, str):
                shares = _uncounted(wrk[component], wrk[link.parent_table], link, most)
                report[component][link.child_key] = shares
    return report


def _uncounted(children: Table, parents: Table, link: Relationship, most: int) -> dict[str, float]:
    """Shares of a child's rows: `past` the declared maximum of their parent's, and of no parent (`orphan`)."""
    keys = children.arrow([link.child_key])[link.child_key].cast(pa.string())
    owners = parents.arrow([link.parent_key])[link.parent_key].cast(pa.string())
    owned = keys.filter(pc.is_in(keys, value_set=owners.combine_chunks().drop_null()))
    counts = owned.value_counts().field("counts").to_numpy()
    rows = max(len(keys), 1)
    return {"past": float((counts - most).clip(0).sum()) / rows, "orphan": (len(keys) - len(owned)) / rows}


def declare(schema: Schema, report: dict[str, Any], *tables: Table) -> dict[str, Any]:
    """The dictionary that turns values into codes and back. Declared embeddings look at nothing in `tables`."""
    del report  # an input only so that nothing is encoded before it was inspected
    pairs = zip(schema.tables.items(), tables, strict=True)
    return {component: TableEncoder.declare(described).fit(table).to_dict() for (component, described), table in pairs}


def encode(dictionary: dict[str, Any], *tables: Table) -> dict[str, Table]:
    """Each component's codes."""
    pairs = zip(dictionary.items(), tables, strict=True)
    return {component: TableEncoder.from_dict(entry).encode(table) for (component, entry), table in pairs}


def decode(dictionary: dict[str, Any], seed: int, *codes: Table) -> dict[str, Table]:
    """Each component's values, drawn inside their bins."""
    decoded = {}
    for index, ((component, entry), table) in enumerate(zip(dictionary.items(), codes, strict=True)):
        decoded[component] = TableEncoder.from_dict(entry).decode(table, rng=generator(seed, Stage.DECODE, index))
    return decoded
