"""What a sweep makes small, by name.

`<metric>/gap` is a score's gap, `<metric>` its error, `<family>/gap` the mean gap of a family; `epsilon` is the
claim's, `seconds` and `seconds/<step>` are what a run or one of its steps took, and `peak_mb` is memory. Scores are
those against `dev`. A choice between runs may rest on the synthetic data, ref and dev: what reads the rows that were
fitted, without noise, would be an unpaid query.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, did_you_mean, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pasteur.metrics.score import Score
    from pasteur.result import Result

COSTS = ("epsilon", "seconds", "peak_mb")

STEPS = ("fit", "sample")
"""Steps of a run whose seconds are its algorithm's."""

NUMBERS = {"gap": "gap", "model_gap": "model_gap"}

FITTED = frozenset({"dec", "wrk"})
"""What holds the rows that were fitted."""

FITTED_FAMILIES = ("copies", "fit")

FITTED_READS = frozenset({"syn", "wrk", "target"})


def _parts(name: str) -> tuple[str, str]:
    """A metric or a family, and which number of it."""
    before, _, last = name.rpartition("/")
    return (before, last) if before and last in NUMBERS else (name, "value")


def reads(name: str) -> frozenset[str]:
    """What a number was computed from; `wrk` and `dec` hold the rows that were fitted. Nothing, of what a run costs."""
    from pasteur.metrics.score import READS

    if name.split("/", maxsplit=1)[0] in COSTS:
        return frozenset()
    metric, number = _parts(name)
    return READS[number] | (FITTED_READS if metric.split("/")[0] in FITTED_FAMILIES else frozenset())


def check(names: Sequence[str], *, metrics: Collection[str], unpaid: bool = False) -> None:
    """Refuse a name that no run will have, or that no choice may rest on.

    Args:
        names: the objectives.
        metrics: names of the scores that a run has.
        unpaid: whether the sweep makes no claim, so that what was fitted may be read without noise.

    Raises:
        ConfigError: one is unknown, and the message lists those there are; or it reads what was fitted.
    """
    families = dict.fromkeys(metric.split("/")[0] for metric in metrics)
    there = [f"{family}/gap" for family in families if f"{family}/gap" not in metrics]
    known = [*COSTS, *(f"seconds/{step}" for step in STEPS), *there, *metrics, *(f"{m}/gap" for m in metrics)]
    for name in names:
        if hidden := ", ".join(sorted(reads(name) & FITTED)):
            if not unpaid:
                must_be = f"computed from syn, ref and dev alone: it reads {hidden}; sweep.claim=none allows it"
                raise ConfigError(rule("sweep.objective", name, must_be))
            known.append(name if _parts(name)[0] in (*families, *metrics) else "")
        if name not in known:
            listed = ", ".join([*known[: len(COSTS) + len(STEPS)], *there, *metrics])
            must_be = f"one of {listed}; of each score also its gap, <score>/gap"
            raise ConfigError(rule("sweep.objective", name, must_be) + did_you_mean(name, filter(None, known)))


def value(result: Result, name: str, *, unpaid: bool = False) -> float:
    """The number of a finished run; lower is better, and it is finite.

    Raises:
        ConfigError: the run has no such number, or it has no signal.
    """
    found = (
        _cost(result, name) if name.split("/", maxsplit=1)[0] in COSTS else _score(result.scores, name, unpaid=unpaid)
    )
    if found is None:
        few = "; no score of it has a signal: too few people, or too few scores" if name.endswith("/gap") else ""
        raise ConfigError(f"objective {name}: this run has none{few}")
    if not math.isfinite(found):
        raise ConfigError(rule(f"objective {name}", found, "a finite number"))
    return found


def _cost(result: Result, name: str) -> float | None:
    if name == "epsilon":
        epsilon = result.claim.get("epsilon") if result.claim.get("private") else None
        return None if epsilon is None else float(epsilon)
    if name.startswith("seconds/"):
        return result.ran.get(name.removeprefix("seconds/"))
    return float(getattr(result, name))


def _score(scores: Sequence[Score], name: str, *, unpaid: bool) -> float | None:
    from pasteur.metrics.score import family_gap

    metric, number = _parts(name)
    if number == "gap" and "/" not in metric:
        return family_gap(scores, metric)
    score = next((s for s in scores if s.metric == metric), None)
    if score is None:
        raise ConfigError(f"objective {name}: no score '{metric}'{near_miss(metric, [s.metric for s in scores])}")
    hidden = sorted(FITTED & set(score.reads))
    if hidden and not unpaid:
        raise ConfigError(f"objective {name}: reads {', '.join(hidden)}, on which no choice may rest")
    if number == "value":
        return score.error
    found: float | None = getattr(score, number)
    if found is None:
        raise ConfigError(f"objective {name}: has no signal in this run ({score.gap_text})")
    return found
