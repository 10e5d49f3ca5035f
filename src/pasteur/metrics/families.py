"""The `Metric` protocol and how families are found: one module of `pasteur.metrics`, one family.

A family's module holds `FAMILY`, an object with a name, the depths it runs at and `measure`. It is found by its
module's name; a package of a user's own offers families under the entry point group `pasteur.metrics`.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from pasteur.errors import ConfigError, near_miss
from pasteur.randomness import Stage, generator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from pasteur.metrics.config import MetricsConfig
    from pasteur.metrics.data import Data
    from pasteur.metrics.score import Raw
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import Schema
    from pasteur.table import Table


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every family is told, beside the data."""

    schema: Schema
    settings: MetricsConfig
    queries: Sequence[Query]
    seed: int
    working: Mapping[str, Table] | None = None
    """wrk, whole and lazily read, where it is known. What reads it says so in `Raw.reads`, and is no objective."""
    public: Mapping[str, Table] = field(default_factory=dict)
    """Tables that are nobody's, which queries may join on every side; those of `schema.public`."""

    def rng(self, label: str) -> np.random.Generator:
        """A generator of its own for each use: the same for every candidate, so that all are asked the same."""
        return stream(self.seed, label)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a family found."""

    scores: Mapping[str, list[Raw]]
    """Candidate -> raw scores."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Metric -> why it says nothing here, e.g. a target of one class in T. No failure."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Metric -> why it could not be measured."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Side (`target` or a candidate) -> JSON that a report shows: matrices, histograms, results. The family's module
    says what is in it. Small, without NaN (null is undefined), and never a row of data."""


class Metric(Protocol):
    """A family of metrics."""

    @property
    def name(self) -> str:
        """The module's name."""
        ...

    @property
    def depths(self) -> frozenset[str]:
        """At which depths it runs."""
        ...

    @property
    def working(self) -> bool:
        """Whether the candidate wrk is measured too. It is shown, and is in no ratio."""
        ...

    @property
    def imports(self) -> tuple[str, ...]:
        """Heavy modules that it needs, imported before the threads start.

        Of packages that import each other, two threads may each see a half.
        """
        ...

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Compare each candidate with the target. A candidate whose rows have jackknife groups gets replicates."""
        ...


def stream(seed: int, label: str) -> np.random.Generator:
    """The generator of one use of the scores' stage."""
    return generator(seed, Stage.SCORES, crc32(label.encode()))


@cache
def families() -> dict[str, Metric]:
    """Every family there is, by name; our own come before an entry point of the same name."""
    package = importlib.import_module("pasteur.metrics")
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    found: dict[str, Metric] = {m.FAMILY.name: m.FAMILY for m in modules if hasattr(m, "FAMILY")}
    for entry in entry_points(group="pasteur.metrics"):
        if entry.name not in found:
            found[entry.name] = entry.load()
    return found


def find(name: str) -> Metric:
    """The family called `name`.

    Raises:
        ConfigError: there is none.
    """
    known = families()
    if name not in known:
        raise ConfigError(f"metrics: no family '{name}'{near_miss(name, known)}")
    return known[name]


def chosen(settings: MetricsConfig) -> list[Metric]:
    """The families that run: those named in the settings, else all, at this depth."""
    names = families() if settings.families is None else settings.families
    return [family for family in map(find, names) if settings.depth in family.depths]
