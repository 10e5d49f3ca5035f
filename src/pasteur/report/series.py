"""Series that were compressed: what curves lose, which codes are used, what each means, and some series drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pasteur.report import svg, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pasteur.report.story import Story

WIDTH, HEIGHT, EDGE = 150.0, 76.0, 6.0


def series(story: Story) -> list[dict[str, Any]]:
    """A block for each component of series."""
    return [_block(each) for each in story.series]


def _block(told: Mapping[str, Any]) -> dict[str, Any]:
    samples: Mapping[str, Sequence[Mapping[str, Sequence[float]]]] = told["samples"]
    return {
        "name": told["component"],
        "kind": told["kind"],
        "entities": told["entities"],
        "channels": told["channels"],
        "usage": [
            {"name": each["name"], "used": each["used"], "of": len(each["real"]), "bars": _bars(each)}
            for each in told["usage"]
        ],
        "meaning": [
            {
                "name": each["name"],
                "channel": each["channel"],
                "chart": curves(each["lines"], f"mean {text.short(each['channel'])} of each code of {each['name']}"),
            }
            for each in told["meaning"]
        ],
        "samples": [
            {"side": side, "channel": channel, "charts": _samples(own, channel, _range(samples, channel), side)}
            for channel in [row["name"] for row in told["channels"]]
            for side, own in samples.items()
            if own
        ],
    }


def curves(lines: Sequence[Sequence[float]], label: str) -> Markup:
    """One curve for each code, the fainter the lower the code."""
    steps = max(len(line) for line in lines)
    known = [value for line in lines for value in line if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    shapes = [
        svg.tag(
            "path",
            svg.title(f"code {place}"),
            d=_path(line, steps, low, high),
            class_="step l-syn",
            stroke_opacity=0.3 + 0.7 * (place + 1) / len(lines),
        )
        for place, line in enumerate(lines)
    ]
    return svg.drawing(WIDTH, HEIGHT, label, *_scale(low, high), *shapes)


def _samples(
    own: Sequence[Mapping[str, Sequence[float]]], channel: str, span: tuple[float, float], side: str
) -> list[Markup]:
    drawn = []
    for number, one in enumerate(own, start=1):
        line = one[channel]
        shape = svg.path(_path(line, max(len(line), 2), *span), "step l-syn" if side == "synthetic" else "step l-wrk")
        drawn.append(
            svg.drawing(WIDTH, HEIGHT, f"{side}, number {number}: {text.short(channel)}", *_scale(*span), shape)
        )
    return drawn


def _range(samples: Mapping[str, Sequence[Mapping[str, Sequence[float]]]], channel: str) -> tuple[float, float]:
    known = [v for own in samples.values() for one in own for v in one[channel] if math.isfinite(v)]
    return min(known, default=0.0), max(known, default=1.0)


def _scale(low: float, high: float) -> list[Markup]:
    return [
        svg.line(EDGE, HEIGHT - EDGE, WIDTH - EDGE, HEIGHT - EDGE, "axis"),
        svg.words(EDGE, 10, text.number(high, 2), "tiny"),
        svg.words(EDGE, HEIGHT - EDGE - 2, text.number(low, 2), "tiny"),
    ]


def _path(line: Sequence[float], steps: int, low: float, high: float) -> str:
    """Straight lines from value to value; a gap where one is missing, and a dot where one stands alone."""
    made, pen = [], "M"
    for step, value in enumerate(line):
        if not math.isfinite(value):
            pen = "M"
            continue
        x = EDGE + step / max(steps - 1, 1) * (WIDTH - 2 * EDGE)
        y = HEIGHT - EDGE - (value - low) / ((high - low) or 1.0) * (HEIGHT - 2 * EDGE)
        made.append(f"{pen}{x:.1f} {y:.1f}" + ("h.1" if pen == "M" else ""))
        pen = "L"
    return "".join(made) or "M0 0"


def _bars(each: Mapping[str, Any]) -> Markup:
    """Shares of codes: bars synthetic, marks real."""
    real, made = each["real"], each["synthetic"]
    top = max(*real, *made, 1e-9)
    width = (WIDTH - 2 * EDGE) / len(real)
    shapes = []
    for code, (one, other) in enumerate(zip(real, made, strict=True)):
        x = EDGE + code * width
        tip = svg.title(f"code {code}: synthetic {text.percent(other)}, real {text.percent(one)}")
        size = (HEIGHT - 2 * EDGE) * other / top
        shapes.append(svg.rect(x + 0.5, HEIGHT - EDGE - size, width - 1, size, "bar-syn", tip))
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * one / top
        shapes.append(svg.line(x, y, x + width, y, "l-wrk"))
    return svg.drawing(WIDTH, HEIGHT, f"codes of {text.short(each['name'])}", *shapes)
