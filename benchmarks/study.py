"""A finished study as a page: `docs/results/<experiment>.md` with its picture.

    python -m pasteur -m experiment=adult_epsilon_curve pasteur.root=DIR
    python benchmarks/study.py adult_epsilon_curve DIR/outputs/sweeps/* --command "python -m pasteur ..."

Reads what the trials wrote, so that no number is typed by hand. A trial that failed is listed with its reason.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OUT = Path(__file__).resolve().parents[1] / "docs" / "results"

LEARNING = ("fit", "learn")
"""Steps that learn: with a guarantee, and without."""
ANCHORS = {"base": "independent columns, no noise", "ref": "fresh real data"}
COLOURS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#7d5a00", "#57606a", "#0a7ea4", "#cf222e")

READ = (
    "Mean ± standard deviation over seeds, where there are several. Computed on real data: the scores are not "
    "differentially private."
)

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, ROW = 780, 340, 64, 200, 40, 52, 26

STYLE = """
.t { font-size: 15px; font-weight: 600; fill: #1f2328 } .s { font-size: 12px; fill: #57606a }
.axis { stroke: #57606a } .grid { stroke: #d0d7de } .anchor { stroke: #57606a; stroke-dasharray: 5 4 }
@media (prefers-color-scheme: dark) {
.t { fill: #e6edf3 } .s { fill: #9da7b1 } .axis, .anchor { stroke: #8b949e } .grid { stroke: #30363d }
}
"""

Key = tuple[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a page shows of its runs."""

    panels: Mapping[str, str]
    """Score -> title of its picture."""
    columns: Mapping[str, str]
    """Score -> head of its column."""
    seconds: bool = False
    """Whether a column says how long learning took."""


ADULT = Look(
    panels={
        "marginals/tvd2": "error of all pairs of columns (mean total variation), lower is better",
        "predictive/income/boosting/auc": "AUC of a model for income, trained on the synthetic rows, higher is better",
    },
    columns={
        "marginals/tvd2": "pairs, error",
        "marginals/tvd3": "triples, error",
        "predictive/income/boosting/auc": "income, AUC",
        "sql/mean": "queries, score",
    },
)
CAREERS = Look(
    panels={
        "sequential/transitions": "error from season to season (total variation of transitions), lower is better",
        "relational/pairs": "error of pairs of a player's and a season's column (total variation), lower is better",
    },
    columns={
        "sequential/lengths": "lengths",
        "sequential/transitions": "transitions",
        "sequential/lag1-within": "lag 1 within",
        "sequential/aggregates": "aggregates",
        "relational/pairs": "pairs across",
        "relational/detection": "detection, AUC",
        "sql/mean": "queries, score",
        "marginals/tvd2": "pairs inside",
    },
    seconds=True,
)
LOOKS = {"lahman_careers": CAREERS}
"""Of experiments that do not look as Adult's do."""


def read(sweeps: list[Path]) -> tuple[dict[Key, list[dict[str, Any]]], list[dict[str, Any]]]:
    """The runs of each algorithm and epsilon (None: no guarantee), and the trials that did not end well."""
    runs: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    failed = []
    for sweep in sweeps:
        for file in sorted(sweep.glob("[0-9]*/result.json"), key=lambda path: int(path.parent.name)):
            trial = json.loads(file.read_text(encoding="utf-8"))
            if trial["state"] != "complete":
                failed.append(trial)
            if "version" not in trial:
                continue
            run = sweep.parents[1] / "runs" / trial["version"] / "result.json"
            document = json.loads(run.read_text(encoding="utf-8"))
            document["by"] = {score["metric"]: score for score in document["scores"]}
            document["settings"] = [w for w in trial["overrides"] if w.startswith("algorithm.")]
            epsilon = document["epsilon"] if document["claim"]["private"] else None
            runs[document["algorithm"], epsilon].append(document)
    return dict(runs), failed


def values(found: list[dict[str, Any]], metric: str, side: str = "syn") -> list[float]:
    """A score in each run that has it; a NaN is none."""
    held = [run["by"][metric][side] for run in found if metric in run["by"]]
    return [value for value in held if value is not None and math.isfinite(value)]


def shown(numbers: list[float], digits: int = 4) -> str:
    """Mean, and standard deviation over seeds where there are several."""
    if not numbers:
        return "none"
    mean = f"{statistics.mean(numbers):.{digits}f}"
    return mean if len(numbers) < 2 else f"{mean} ± {statistics.stdev(numbers):.{digits}f}"


def panel(runs: dict[Key, list[dict[str, Any]]], metric: str, title: str, top: float) -> str:
    """One panel: curves over epsilon where there are several, else a row an algorithm."""
    epsilons = sorted({epsilon for _, epsilon in runs if epsilon is not None})
    everything = [run for found in runs.values() for run in found]
    anchors = {side: statistics.mean(values(everything, metric, side)) for side in ANCHORS}
    means = {key: values(found, metric) for key, found in runs.items() if values(found, metric)}
    low = min(*(min(v) for v in means.values()), *anchors.values())
    high = max(*(max(v) for v in means.values()), *anchors.values())
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 7)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    body = (_curves if len(epsilons) > 1 else _rows)(means, anchors, epsilons, (low, high, step))
    return f'<g transform="translate(0 {top})"><text class="t" x="{LEFT}" y="22">{escape(title)}</text>{body}</g>'


def _curves(
    means: dict[Key, list[float]], anchors: dict[str, float], epsilons: list[float], scale: tuple[float, float, float]
) -> str:
    low, high, step = scale
    right, below = WIDTH - RIGHT, HEIGHT - BOTTOM
    logs = math.log(epsilons[0]), math.log(epsilons[-1])

    def x(epsilon: float) -> float:
        return LEFT + (math.log(epsilon) - logs[0]) / (logs[1] - logs[0]) * (right - LEFT)

    def y(value: float) -> float:
        return below - (value - low) / (high - low) * (below - TOP)

    parts = []
    for tick in range(round((high - low) / step) + 1):
        value = low + tick * step
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="s" x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    parts += [f'<text class="s" x="{x(e):.1f}" y="{below + 20}" text-anchor="middle">{e:g}</text>' for e in epsilons]
    labels = []
    for side, words in ANCHORS.items():
        place = y(anchors[side])
        parts.append(f'<line class="anchor" x1="{LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>')
        labels.append((place, words, ""))
    for index, name in enumerate(dict.fromkeys(name for name, _ in means)):
        colour = COLOURS[index % len(COLOURS)]
        if (name, None) in means:  # knows no epsilon: the same at all of them
            place = y(statistics.mean(means[name, None]))
            parts.append(f'<path d="M{LEFT} {place:.1f}H{right}" style="stroke: {colour}; stroke-dasharray: 2 3"/>')
            labels.append((place, name, f'style="fill: {colour}; font-weight: 600"'))
            continue
        points = [(x(e), means[name, e]) for e in epsilons if (name, e) in means]
        path = " ".join(f"{px:.1f},{y(statistics.mean(v)):.1f}" for px, v in points)
        parts.append(f'<polyline points="{path}" style="fill: none; stroke: {colour}; stroke-width: 2"/>')
        for px, v in points:
            parts.append(f'<circle cx="{px:.1f}" cy="{y(statistics.mean(v)):.1f}" r="3" fill="{colour}"/>')
            parts.append(f'<path d="M{px:.1f} {y(min(v)):.1f}V{y(max(v)):.1f}" stroke="{colour}"/>')
        labels.append((y(statistics.mean(points[-1][1])), name, f'style="fill: {colour}; font-weight: 600"'))
    last = -math.inf
    for place, words, style in sorted(labels):
        last = max(place, last + 14)  # labels of lines that nearly meet stand one below the other
        parts.append(f'<text class="s" x="{right + 8}" y="{last + 4:.1f}" {style}>{escape(words)}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{below}" y2="{below}"/>')
    parts.append(f'<text class="s" x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">epsilon</text>')
    return "".join(parts)


def _rows(
    means: dict[Key, list[float]], anchors: dict[str, float], _: list[float], scale: tuple[float, float, float]
) -> str:
    low, high, step = scale
    left, right, below = 180, WIDTH - 40, TOP + ROW * len(means) + 8

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    parts = []
    for tick in range(round((high - low) / step) + 1):
        value = low + tick * step
        parts.append(f'<line class="grid" x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{TOP - 6}" y2="{below}"/>')
        parts.append(f'<text class="s" x="{x(value):.1f}" y="{below + 16}" text-anchor="middle">{value:.2f}</text>')
    for index, (side, words) in enumerate(ANCHORS.items()):
        place = x(anchors[side])
        parts.append(f'<line class="anchor" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP - 6}" y2="{below}"/>')
        anchor = "end" if place > (left + right) / 2 else "start"
        parts.append(
            f'<text class="s" x="{place:.1f}" y="{below + 32 + 14 * index}" text-anchor="{anchor}">{words}</text>'
        )
    for index, ((name, epsilon), v) in enumerate(sorted(means.items(), key=lambda entry: statistics.mean(entry[1]))):
        y, colour = TOP + ROW * index + ROW / 2, COLOURS[0] if epsilon is not None else COLOURS[1]
        said = name if epsilon is None else f"{name}, epsilon {epsilon:g}"
        parts.append(f'<text class="s" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
        parts.append(f'<circle cx="{x(statistics.mean(v)):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
    return "".join(parts)


def picture(runs: dict[Key, list[dict[str, Any]]], title: str, look: Look) -> str:
    """The panels, one below the other, as SVG that follows the reader's light or dark scheme."""
    several = len({epsilon for _, epsilon in runs if epsilon is not None}) > 1
    height = HEIGHT if several else TOP + ROW * len(runs) + 70
    body = "\n".join(
        panel(runs, metric, text, height * index) for index, (metric, text) in enumerate(look.panels.items())
    )
    style = f"<title>{escape(title)}</title>\n<style>{STYLE}</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height * len(look.panels)}" role="img" '
        f'font-family="system-ui, sans-serif">\n{style}\n{body}\n</svg>\n'
    )


def table(runs: dict[Key, list[dict[str, Any]]], look: Look) -> list[str]:
    """A row for each algorithm and epsilon."""
    head = ["algorithm", "epsilon", "runs", *look.columns.values(), *(["learning, s"] if look.seconds else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for (name, epsilon), found in sorted(runs.items(), key=lambda entry: (entry[0][0], entry[0][1] or math.inf)):
        said = " ".join([f"`{name}`", *sorted({word for run in found for word in run["settings"]})])
        cells = [said, "none" if epsilon is None else f"{epsilon:g}", str(len(found))]
        cells += [shown(values(found, metric)) for metric in look.columns]
        if look.seconds:
            took = [run["ran"][step] for run in found for step in LEARNING if step in run["ran"]]
            cells.append(shown(took, 1))
        lines.append("| " + " | ".join(cells) + " |")
    every = [run for found in runs.values() for run in found]
    for side, words in ANCHORS.items():
        means = [f"{statistics.mean(values(every, metric, side)):.4f}" for metric in look.columns]
        cells = [words, "", "", *means, *([""] if look.seconds else [])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Write the page and its picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment")
    parser.add_argument("sweeps", type=Path, nargs="+", help="folders under outputs/sweeps")
    parser.add_argument("--title", required=True)
    parser.add_argument("--command", action="append", required=True, help="what made the runs; may be given again")
    parser.add_argument("--note", action="append", default=[], help="a paragraph; may be given again")
    options = parser.parse_args()
    runs, failed = read(options.sweeps)
    look = LOOKS.get(options.experiment, ADULT)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{options.experiment}.svg").write_text(picture(runs, options.title, look), encoding="utf-8")
    total = sum(map(len, runs.values()))
    lost = [f"* trial {t['number']} ({' '.join(t['overrides'])}): {t['state']}, {t['error']}" for t in failed]
    text = [
        f"# {options.title}",
        "",
        "```sh",
        *options.command,
        "```",
        "",
        f"![{options.title}]({options.experiment}.svg)",
        "",
        *(line for note in options.note for line in (note, "")),
        f"{total} runs, {len(failed)} of them not complete. {READ}",
        "",
        *lost,
        *([""] if lost else []),
        *table(runs, look),
        "",
        "Made by `benchmarks/study.py` from the runs' own `result.json`.",
    ]
    (OUT / f"{options.experiment}.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
