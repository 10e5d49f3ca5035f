"""Where raw bytes come from, and how they become tidy tables and keys."""

from __future__ import annotations

from pasteur.datasets.config import SPLITS, DatasetConfig
from pasteur.datasets.fetch import fetch
from pasteur.datasets.keys import split_keys
from pasteur.datasets.parse import parse
from pasteur.datasets.tidy import tidy

__all__ = ["SPLITS", "DatasetConfig", "fetch", "parse", "raw_names", "split_keys", "tidy"]


def raw_names(dataset: DatasetConfig) -> tuple[str, ...]:
    """Names of the raw files, and so of the intermediate tables, in the YAML's order."""
    return tuple(dataset.files)
