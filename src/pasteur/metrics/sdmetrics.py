"""SDMetrics' quality report (DataCebo, MIT licence), of one table and of several.

Its scores say little alone: an i.i.d. copy of Adult gets 0.87 for its pair trends, independent columns still get 0.83.
They stand beside those of dec, ref and base. A property that SDMetrics cannot score here has a note and no number: its
own overall score would leave it out silently.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pasteur.metrics import candidates as cutting
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.parallel import spread
from pasteur.metrics.score import Raw
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pasteur.metrics.data import Data

MOST = {"standard": 5_000, "full": 50_000}
"""Rows of the root component that are scored."""

SHAPES = "Column Shapes"


@dataclass(frozen=True, kw_only=True)
class SdMetrics:
    """The family. Names: `sdmetrics/<column-shapes|column-pair-trends|cardinality|intertable-trends>`, `/quality`.

    Details of each candidate: `properties`, name -> score or null; `columns`, component -> column -> score or null of
    its shape; `rows`, component -> rows scored.
    """

    name: str = "sdmetrics"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = False
    imports: tuple[str, ...] = ("sdmetrics.reports",)

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Make a report of each candidate."""
        real = _frames(target, task, "target")
        sides = {name: _frames(data, task, "own") for name, data in candidates.items()}
        reports = spread(lambda frames: _report(real, frames, task), sides.values())
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, Any] = {}
        notes: dict[str, str] = {}
        for (name, frames), found in zip(sides.items(), reports, strict=True):
            details[name] = {**found, "rows": {component: len(frame) for component, frame in frames.items()}}
            for title, value in found["properties"].items():
                metric = "sdmetrics/" + re.sub(r"[^a-z]+", "-", title.lower())
                if value is None:
                    notes[f"{metric}/{name}"] = "SDMetrics has nothing to score here"
                    continue
                scores[name].append(Raw(metric=metric, value=value, better="higher", note=f"SDMetrics: {title}"))
        return Outcome(scores=scores, details=details, notes=notes)


def _frames(data: Data, task: Task, key: str) -> dict[str, pd.DataFrame]:
    """The components' columns, at most `MOST` rows of the roots and their children."""
    rows = dict.fromkeys(cutting.roots(task.schema), MOST[task.settings.depth])
    tables = {component: Table.of(table) for component, table in data.tables.items()}
    cut = cutting.cut(tables, schema=task.schema, rows=rows, rng=task.rng(f"sdmetrics/{key}"))
    return {c: table.select(list(task.schema.tables[c].names)).to_pandas() for c, table in cut.items()}


def _report(real: dict[str, pd.DataFrame], synthetic: dict[str, pd.DataFrame], task: Task) -> dict[str, Any]:
    from sdmetrics.reports import QualityReport

    report = QualityReport()
    report.generate(real, synthetic, _metadata(task), verbose=False)
    properties = {row["Property"]: _number(row["Score"]) for row in report.get_properties().to_dict("records")}
    columns: dict[str, dict[str, float | None]] = {component: {} for component in real}
    for row in report.get_details(SHAPES).to_dict("records"):
        columns[row["Table"]][row["Column"]] = _number(row["Score"])
    return {"properties": {"Quality": _number(report.get_score()), **properties}, "columns": columns}


def _metadata(task: Task) -> dict[str, Any]:
    """SDV's part of the schema, of the view's components alone."""
    sdv, tables = task.schema.sdv, task.schema.tables
    kept = {name: sdv["tables"][name] for name in tables}
    links = [
        link
        for link in sdv.get("relationships", [])
        if link["parent_table_name"] in tables and link["child_table_name"] in tables
    ]
    return {**sdv, "tables": kept, "relationships": links}


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


FAMILY: Metric = SdMetrics()
