"""The page that compares runs: gaps as heat cells, error over epsilon and over time, and what the runs differ in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pasteur.report import charts, curves, page, text
from pasteur.report.build import BANNER
from pasteur.report.runs import EPSILON, FAMILY, REPEATED, Spread, common, differing, families, grouped, plain, shown
from pasteur.report.verdicts import HEADLINES, TITLES, of_gap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.report.runs import Group, Run

DRAWN = 6
"""Families that get pictures."""

LISTED = 300
"""Runs that are listed one by one."""

ANCHORS = ("ref", "dec", "base")


def compare(runs: Sequence[Run], *, title: str, subtitle: str = "") -> str:
    """The comparison as one file of HTML.

    Args:
        runs: at least one; those without scores are listed and drawn nowhere.
        title: of the page.
        subtitle: where they come from.
    """
    names = families(runs)
    keys = [key for key in differing(runs) if key not in REPEATED]
    groups = _ranked(grouped(runs), names)
    along = _ranked(grouped(runs, without=[EPSILON]), names)
    claims = any(run.epsilon is not None for run in runs)
    context: dict[str, Any] = {
        "banner": BANNER,
        "title": title,
        "subtitle": subtitle,
        "count": len(runs),
        "families": [(name, TITLES.get(name, (name.capitalize(), ""))[0]) for name in names],
        "keys": [(key, plain(key)) for key in keys],
        "common": common(runs),
        "rows": [_row(group, keys, names) for group in groups],
        "runs": [_run(run, names, differing(runs)) for run in runs[:LISTED]],
        "run_keys": [(key, plain(key)) for key in differing(runs)],
        "more": max(0, len(runs) - LISTED),
        "legend": [(curves.sign(index, 8, 8), label) for index, label in enumerate(_labels(along))],
        "pictures": [p for p in (_pictures(along, runs, name) for name in names[:DRAWN]) if p],
        "best": _best([group for group in groups if not claims or group.runs[0].epsilon is not None], names),
        "claims": claims,
    }
    return page.render("compare.html.j2", context)


def _ranked(groups: Sequence[Group], names: Sequence[str]) -> Sequence[Group]:
    """As they came, as in a grid; more than signs tell apart, as in a search, by the first family that has gaps."""
    if len(groups) <= curves.SIGNS:
        return groups
    for name in names:
        gaps = [group.spread(FAMILY + name) for group in groups]
        if any(gaps):
            order = sorted(range(len(groups)), key=lambda k: spread.mean if (spread := gaps[k]) else math.inf)
            return [groups[k] for k in order]
    return groups


def _labels(groups: Sequence[Group]) -> list[str]:
    """What each sign stands for."""
    labels = [group.label or "all runs" for group in groups]
    if len(labels) <= curves.SIGNS:
        return labels
    return [*labels[: curves.SIGNS - 1], f"{len(labels) - curves.SIGNS + 1} others"]


def _row(group: Group, keys: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    cells = []
    for name in names:
        spread = group.spread(FAMILY + name)
        cells.append(cell(spread))
    claims = [run.epsilon for run in group.runs if run.epsilon is not None]
    return {
        "settings": [shown(group.settings.get(key)) for key in keys],
        "n": len(group.runs),
        "cells": cells,
        "claim": f"{max(claims):g}" if claims else "none",
        "seconds": Spread.of([run.seconds for run in group.runs if run.seconds is not None]),
        "failed": sum(run.failed for run in group.runs),
    }


def cell(spread: Spread | None) -> dict[str, Any]:
    """A heat cell: its number in words, its class, and what it is sorted by."""
    if spread is None:
        return {"text": "no signal", "class": "none", "sort": "", "kind": "none", "sd": None}
    level = charts.level(min(max(spread.mean, 0.0), 1.2) / 1.2)
    kind, _ = of_gap(spread.mean)
    return {"text": text.gap(spread.mean), "class": level, "sort": f"{spread.mean:.6f}", "kind": kind, "sd": spread.sd}


def _run(run: Run, names: Sequence[str], keys: Sequence[str]) -> dict[str, Any]:
    return {
        "name": run.name,
        "settings": [shown(run.settings.get(key)) for key in keys],
        "cells": [cell(Spread.of([gap]) if (gap := run.gap(name)) is not None else None) for name in names],
        "seconds": run.metrics.get("seconds"),
        "failed": run.failed,
    }


def headline(runs: Sequence[Run], family: str) -> str | None:
    """The metric that stands for a family in the pictures: one that runs have, and that has a gap."""
    held = {key for run in runs for key in run.metrics}
    for name in HEADLINES.get(family, ()):
        if f"{name}/syn" in held:
            return f"{name}/syn"
    own = sorted(key for key in held if key.startswith(f"{family}/") and key.endswith("/syn"))
    return next((key for key in own if f"{key.removesuffix('/syn')}/gap" in held), own[0] if own else None)


def _pictures(along: Sequence[Group], runs: Sequence[Run], family: str) -> dict[str, Any] | None:
    metric = headline(runs, family)
    if metric is None:
        return None
    lines = {}
    for side in ANCHORS:
        key = f"{metric.removesuffix('/syn')}/{side}"
        spread = Spread.of([run.metrics[key] for run in runs if key in run.metrics])
        if spread:
            lines[side] = spread.mean
    epsilon, time = curves.over_epsilon(along, metric, lines=lines), curves.over_time(along, metric, lines=lines)
    if epsilon is None and time is None:
        return None
    better = "lower" if lines.get("base", 1.0) >= lines.get("ref", 0.0) else "higher"
    return {
        "family": TITLES.get(family, (family.capitalize(), ""))[0],
        "metric": metric.removesuffix("/syn"),
        "better": better,
        "epsilon": epsilon,
        "time": time,
        "levels": lines,
    }


def _best(groups: Sequence[Group], names: Sequence[str]) -> list[Mapping[str, Any]]:
    """The configuration of the smallest gap, family by family: there is no best of all."""
    found: list[Mapping[str, Any]] = []
    for name in names:
        ranked = sorted(
            ((spread, group) for group in groups if (spread := group.spread(FAMILY + name)) is not None),
            key=lambda entry: entry[0].mean,
        )
        if ranked:
            spread, group = ranked[0]
            found.append(
                {
                    "family": TITLES.get(name, (name.capitalize(), ""))[0],
                    "label": group.label or "the one configuration",
                    "gap": spread.mean,
                    "sd": spread.sd,
                    "n": spread.n,
                    "word": of_gap(spread.mean),
                }
            )
    return found
