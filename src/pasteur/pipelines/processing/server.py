"""From a server's tables to keys and views: raw, intermediate and primary are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import node

from pasteur import datasets
from pasteur.datasets import postgres
from pasteur.datasets.progress import Bar
from pasteur.pipelines.execute import ALWAYS
from pasteur.randomness import Stage, generator
from pasteur.views import server, server_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro.pipeline.node import Node

    from pasteur.datasets.config import DatasetConfig
    from pasteur.postgres import Snapshot
    from pasteur.table import Table
    from pasteur.views.config import ViewConfig

UNITS = 3
"""Units that a run leaves out, beside the largest; `pasteur check` leaves out more."""


def connect(dataset: DatasetConfig, folder: Path, refresh: bool) -> Snapshot:  # noqa: FBT001 - a node
    """One moment of the server, for all that a run reads of it."""
    return postgres.connect(dataset, folder, refresh=refresh)


def split_keys(dataset: DatasetConfig, snapshot: Snapshot) -> dict[str, Table]:
    """The privacy units of each split."""
    return postgres.split_keys(dataset, snapshot)


def build_view(dataset: DatasetConfig, view: ViewConfig, snapshot: Snapshot) -> dict[str, Table]:
    """Each component of the view, cut by the splits of its units."""
    built = server.build(
        view,
        snapshot,
        units=postgres.units_sql(dataset, snapshot.relations),
        split=lambda unit: postgres.split_sql(dataset, unit),
        splits=datasets.SPLITS,
        progress=Bar(unit="rows"),
    )
    return {f"{component}__{split}": table for component, parts in built.items() for split, table in parts.items()}


def build_public(dataset: DatasetConfig, view: ViewConfig, snapshot: Snapshot) -> list[Table]:
    """The view's tables that are nobody's."""
    built = server.build_public(view, snapshot, nobodys=dataset.nobodys)
    return [built[name] for name in view.public]


def respect_units(dataset: DatasetConfig, view: ViewConfig, snapshot: Snapshot) -> list[str]:
    """How the view mixes privacy units, if it does (D27); and tables that are not known to be of anybody."""
    links = datasets.relationships(dataset)
    found = server_units.respects_units(
        view, snapshot, relationships=links, sample=UNITS, rng=generator(0, Stage.UNITS)
    )
    for table in server_units.unowned(view, snapshot, relationships=links):
        if not dataset.tables[table].public:
            found.append(
                f"data set '{dataset.name}', table '{table}': leads to no {dataset.unit.name}: declare its "
                "foreign_keys, or public: true if its rows are nobody's"
            )
    return found


def let_go(snapshot: Snapshot, *made: object) -> bool:
    """End the transaction when all that a run reads of the server is on disk."""
    del made  # inputs only so that they come first
    snapshot.close()
    return True


def nodes(keys: Mapping[str, str], built: Mapping[str, str], public: list[str]) -> list[Node]:
    """The table of nodes.

    Args:
        keys: split -> name of its keys.
        built: `<component>__<split>` -> name of those rows of the view.
        public: names of the view's tables that are nobody's.
    """
    made = ["units", *keys.values(), *built.values(), *public]
    apart = (
        [node(build_public, ["params__dataset", "params__view", "server"], public, name="build_public", tags=["views"])]
        if public
        else []
    )
    return [
        node(connect, ["params__dataset", "params__raw", "params__refresh"], "server", name="connect", tags=[ALWAYS]),
        node(split_keys, ["params__dataset", "server"], dict(keys), name="split_keys", tags=["datasets"]),
        node(build_view, ["params__dataset", "params__view", "server"], dict(built), name="build_view", tags=["views"]),
        *apart,
        node(
            respect_units,
            ["params__dataset", "params__view", "server"],
            "units",
            name="respect_units",
            tags=["views", "datasets", "randomness"],
        ),
        node(let_go, ["server", *made], "let_go", name="let_go", tags=[ALWAYS]),
    ]
