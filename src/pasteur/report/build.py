"""The report of a run, or of a data set that somebody else's tool made: a `Story` to HTML."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from pasteur.report import charts, columns, links, page, series, text, use, verdicts
from pasteur.report.story import MEANING, SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.report.story import Privacy, Spent, Story
    from pasteur.report.verdicts import Verdict

BANNER = "Computed on real data: not differentially private. For the curator's eyes; no part of a release."

EVENTS = 400
"""Lines of the ledger that are listed."""

SECTIONS = (
    ("run", "What was run"),
    ("verdicts", "Verdicts"),
    ("ledger", "Privacy ledger"),
    ("columns", "Columns"),
    ("pairs", "Pairs"),
    ("triples", "Triples"),
    ("detection", "Detection"),
    ("prediction", "Prediction"),
    ("queries", "SQL queries"),
    ("relations", "Relations"),
    ("sequences", "Sequences"),
    ("series", "Compressed series"),
    ("encoding", "Encoding"),
    ("timings", "Timings and notes"),
    ("rows", "Synthetic rows"),
)


def render(story: Story) -> str:
    """The report as one file of HTML.

    Args:
        story: all that is shown. Names and values in it may be hostile.
    """
    found = verdicts.verdicts(story)
    context: dict[str, Any] = {
        "story": story,
        "banner": BANNER,
        "meaning": MEANING,
        "sides": SIDES,
        "verdicts": found,
        "bars": {v.family: charts.gap_bar(v.gap, v.encoding, name=v.title) for v in found},
        "gap_bar": charts.gap_bar,
        "summary": verdicts.summary(found),
        "worst": worst(story, found),
        "spending": spending(story.privacy) if story.privacy else None,
        "named": columns.named,
        "columns": columns.columns(story),
        "pairs": columns.pairs(story),
        "triples": columns.triples(story),
        "detection": use.detection(story),
        "prediction": use.predictive(story),
        "queries": use.queries(story),
        "relations": links.relational(story),
        "sequences": links.sequential(story),
        "series": series.series(story),
        "encoding": columns.encoding(story),
        "steps": sorted(story.steps.items(), key=lambda step: -step[1]),
        "families": sorted(story.seconds.items(), key=lambda step: -step[1]),
    }
    context["sections"] = _sections(context, story)
    return page.render("report.html.j2", context)


def _sections(context: Mapping[str, Any], story: Story) -> dict[str, dict[str, Any]]:
    """Each section's number, and whether there is anything in it."""
    there = {
        "run": True,
        "verdicts": bool(story.families),
        "ledger": story.privacy is not None,
        "pairs": bool(context["pairs"]["maps"] or context["pairs"]["rows"]),
        "timings": True,
        "rows": bool(story.rows),
    }
    return {
        key: {"id": key, "number": place, "title": title, "there": there.get(key, bool(context.get(key)))}
        for place, (key, title) in enumerate(SECTIONS, start=1)
    }


def worst(story: Story, found: Sequence[Verdict]) -> list[dict[str, Any]]:
    """What is worst, one line each of family, column, pair, query and target: what a person looks at next."""
    lines: list[dict[str, Any]] = []
    telling = [v for v in found if v.gap is not None]
    if telling:
        v = max(telling, key=lambda each: each.gap or 0.0)
        lines.append({"what": "family", "name": v.title, "told": f"gap {text.gap(v.gap)}", "to": "verdicts"})
    for what, key, to in (("column", "columns", "columns"), ("pair", "pairs", "pairs")):
        rows = story.worst.get(key, ())
        if rows:
            row = rows[0]
            told = f"{text.percent(row.get('rank', row.get('excess')))} above fresh data"
            lines.append({"what": what, "name": columns.named(row), "told": told, "to": to})
    for what, family, to in (("query", "sql", "queries"), ("prediction", "predictive", "prediction")):
        scores = [s for s in story.family(family) if s.gap is not None and s.metric != "sql/mean"]
        if scores:
            score = max(scores, key=lambda s: s.gap or 0.0)
            name = score.note if family == "sql" and score.note else score.metric.split("/", 1)[1]
            lines.append({"what": what, "name": text.short(name, 60), "told": f"gap {text.gap(score.gap)}", "to": to})
    return lines


def spending(privacy: Privacy) -> dict[str, Any]:
    """The budget by kind of question, and line by line."""
    kinds: dict[str, float] = {}
    for spent in privacy.spending:
        kind = spent.label.split(":")[0].strip() or spent.event
        kinds[kind] = kinds.get(kind, 0.0) + spent.share
    ordered = sorted(kinds.items(), key=lambda kind: -kind[1])
    if len(ordered) > 6:
        ordered = [*ordered[:5], ("all others", sum(share for _, share in ordered[5:]))]
    events = [_joined(list(run)) for _, run in groupby(privacy.spending, key=lambda s: (s.label, s.event, s.noise))]
    return {
        "bar": charts.stacked(ordered, whole="Budget by kind of question") if ordered else None,
        "kinds": ordered,
        "left": max(0.0, 1 - sum(kinds.values())),
        "events": events[:EVENTS],
        "more": max(0, len(events) - EVENTS),
        "count": sum(s.times for s in privacy.spending),
    }


def _joined(run: Sequence[Spent]) -> dict[str, Any]:
    first = run[0]
    return {
        "label": first.label,
        "event": first.event.replace("_", " "),
        "noise": first.noise,
        "sensitivity": first.sensitivity,
        "share": sum(s.share for s in run),
        "times": sum(s.times for s in run),
    }
