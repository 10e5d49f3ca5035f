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
from pasteur.metrics.data import Data
from pasteur.metrics.families import Metric, Outcome, Task, chosen, stream
from pasteur.metrics.score import GROUPS, Raw, Score, combine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.metrics.config import MetricsConfig
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import Schema
    from pasteur.table import Table

    Tables = Mapping[str, Table]
    """Component -> table: typed rows, as a view or a decoder gives them."""

WITH_ERRORS = frozenset({"ref", "base"})
"""Candidates whose scores get jackknife replicates: the standard error is of base - ref."""


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

    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "raws": {name: [raw.document() for raw in raws] for name, raws in self.raws.items()},
            "notes": dict(self.notes),
            "failures": dict(self.failures),
            "seconds": dict(self.seconds),
            "rows": dict(self.rows),
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
) -> Measured:
    """Raw scores of each candidate against `target`, family by family.

    A family that raises is in `failures` with its reason, and the others finish.

    Args:
        target: T, at its own size (at most `settings.sample` rows).
        candidates: name -> tables. `base` is made from `ref` where `ref` is given and `base` is not.
        schema: `metrics.schema`: the bins, the relationships and the predictive targets.
        settings: depth, families, sizes.
        queries: of the SQL family.
        seed: draws samples, base, triples and models; the same for all runs that are compared.
        rows: root component -> rows that candidates are cut to; None: the common size of these candidates.
    """
    size = cutting.common_size(candidates.values(), schema=schema, most=settings.sample) if rows is None else rows
    task = Task(schema=schema, settings=settings, queries=queries, seed=seed)
    notes = _sampled(target, schema, settings) | _short(candidates, schema, size)
    own, sides = _sides(target, candidates, task, size)
    raws: dict[str, list[Raw]] = {name: [] for name in sides}
    failures: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for family in chosen(settings):
        started = time.perf_counter()
        outcome = _guarded(family, own, sides, task)
        for name, found in outcome.scores.items():
            raws[name] += found
        notes |= outcome.notes
        failures |= outcome.failures
        seconds[family.name] = round(time.perf_counter() - started, 3)
    return Measured(raws=raws, notes=notes, failures=failures, seconds=seconds, rows=size)


def _sides(
    target: Tables, candidates: Mapping[str, Tables], task: Task, size: Mapping[str, int]
) -> tuple[Data, dict[str, Data]]:
    """T and the candidates in memory, cut, with base beside ref and jackknife groups where they are needed."""
    from pasteur.embeddings.table import TableEncoder

    schema, seed = task.schema, task.seed
    most = dict.fromkeys(cutting.roots(schema), task.settings.sample)
    held = cutting.cut(target, schema=schema, rows=most, rng=stream(seed, "cut/target"))
    # Declared encoders look at nothing; one that must be fitted may look at T, as every score does.
    encoders = {
        component: TableEncoder.declare(schema.tables[component]).fit(_table(held[component]))
        for component in schema.tables
    }
    cut = {
        name: cutting.cut(tables, schema=schema, rows=size, rng=stream(seed, "cut"))
        for name, tables in candidates.items()
    }
    if "ref" in cut and "base" not in cut:
        cut["base"] = cutting.independent(cut["ref"], schema=schema, rng=stream(seed, "base"))
    jackknife = bool(WITH_ERRORS & cut.keys())
    groups = {
        name: cutting.deal(tables, schema=schema, groups=GROUPS, rng=stream(seed, f"groups/{name}"))
        for name, tables in ({"target": held} | {n: t for n, t in cut.items() if n in WITH_ERRORS}).items()
        if jackknife
    }
    own = Data(tables=held, encoders=encoders, groups=groups.get("target"))
    return own, {name: Data(tables=t, encoders=encoders, groups=groups.get(name)) for name, t in cut.items()}


def _table(held: Any) -> Table:
    from pasteur.table import Table

    return Table.of(held)


def _sampled(target: Tables, schema: Schema, settings: MetricsConfig) -> dict[str, str]:
    """Notes on target tables above the sample size."""
    found = {c: cutting.count(target[c]) for c in cutting.roots(schema)}
    over = {c: n for c, n in found.items() if n > settings.sample}
    return {f"sample/{c}": f"scored on {settings.sample} of {n} rows of {settings.split}" for c, n in over.items()}


def _short(candidates: Mapping[str, Tables], schema: Schema, size: Mapping[str, int]) -> dict[str, str]:
    """Notes on candidates with fewer rows than the others are cut to: their scores read worse than they are."""
    notes = {}
    for name, tables in candidates.items():
        for component in cutting.roots(schema):
            rows = cutting.count(tables[component])
            if rows < size.get(component, 0):
                notes[f"size/{name}/{component}"] = (
                    f"{rows} rows beside {size[component]} of the others: fewer rows score worse"
                )
    return notes


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
    decoded: Tables,
    reference: Tables | None,
    schema: Schema,
    settings: MetricsConfig,
    queries: Sequence[Query] = (),
    seed: int,
) -> dict[str, Any]:
    """Raw scores of dec, ref and base as a JSON document, for `measure_synthetic`.

    Args:
        target: T.
        decoded: wrk, encoded and decoded.
        reference: ref; None where it was fitted (`fit_on=wrk+ref`): then there is no ref, no base and no gap.
        schema: `metrics.schema`.
        settings: depth, families, sizes.
        queries: of the SQL family.
        seed: the run's seed.
    """
    candidates = {"dec": decoded} if reference is None else {"dec": decoded, "ref": reference}
    found = measure(target, candidates, schema=schema, settings=settings, queries=queries, seed=seed)
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

    Returns:
        `scores` (each `Score.document()`), `failures`, `notes`, `seconds`, `rows`.

    Raises:
        ConfigError: the anchors were measured with other metrics.
    """
    held = Measured.read(anchors)
    own = {"syn": synthetic}
    found = measure(target, own, schema=schema, settings=settings, queries=queries, seed=seed, rows=held.rows)
    known = {raw.metric for raws in held.raws.values() for raw in raws}
    strange = [raw.metric for raw in found.raws["syn"] if raw.metric not in known]
    if strange and not held.failures:
        raise ConfigError(f"anchors must be measured with the same metrics: they lack {', '.join(strange)}")
    scores = combine(found.raws["syn"], held.raws, split=settings.split)
    failed = {f"{name} (anchors)": reason for name, reason in held.failures.items() if name not in found.failures}
    return {
        "scores": [score.document() for score in scores],
        "failures": dict(found.failures) | failed,
        "notes": {**held.notes, **found.notes},
        "seconds": dict(found.seconds),
        "rows": dict(found.rows),
    }


def read_scores(document: Mapping[str, Any]) -> tuple[Score, ...]:
    """The scores that `measure_synthetic` wrote."""
    return tuple(Score.read(score) for score in document["scores"])
