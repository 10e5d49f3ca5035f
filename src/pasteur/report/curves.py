"""Pictures of many runs: error over epsilon, and error over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.report import svg, text
from pasteur.report.runs import Group, Spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

WIDTH, HEIGHT = 560.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 74.0, 14.0, 44.0
SHAPES = 6
"""Shapes of signs, and as many colours."""
SIGNS = 2 * SHAPES
"""Curves that are told apart; all others share the last sign."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A number's place on the paper."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where `value` lies."""
        low, high, v = (
            math.log10(x) if self.log else x
            for x in (self.low, self.high, max(value, self.low * 0.5 if self.log else value))
        )
        return self.start + (v - low) / ((high - low) or 1.0) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """A few round numbers."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [
                m * 10.0**p for p in powers for m in (1, 3) if self.low * 0.999 <= m * 10.0**p <= self.high * 1.001
            ]
            return found if len(found) <= 8 else found[::2]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 3 or 1.0))
        step *= next((m for m in (1, 2, 5) if (self.high - self.low) / (step * m) <= 6), 10)
        first = math.ceil(self.low / step)
        return [step * k for k in range(first, math.floor(self.high / step) + 1)]


def colour(index: int) -> int:
    """The colour of a curve: a shape that comes again has another."""
    index = min(index, SIGNS - 1)
    return (index + index // SHAPES) % SHAPES


def sign(index: int, x: float, y: float, tip: str = "") -> Markup:
    """The sign of a curve's points."""
    shapes = (
        f"M{x - 4.5:.1f} {y:.1f}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
        f"M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
        f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
        f"M{x:.1f} {y - 5:.1f}l5 9h-10z",
        f"M{x:.1f} {y + 5:.1f}l5 -9h-10z",
        f"M{x - 5:.1f} {y - 2:.1f}h10v4h-10z",
    )
    children = [svg.title(tip)] if tip else []
    return svg.tag("path", *children, d=shapes[min(index, SIGNS - 1) % SHAPES], class_=f"dot c{colour(index)}")


def over_epsilon(curves: Sequence[Group], metric: str, *, lines: Mapping[str, float]) -> Markup | None:
    """Error over epsilon: a curve a configuration through the means over seeds, bands of one sd, every run a dot.

    Args:
        curves: groups that differ in more than epsilon and seed.
        metric: the number, e.g. `marginals/tvd2/syn`.
        lines: side -> its level, drawn across.
    """
    points = [(r.epsilon, r.metrics[metric]) for g in curves for r in g.runs if r.epsilon and metric in r.metrics]
    if len({epsilon for epsilon, _ in points}) < 2:
        return None
    bare = [r.metrics[metric] for g in curves for r in g.runs if r.epsilon is None and metric in r.metrics]
    x = Axis(low=min(e for e, _ in points), high=max(e for e, _ in points), start=LEFT, stop=WIDTH - RIGHT, log=True)
    y = _vertical([*(v for _, v in points), *bare, *lines.values()])
    parts = _frame(x, y, "epsilon", metric.removesuffix("/syn")) + _levels(lines, y)
    told = []
    for index, group in enumerate(curves):
        means: list[tuple[float, Spread]] = []
        for epsilon in sorted({r.epsilon for r in group.runs if r.epsilon}):
            spread = Spread.of([r.metrics[metric] for r in group.runs if r.epsilon == epsilon and metric in r.metrics])
            if spread:
                means.append((epsilon, spread))
        parts += _curve(index, means, x, y)
        for run in group.runs:
            if metric in run.metrics:
                place = x.at(run.epsilon) if run.epsilon else WIDTH - RIGHT + 22
                tip = f"{run.name}: {text.number(run.metrics[metric])}"
                parts.append(sign(index, place, y.at(run.metrics[metric]), tip))
        told += [f"{group.label or 'all'} at epsilon {e:g}: {text.number(s.mean)}" for e, s in means]
    if bare:
        parts.append(svg.words(WIDTH - RIGHT + 22, HEIGHT - BOTTOM + 15, "none", "label faint", "middle"))
    return svg.drawing(WIDTH, HEIGHT, f"{metric} over epsilon. {'; '.join(told)}", *parts, class_="chart wide")


def over_time(curves: Sequence[Group], metric: str, *, lines: Mapping[str, float]) -> Markup | None:
    """Error over what fitting and sampling took: the lower left corner is best."""
    points = [(r.seconds, r.metrics[metric]) for g in curves for r in g.runs if r.seconds and metric in r.metrics]
    if len(points) < 2:
        return None
    low, high = min(s for s, _ in points), max(s for s, _ in points)
    x = Axis(low=low * 0.9, high=max(high, low * 1.5) * 1.1, start=LEFT, stop=WIDTH - RIGHT, log=True)
    y = _vertical([*(v for _, v in points), *lines.values()])
    parts = _frame(x, y, "seconds to fit and sample", metric.removesuffix("/syn")) + _levels(lines, y)
    for index, group in enumerate(curves):
        for run in group.runs:
            if run.seconds and metric in run.metrics:
                tip = f"{run.name}: {text.number(run.metrics[metric])} in {text.seconds(run.seconds)}"
                parts.append(sign(index, x.at(run.seconds), y.at(run.metrics[metric]), tip))
    told = "; ".join(f"{text.number(v)} in {text.seconds(s)}" for s, v in points[:40])
    return svg.drawing(WIDTH, HEIGHT, f"{metric} over time. {told}", *parts, class_="chart wide")


def _vertical(values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 0.1
    return Axis(low=low - margin, high=high + margin, start=HEIGHT - BOTTOM, stop=TOP)


def _frame(x: Axis, y: Axis, along: str, up: str) -> list[Markup]:
    parts = [svg.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT + 20, HEIGHT - BOTTOM, "axis")]
    digits = max(0, min(4, 1 - math.floor(math.log10((y.high - y.low) or 1.0))))
    for value in y.ticks():
        parts.append(svg.line(LEFT, y.at(value), WIDTH - RIGHT, y.at(value), "grid"))
        shown = f"{value:.{digits}f}".replace("-", "\u2212")
        parts.append(svg.words(LEFT - 6, y.at(value) + 4, shown, "label faint", "end"))
    for value in x.ticks():
        parts.append(svg.line(x.at(value), HEIGHT - BOTTOM, x.at(value), HEIGHT - BOTTOM + 4, "axis"))
        parts.append(svg.words(x.at(value), HEIGHT - BOTTOM + 15, f"{value:g}", "label faint", "middle"))
    parts.append(svg.words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, along, "label", "middle"))
    parts.append(svg.words(12, HEIGHT / 2, text.short(up, 44), "label", "middle", f"rotate(-90 12 {HEIGHT / 2:g})"))
    return parts


def _levels(lines: Mapping[str, float], y: Axis) -> list[Markup]:
    """Level lines of the anchors, their names moved apart at the right edge."""
    parts, taken = [], -100.0
    for side, value in sorted(lines.items(), key=lambda line: y.at(line[1])):
        place = y.at(value)
        parts.append(svg.line(LEFT, place, WIDTH - RIGHT + 26, place, f"step l-{side}"))
        taken = max(place + 4, taken + 12)
        parts.append(svg.words(WIDTH - RIGHT + 30, taken, side, "label"))
    return parts


def _curve(index: int, means: Sequence[tuple[float, Spread]], x: Axis, y: Axis) -> list[Markup]:
    parts = []
    kind = f"c{colour(index)}"
    spread = [(e, s.mean - s.sd, s.mean + s.sd) for e, s in means if s.sd is not None]
    if len(spread) > 1:
        there = " ".join(f"{x.at(e):.1f},{y.at(high):.1f}" for e, _, high in spread)
        back = " ".join(f"{x.at(e):.1f},{y.at(low):.1f}" for e, low, _ in reversed(spread))
        parts.append(svg.tag("polygon", points=f"{there} {back}", class_=f"band {kind}"))
    if len(means) > 1:
        line = "M" + "L".join(f"{x.at(e):.1f} {y.at(s.mean):.1f}" for e, s in means)
        parts.append(svg.path(line, f"curve k{colour(index)}"))
    return parts
