"""`Run`: what a comparison reads of a tracked run, and runs that differ in nothing but their seed, put together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPEATED = ("seed", "privacy.debug_seed")
"""Settings in which repeated runs differ."""

ALGORITHM = "algorithm"
OWN = "settings."
"""What the algorithm's own settings begin with."""
EPSILON = "privacy.epsilon"
FAMILY = "gap/"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A tracked run, by its settings and its numbers."""

    id: str
    name: str
    settings: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False

    @property
    def private(self) -> bool:
        """Whether it makes a claim."""
        return self.tags.get("private") == "yes"

    @property
    def epsilon(self) -> float | None:
        """Of its claim; None where there is none."""
        value = self.metrics.get("claim/epsilon")
        return value if value is not None and self.private and math.isfinite(value) and value > 0 else None

    @property
    def seconds(self) -> float | None:
        """What fitting and sampling took; of a run that did neither by itself, all of it."""
        own = [self.metrics[key] for key in ("seconds/fit", "seconds/sample", "seconds/draw") if key in self.metrics]
        return sum(own) if own else self.metrics.get("seconds")

    def gap(self, family: str) -> float | None:
        """Of a family."""
        return self.metrics.get(FAMILY + family)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Repeated measurements of one number."""

    mean: float
    sd: float | None
    """Sample standard deviation; None of one measurement."""
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Mean, sd and n; None of nothing."""
        known = [value for value in values if math.isfinite(value)]
        if not known:
            return None
        return cls(mean=fmean(known), sd=stdev(known) if len(known) > 1 else None, n=len(known))


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ in their seed alone."""

    settings: Mapping[str, str]
    """Only those in which groups differ."""
    runs: Sequence[Run]

    @property
    def label(self) -> str:
        """Its settings in words."""
        return ", ".join(f"{plain(key)}={shown(value)}" for key, value in self.settings.items())

    def spread(self, metric: str) -> Spread | None:
        """One number over the group's runs."""
        return Spread.of([run.metrics[metric] for run in self.runs if metric in run.metrics])


def plain(key: str) -> str:
    """A setting's name as a person says it."""
    return key.removeprefix("privacy.").removeprefix(OWN)


def shown(value: str | None) -> str | None:
    """A setting's value: numbers without needless digits."""
    try:
        return value if value is None or "_" in value else f"{float(value):g}"
    except ValueError:
        return value


def families(runs: Sequence[Run]) -> list[str]:
    """Families of which any run has a gap."""
    names = dict.fromkeys(key.removeprefix(FAMILY) for run in runs for key in run.metrics if key.startswith(FAMILY))
    return sorted(names)


def differing(runs: Sequence[Run]) -> list[str]:
    """Settings in which runs differ, the algorithm and epsilon first.

    What one algorithm has, and has alike in all its runs, comes with the algorithm and is no difference of its own.
    """
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    first = {"dataset": 0, "view": 1, ALGORITHM: 2, EPSILON: 3}
    found = [key for key in keys if len({run.settings.get(key) for run in runs}) > 1]
    own = [key for key in found if not (key.startswith(OWN) and _implied(runs, key))]
    return sorted(own, key=lambda key: (first.get(key, 9), key))


def _implied(runs: Sequence[Run], key: str) -> bool:
    """Whether the algorithm's name alone says what the setting is."""
    pairs = {(run.settings.get(ALGORITHM), run.settings.get(key)) for run in runs}
    return len(pairs) == len({algorithm for algorithm, _ in pairs})


def common(runs: Sequence[Run]) -> dict[str, str]:
    """Settings that all runs share."""
    first = runs[0].settings if runs else {}
    return {key: value for key, value in first.items() if all(run.settings.get(key) == value for run in runs)}


def grouped(runs: Sequence[Run], *, without: Sequence[str] = ()) -> list[Group]:
    """Runs with the same settings but for the seed, in the order in which they came.

    Args:
        runs: all of them.
        without: settings that do not tell groups apart either, e.g. epsilon along a curve.
    """
    keys = [key for key in differing(runs) if key not in {*REPEATED, *without}]
    found: dict[tuple[str | None, ...], list[Run]] = {}
    for run in runs:
        found.setdefault(tuple(run.settings.get(key) for key in keys), []).append(run)
    return [
        Group(settings={k: v for k, v in zip(keys, values, strict=True) if v is not None}, runs=held)
        for values, held in found.items()
    ]
