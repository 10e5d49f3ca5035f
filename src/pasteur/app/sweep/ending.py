"""The end of many trials, also of a sweep that was cut off: what they spent, one summary run, pages, the last table."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pasteur.app import aliases, comparing, summary
from pasteur.app.sweep import plots, progress, shown
from pasteur.app.sweep import spent as spending
from pasteur.catalog import Paths
from pasteur.errors import PasteurError
from pasteur.files import write_text
from pasteur.privacy import LedgerBook
from pasteur.privacy.tuning import document
from pasteur.tracking import Record
from pasteur.tuning import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pasteur.app.sweep.request import Request
    from pasteur.privacy.tuning import Number
    from pasteur.tracking import Tracker

LEARNING = ("TPESampler", "CmaEsSampler", "MOTPESampler", "NSGAIISampler")
"""Samplers that choose a trial by what came out before."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What the end of a sweep must know of it. The grid of a plain multirun searches nothing and has the defaults."""

    objectives: tuple[str, ...] = ()
    sampler: str = ""
    data: str = "wrk"
    ref: str = "budgeted"
    claim: str = "ledger"
    number: Number | None = None
    """What the number of trials was drawn from."""
    total: int = 0
    """Trials in all, as planned."""
    most: float | None = None
    """The largest epsilon that a trial may choose by what came out before; None where each one's was fixed."""
    logs: tuple[str, ...] = ()
    """Settings whose scale is logarithmic."""

    @classmethod
    def of(cls, request: Request, *, number: Number | None, total: int) -> Search:
        """What a sweep was asked for.

        Args:
            request: the command line, read.
            number: what the number of trials was drawn from.
            total: that number, or the one that was asked for.
        """
        config = request.config
        budgets = [d for d in request.space.dimensions if d.setting == "privacy.epsilon"]
        highest = [float(v) for d in budgets for v in (d.choices or (d.high,)) if isinstance(v, int | float)]
        dimensions = [*request.space.dimensions, *(d for own in request.space.own.values() for d in own)]
        return cls(
            objectives=tuple(config.objective),
            sampler=request.sampler,
            data=config.data,
            ref=config.ref,
            claim=config.claim,
            number=number,
            total=total,
            most=max(highest) if highest and request.sampler in LEARNING else None,
            logs=tuple(d.setting for d in dimensions if d.log),
        )


def end(
    tracker: Tracker,
    root: Path,
    sweep: str,
    overrides: Sequence[str],
    trials: Sequence[dict[str, Any]],
    search: Search | None = None,
) -> str:
    """Keep and tell what many trials came to. Nothing of it is lost to a fault of the tracking.

    Args:
        tracker: of the store.
        root: where `outputs/` lies.
        sweep: the sweep's id.
        overrides: its command line.
        trials: what each wrote.
        search: what it searched; None: the grid of a plain multirun.

    Returns:
        What went wrong, in words; "" where nothing did.
    """
    asked = search or Search()
    paths = Paths(root=root)
    folder = paths.sweep(sweep)
    problem = ""
    found: list[dict[str, Any]] = []
    try:
        book = LedgerBook(paths.book)
        found = spending.of(book, sweep, number=asked.number, most=asked.most, trials=asked.total)
        write_text(folder / FILE, json.dumps(_tuning(sweep, asked, found), indent=1, sort_keys=True) + "\n")
        files = _files(folder, sweep, trials, asked)
        kept = tracker.runs(sweep=sweep)
        if kept:
            comparing.write(kept, folder / comparing.PAGE, title=f"Sweep {_short(sweep, asked)}")
            files.insert(0, folder / comparing.PAGE)
        tracker.log(_record(sweep, overrides, trials, asked, found, files))
    except PasteurError as error:
        problem = str(error)
    _show(root, folder, sweep, trials, asked, found, problem)
    return problem


def _files(folder: Path, sweep: str, trials: Sequence[dict[str, Any]], asked: Search) -> list[Path]:
    """Write the page of pictures and the study's export; give those files that are there."""
    if asked.objectives:
        exported = plots.document(trials, asked.objectives, sweep)
        write_text(folder / plots.JSON, json.dumps(exported, indent=1, sort_keys=True) + "\n")
        write_text(folder / plots.CSV, plots.table(trials, asked.objectives))
        page = plots.page(trials, asked.objectives, title=f"Sweep {sweep}", logs=asked.logs)
        write_text(folder / plots.PAGE, page)
    names = (plots.PAGE, plots.JSON, plots.CSV, progress.FILE)
    return [folder / name for name in names if (folder / name).is_file()]


def _short(sweep: str, asked: Search) -> str:
    return sweep if asked.objectives else sweep.rpartition("-")[2]


def _tuning(sweep: str, asked: Search, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a later run that names the sweep says of it in its claim."""
    return {
        "sweep": sweep,
        "objectives": list(asked.objectives),
        "data": asked.data,
        "ref": asked.ref,
        "claim": asked.claim,
        "randomised_trials": document(asked.number) if asked.number else None,
        "spent": list(found),
    }


def _record(
    sweep: str,
    overrides: Sequence[str],
    trials: Sequence[dict[str, Any]],
    asked: Search,
    found: Sequence[dict[str, Any]],
    files: Sequence[Path],
) -> Record:
    """One record of the whole sweep, in place of the one that an earlier start of it left."""
    failed = [trial for trial in trials if trial["state"] != "complete"]
    front = progress.best(trials, asked.objectives)
    said = {"overrides": " ".join(aliases.shown(overrides))}
    if asked.objectives:
        said |= {"objective": ", ".join(asked.objectives), "sampler": asked.sampler}
        said |= {f"sweep.{name}": getattr(asked, name) for name in ("data", "ref", "claim")}
    if asked.number:
        said["sweep.randomised_trials"] = json.dumps(document(asked.number), sort_keys=True)
    if front:
        said |= {f"best.{name}": str(value) for name, value in (front[0].get("params") or {}).items()}
    tags = {"kind": "sweep", "sweep": sweep, "state": "failed" if failed else "complete"}
    tags |= {"spent": "; ".join(spending.lines(found))} if found else {}
    if front:
        tags |= {"best_run": str(front[0].get("run_id", "")), "repeat": shown.again(front[0], sweep)}
    return Record(
        experiment=next((trial["view"] for trial in trials if "view" in trial), "sweeps"),
        name=f"sweep {_short(sweep, asked)}",
        tags=tags,
        params=said,
        metrics={"trials": len(trials), "failed": len(failed), **_best(trials, front, asked), **_costs(found)},
        documents={
            "trials.json": list(trials),
            "tuning.json": _tuning(sweep, asked, found),
            **({"best.json": [dict(trial) for trial in front]} if front else {}),
        },
        files={str(path): "" for path in files},
        failed=bool(failed),
        supersedes=True,
    )


def _best(trials: Sequence[Mapping[str, Any]], front: Sequence[Mapping[str, Any]], asked: Search) -> dict[str, float]:
    """The least gap of each family, and of each objective."""
    gaps = [(name, float(value)) for trial in trials for name, value in (trial.get("gaps") or {}).items()]
    found = {f"best/{name}": min(v for n, v in gaps if n == name) for name in sorted({name for name, _ in gaps})}
    for name in asked.objectives if front else ():
        found[f"best/{name}"] = min(float(trial["objectives"][name]) for trial in front)
    return found


def _costs(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What was spent, as numbers beside the trials'."""
    several = len({entry["dataset"] for entry in found}) > 1
    costs: dict[str, float] = {}
    for entry in found:
        where = f"spent/{entry['dataset']}/{entry['split']}" if several else f"spent/{entry['split']}"
        costs[f"{where}/trials"] = entry["trials"]
        named = {"epsilon": entry["epsilon"], "planned": entry["planned"], "best_alone": entry["best"]}
        named["epsilon_of_a_trial"] = entry["each"][-1] if entry["each"] else None
        costs |= {f"{where}/{name}": float(value) for name, value in named.items() if value is not None}
    return costs


def _show(
    root: Path,
    folder: Path,
    sweep: str,
    trials: Sequence[dict[str, Any]],
    asked: Search,
    found: Sequence[dict[str, Any]],
    problem: str,
) -> None:
    page = folder / comparing.PAGE
    compared = page.relative_to(root) if page.is_file() else None
    if not asked.objectives:
        summary.show_sweep(sweep, trials, problem, page=compared, spent=spending.lines(found))
        return
    pictures = folder / plots.PAGE
    files = [*([compared] if compared else []), *([pictures.relative_to(root)] if pictures.is_file() else [])]
    said = shown.lines(
        sweep,
        trials,
        asked.objectives,
        found,
        files=files,
        randomised=asked.number is not None and asked.data == "wrk",
        bold=summary.wants_colour(sys.stdout),
    )
    sys.stdout.write("\n".join([*said, *([problem] if problem else [])]) + "\n")
