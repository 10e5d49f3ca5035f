"""Columns, pairs and triples, worst first, and what the encoding alone loses: sections 4, 5, 6 and 12."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.report import charts, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pasteur.report.story import Story

DRAWN = 60
"""Columns that get a picture; of more, the worst."""

SHOWN = 10
"""Pairs and triples that are listed."""

SIDES = ("syn", "wrk", "ref", "dec")
"""Whose histograms are drawn; where wrk is not known, the target stands in its place."""


def columns(story: Story) -> list[dict[str, Any]]:
    """A card a column: its histogram on every side, its own error and its pairs', worst first."""
    ranked = {(row["component"], row["columns"][0]): row for row in story.worst.get("columns", ())}
    cards: list[dict[str, Any]] = []
    held = histograms(story, "target")
    for component, attributes in held.items():
        grouped: dict[str, list[str]] = {}
        for attribute, about in attributes.items():
            grouped.setdefault(str(about.get("column", attribute)), []).append(attribute)
        for column, parts in grouped.items():
            rows = [ranked[component, part] for part in parts if (component, part) in ranked]
            row: Mapping[str, Any] = max(rows, key=_rank, default={})
            cards.append(
                {
                    "component": component if len(held) > 1 else "",
                    "column": column,
                    "row": row,
                    "parts": [_picture(story, component, part, several=len(parts) > 1) for part in parts],
                }
            )
    cards.sort(key=lambda card: -_rank(card["row"]))
    for place, card in enumerate(cards):
        card["place"] = place + 1
        if place >= DRAWN:
            card["parts"] = []
    return cards


def histograms(story: Story, side: str) -> Mapping[str, Any]:
    """Component -> attribute -> shares of rows in a few bins; of the target, their words too."""
    found: Mapping[str, Any] = story.of(side, "marginals").get("histograms", {})
    return found


def _rank(row: Mapping[str, Any]) -> float:
    for key in ("rank", "gap", "excess"):
        if isinstance(row.get(key), int | float):
            return float(row[key])
    return float("-inf")


def _picture(story: Story, component: str, attribute: str, *, several: bool) -> dict[str, Any]:
    about = histograms(story, "target")[component][attribute]
    shares: dict[str, Sequence[float]] = {}
    for side in SIDES:
        found = histograms(story, side).get(component, {}).get(attribute)
        if found and found.get("shares"):
            shares[side] = found["shares"]
    if "wrk" not in shares and about.get("shares"):
        shares = {"syn": shares.get("syn", ()), "wrk": about["shares"], **shares} if "syn" in shares else shares
    labels = [str(label) for label in about.get("labels", ())]
    draw = charts.steps if about.get("ordered") and len(labels) > 6 else charts.bars
    table = [
        {"label": label, **{side: values[index] for side, values in shares.items()}}
        for index, label in enumerate(labels)
    ]
    name = attribute if several else ""
    return {"name": name, "chart": draw(shares, labels, name=attribute), "table": table, "sides": list(shares)}


def pairs(story: Story) -> dict[str, Any]:
    """Association matrices of wrk and syn with their difference, and the ten worst pairs."""
    maps = []
    target = story.of("target", "association")
    for component, about in target.items():
        names = [str(name) for name in about.get("columns", ())]
        real_side = "wrk" if component in story.of("wrk", "association") else "target"
        real = story.of(real_side, "association").get(component, {}).get("matrix")
        syn = story.of("syn", "association").get(component, {}).get("matrix")
        if len(names) < 2 or not real or not syn:
            continue
        difference = [
            [None if a is None or b is None else b - a for a, b in zip(x, y, strict=False)]
            for x, y in zip(real, syn, strict=False)
        ]
        maps.append(
            {
                "component": component if len(target) > 1 else "",
                "left_out": about.get("left_out", 0),
                "charts": _maps(names, real, syn, difference, "real" if real_side == "wrk" else "held-out real"),
            }
        )
    return {"maps": maps, "rows": list(story.worst.get("pairs", ()))[:SHOWN]}


def _maps(
    names: list[str],
    real: list[list[float | None]],
    syn: list[list[float | None]],
    difference: list[list[float | None]],
    which: str,
) -> list[tuple[str, Markup]]:
    return [
        (f"{which} data", charts.heat(real, names, name=f"Association of columns in {which} data")),
        ("synthetic data", charts.heat(syn, names, name="Association of columns in synthetic data")),
        (
            f"synthetic minus {which}",
            charts.heat(
                difference, names, name="Difference of association; minus: weaker in synthetic data", difference=True
            ),
        ),
    ]


def triples(story: Story) -> list[Mapping[str, Any]]:
    """The ten worst of the triples that were drawn."""
    return list(story.worst.get("triples", ()))[:SHOWN]


MOVED = {
    "other": "to the level for all others",
    "outside": "to the edge",
    "past": "left out: more rows of one parent than declared",
    "orphan": "left out: of no parent",
}
"""What becomes of a value outside of what is declared; of a child's foreign key, of the row."""


def encoding(story: Story) -> list[dict[str, Any]]:
    """What encoding and decoding alone lose of each column, and how many values lie outside what is declared."""
    held = {(row["component"], row["columns"][0]): row for row in story.worst.get("columns", ())}
    known = dict.fromkeys([*held, *((c, column) for c, found in story.moved.items() for column in found)])
    rows = []
    for component, column in known:
        row = held.get((component, column), {})
        moved = story.moved.get(component, {}).get(column, {})
        dec, ref = row.get("dec"), row.get("ref")
        loss = dec - ref if isinstance(dec, int | float) and isinstance(ref, int | float) else None
        rows.append(
            {
                "name": column if len(story.moved) <= 1 else f"{component}.{column}",
                "dec": dec,
                "ref": ref,
                "loss": loss,
                "outside": sum(moved.values()) if moved else None,
                "where": ", ".join(MOVED.get(k, k) for k, v in moved.items() if v),
            }
        )
    any_known = any(row["dec"] is not None or row["outside"] is not None for row in rows)
    return sorted(rows if any_known else [], key=lambda r: (-(r["loss"] or 0.0), -(r["outside"] or 0.0)))


def named(row: Mapping[str, Any]) -> str:
    """The columns of a row in words."""
    return " \u00d7 ".join(text.short(column, 36) for column in row["columns"])
