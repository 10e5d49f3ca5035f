"""Hand-written queries as metrics: each runs on T and on every candidate, in which the same names stand for each.

`sql/<query>` is a query's score (1 is best), with all its parts; `sql/mean` their mean by weight, without those that
are vacuous (both results empty). A query that fails is FAILED alone, and so is not in the mean of any candidate.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.errors import PasteurError, SqlError, near_miss
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.marginals import floats
from pasteur.metrics.score import GROUPS, Raw
from pasteur.metrics.sql_score import Comparison, Side, compare
from pasteur.metrics.sql_shown import about, shown
from pasteur.sql import Limits, Sandbox, check
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.metrics.data import Data
    from pasteur.metrics.sql_parse import Query
    from pasteur.sql import Query as Checked

    Compared = dict[str, dict[str, Comparison]]
    """Candidate -> metric -> comparison."""

SECONDS = 60.0
"""Time that a query may take on one table's sample."""

FOLDS = 5
"""Jackknife groups of the queries, each two of the common ones: running them all again is what costs here."""


@dataclass(frozen=True, kw_only=True)
class Sql:
    """The family.

    Details of the target: `queries`, metric -> the query itself. Of every side: `results`, metric -> what
    `sql_shown.shown` says of it.
    """

    name: str = "sql"
    depths: frozenset[str] = frozenset({"quick", "standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Run every query on every side and compare."""
        failures: dict[str, str] = {}
        queries = list(task.queries)
        results: dict[str, dict[str, Side]] = {}
        whole = _compared(target, candidates, queries, task, failures, results)
        kept = [query for query in queries if query.metric not in failures]
        anchors = {name: data for name, data in candidates.items() if data.groups is not None}
        left_out: list[Compared] = []
        if anchors and target.groups is not None:
            with ThreadPoolExecutor(max_workers=2) as pool:
                left_out += pool.map(lambda fold: _fold(target, anchors, kept, task, fold), range(FOLDS))
        scores = {name: _raws(name, kept, whole[name], left_out) for name in candidates}
        vacuous = {q.metric for q in kept for found in whole.values() if found[q.metric].vacuous}
        notes = dict.fromkeys(sorted(vacuous), "vacuous: both results are empty; not in the mean")
        details: dict[str, dict[str, Any]] = {"target": {"queries": {q.metric: about(q) for q in kept}}}
        for side, held in results.items():
            of = {q.metric: shown(q, results["target"][q.metric], held[q.metric]) for q in kept}
            details.setdefault(side, {})["results"] = of
        return Outcome(scores=scores, notes=notes, failures=failures, details=details)


def _fold(target: Data, candidates: Mapping[str, Data], queries: Sequence[Query], task: Task, fold: int) -> Compared:
    """The comparisons with a fifth of the rows left out on both sides."""
    groups = tuple(range(fold, GROUPS, FOLDS))
    sides = {name: data.without(groups) for name, data in candidates.items()}
    # A query that fails on four fifths of its rows alone has no standard error; its score stands.
    return _compared(target.without(groups), sides, queries, task, {}, {})


def tables_of(query: Query) -> tuple[str, ...]:
    """The tables that a query names, in the order of its parse tree; the query's own WITH names are none."""
    return _tables_of(query.sql)


@lru_cache(maxsize=1024)
def _tables_of(sql: str) -> tuple[str, ...]:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        (tree,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0]
    nodes = list(_nodes(json.loads(tree)))
    own = {str(entry["key"]).lower() for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    named = [str(node["table_name"]) for node in nodes if node.get("type") == "BASE_TABLE"]
    return tuple(dict.fromkeys(name for name in named if name.lower() not in own))


def _nodes(tree: Any) -> list[dict[str, Any]]:
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return ([tree] if isinstance(tree, dict) else []) + [node for child in children for node in _nodes(child)]


@lru_cache(maxsize=1024)
def checked(sql: str, where: str, tables: tuple[str, ...]) -> Checked:
    """The query, if it may run: one SELECT over `tables`, with pure functions.

    Raises:
        SqlError: it may not.
    """
    return check(sql, tables=tables, where=where)


def _compared(
    target: Data,
    candidates: Mapping[str, Data],
    queries: Sequence[Query],
    task: Task,
    failures: dict[str, str],
    results: dict[str, dict[str, Side]],
) -> Compared:
    """Every candidate's comparison with the target; what fails goes to `failures`, what was found to `results`."""
    found: Compared = {name: {} for name in candidates}
    own = results["target"] = _answers(target, queries, task, failures)
    for name, data in candidates.items():
        theirs = results[name] = _answers(data, queries, task, failures)
        for query in queries:
            if query.metric in failures:
                continue
            try:
                deviations = _deviations(query, target)
                found[name][query.metric] = compare(
                    query, own[query.metric], theirs[query.metric], deviations=deviations
                )
            except PasteurError as error:
                failures[query.metric] = str(error)
    return found


def _answers(data: Data, queries: Sequence[Query], task: Task, failures: dict[str, str]) -> dict[str, Side]:
    """Metric -> the query's result on these tables."""
    names = tuple(task.schema.tables)
    answers: dict[str, Side] = {}
    limits = Limits(threads=1, seconds=SECONDS)
    tables = {name: Table.of(data.visible(name)) for name in names} | dict(task.public)
    with Sandbox(tables=tables, limits=limits) as sandbox:
        for query in queries:
            if query.metric in failures:
                continue
            try:
                statement = checked(query.sql, query.where, tuple(tables))
                result = sandbox.answer(statement)
                rows = data.rows(_per(query, statement, names))
                answers[query.metric] = Side(result=_columns(query, result), rows=rows)
            except PasteurError as error:
                failures[query.metric] = str(error)
    return answers


def _per(query: Query, statement: Checked, names: Sequence[str]) -> str:
    """The component by whose rows counts are divided."""
    if query.per is None:
        return next((name for name in names if name in statement.tables), names[0])
    if query.per not in names:
        raise SqlError(f"{query.where}: per: component '{query.per}' is not there{near_miss(query.per, names)}")
    return query.per


def _columns(query: Query, result: pa.Table) -> dict[str, Sequence[Any]]:
    """The columns that are compared, as Python values; measurements as an array, for there are as many as rows."""
    wanted = {*query.keys, *(value.column for value in query.values), *([query.support] if query.support else [])}
    columns: dict[str, Any] = {}
    for name in result.column_names:
        column = result[name]
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if query.kind == "dist" and numeric:
            columns[name] = floats(column)
        elif name in wanted:
            columns[name] = column.to_pylist()
        else:
            columns[name] = ()
    # The first column gives the height: a compared one, if there is any.
    return {name: columns[name] for name in sorted(columns, key=lambda name: name not in wanted)}


def _deviations(query: Query, target: Data) -> dict[str, float]:
    """Value column -> standard deviation in T of what it is a mean of.

    Raises:
        SqlError: no component has such a column of numbers.
    """
    found = {}
    for value in query.values:
        if value.type == "mean":
            found[value.column] = _deviation(query, value.of or value.column, target)
    return found


def _deviation(query: Query, name: str, target: Data) -> float:
    component, _, column = name.rpartition(".")
    for table_name, table in target.tables.items():
        if component in ("", table_name) and column in table.column_names:
            kind = table.schema.field(column).type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
                values = floats(table[column])
                values = values[np.isfinite(values)]
                with np.errstate(over="ignore", invalid="ignore"):
                    deviation = float(values.std()) if values.size else 0.0
                return deviation if math.isfinite(deviation) else 0.0
            if pa.types.is_boolean(kind):
                share = pc.mean(pc.cast(table[column], pa.int8())).as_py() or 0.0
                return float(np.sqrt(share * (1 - share)))
    columns = [column for table in target.tables.values() for column in table.column_names]
    raise SqlError(
        f"{query.where}: values: '{name}' is no column of numbers: write name=mean(column), the column it is a mean of"
        f"{near_miss(column, columns)}"
    )


def _raws(
    candidate: str, queries: Sequence[Query], found: Mapping[str, Comparison], left_out: list[Compared]
) -> list[Raw]:
    replicates = [fold[candidate] for fold in left_out if candidate in fold]
    raws = []
    for query in queries:
        folds = [fold[query.metric].score for fold in replicates if query.metric in fold]
        comparison = found[query.metric]
        raws.append(
            Raw(
                metric=query.metric,
                value=comparison.score,
                better="higher",
                parts=comparison.parts | ({"vacuous": 1.0} if comparison.vacuous else {}),
                replicates=tuple(folds) if len(folds) == FOLDS else (),
                note=query.name,
            )
        )
    mean = _mean(queries, found)
    if mean is None:
        return raws
    folds_mean = [_mean(queries, fold) for fold in replicates]
    known = tuple(value for value in folds_mean if value is not None)
    overall = Raw(
        metric="sql/mean",
        value=mean,
        better="higher",
        dependence=True,
        replicates=known if len(known) == FOLDS else (),
        note="mean of the queries by weight",
    )
    return [overall, *raws]


def _mean(queries: Sequence[Query], found: Mapping[str, Comparison]) -> float | None:
    """Mean score by weight of the queries that say something; None where none does."""
    said = [(q.weight, found[q.metric].score) for q in queries if q.metric in found and not found[q.metric].vacuous]
    total = sum(weight for weight, _ in said)
    return sum(weight * score for weight, score in said) / total if total else None


FAMILY: Metric = Sql()
