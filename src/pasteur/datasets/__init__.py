"""Where raw bytes come from, and how they become tidy tables and keys."""

from __future__ import annotations

from pasteur.datasets.config import SPLITS, DatasetConfig
from pasteur.datasets.fetch import fetch
from pasteur.datasets.keys import halve, split_keys
from pasteur.datasets.parse import parse
from pasteur.datasets.tidy import inferred, tidy
from pasteur.schema import Relationship

__all__ = [
    "SPLITS",
    "DatasetConfig",
    "fetch",
    "halve",
    "inferred",
    "parse",
    "raw_names",
    "relationships",
    "split_keys",
    "tidy",
]


def raw_names(dataset: DatasetConfig) -> tuple[str, ...]:
    """Names of the raw files, and so of the intermediate tables, in the YAML's order."""
    return tuple(dataset.files)


def relationships(dataset: DatasetConfig) -> tuple[Relationship, ...]:
    """The foreign keys that a data set's YAML declares between its primary tables."""
    return tuple(
        Relationship(parent_table=parent, parent_key=key, child_table=name, child_key=column)
        for name, table in dataset.tables.items()
        for column, (parent, key) in ((c, target.split(".")) for c, target in table.foreign_keys.items())
    )
