"""What is worst in the synthetic data: columns, pairs and triples, from the marginals' parts.

A pair's gap is (syn - ref) / (base - ref) of its total variation, where base - ref is at least two of its standard
errors; else it has none, and only `excess`, syn - ref, tells. All are ranked by what is lost in rows, as a gap of 4 in
a pair that hardly depends matters little: by their excess, a column by its own and the mean of its pairs'. A column's
gap is the mean of its pairs', each weighing its base - ref.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pasteur.metrics.components import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pasteur.metrics.score import Score

MOST = 10
"""Pairs and triples that are named."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A set of attributes of one component. An anchor that was not measured is None."""

    component: str
    columns: tuple[str, ...]
    syn: float
    dec: float | None
    ref: float | None
    base: float | None
    gap: float | None
    """For one column: the mean gap of its pairs. None: no signal."""
    excess: float
    """syn - ref; syn alone where there is no ref."""
    rank: float
    """What rows are sorted by, largest first."""

    def document(self) -> dict[str, Any]:
        """The row as JSON."""
        return asdict(self) | {"columns": list(self.columns)}


def worst(
    scores: Sequence[Score], details: Mapping[str, Mapping[str, Any]], components: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """`columns` (all), `pairs` and `triples` (ten of each), worst first; empty where marginals were not measured."""
    errors = details.get("base", {}).get("marginals", {}).get("errors", {})
    found: dict[str, list[Row]] = {"columns": [], "pairs": [], "triples": []}
    for component in components:
        held = {width: _rows(scores, component, components, width, errors.get(component, {})) for width in (1, 2, 3)}
        found["columns"] += _columns(held[1], held[2])
        found["pairs"] += held[2]
        found["triples"] += held[3]
    ranked = {kind: sorted(rows, key=lambda row: -row.rank) for kind, rows in found.items()}
    return {kind: [r.document() for r in (rows if kind == "columns" else rows[:MOST])] for kind, rows in ranked.items()}


def _rows(
    scores: Sequence[Score], component: str, components: Sequence[str], width: int, errors: Mapping[str, float]
) -> list[Row]:
    name = f"marginals/tvd{width}" + (f"/{component}" if len(components) > 1 else "")
    score = next((s for s in scores if s.metric == name), None)
    if score is None:
        return []
    rows = []
    for part, syn in score.parts.get("syn", {}).items():
        anchors = {side: score.parts.get(side, {}).get(part) for side in ("dec", "ref", "base")}
        gap = _gap(syn, anchors["ref"], anchors["base"], errors.get(part))
        excess = syn - (anchors["ref"] or 0.0)
        # What is lost where there is most to lose comes first: a gap of 1 in a pair that hardly depends matters little.
        rows.append(
            Row(component=component, columns=columns_of(part), syn=syn, **anchors, gap=gap, excess=excess, rank=excess)
        )
    return rows


def _gap(syn: float, ref: float | None, base: float | None, error: float | None) -> float | None:
    if ref is None or base is None or error is None or base - ref < 2 * error or base <= ref:
        return None
    return (syn - ref) / (base - ref)


def _columns(alone: Sequence[Row], pairs: Sequence[Row]) -> list[Row]:
    rows = []
    for row in alone:
        own = [pair for pair in pairs if row.columns[0] in pair.columns]
        lost = sum(pair.excess for pair in own) / len(own) if own else 0.0
        rows.append(replace(row, gap=_mean_gap(own), rank=row.excess + lost))
    return rows


def _mean_gap(pairs: Iterable[Row]) -> float | None:
    told = [(p.base - p.ref, p.gap) for p in pairs if p.gap is not None and p.base is not None and p.ref is not None]
    return sum(weight * gap for weight, gap in told) / sum(weight for weight, _ in told) if told else None
