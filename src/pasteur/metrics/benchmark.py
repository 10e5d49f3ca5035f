"""Measure candidates against the one target T, and put the synthetic data beside its anchors.

The anchors dec, ref and base are measured once for a (view, schema, metrics, seed) and kept as JSON; a run then
measures its synthetic data alone, cut to the anchors' size.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, PasteurError
from pasteur.metrics import candidates as cutting
from pasteur.metrics import sides as comparison
from pasteur.metrics.families import Metric, Outcome, Task, chosen
from pasteur.metrics.parallel import load, quiet, spread
from pasteur.metrics.ranking import worst
from pasteur.metrics.score import Raw, Score, combine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.metrics.config import MetricsConfig
    from pasteur.metrics.data import Data, Tables
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import Schema

WORKING = "wrk"
"""The candidate that was fitted. It goes to the families that show it."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What `measure` found."""

    raws: Mapping[str, list[Raw]]
    """Candidate -> scores."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Metric -> why it says nothing here; and what was sampled."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Family or metric -> why it FAILED. A run with failures ends with code 3."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Family -> wall seconds."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Root component -> rows that candidates were cut to."""
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Side (`target` or a candidate) -> family -> what a report shows of it, as JSON."""

    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "raws": {name: [raw.document() for raw in raws] for name, raws in self.raws.items()},
            "notes": dict(self.notes),
            "failures": dict(self.failures),
            "seconds": dict(self.seconds),
            "rows": dict(self.rows),
            "details": {side: dict(found) for side, found in self.details.items()},
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Measured:
        """What `document()` wrote."""
        raws = {name: [Raw.read(raw) for raw in found] for name, found in document["raws"].items()}
        return cls(**{**document, "raws": raws})


def measure(
    target: Tables,
    candidates: Mapping[str, Tables],
    *,
    schema: Schema,
    settings: MetricsConfig,
    queries: Sequence[Query] = (),
    seed: int,
    rows: Mapping[str, int] | None = None,
    working: Tables | None = None,
) -> Measured:
    """Raw scores of each candidate against `target`, families side by side.

    A family that raises is in `failures` with its reason, and the others finish.

    Args:
        target: T, at its own size (at most `settings.sample` rows); and tables that are nobody's, for queries.
        candidates: name -> tables. `base` is made from `ref` where `ref` is given and `base` is not.
        schema: `metrics.schema`: the bins, the relationships and the predictive targets.
        settings: depth, families, sizes.
        queries: of the SQL family.
        seed: draws samples, base, triples and models; the same for all runs that are compared.
        rows: root component -> rows that candidates are cut to; None: a common size, that of `ref` where it is given,
            so that no number that a choice rests on follows from the rows of wrk or of what was made of it.
        working: wrk, whole, for the families whose scores say that they read it.
    """
    if rows is None:
        sized = [candidates["ref"]] if "ref" in candidates else list(candidates.values())
        rows = cutting.common_size(sized, schema=schema, most=settings.sample)
    public = {name: target[name] for name in schema.public if name in target}
    task = Task(schema=schema, settings=settings, queries=queries, seed=seed, working=working, public=public)
    notes = comparison.sampled(target, schema, settings) | comparison.short(candidates, schema, rows)
    own, sides = comparison.sides(target, candidates, task, rows)
    chosen_families = chosen(settings)
    with quiet():
        load(name for family in chosen_families for name in getattr(family, "imports", ()))
        found = spread(lambda family: _timed(family, own, sides, task), chosen_families)
    raws: dict[str, list[Raw]] = {name: [] for name in sides}
    details: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    for family, (outcome, _) in zip(chosen_families, found, strict=True):
        for name, scores in outcome.scores.items():
            raws[name] += scores
        for side, shown in outcome.details.items():
            details.setdefault(side, {})[family.name] = shown
        notes |= outcome.notes
        failures |= outcome.failures
    seconds = {family.name: round(took, 3) for family, (_, took) in zip(chosen_families, found, strict=True)}
    return Measured(raws=raws, notes=notes, failures=failures, seconds=seconds, rows=rows, details=details)


def _timed(family: Metric, target: Data, candidates: Mapping[str, Data], task: Task) -> tuple[Outcome, float]:
    """What the family found, and its wall seconds among the others."""
    started = time.perf_counter()
    shown = {name: data for name, data in candidates.items() if name != WORKING or getattr(family, "working", False)}
    outcome = _guarded(family, target, shown, task)
    return outcome, time.perf_counter() - started


def _guarded(family: Metric, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
    """What the family found, or the reason why it failed, which holds no value of anybody's data."""
    try:
        return family.measure(target, candidates, task)
    except PasteurError as error:
        return Outcome(scores={}, failures={family.name: str(error)})
    except Exception as error:  # noqa: BLE001 - one family's bug must not lose the others' scores
        # Other libraries put cells into their messages: where it happened is told, what it said is not.
        last = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "metrics" in Path(f.filename).parts]
        place = (ours or [last])[-1]
        reason = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        return Outcome(scores={}, failures={family.name: reason})


def measure_anchors(
    target: Tables,
    *,
    decoded: Tables | None,
    reference: Tables | None,
    schema: Schema,
    settings: MetricsConfig,
    queries: Sequence[Query] = (),
    seed: int,
    working: Tables | None = None,
) -> dict[str, Any]:
    """Raw scores of dec, ref and base (and wrk, for show) as a JSON document, for `measure_synthetic`.

    Args:
        target: T.
        decoded: wrk, encoded and decoded; None where nothing encoded it.
        reference: ref; None where it was fitted (`fit_on=wrk+ref`): then there is no ref, no base and no gap.
        schema: `metrics.schema`.
        settings: depth, families, sizes.
        queries: of the SQL family.
        seed: the run's seed.
        working: wrk; None where it is not known.
    """
    given = {"dec": decoded, "ref": reference, WORKING: working}
    found = measure(
        target,
        {name: tables for name, tables in given.items() if tables is not None},
        schema=schema,
        settings=settings,
        queries=queries,
        seed=seed,
        working=working,
    )
    return found.document()


def measure_synthetic(
    target: Tables,
    synthetic: Tables,
    *,
    anchors: Mapping[str, Any],
    schema: Schema,
    settings: MetricsConfig,
    queries: Sequence[Query] = (),
    seed: int,
    working: Tables | None = None,
) -> dict[str, Any]:
    """Scores of the synthetic data beside its anchors, as a JSON document; `read_scores` reads it.

    Args:
        target: T.
        synthetic: the decoded synthetic tables.
        anchors: what `measure_anchors` gave for the same schema, settings, queries and seed.
        schema: `metrics.schema`.
        settings: depth, families, sizes.
        queries: of the SQL family.
        seed: the run's seed.
        working: wrk, where `measure_anchors` was given it too.

    Returns:
        `scores` (each `Score.document()`), `failures`, `notes`, `seconds`, `rows`, `details` (side -> family -> JSON),
        `worst` (columns, pairs, triples: each `ranking.Row.document()`).

    Raises:
        ConfigError: the anchors were measured with other metrics.
    """
    held = Measured.read(anchors)
    own = {"syn": synthetic}
    found = measure(
        target,
        own,
        schema=schema,
        settings=settings,
        queries=queries,
        seed=seed,
        rows=held.rows,
        working=working,
    )
    known = {raw.metric for raws in held.raws.values() for raw in raws}
    strange = [raw.metric for raw in found.raws["syn"] if raw.metric not in known]
    if strange and not held.failures:
        raise ConfigError(f"anchors must be measured with the same metrics: they lack {', '.join(strange)}")
    scores = combine(found.raws["syn"], held.raws, split=settings.split)
    details = {**held.details, **found.details}
    failed = {f"{name} (anchors)": reason for name, reason in held.failures.items() if name not in found.failures}
    return {
        "scores": [score.document() for score in scores],
        "failures": dict(found.failures) | failed,
        "notes": {**held.notes, **found.notes},
        "seconds": dict(found.seconds),
        "rows": dict(found.rows),
        "details": details,
        "worst": worst(scores, details, tuple(schema.tables)),
    }


def read_scores(document: Mapping[str, Any]) -> tuple[Score, ...]:
    """The scores that `measure_synthetic` wrote."""
    return tuple(Score.read(score) for score in document["scores"])
