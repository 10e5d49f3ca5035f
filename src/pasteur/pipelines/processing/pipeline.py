"""processing: raw -> intermediate -> primary -> keys -> views -> encoded -> decoded; from a server, from keys on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from pasteur.catalog import HALVED, SPLITS
from pasteur.datasets import raw_names
from pasteur.pipelines.execute import ALWAYS
from pasteur.pipelines.processing import nodes, server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline.node import Node

    from pasteur.datasets.config import DatasetConfig
    from pasteur.views.config import ViewConfig


def create(dataset: DatasetConfig, view: ViewConfig, *, halved: bool = False) -> Pipeline:
    """The table of nodes for one data set and one of its views.

    Args:
        dataset: its tables.
        view: its components.
        halved: whether halves of ref stand for wrk and ref, in a sweep on ref: then nothing after the view reads wrk.
    """
    raw = {name: f"intermediate__{name}" for name in raw_names(dataset)}
    primary = {table: f"primary__{table}" for table in dataset.tables}
    keys = {split: f"keys__{split}" for split in SPLITS}
    parts = {f"{c}__{s}": f"view__{c}__{s}" for c in view.components for s in SPLITS}
    built = {**parts, **({name: f"whole__{name}" for name in parts if name.endswith(_HALVED)} if halved else {})}
    wrk = [f"view__{c}__wrk" for c in view.components]
    public = [f"public__{name}" for name in view.public]
    ingested = server.nodes(keys, built, public) if dataset.in_server else _from_files(raw, primary, keys, built)
    if public and not dataset.in_server:
        inputs = ["params__dataset", "params__view", *primary.values()]
        ingested.append(node(nodes.build_public, inputs, public, name="build_public", tags=["views"]))
    return Pipeline(
        [
            *ingested,
            node(
                nodes.inspect,
                ["params__schema", *parts.values(), *public],
                "inspection",
                name="inspect",
                tags=["embeddings"],
            ),
            node(
                nodes.declare,
                ["params__schema", "inspection", *wrk],
                "dictionary",
                name="declare",
                tags=["embeddings"],
            ),
            *([_halve(view)] if halved else []),
            *(_encode(view, split) for split in SPLITS),
            node(
                nodes.decode,
                ["dictionary", "params__seed", *(f"encoded__{c}__wrk" for c in view.components)],
                {c: f"decoded__{c}__wrk" for c in view.components},
                name="decode_wrk",
                tags=["embeddings", "randomness"],
            ),
        ]
    )


def _from_files(
    raw: Mapping[str, str], primary: Mapping[str, str], keys: Mapping[str, str], built: Mapping[str, str]
) -> list[Node]:
    """The steps from raw, intermediate and primary to keys and views."""
    return [
        node(
            nodes.fetch,
            ["params__dataset", "params__root", "params__raw", "params__accept"],
            "raw",
            name="fetch",
            tags=[ALWAYS],
        ),
        node(nodes.parse, ["params__dataset", "raw"], dict(raw), name="parse", tags=["datasets"]),
        node(nodes.tidy, ["params__dataset", *raw.values()], dict(primary), name="tidy", tags=["datasets"]),
        node(
            nodes.split_keys, ["params__dataset", *primary.values()], dict(keys), name="split_keys", tags=["datasets"]
        ),
        node(
            nodes.build_view,
            ["params__dataset", "params__view", *primary.values(), *keys.values()],
            dict(built),
            name="build_view",
            tags=["views"],
        ),
        node(
            nodes.respect_units,
            ["params__dataset", "params__view", *primary.values()],
            "units",
            name="respect_units",
            tags=["views", "randomness"],
        ),
    ]


_HALVED = tuple(f"__{split}" for split in HALVED)


def _halve(view: ViewConfig) -> Node:
    return node(
        nodes.halve,
        ["params__dataset", "params__components", *(f"whole__{c}__ref" for c in view.components)],
        {f"{c}__{s}": f"view__{c}__{s}" for c in view.components for s in HALVED},
        name="halve_ref",
        tags=["datasets"],
    )


def _encode(view: ViewConfig, split: str) -> Node:
    return node(
        nodes.encode,
        ["dictionary", *(f"view__{c}__{split}" for c in view.components)],
        {c: f"encoded__{c}__{split}" for c in view.components},
        name=f"encode_{split}",
        tags=["embeddings"],
    )
