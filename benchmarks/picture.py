"""The picture of a result in the README: error of all pairs of columns against epsilon, from real runs.

    python benchmarks/picture.py                # runs the grid in a temporary folder, writes docs/result.svg
    python benchmarks/picture.py --root DIR     # draws the runs that are already there

The runs are those of
    python -m pasteur -m dataset=adult algo=weave,mst,independent privacy.epsilon=0.1,0.3,1,3,10 seed=0,1,2
with metrics.families=[marginals].
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

EPSILONS = (0.1, 0.3, 1, 3, 10)
SEEDS = (0, 1, 2)
METRIC = "marginals/tvd2"
OUT = Path(__file__).resolve().parents[1] / "docs" / "result.svg"

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 780, 360, 64, 210, 40, 52
COLOURS = {"independent": "two", "mst": "three", "weave": "one"}
LABELS = {"independent": -12, "mst": -12, "weave": 24}  # above and below the points at epsilon 1
ANCHORS = {"base": "independent columns, no noise", "ref": "fresh real data", "dec": "encoded and decoded"}

STYLE = """
.t { font-size: 15px; font-weight: 600; fill: #1f2328 } .s { font-size: 12px; fill: #57606a }
.axis { stroke: #57606a } .grid { stroke: #d0d7de } .anchor { stroke: #57606a; stroke-dasharray: 5 4 }
.one { stroke: #0969da; fill: #0969da } .two { stroke: #bc4c00; fill: #bc4c00 }
.three { stroke: #1a7f37; fill: #1a7f37 }
.line { fill: none; stroke-width: 2.5 } .name { stroke: none; font-size: 13px; font-weight: 600 }
@media (prefers-color-scheme: dark) {
.t { fill: #e6edf3 } .s { fill: #9da7b1 } .axis, .anchor { stroke: #8b949e } .grid { stroke: #30363d }
.one { stroke: #58a6ff; fill: #58a6ff } .two { stroke: #f0883e; fill: #f0883e }
.three { stroke: #3fb950; fill: #3fb950 }
}
"""


def make_runs(root: Path) -> None:
    """Run the grid, one process for all runs."""
    grid = [
        "dataset=adult",
        f"algo={','.join(COLOURS)}",
        f"privacy.epsilon={','.join(map(str, EPSILONS))}",
        f"seed={','.join(map(str, SEEDS))}",
        "metrics.families=[marginals]",
        f"pasteur.root={root}",
    ]
    subprocess.run([sys.executable, "-m", "pasteur", "-m", *grid], check=True)  # noqa: S603  (our own arguments)


def read(root: Path) -> tuple[dict[str, dict[float, list[float]]], dict[str, float]]:
    """Errors by algorithm and epsilon, and the mean of each anchor."""
    errors: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    anchors: dict[str, list[float]] = defaultdict(list)
    for file in sorted((root / "outputs" / "runs").glob("*/result.json")):
        run = json.loads(file.read_text(encoding="utf-8"))
        (score,) = (score for score in run["scores"] if score["metric"] == METRIC)
        errors[run["algorithm"]][run["epsilon"]].append(score["syn"])
        for name in ANCHORS:
            anchors[name].append(score[name])
    return errors, {name: statistics.mean(values) for name, values in anchors.items()}


def x(epsilon: float) -> float:
    """Horizontal place, logarithmic."""
    low, high = math.log(EPSILONS[0]), math.log(EPSILONS[-1])
    return LEFT + (math.log(epsilon) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def draw(errors: dict[str, dict[float, list[float]]], anchors: dict[str, float]) -> str:
    """The picture as SVG that follows the reader's light or dark scheme."""
    highest = max(max(map(max, by.values())) for by in errors.values())
    top = math.ceil(max(highest, *anchors.values()) * 20) / 20

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    right = WIDTH - RIGHT
    parts = []
    for step in range(round(top * 20) + 1):
        value = step / 20
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="s" x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    parts.extend(
        f'<text class="s" x="{x(epsilon):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{epsilon:g}</text>'
        for epsilon in EPSILONS
    )
    last = -math.inf
    for name, label in sorted(ANCHORS.items(), key=lambda entry: -anchors[entry[0]]):
        place = y(anchors[name])
        last = max(place, last + 15)  # labels of lines that nearly meet stand one below the other
        parts.append(f'<line class="anchor" x1="{LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>')
        parts.append(f'<text class="s" x="{right + 8}" y="{last + 1:.1f}">{label}</text>')
    for name, colour in COLOURS.items():
        points = [(x(epsilon), y(statistics.mean(errors[name][epsilon]))) for epsilon in EPSILONS]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline class="line {colour}" style="fill: none" points="{path}"/>')
        parts.extend(f'<circle class="{colour}" cx="{px:.1f}" cy="{py:.1f}" r="3.5"/>' for px, py in points)
        for epsilon in EPSILONS:
            low, high = min(errors[name][epsilon]), max(errors[name][epsilon])
            parts.append(f'<path class="{colour}" d="M{x(epsilon):.1f} {y(low):.1f}V{y(high):.1f}"/>')
        px, py = points[2]
        parts.append(f'<text class="name {colour}" x="{px:.1f}" y="{py + LABELS[name]:.1f}">{name}</text>')
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" \
font-family="system-ui, sans-serif">
<title>Adult: error of all pairs of columns against epsilon</title>
<style>{STYLE}</style>
<text class="t" x="{LEFT}" y="22">Adult: error of all pairs of columns (mean total variation), lower is better</text>
{body}
<line class="axis" x1="{LEFT}" x2="{right}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>
<text class="s" x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">epsilon, at delta 1e-9; \
{len(SEEDS)} runs each, mean and range</text>
</svg>
"""


def main() -> None:
    """Run what is missing and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    if options.root:
        OUT.write_text(draw(*read(options.root)), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        make_runs(Path(folder))
        OUT.write_text(draw(*read(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
