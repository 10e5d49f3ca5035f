"""What a finished run says on the terminal: at most 80 columns, plain text in a log, colour only where it is wanted."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any, TextIO

from pasteur.tracking import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pasteur.metrics.score import Score
    from pasteur.result import Result
    from pasteur.tracking import Tracked

WIDTH = 80
LABEL = 10
SHOWN = 6
"""Scores shown of a family; the rest is in the tracking store."""

COLUMNS = ("syn", "dec", "ref", "base")


def show(result: Result, tracked: Tracked | None, problem: str, out: TextIO | None = None) -> None:
    """Print what ran, its claim, its scores beside their anchors, its files and its page.

    Args:
        result: the finished run.
        tracked: where the store keeps it.
        problem: why it could not be tracked.
        out: where to print; standard output.
    """
    stream = out or sys.stdout
    stream.write("\n".join(lines(result, tracked, problem, bold=wants_colour(stream))) + "\n")


def wants_colour(stream: TextIO) -> bool:
    """Whether a person looks on: a terminal, and neither NO_COLOR nor a dumb one."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def lines(result: Result, tracked: Tracked | None, problem: str = "", *, bold: bool = False) -> list[str]:
    """The summary, line by line."""
    e = result.experiment
    out = ["", strong(f"Run {result.run_id}", bold=bold)]
    out += row(
        "ran", f"dataset={e.dataset.name} view={e.view.name} schema={e.schema_shown} algo={e.algorithm} seed={e.seed}"
    )
    out += row("claim", claim(result.claim))
    out += row("releases", str(result.releases.get("line", "")))
    out += ["", *scores(result.scores, result.failures, bold=bold), *notes(result.notes), ""]
    for component, path in result.synthetic.items():
        out += row(component, str(_short(path, e.root)), whole=True)
    if result.model:
        out += row("model", str(_short(result.model, e.root)), whole=True)
    if result.report:
        out += row("report", str(_short(result.report, e.root)), whole=True)
    out += row("took", f"{result.seconds:.1f} s, {result.peak_mb:.0f} MB; {_steps(result)}")
    out += row("MLflow", problem or page(tracked), whole=not problem)
    export = f" | pasteur export {result.run_id} --out release" if result.claim.get("private") else ""
    out += row("next", f"pasteur ui{export}", whole=True)
    return out


def claim(document: Mapping[str, Any]) -> str:
    """The claim in words."""
    from pasteur.privacy.ledger import sentence

    return sentence(dict(document))


def page(tracked: Tracked | None) -> str:
    """The address of a run's page, once `pasteur ui` runs."""
    return f"{ADDRESS}/{tracked.page}" if tracked else "not tracked"


def scores(found: Sequence[Score], failures: Mapping[str, str], *, bold: bool = False) -> list[str]:
    """The table of scores; nothing where none was taken."""
    from pasteur.metrics.score import family_gap

    if not found and not failures:
        return ["No scores: every split was fitted."]
    families = {family: [s for s in found if s.family == family] for family in dict.fromkeys(s.family for s in found)}
    shown = [score for family in families.values() for score in family[:SHOWN]]
    width = min(max((len(s.metric) for s in shown), default=6), WIDTH - 8 - 8 * 4 - 11)
    split = shown[0].split if shown else "the target"
    head = f"{'metric':<{width}} {'better':<7}{''.join(f'{c:>8}' for c in COLUMNS)} {'gap':>10}"
    out = [f"Scores against {split}, computed on real data: not differentially private.", strong(head, bold=bold)]
    for score in shown:
        cells = "".join(f"{_number(getattr(score, column)):>8}" for column in COLUMNS)
        out.append(f"{cut(score.metric, width):<{width}} {score.better:<7}{cells} {score.gap_text:>10}")
    if len(found) > len(shown):
        out.append(f"... and {len(found) - len(shown)} more in MLflow")
    for family in families:
        gap = family_gap(found, family)
        out.append(f"{family + ': gap of all that show dependence':<{WIDTH - 11}} {_gap(gap):>10}")
    for family, reason in sorted(failures.items()):
        out += textwrap.wrap(f"FAILED {family}: {reason}", WIDTH, subsequent_indent="  ")
    out += textwrap.wrap(
        "syn: synthetic; dec: encoded and decoded; ref: fresh real data; base: independent columns. "
        "gap: 0 as good as ref, 1 no better than base.",
        WIDTH,
    )
    return out


def notes(found: Mapping[str, str]) -> list[str]:
    """What a reader of the scores must know, each once; long lists are in `result.json`."""
    told = [f"note: {about}: {why}" for about, why in sorted(found.items())]
    more = [f"... and {len(told) - SHOWN} more notes in result.json"] if len(told) > SHOWN else []
    return [line for text in [*told[:SHOWN], *more] for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def show_sweep(
    sweep: str,
    trials: Sequence[Mapping[str, Any]],
    problem: str,
    *,
    page: Path | None = None,
    spent: Sequence[str] = (),
    out: TextIO | None = None,
) -> None:
    """Print one line a trial.

    Args:
        sweep: the sweep's id.
        trials: what each wrote.
        problem: why the sweep could not be tracked.
        page: the comparison of its trials, where there is one.
        spent: what they cost the people whom they were fitted to, in words.
        out: where to print; standard output.
    """
    stream = out or sys.stdout
    bold = wants_colour(stream)
    same = _common([trial["overrides"] for trial in trials])
    families = sorted({name for trial in trials for name in trial.get("gaps", {})})[:3]
    names = "".join(f"{cut(name.removeprefix('gap/'), 11):>12}" for name in families)
    text = ["", strong(f"Sweep {sweep}", bold=bold), *row("all", " ".join(same))]
    text.append(strong(f"{'':>3} {'state':<10} {'run':<9}{names}  settings", bold=bold))
    for trial in trials:
        gaps = "".join(f"{_number(trial.get('gaps', {}).get(name)):>12}" for name in families)
        head = f"{trial['number']:>3} {trial['state']:<10} {trial.get('run_id', '-'):<9}{gaps}  "
        own = " ".join(word for word in trial["overrides"] if word not in same) or "-"
        if max(map(len, own.split())) > WIDTH - len(head):  # a setting that would be cut in two begins a line
            text.append(head.rstrip())
            head = " " * 6
        text += textwrap.wrap(own, WIDTH, initial_indent=head, subsequent_indent=" " * 6, break_on_hyphens=False)
        if trial.get("error"):
            text += textwrap.wrap(trial["error"], WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    failed = sum(trial["state"] != "complete" for trial in trials)
    text.append(f"{len(trials)} trials, {failed} not complete. Gaps of families: 0 is as good as fresh real data.")
    text += [line for said in spent for line in row("spent", said)]
    text += textwrap.wrap(problem, WIDTH) if problem else []
    text += row("compare", str(page), whole=True) if page else []
    stream.write("\n".join(text) + "\n")


def _common(overrides: Sequence[Sequence[str]]) -> list[str]:
    """The overrides that all trials share; none where there is one trial."""
    told = [words for words in overrides if words]  # a trial that was cut off tells nothing
    return [word for word in told[0] if all(word in words for words in told)] if len(told) > 1 else []


def row(label: str, text: str, *, whole: bool = False) -> list[str]:
    """A labelled line, wrapped; `whole` text (a path, an address) is never broken, but begins a line of its own."""
    if not text:
        return []
    if whole:
        fits = LABEL + len(text) <= WIDTH
        return [f"{label:<{LABEL}}{text}"] if fits else [label, f"  {text}"]
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{label:<{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
    )


def _steps(result: Result) -> str:
    return f"{len(result.ran)} steps ran, {len(result.current)} were current"


def _short(path: Any, root: Any) -> Any:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _gap(value: float | None) -> str:
    return "no signal" if value is None else f"{value:.2f}"


def cut(text: str, width: int) -> str:
    """`text` in `width` columns, its middle left out where it is longer."""
    if len(text) <= width:
        return text
    kept = width - 2
    return f"{text[: kept - kept // 2]}..{text[len(text) - kept // 2 :]}"


def strong(text: str, *, bold: bool) -> str:
    """`text` in bold, where it is wanted."""
    return f"\033[1m{text}\033[0m" if bold else text
