"""Whether a candidate obeys what is declared: keys, references, levels, bounds, missing values. A gate, no grade."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pasteur.metrics.candidates import links
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.score import Raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pasteur.metrics.data import Data

SAYS = {
    "keys": "rows repeat a primary key or have none",
    "references": "rows name a parent that is not there",
    "categories": "values are not among the declared levels",
    "bounds": "values lie outside the declared bounds",
    "missing": "values are missing where none may be",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule of one component, and the rows that break it."""

    component: str
    column: str
    check: str
    rows: int
    of: int

    def document(self) -> dict[str, Any]:
        """The violation as JSON; no value of anybody's."""
        share = self.rows / max(self.of, 1)
        said = {name: getattr(self, name) for name in ("component", "column", "check", "rows")}
        return said | {"share": round(share, 6), "says": SAYS[self.check]}


@dataclass(frozen=True, kw_only=True)
class Validity:
    """The family. Names: `validity/<keys|references|categories|bounds|missing>`, mean share of what obeys; 1 is due.

    Details of each candidate: `checks`, those that some row breaks: `component`, `column`, `check`, `rows`, `share`,
    `says`.
    """

    name: str = "validity"
    depths: frozenset[str] = frozenset({"quick", "standard", "full"})
    working: bool = False
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:  # noqa: ARG002 - the rules are declared
        """Check each candidate."""
        scores: dict[str, list[Raw]] = {}
        details = {}
        for name, data in candidates.items():
            found = list(checks(data, task))
            by_rule: dict[str, dict[str, float]] = defaultdict(dict)
            for check in found:
                by_rule[check.check][f"{check.component}.{check.column}"] = 1 - check.rows / max(check.of, 1)
            scores[name] = [
                Raw(metric=f"validity/{rule}", value=sum(parts.values()) / len(parts), better="higher", parts=parts)
                for rule, parts in by_rule.items()
            ]
            details[name] = {"checks": [check.document() for check in found if check.rows]}
        return Outcome(scores=scores, details=details)


def checks(data: Data, task: Task) -> Iterator[Check]:
    """Every rule of every component, in the order of `SAYS`."""
    tables, schema = data.tables, task.schema
    for component, table in schema.tables.items():
        if table.primary_key is not None:
            keys = tables[component][table.primary_key]
            rows = len(keys) - pc.count_distinct(keys, mode="only_valid").as_py()
            yield Check(component=component, column=table.primary_key, check="keys", rows=rows, of=len(keys))
    for component in schema.tables:
        for link in links(schema, component):
            parents = tables[link.parent_table][link.parent_key].combine_chunks()
            child = tables[component][link.child_key].combine_chunks()
            rows = (
                len(child) - pc.sum(pc.is_in(child.cast(parents.type), value_set=parents.drop_null())).as_py()
                if len(child)
                else 0
            )
            yield Check(component=component, column=link.child_key, check="references", rows=rows, of=len(child))
    for component, encoder in data.encoders.items():
        for column, embedding in encoder.embeddings.items():
            values = tables[component][column].combine_chunks()
            moved = embedding.moved(values)
            rules = {"other": "categories", "outside": "bounds"}
            for kind, rows in moved.items():
                allowed = kind == "other" and getattr(embedding, "other", None) is not None
                if not allowed and kind in rules:
                    yield Check(component=component, column=column, check=rules[kind], rows=rows, of=len(values))
            if embedding.private and not getattr(embedding, "null", True):
                yield Check(component=component, column=column, check="missing", rows=_missing(values), of=len(values))


def _missing(values: pa.Array) -> int:
    return int(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0)


FAMILY: Metric = Validity()
