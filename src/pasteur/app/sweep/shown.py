"""What a sweep says on the terminal when it ends: the best trials, what all of them spent, how to repeat the best."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING, Any

from pasteur.app import summary
from pasteur.app.sweep import spent as spending
from pasteur.app.sweep.progress import best
from pasteur.privacy.ledger import shown as rounded_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROWS = 10
"""Trials that are shown; the others are in study.csv."""

RANDOM = (
    "Release the best trial itself and nothing else of the sweep, or its price is that of all trials together: "
    "not their number, no other trial's settings, scores or data."
)


def lines(
    sweep: str,
    trials: Sequence[Mapping[str, Any]],
    objectives: Sequence[str],
    spent: Sequence[dict[str, Any]],
    *,
    files: Sequence[Path] = (),
    randomised: bool = False,
    bold: bool = False,
) -> list[str]:
    """The end of a sweep with objectives, line by line, at most 80 columns wide but for paths and the command.

    Args:
        sweep: its id.
        trials: what each wrote.
        objectives: what is made small.
        spent: what `spent.of` gave.
        files: pages and exports, as they are to be shown.
        randomised: whether the number of trials was drawn, so that the best is released as it is.
        bold: whether a person looks on.
    """
    front = best(trials, objectives)
    failed = [trial for trial in trials if trial["state"] in ("failed", "cut off")]
    out = ["", summary.strong(f"Sweep {sweep}", bold=bold)]
    out += _wrapped(
        f"{len(trials)} trials, {len(failed)} without a result; made small: {', '.join(objectives)} "
        "(on real data: not differentially private)"
    )
    out += ["", *_rows(trials, objectives, front, bold=bold)]
    for trial in failed[:3]:
        out += _wrapped(f"trial {trial['number']} {trial['state']}: {trial.get('error') or 'no reason given'}")
    if len(failed) > 3:
        out.append(f"... and {len(failed) - 3} more without a result")
    out.append("")
    for line in spending.lines(spent) or ["nothing: no trial was fitted"]:
        out += _labelled("spent", line)
    for path in files:
        out += summary.row(path.stem, str(path), whole=True)
    if front:
        out += ["", *repeat(front[0], sweep, many=len(front), randomised=randomised)]
    return out


def repeat(trial: Mapping[str, Any], sweep: str, *, many: int = 1, randomised: bool = False) -> list[str]:
    """How to have the best trial again: a command on a line of its own, ready to paste, however long.

    Args:
        trial: the best one, or the first of a front.
        sweep: its id.
        many: trials on the front.
        randomised: whether it is to be released as it is.
    """
    which = (
        f"trial {trial['number']}, the first of {many} on the front"
        if many > 1
        else f"the best, trial {trial['number']}"
    )
    if randomised:
        return [
            *_wrapped(RANDOM),
            f"To release {which}:",
            command(["pasteur", "export", str(trial["run_id"]), "--out", "release"]),
        ]
    return [f"To fit anew what {which} had:", again(trial, sweep)]


def again(trial: Mapping[str, Any], sweep: str) -> str:
    """The command line of a run with a trial's settings; its claim will say what the sweep has cost."""
    return command(["python", "-m", "pasteur", *map(str, trial["overrides"]), f"tuned={sweep}"])


def command(words: Sequence[str]) -> str:
    """Words as a shell takes them."""
    return shlex.join(words)


def _rows(
    trials: Sequence[Mapping[str, Any]],
    objectives: Sequence[str],
    front: Sequence[Mapping[str, Any]],
    *,
    bold: bool,
) -> list[str]:
    """The front, then what comes next by the first objective."""
    chosen = {int(trial["number"]) for trial in front}
    scored = [
        t for t in trials if t["state"] != "failed" and all(name in (t.get("objectives") or {}) for name in objectives)
    ]
    others = sorted(
        (trial for trial in scored if int(trial["number"]) not in chosen),
        key=lambda trial: float(trial["objectives"][objectives[0]]),
    )
    shown = [*front, *others][:ROWS]
    if not shown:
        return ["No trial has a result."]
    heads = "".join(f"{summary.cut(name, 15):>16}" for name in objectives)
    own = "" if "epsilon" in objectives else f"{'epsilon':>9}"
    out = [summary.strong(f"{'trial':>5} {'run':<9}{heads}{own}  settings", bold=bold)]
    for trial in shown:
        numbers = "".join(f"{trial['objectives'][name]:>16.5g}" for name in objectives)
        epsilon = "-" if trial.get("epsilon") is None else rounded_up(trial["epsilon"], 4)
        spent = f"{epsilon:>9}" if own else ""
        head = f"{trial['number']:>5} {trial.get('run_id', '-'):<9}{numbers}{spent}  "
        words = " ".join(_setting(name, value) for name, value in (trial.get("params") or {}).items()) or "-"
        if max(map(len, words.split())) > summary.WIDTH - len(head):
            out.append(head.rstrip())
            head = " " * 6
        out += textwrap.wrap(
            words, summary.WIDTH, initial_indent=head, subsequent_indent=" " * 6, break_on_hyphens=False
        )
    if len(scored) > len(shown):
        out.append(f"... and {len(scored) - len(shown)} more in study.csv")
    return out


def _setting(name: str, value: object) -> str:
    """A setting in few digits; the command at the end has all of them."""
    said = f"{value:.4g}" if isinstance(value, float) else f"{value}"
    return f"{name.removeprefix('algorithm.')}={said}"


def _labelled(label: str, text: str) -> list[str]:
    return summary.row(label, text)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, summary.WIDTH, subsequent_indent="  ", break_on_hyphens=False)
