"""`reference`: the `ref` split itself, as large as `wrk` and disjoint from it: what a perfect synthesiser would make.

Not private: these are real rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from pasteur.table import Table

PRIVATE = False
COMPONENTS = "many"
READS = ("ref",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """There is nothing to set."""


def draw(
    data: Mapping[str, Mapping[str, Table]], settings: Settings, *, rows: int | None, rng: np.random.Generator
) -> Mapping[str, Table]:
    """Give the `ref` split's components as they are.

    Args:
        data: split to component to table of codes; only "ref" is read.
        settings: none.
        rows: must be None: the split has the rows that it has.
        rng: not used.

    Raises:
        ConfigError: rows is a number.
    """
    del settings, rng
    if rows is not None:
        raise ConfigError(rule("rows", rows, "null for algorithm 'reference', which has the rows of the ref split"))
    return data["ref"]
