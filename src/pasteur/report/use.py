"""Whether the data serves: detection, prediction and SQL, sections 7, 8 and 9."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pasteur.report import charts, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.metrics import Score
    from pasteur.report.story import Story

ORDER = ("syn", "dec", "ref", "base")

HIGHER = ("auc", "f1", "r2")


def detection(story: Story) -> list[dict[str, Any]]:
    """Of each component: everyone's AUC with its interval, and the columns that give the synthetic data away."""
    return [
        block(component, {side: story.of(side, "detection").get(component) for side in ORDER})
        for component in story.of("syn", "detection")
    ]


def block(name: str, sides: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """One detection's pictures."""
    known = [(side, found) for side, found in sides.items() if found and isinstance(found.get("auc"), int | float)]
    syn = sides.get("syn") or {}
    drops = [
        (str(column), float(drop)) for column, drop in syn.get("columns", ())[:10] if drop is not None and drop > 0
    ]
    return {
        "name": name,
        "rows": syn.get("rows"),
        "chart": charts.interval(known, name=f"AUC of a classifier against held-out real data, {name}")
        if known
        else None,
        "table": [{"side": side, **{key: found.get(key) for key in ("auc", "low", "high")}} for side, found in known],
        "drops": charts.ranked(drops, name="Loss of AUC when a column is permuted") if drops else None,
    }


def predictive(story: Story) -> list[dict[str, Any]]:
    """A dumbbell plot a target and metric: a line a model."""
    grouped: dict[tuple[str, str], list[tuple[str, Score]]] = {}
    for score in story.family("predictive"):
        _, *words, model, metric = score.metric.split("/")
        grouped.setdefault(("/".join(words), metric), []).append((model, score))
    found: dict[str, dict[str, Any]] = {}
    about = story.of("target", "predictive")
    for (target, metric), scores in grouped.items():
        rows = [(model, _values(score)) for model, score in scores]
        entry = found.setdefault(target, {"target": target, "about": about.get(target, {}), "charts": []})
        entry["charts"].append(
            {
                "metric": metric,
                "better": scores[0][1].better,
                "chart": charts.dumbbells(rows, name=f"{metric} of models of {target}", **_axis(metric, rows)),
                "scores": [score for _, score in scores],
            }
        )
    return sorted(found.values(), key=lambda entry: -_worst(entry))


def _values(score: Score) -> dict[str, float]:
    values = {side: getattr(score, side) for side in ORDER} | {"wrk": getattr(score, "wrk", None)}
    return {side: float(value) for side, value in values.items() if value is not None}


def _axis(metric: str, rows: Sequence[tuple[str, Mapping[str, float]]]) -> dict[str, Any]:
    values = [value for _, sides in rows for value in sides.values()]
    if metric in ("auc", "f1"):
        low = 0.5 if metric == "auc" else 0.0
        return {"low": min([low, *values]), "high": 1.0}
    low, high = min(values), max(values)
    margin = (high - low) * 0.1 or 0.05
    digits = 2 if high - low > 0.05 else 3
    return {
        "low": max(low - margin, -1.0) if metric in HIGHER else max(0.0, low - margin),
        "high": high + margin,
        "digits": digits,
    }


def _worst(entry: Mapping[str, Any]) -> float:
    gaps = [score.gap for chart in entry["charts"] for score in chart["scores"] if score.gap is not None]
    return sum(gaps) / len(gaps) if gaps else float("-inf")


def queries(story: Story) -> list[dict[str, Any]]:
    """Each query, the worst first: its text, its results side by side, the parts of its score."""
    about = story.of("target", "sql").get("queries", {})
    found = []
    for score in story.family("sql"):
        if score.metric == "sql/mean":
            continue
        said = about.get(score.metric, {})
        name = said.get("name") or score.note or score.metric.removeprefix("sql/")
        results = {
            side: story.of(side, "sql").get("results", {}).get(score.metric) for side in ("target", "syn", "ref")
        }
        found.append(
            {
                "name": name,
                "kind": said.get("kind", ""),
                "sql": said.get("sql", ""),
                "where": f"{said['file']}:{said.get('line', '')}" if said.get("file") else "",
                "score": score,
                "result": _result(said, {side: result for side, result in results.items() if result}),
                "parts": _parts(score),
            }
        )
    return sorted(
        found, key=lambda entry: (entry["score"].gap is None, -(entry["score"].gap or 0.0), entry["score"].syn)
    )


def _parts(score: Score) -> list[dict[str, Any]]:
    names = dict.fromkeys(part for side in ORDER for part in score.parts.get(side, {}))
    return [
        {"part": name.replace("_", " "), **{side: score.parts.get(side, {}).get(name) for side in ORDER}}
        for name in names
    ]


def _result(said: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the two or three sides answered, as one table where their keys are the same, else one a side."""
    if not results:
        return None
    if any("edges" in result for result in results.values()):
        return _distribution(results)
    keys = [str(key) for key in said.get("keys", ())]
    if said.get("kind") == "topk":
        tables = [{"side": side, "keys": keys, **_own(result)} for side, result in results.items()]
        return {"kind": "lists", "tables": tables}
    sides = list(results)
    first = results[sides[0]]
    columns = [str(column) for column in first.get("columns", ())]
    rows = []
    for place, key in enumerate(first.get("keys", ())):
        cells = []
        for index in range(len(columns)):
            for side in sides:
                held = results[side].get("rows", ())
                row = held[place] if place < len(held) else None
                cells.append("no such group" if row is None else cell(row[index]))
        rows.append({"keys": [cell(part) for part in key], "cells": cells})
    return {
        "kind": "table",
        "keys": keys,
        "columns": columns,
        "sides": sides,
        "rows": rows,
        "total": first.get("total"),
    }


def _own(result: Mapping[str, Any]) -> dict[str, Any]:
    rows = zip(result.get("keys", ()), result.get("rows", ()), strict=False)
    return {
        "columns": [str(column) for column in result.get("columns", ())],
        "rows": [[cell(part) for part in [*key, *(row or ())]] for key, row in rows],
    }


def _distribution(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    sides = {{"target": "wrk"}.get(side, side): result for side, result in results.items() if result.get("shares")}
    edges: Sequence[float] = next((result["edges"] for result in sides.values()), [])
    labels = [f"{text.number(low, 3)} to {text.number(high, 3)}" for low, high in pairwise(edges)]
    shares = {side: result["shares"] for side, result in sides.items()}
    quantiles = dict.fromkeys(q for result in results.values() for q in result.get("quantiles") or {})
    return {
        "kind": "distribution",
        "chart": charts.steps(shares, labels, name="distribution") if shares and labels else None,
        "sides": list(results),
        "quantiles": [
            {"q": f"{q} %", "values": [cell((result.get("quantiles") or {}).get(q)) for result in results.values()]}
            for q in quantiles
        ],
        "nulls": [text.percent(result.get("nulls")) for result in results.values()],
    }


def cell(value: object) -> str:
    """A value of a result, as text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else text.number(value, 3)
    return text.short(value, 60)
