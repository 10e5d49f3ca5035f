"""`Raw`, one candidate's score, and `Score`, the synthetic data's beside those of its anchors.

For an error e (lower is better) four numbers stand side by side: `syn`, the synthetic data; `dec`, what the encoding
can at best give; `ref`, fresh real data; `base`, independent columns drawn from ref's one-way marginals. Two ratios:

    gap       = (syn - ref) / (base - ref)     0: as good as fresh real data. 1: no better than independent columns
    model_gap = (syn - dec) / (base - ref)     what the synthesiser loses beyond the encoder

Where `base - ref` is under two of its standard errors the metric cannot tell fresh data from independent columns, so no
ratio is given: "no signal". The standard error is a delete-a-group jackknife (Shao and Wu, Annals of Statistics 17,
1989, delete-d): the target's and both anchors' rows (their units, where known) are dealt into `GROUPS` random groups,
group g is left out of all at once, and `base - ref` is taken again. Leaving out both sides at once adds their
variances, sharing T keeps the covariance, and a bias that grows as the tables shrink is the same for each g and
cancels. The bootstrap would not do: drawing rows twice biases total variation upwards.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pasteur.errors import ConfigError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Better = Literal["lower", "higher"]

GROUPS = 10
"""Groups of the jackknife: nine degrees of freedom are enough for a yes or no at two standard errors."""

NO_SIGNAL = "no signal"

READS: Mapping[str, frozenset[str]] = {
    "value": frozenset({"syn", "target"}),
    "gap": frozenset({"syn", "ref", "target"}),
    "model_gap": frozenset({"syn", "dec", "ref", "target"}),
}
"""What each number of a score was computed from (base is made of ref). A choice may rest on syn, ref and the target."""

OBJECTIVE_READS = frozenset({"syn", "ref", "target"})


SEQUENCES = ("columns", "replicates", "reads")


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A candidate's score on one metric."""

    metric: str
    """`<family>/<name>`, e.g. `marginals/tvd2`."""
    value: float
    better: Better
    columns: tuple[str, ...] = ()
    """The columns it is of; empty: all."""
    dependence: bool = False
    """Whether it measures dependence between columns, and so counts in its family's gap."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """What the value is made of, e.g. the total variation of each pair."""
    replicates: tuple[float, ...] = ()
    """The value with each jackknife group left out; empty for candidates that are no anchor."""
    note: str = ""
    """What a reader must know, e.g. the positive class."""
    reads: tuple[str, ...] = ()
    """What it was computed from beside the candidate and the target, e.g. `wrk`."""

    def __post_init__(self) -> None:
        """Refuse a value that cannot be compared."""
        if not math.isfinite(self.value):
            raise ValueError(rule(self.metric, self.value, "a finite number"))

    def document(self) -> dict[str, Any]:
        """The score as JSON."""
        return asdict(self) | {name: list(getattr(self, name)) for name in SEQUENCES}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Raw:
        """The score that `document()` wrote."""
        sequences = {name: tuple(document[name]) for name in SEQUENCES}
        return cls(**{**document, **sequences})


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of the synthetic data, beside its anchors. An anchor that was not measured is None."""

    metric: str
    better: Better
    split: str
    """The target: `dev`, or `val` for the final numbers."""
    syn: float
    dec: float | None = None
    ref: float | None = None
    base: float | None = None
    wrk: float | None = None
    """The same of the rows that were fitted, where they are known: shown, and in no ratio."""
    se: float | None = None
    """Standard error of `base - ref`."""
    columns: tuple[str, ...] = ()
    dependence: bool = False
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Candidate -> part -> value."""
    note: str = ""
    reads: tuple[str, ...] = ()
    """What it was computed from beside candidates and target: `wrk` makes it no objective."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be compared."""
        for name in ("syn", "dec", "ref", "base", "wrk", "se"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(rule(f"{self.metric}: {name}", value, "a finite number"))
        if self.better not in ("lower", "higher"):
            raise ValueError(rule(f"{self.metric}: better", self.better, "lower or higher"))

    @property
    def value(self) -> float:
        """The synthetic data's score, as the metric gives it."""
        return self.syn

    @property
    def family(self) -> str:
        """The first word of the metric's name."""
        return self.metric.split("/", 1)[0]

    @property
    def error(self) -> float:
        """The synthetic data's score with lower as better."""
        return self._error(self.syn)

    @property
    def spread(self) -> float | None:
        """`base - ref` as errors; None where an anchor is missing."""
        return None if self.ref is None or self.base is None else self._error(self.base) - self._error(self.ref)

    @property
    def signal(self) -> bool:
        """Whether independent columns score worse than fresh real data by two standard errors or more."""
        return self.spread is not None and self.se is not None and self.spread > 0 and self.spread >= 2 * self.se

    @property
    def gap(self) -> float | None:
        """(syn - ref) / (base - ref); None where there is no signal."""
        return self._ratio(self.ref)

    @property
    def model_gap(self) -> float | None:
        """(syn - dec) / (base - ref); None where there is no signal. It reads dec, so no choice may rest on it."""
        return self._ratio(self.dec)

    @property
    def gap_text(self) -> str:
        """The gap for a person: two decimals, or why there is none."""
        if self.spread is None:
            return "no anchors"
        return NO_SIGNAL if self.gap is None else f"{self.gap:.2f}"

    def _error(self, value: float) -> float:
        return value if self.better == "lower" else 1 - value

    def _ratio(self, start: float | None) -> float | None:
        if start is None or self.spread is None or not self.signal:
            return None
        return (self.error - self._error(start)) / self.spread

    def document(self) -> dict[str, Any]:
        """The score as JSON, the ratios spelt out for whoever reads the file."""
        ratios = {"value": self.value, "gap": self.gap, "model_gap": self.model_gap, "signal": self.signal}
        return asdict(self) | {"columns": list(self.columns), "reads": list(self.reads)} | ratios

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Score:
        """The score that `document()` wrote."""
        fields = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**fields | {name: tuple(document.get(name, ())) for name in ("columns", "reads")})


def combine(synthetic: Sequence[Raw], anchors: Mapping[str, Sequence[Raw]], *, split: str) -> list[Score]:
    """Each of the synthetic data's scores beside its anchors'.

    Args:
        synthetic: the raw scores of `syn`.
        anchors: raw scores of `dec`, `ref`, `base` and `wrk`; one that is missing gives None.
        split: the target's name.
    """
    held = {name: {raw.metric: raw for raw in scores} for name, scores in anchors.items()}
    scores = []
    for raw in synthetic:
        found = {name: held.get(name, {}).get(raw.metric) for name in ("dec", "ref", "base", "wrk")}
        present = {name: anchor for name, anchor in found.items() if anchor}
        scores.append(
            Score(
                metric=raw.metric,
                better=raw.better,
                split=split,
                syn=raw.value,
                **{name: anchor.value if anchor else None for name, anchor in found.items()},
                se=_standard_error(found["ref"], found["base"]),
                columns=raw.columns,
                dependence=raw.dependence,
                parts={"syn": raw.parts} | {name: anchor.parts for name, anchor in present.items()},
                note=raw.note,
                reads=raw.reads,
            )
        )
    return scores


def _standard_error(ref: Raw | None, base: Raw | None) -> float | None:
    """Jackknife standard error of base - ref; None where an anchor has no replicates."""
    if ref is None or base is None or len(ref.replicates) < 2 or len(ref.replicates) != len(base.replicates):
        return None
    return standard_error([b - r for b, r in zip(base.replicates, ref.replicates, strict=True)])


def standard_error(replicates: Iterable[float]) -> float:
    """Of a delete-a-group jackknife: sqrt((G - 1) / G * sum of squares about the replicates' mean)."""
    held = [float(replicate) for replicate in replicates]
    mean, groups = sum(held) / len(held), len(held)
    return math.sqrt((groups - 1) / groups * sum((replicate - mean) ** 2 for replicate in held))


def family_gap(scores: Iterable[Score], family: str) -> float | None:
    """Mean gap of a family's metrics that measure dependence and have a signal; None where there is none."""
    gaps = [s.gap for s in scores if s.family == family and s.dependence and s.gap is not None]
    return sum(gaps) / len(gaps) if gaps else None


def objective(scores: Sequence[Score], name: str) -> float:
    """The number that a choice between runs may rest on; lower is better.

    Args:
        scores: a run's scores.
        name: `<metric>` for its error or `<metric>.gap` for its gap.

    Raises:
        ConfigError: an unknown metric, one without signal, or a number that read more than syn, ref and the target:
            choosing by what read the fitted split would be an unpaid query.
    """
    metric, _, number = name.partition(".")
    number = number or "value"
    if number not in READS:
        raise ConfigError(f"objective: '{number}' is no number of a score{near_miss(number, READS)}")
    if not READS[number] <= OBJECTIVE_READS:
        hidden = ", ".join(sorted(READS[number] - OBJECTIVE_READS))
        raise ConfigError(f"objective ({name}) must be computed from syn, ref and the target alone: it reads {hidden}")
    score = next((s for s in scores if s.metric == metric), None)
    if score is None:
        raise ConfigError(f"objective: no score '{metric}'{near_miss(metric, [s.metric for s in scores])}")
    if not set(score.reads) <= OBJECTIVE_READS:
        hidden = ", ".join(sorted(set(score.reads) - OBJECTIVE_READS))
        raise ConfigError(f"objective ({name}) must be computed from syn, ref and the target alone: it reads {hidden}")
    if number == "value":
        return score.error
    if score.gap is None:
        raise ConfigError(f"objective ({name}) must be a metric with a signal: its gap is '{score.gap_text}'")
    return score.gap
