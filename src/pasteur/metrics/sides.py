"""The two sides of a comparison in memory: T, and candidates cut to one size, with base beside ref."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.metrics import candidates as cutting
from pasteur.metrics.data import Data
from pasteur.metrics.families import Task, stream
from pasteur.metrics.score import GROUPS
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.metrics.config import MetricsConfig
    from pasteur.metrics.data import Tables
    from pasteur.schema import Schema

WITH_ERRORS = frozenset({"ref", "base"})
"""Candidates whose scores get jackknife replicates: the standard error is of base - ref."""


def sides(
    target: Tables, candidates: Mapping[str, Tables], task: Task, size: Mapping[str, int]
) -> tuple[Data, dict[str, Data]]:
    """T and the candidates in memory, cut, with base beside ref and jackknife groups where they are needed."""
    from pasteur.embeddings.table import TableEncoder

    schema, seed = task.schema, task.seed
    most = dict.fromkeys(cutting.roots(schema), task.settings.sample)
    held = cutting.cut(target, schema=schema, rows=most, rng=stream(seed, "cut/target"))
    # Declared encoders look at nothing; one that must be fitted may look at T, as every score does.
    encoders = {
        component: TableEncoder.declare(schema.tables[component]).fit(Table.of(held[component]))
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


def sampled(target: Tables, schema: Schema, settings: MetricsConfig) -> dict[str, str]:
    """Notes on target tables above the sample size."""
    found = {c: cutting.count(target[c]) for c in cutting.roots(schema)}
    over = {c: n for c, n in found.items() if n > settings.sample}
    return {f"sample/{c}": f"scored on {settings.sample} of {n} rows of {settings.split}" for c, n in over.items()}


def short(candidates: Mapping[str, Tables], schema: Schema, size: Mapping[str, int]) -> dict[str, str]:
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
