"""From scores to words: how each family stands between fresh real data and independent columns. No single grade."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.metrics import family_gap
from pasteur.report.text import number, percent, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.metrics import Score
    from pasteur.report.story import Story

GOOD, FAIR, POOR, BAD, NONE, FAILED = "good", "fair", "poor", "bad", "none", "failed"

SIGNS = {GOOD: "✓", FAIR: "≈", POOR: "!", BAD: "✗", NONE: "·", FAILED: "✗"}
"""Read as well as seen: the sign of each kind of verdict."""

TITLES: Mapping[str, tuple[str, str]] = {
    "validity": ("Validity", "Are the rows possible at all?"),
    "marginals": ("Marginals", "Are columns, pairs and triples distributed alike?"),
    "association": ("Association", "Do columns depend on one another as strongly?"),
    "detection": ("Detection", "Can a classifier tell synthetic from real rows?"),
    "predictive": ("Prediction", "Do models trained on it work on real people?"),
    "sql": ("Queries", "Do an analyst's questions get the same answers?"),
    "sdmetrics": ("SDMetrics", "What does the common quality report say?"),
    "copies": ("Copies", "Are real rows repeated? A smoke test, no measure of privacy"),
    "relational": ("Relations", "Do parents and children belong together?"),
    "sequential": ("Sequences", "Do rows follow one another in the same way?"),
    "fit": ("Fit", "How close is it to the very rows it was made from?"),
}

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "marginals": ("marginals/tvd2",),
    "association": ("association/cramers_v", "association/spearman"),
    "detection": ("detection/auc",),
    "sql": ("sql/mean",),
    "sdmetrics": ("sdmetrics/quality",),
    "copies": ("copies/share",),
    "fit": ("fit/tvd2",),
}
"""The metric whose four numbers stand for a family; others show their first one that measures dependence."""

GATES = ("validity",)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A family's row."""

    family: str
    title: str
    question: str
    kind: str
    word: str
    """The verdict in a few words."""
    sentence: str
    score: Score | None = None
    """The metric whose numbers stand for the family."""
    gap: float | None = None
    """Of the family: 0 as good as fresh real data, 1 no better than independent columns."""
    encoding: float | None = None
    """The share of the gap that the encoding alone makes."""
    scores: Sequence[Score] = ()

    @property
    def sign(self) -> str:
        """The sign of its kind."""
        return SIGNS[self.kind]


def of_gap(gap: float | None) -> tuple[str, str]:
    """The kind and the words of a gap."""
    if gap is None:
        return NONE, "no signal"
    if gap <= 0.1:
        return GOOD, "as good as fresh real data"
    if gap <= 0.5:
        return FAIR, "closer to fresh real data"
    if gap < 0.9:
        return POOR, "closer to independent columns"
    if gap <= 1.1:
        return BAD, "no better than independent columns"
    return BAD, "worse than independent columns"


def verdicts(story: Story) -> list[Verdict]:
    """A verdict of each family, the worst first, those without a gap after them."""
    order = {FAILED: 0, BAD: 1, POOR: 2, FAIR: 3, GOOD: 4, NONE: 5}
    found = [_verdict(story, family) for family in story.families]
    return sorted(found, key=lambda v: (order[v.kind], v.gap is None, -(v.gap or 0.0)))


def _verdict(story: Story, family: str) -> Verdict:
    scores = story.family(family)
    title, question = TITLES.get(family, (family.capitalize(), ""))
    failed = {name: why for name, why in story.failures.items() if name.split("/")[0].split(" ")[0] == family}
    score = headline(scores, family)
    gap = family_gap(scores, family)
    kind, word = of_gap(gap)
    if score is None or (failed and gap is None):
        kind, word = FAILED, "failed"
    elif family in GATES:
        kind, word = _gate(scores)
    elif family == "copies":
        kind, word = _copies(story, score)
    elif family == "fit":
        kind, word = NONE, "shown, never an objective"
    elif gap is None and (score.spread is None or score.se is None):
        word = "shown, not compared"
    return Verdict(
        family=family,
        title=title,
        question=question,
        kind=kind,
        word=word,
        sentence=" ".join([*_failed(failed), *([_sentence(story, family, score)] if score else [])]),
        score=score,
        gap=gap,
        encoding=_encoding(scores),
        scores=scores,
    )


def headline(scores: Sequence[Score], family: str) -> Score | None:
    """The metric that stands for a family; of a gate, the worst."""
    if family in GATES and scores:
        return min(scores, key=lambda s: s.syn)
    for name in HEADLINES.get(family, ()):
        for score in scores:
            if score.metric == name:
                return score
    telling = [score for score in scores if score.dependence and score.gap is not None]
    return next(iter(telling or scores), None)


def _encoding(scores: Sequence[Score]) -> float | None:
    """Mean of (dec - ref) / (base - ref) over the metrics whose gaps are averaged."""
    shares = [s.gap - s.model_gap for s in scores if s.dependence and s.gap is not None and s.model_gap is not None]
    return sum(shares) / len(shares) if shares else None


def _gate(scores: Sequence[Score]) -> tuple[str, str]:
    broken = sum(score.syn < 1 for score in scores)
    if not broken:
        return GOOD, "passed"
    return (BAD if min(score.syn for score in scores) < 0.99 else POOR), f"{broken} of {len(scores)} checks not met"


def _copies(story: Story, score: Score) -> tuple[str, str]:
    """More copies than fresh real data has in common with the fitted rows, beyond two standard errors."""
    if score.ref is None:
        return NONE, "not compared"
    rows = min(
        (c["rows"] for side in ("syn", "ref") for c in story.of(side, "copies").values() if c.get("rows")), default=0
    )
    pooled = (score.syn + score.ref) / 2
    margin = 2 * math.sqrt(2 * pooled * (1 - pooled) / rows) if rows and 0 < pooled < 1 else 0.01
    if score.syn > score.ref + margin:
        return BAD, "more copies than fresh real data"
    return GOOD, "no more copies than fresh real data"


def _failed(failed: Mapping[str, str]) -> list[str]:
    return [f"FAILED {name}: {why}." for name, why in failed.items()]


def _sentence(story: Story, family: str, score: Score) -> str:
    """One sentence with the numbers that matter in it."""
    syn, ref, base = (number(getattr(score, side), 3) for side in ("syn", "ref", "base"))
    told = {
        "marginals": f"Pairs of columns are off by {percent(score.syn)} of the rows on average",
        "association": f"The strength of a dependence is off by {syn} on average",
        "fit": f"Pairs are off by {percent(score.syn)} from the fitted rows, which no choice may rest on",
        "copies": f"{percent(score.syn)} of the synthetic rows equal a fitted row",
        "validity": f"The weakest check, {score.metric.split('/', 1)[1]}, holds for {percent(score.syn)}",
        "sql": f"Answers agree with those of real data to {percent(score.syn)} on average",
    }.get(family)
    if family == "detection":
        told = _detection(story, score)
    if told is None:
        told = f"{score.metric.split('/', 1)[-1].replace('_', ' ')} is {syn}"
    if family in GATES or score.ref is None:
        return told + "."
    if family == "detection":
        return told + "."
    if family in ("marginals", "fit", "sql", "copies"):
        ref = percent(score.ref)
        base = percent(score.base)
    beside = f"fresh real data: {ref}" + (f", independent columns: {base}" if score.base is not None else "")
    return f"{told}; {beside}."


def _detection(story: Story, score: Score) -> str:
    found = [c for c in story.of("syn", "detection").values() if isinstance(c.get("auc"), int | float)]
    if not found:
        return f"A classifier tells them apart with an AUC of {number(score.syn, 3)} (0.5: it cannot)"
    worst = max(found, key=lambda c: abs(c["auc"] - 0.5))
    away = ", ".join(str(column)[:40] for column, _ in worst.get("columns", [])[:2])
    given = f"; {away} give it away" if away and worst["auc"] > 0.6 else ""
    return f"A classifier tells them apart with an AUC of {worst['auc']:.2f} (0.5: it cannot){given}"


def summary(found: Sequence[Verdict]) -> str:
    """The families counted by verdict: what is read first. No grade."""
    told = [v for v in found if v.gap is not None]
    if not told:
        return "No family has a gap: nothing here tells fresh real data from independent columns."
    kinds = {
        GOOD: "as good as fresh real data",
        FAIR: "closer to fresh real data than to independent columns",
        POOR: "closer to independent columns",
        BAD: "no better than independent columns",
    }
    counts = [(sum(of_gap(v.gap)[0] == kind for v in told), words) for kind, words in kinds.items()]
    parts = [f"{count} {words}" for count, words in counts if count]
    return f"Of {plural(len(told), 'family', 'families')}: {'; '.join(parts)}."
