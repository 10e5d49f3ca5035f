"""The pictures of a report. Each has words for a screen reader, and a table of the same numbers near it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pasteur.report import svg, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

LEVELS = 14
"""Most levels that are drawn by name; the table beside a picture has all of them."""

LOW, HIGH = -0.25, 1.5
"""The part of the gap's axis that is drawn; what lies beyond gets an arrow."""


def gap_bar(gap: float | None, encoding: float | None = None, name: str = "") -> Markup:
    """A gap on an axis from fresh real data (0) to independent columns (1).

    Args:
        gap: None draws an empty axis.
        encoding: the gap of decoded data, drawn as an upright bar: what the encoding alone loses.
        name: of what, for a screen reader.
    """
    width, height, middle = 180.0, 22.0, 11.0

    def at(value: float) -> float:
        return 4 + (min(max(value, LOW), HIGH) - LOW) / (HIGH - LOW) * (width - 8)

    parts = [
        svg.rect(4, middle - 3, width - 8, 6, "track"),
        svg.line(at(0), 2, at(0), height - 2, "axis-ref"),
        svg.line(at(1), 2, at(1), height - 2, "axis-base"),
    ]
    told = f"{name}: gap {text.gap(gap)}".removeprefix(": ")
    if gap is not None:
        left, right = sorted((at(0), at(gap)))
        parts.append(svg.rect(left, middle - 3, right - left, 6, "bar-syn"))
        if encoding is not None:
            parts.append(svg.mark("dec", at(encoding), middle, f"the encoding alone: {text.gap(encoding)}"))
            told += f", of which the encoding alone {text.gap(encoding)}"
        if LOW <= gap <= HIGH:
            parts.append(svg.mark("syn", at(gap), middle, f"gap {text.gap(gap)}"))
        else:
            tip = at(gap)
            side = 1 if gap > HIGH else -1
            parts.append(svg.path(f"M{tip:.1f} {middle}l{-9 * side} -7v14z", "mark m-syn"))
    return svg.drawing(width, height, told, *parts, class_="chart gapbar")


def stacked(shares: Sequence[tuple[str, float]], *, whole: str) -> Markup:
    """A bar of shares of a whole: each piece has its number, repeated in the legend beside it."""
    width, height = 640.0, 30.0
    x, parts = 0.0, [svg.rect(0, 0, width, height, "track")]
    for index, (label, share) in enumerate(shares):
        wide = max(0.0, min(share * width, width - x))
        parts.append(
            svg.rect(x, 0, max(wide - 1, 0.5), height, f"s{index % 6}", svg.title(f"{label}: {text.percent(share)}"))
        )
        if wide > 46:
            parts.append(svg.words(x + wide / 2, 20, f"{index + 1}", "onbar", "middle"))
        x += wide
    told = "; ".join(f"{label} {text.percent(share)}" for label, share in shares)
    return svg.drawing(width, height, f"{whole}: {told}", *parts, class_="chart wide")


def steps(shares: Mapping[str, Sequence[float]], labels: Sequence[str], *, name: str) -> Markup:
    """A histogram over ordered bins: syn as bars, the real sides as outlines.

    Args:
        shares: side -> share of each bin.
        labels: of the bins.
        name: of the column.
    """
    width, height, base = 300.0, 130.0, 108.0
    count = max(len(labels), 1)
    top = max((share for side in shares.values() for share in side), default=0.0) or 1.0
    wide = (width - 10) / count

    def y(share: float) -> float:
        return base - share / top * (base - 14)

    parts = [svg.line(5, base, width - 5, base, "axis")]
    for index, share in enumerate(shares.get("syn", ())):
        tip = ", ".join(f"{side} {text.percent(values[index])}" for side, values in shares.items())
        gap = 1 if wide > 4 else 0
        bar = svg.rect(
            5 + index * wide, y(share), wide - gap, base - y(share), "fill-syn", svg.title(f"{labels[index]}: {tip}")
        )
        parts.append(bar)
    for side in ("dec", "ref", "wrk"):
        if side in shares:
            line = "".join(
                f"{'M' if index == 0 else 'L'}{5 + index * wide:.1f} {y(share):.1f}H{5 + (index + 1) * wide:.1f}"
                for index, share in enumerate(shares[side])
            )
            parts.append(svg.path(line, f"step l-{side}"))
    parts += [
        svg.words(5, height - 6, text.short(labels[0], 22) if labels else "", "label"),
        svg.words(width - 5, height - 6, text.short(labels[-1], 22) if len(labels) > 1 else "", "label", "end"),
        svg.words(5, 9, text.percent(top), "label faint"),
    ]
    return svg.drawing(width, height, f"{name}: {_difference(shares)}", *parts)


def bars(shares: Mapping[str, Sequence[float]], labels: Sequence[str], *, name: str) -> Markup:
    """Levels one under the other, the most frequent first: syn as a bar, the real sides as marks on it."""
    shares, labels = _frequent(shares, labels)
    width, row, left = 300.0, 17.0, 118.0
    real = shares.get("wrk") or shares.get("target") or shares.get("ref") or shares.get("syn") or ()
    order = sorted(
        range(len(labels)),
        key=lambda index: (labels[index].endswith(" others"), -real[index] if index < len(real) else 0),
    )
    top = max((share for side in shares.values() for share in side), default=0.0) or 1.0
    scale = (width - left - 12) / top
    parts: list[Markup] = []
    for place, index in enumerate(order):
        y = place * row + row / 2 + 2
        tip = ", ".join(f"{side} {text.percent(values[index])}" for side, values in shares.items())
        parts.append(svg.words(left - 6, y + 4, text.short(labels[index], 19), "label", "end"))
        parts.append(svg.rect(left, y - 5, width - left - 12, 10, "track", svg.title(f"{labels[index]}: {tip}")))
        if "syn" in shares:
            parts.append(svg.rect(left, y - 5, shares["syn"][index] * scale, 10, "fill-syn"))
        for side in ("dec", "ref", "wrk"):
            if side in shares:
                x = left + shares[side][index] * scale
                parts.append(svg.line(x, y - 7, x, y + 7, f"tick l-{side}"))
    return svg.drawing(width, max(len(order), 1) * row + 6, f"{name}: {_difference(shares)}", *parts)


def _frequent(
    shares: Mapping[str, Sequence[float]], labels: Sequence[str]
) -> tuple[Mapping[str, Sequence[float]], Sequence[str]]:
    """The most frequent levels, all others together."""
    if len(labels) <= LEVELS:
        return shares, labels
    most = [max(values[index] for values in shares.values()) for index in range(len(labels))]
    order = sorted(range(len(labels)), key=lambda index: -most[index])
    kept, rest = sorted(order[: LEVELS - 1]), order[LEVELS - 1 :]
    told = {side: [*(v[i] for i in kept), sum(v[i] for i in rest)] for side, v in shares.items()}
    return told, [*(labels[i] for i in kept), f"{len(rest)} others"]


def _difference(shares: Mapping[str, Sequence[float]]) -> str:
    """Total variation of the synthetic shares from each real side's, for who cannot see them."""
    syn = shares.get("syn", ())
    others = {side: values for side, values in shares.items() if side != "syn" and syn}
    apart = {side: sum(abs(a - b) for a, b in zip(syn, values, strict=False)) / 2 for side, values in others.items()}
    told = [f"{text.percent(distance)} of synthetic rows differ from {side}" for side, distance in apart.items()]
    return ", ".join(told) or "histogram"


def heat(
    matrix: Sequence[Sequence[float | None]], names: Sequence[str], *, name: str, difference: bool = False
) -> Markup:
    """A square of values in [-1, 1]; small ones have their numbers in the cells.

    Args:
        matrix: rows of values; None where there is none.
        names: of rows and columns.
        name: what is shown.
        difference: colours run from fewer to more instead of from none to strong.
    """
    count = len(names)
    cell = 24.0 if count <= 20 else max(8.0, 480.0 / count)
    left, top = 104.0, 104.0
    parts: list[Markup] = []
    for r, row in enumerate(matrix):
        parts.append(svg.words(left - 5, top + r * cell + cell / 2 + 3, text.short(names[r], 17), "label tiny", "end"))
        x, y = left + r * cell + cell / 2 + 3, top - 5
        parts.append(svg.words(x, y, text.short(names[r], 17), "label tiny", "start", f"rotate(-60 {x:.1f} {y:.1f})"))
        for c, value in enumerate(row):
            if r == c:
                continue
            tip = [svg.title(f"{names[r]} and {names[c]}: {text.signed(value)}")] if count <= 24 else []
            parts.append(
                svg.rect(left + c * cell, top + r * cell, cell - 1, cell - 1, level(value, difference=difference), *tip)
            )
            if count <= 20 and value is not None and abs(value) >= 0.05:
                shown = f"{abs(value):.2f}"[1:] if abs(value) < 0.995 else "1"
                sign = "\u2212" if value < 0 else ("+" if difference else "")
                strong = " strong" if abs(value) >= (0.3 if difference else 0.55) else ""
                parts.append(
                    svg.words(
                        left + c * cell + (cell - 1) / 2,
                        top + r * cell + cell / 2 + 3,
                        sign + shown,
                        f"cell{strong}",
                        "middle",
                    )
                )
    size = count * cell
    return svg.drawing(left + size + 54, top + size + 4, name, *parts, class_="chart heat")


def level(value: float | None, *, difference: bool = False) -> str:
    """The class of a heat cell: h0 to h8 for strength, d-4 to d4 for a difference."""
    if value is None or not math.isfinite(value):
        return "hx"
    if difference:
        step = min(4, round(min(abs(value), 1.0) * 8 + 0.25))
        return f"d{'n' if value < 0 else 'p'}{step}" if step else "d0"
    return f"h{min(8, round(min(abs(value), 1.0) * 8))}"


def dumbbells(
    rows: Sequence[tuple[str, Mapping[str, float]]], *, name: str, low: float, high: float, digits: int = 2
) -> Markup:
    """One line a row: the candidates' marks on a common axis, syn and ref joined.

    Args:
        rows: label and side -> value.
        name: what is shown.
        low: left end of the axis.
        high: right end.
        digits: of the axis's numbers.
    """
    width, row, left = 560.0, 30.0, 170.0
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return left + (min(max(value, low), high) - low) / span * (width - left - 20)

    height = len(rows) * row + 24
    parts: list[Markup] = []
    for tick in range(5):
        value = low + span * tick / 4
        parts.append(svg.line(at(value), 4, at(value), height - 20, "grid"))
        parts.append(
            svg.words(at(value), height - 6, f"{value:.{digits}f}".replace("-", "\u2212"), "label faint", "middle")
        )
    for place, (label, values) in enumerate(rows):
        y = place * row + row / 2 + 2
        parts.append(svg.words(left - 10, y + 4, text.short(label, 26), "label", "end"))
        if "syn" in values and "ref" in values:
            parts.append(svg.line(at(values["syn"]), y, at(values["ref"]), y, "join"))
        for side in ("base", "wrk", "dec", "ref", "syn"):
            if side in values:
                tip = f"{label}, {side}: {text.number(values[side], 3)}"
                parts.append(svg.mark(side, at(values[side]), y, tip))
    told = "; ".join(
        f"{label}: " + ", ".join(f"{s} {text.number(v, 3)}" for s, v in values.items()) for label, values in rows
    )
    return svg.drawing(width, height, f"{name}. {told}", *parts, class_="chart wide")


def interval(rows: Sequence[tuple[str, Mapping[str, Any]]], *, name: str) -> Markup:
    """AUCs with their 95 % intervals, on an axis around 0.5, where a classifier can do no better than guess."""
    values = [r.get(key) for _, r in rows for key in ("auc", "low", "high")]
    known = [v for v in values if isinstance(v, int | float)]
    low, high = min([0.45, *known]), max([0.75, *known])
    width, row, left = 560.0, 30.0, 60.0

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - 60)

    height = len(rows) * row + 26
    parts = [
        svg.line(at(0.5), 2, at(0.5), height - 20, "axis"),
        svg.words(at(0.5), height - 5, "0.5: cannot tell", "label faint", "middle"),
    ]
    for place, (side, found) in enumerate(rows):
        y = place * row + row / 2
        parts.append(svg.words(left - 18, y + 4, side, "label", "end"))
        if isinstance(found.get("low"), int | float) and isinstance(found.get("high"), int | float):
            parts.append(svg.line(at(found["low"]), y, at(found["high"]), y, "whisker"))
        parts.append(svg.mark(side, at(found["auc"]), y, f"{side}: AUC {found['auc']:.3f}"))
        parts.append(
            svg.words(at(max(found["auc"], found.get("high") or 0)) + 10, y + 4, f"{found['auc']:.3f}", "label")
        )
    told = "; ".join(f"{side}: {found['auc']:.3f}" for side, found in rows)
    return svg.drawing(width, height, f"{name}. {told}", *parts, class_="chart wide")


def ranked(rows: Sequence[tuple[str, float]], *, name: str, digits: int = 3) -> Markup:
    """Bars by falling value, each with its number."""
    width, row, left = 420.0, 22.0, 160.0
    top = max((value for _, value in rows), default=0.0) or 1.0
    parts: list[Markup] = []
    for place, (label, value) in enumerate(rows):
        y = place * row
        wide = max(value, 0.0) / top * (width - left - 60)
        parts.append(svg.words(left - 8, y + 15, text.short(label, 24), "label", "end"))
        parts.append(svg.rect(left, y + 4, wide, 14, "fill-syn"))
        parts.append(svg.words(left + wide + 6, y + 15, f"{value:.{digits}f}".replace("-", "\u2212"), "label"))
    told = "; ".join(f"{label} {value:.{digits}f}" for label, value in rows)
    return svg.drawing(width, max(len(rows), 1) * row + 4, f"{name}. {told}", *parts)
