"""`Story`: all that a report is made from, as plain values. Whoever has them can have a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.metrics import Score

SIDES = ("syn", "dec", "ref", "base")
"""The candidates, in the order in which they are shown."""

MEANING = {
    "syn": "synthetic data",
    "dec": "real data, encoded and decoded: the best that this encoding allows",
    "ref": "fresh real data",
    "base": "independent columns",
    "wrk": "the real data that was learnt from",
    "target": "the held-out real data that all are compared with",
}


@dataclass(frozen=True, kw_only=True)
class Spent:
    """An event of the ledger, or a run of equal ones."""

    label: str
    """What was asked."""
    event: str
    noise: str
    """Its parameter, in words."""
    sensitivity: float | None
    share: float
    """Of the whole budget, in [0, 1]."""
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """What is claimed, and what it took."""

    private: bool
    sentence: str
    """The claim in words."""
    epsilon: float | None = None
    delta: float | None = None
    unit: str = "person"
    accountant: str = ""
    spending: Sequence[Spent] = ()
    releases: str = ""
    """Which release from this data it was, and what all of them cost."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A run, or a data set that somebody else's tool made, judged."""

    title: str
    subtitle: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What was run: name -> value, in the order in which they are shown."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    """What was read and what was made -> sha256."""
    cautions: Sequence[str] = ()
    """What a reader must know before all else, e.g. that the numbers may reward copying."""
    privacy: Privacy | None = None
    """None: the data came from elsewhere, and nothing is known of how."""
    split: str = ""
    """The target's name; empty where nothing was scored."""
    scores: Sequence[Score] = ()
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Side (`target`, `syn`, `dec`, `ref`, `base`, `wrk`) -> family -> what it found, beside its scores."""
    worst: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """`columns`, `pairs`, `triples`, each worst first."""
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Family -> what scoring the synthetic data took."""
    steps: Mapping[str, float] = field(default_factory=dict)
    """Step of the line that ran -> seconds."""
    current: Sequence[str] = ()
    """Steps that did not have to run."""
    took: float | None = None
    peak_mb: float | None = None
    moved: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    """Component -> column -> `outside` or `other` -> share of real values that the encoding moves there; at a child's
    foreign key, `past` or `orphan` -> share of its rows that do not count."""
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Synthetic rows, of each component: `columns`, `rows` (text or null), `of` (how many there are)."""

    series: Sequence[Mapping[str, Any]] = ()
    """Components whose rows became latent columns: see `pipelines.benchmark.series.told`."""

    def of(self, side: str, family: str) -> Mapping[str, Any]:
        """What a family found on a side; empty where it did not look."""
        found = self.details.get(side, {}).get(family)
        return found if isinstance(found, Mapping) else {}

    def family(self, name: str) -> list[Score]:
        """The scores of a family, in its order."""
        return [score for score in self.scores if score.family == name]

    @property
    def families(self) -> tuple[str, ...]:
        """Families that were measured or failed, in the order in which they were."""
        failed = [name.split("/")[0].split(" ")[0] for name in self.failures]
        return tuple(dict.fromkeys([*(score.family for score in self.scores), *failed]))
