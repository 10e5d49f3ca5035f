"""How rows hang together: parents and children, and rows that follow one another: sections 10 and 11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.report import charts, use
from pasteur.report.story import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.report.story import Story

REAL = ("target", *SIDES)


def relational(story: Story) -> list[dict[str, Any]]:
    """A block a relationship: children per parent, orphans, and what gives the aggregates away."""
    blocks = []
    for link, about in story.of("target", "relational").items():
        sides = {side: story.of(side, "relational").get(link) or {} for side in REAL}
        found = {side: sides[side].get("detection") for side in use.ORDER}
        blocks.append(
            {
                "name": link,
                "children": _histogram(about.get("children"), sides, "children", f"children per parent, {link}"),
                "rows": [
                    {"side": side, "mean": held.get("mean"), "orphans": held.get("orphans")}
                    for side, held in sides.items()
                    if held
                ],
                "detection": use.block(f"{link}, by aggregates of children", found) if found.get("syn") else None,
            }
        )
    return blocks


def sequential(story: Story) -> list[dict[str, Any]]:
    """A block a component with an order: lengths, and each channel's behaviour over time on T and on syn."""
    blocks = []
    for component, about in story.of("target", "sequential").items():
        sides = {side: story.of(side, "sequential").get(component) or {} for side in REAL}
        channels = []
        what = list(dict.fromkeys(key for channel in about.get("channels", {}).values() for key in channel))
        for channel in about.get("channels", {}):
            values = {side: sides[side].get("channels", {}).get(channel, {}) for side in ("target", "syn", "ref")}
            channels.append(
                {"channel": channel, "values": [[values[side].get(key) for side in values] for key in what]}
            )
        blocks.append(
            {
                "name": component,
                "group": about.get("group"),
                "order": about.get("order"),
                "lengths": _histogram(about.get("lengths"), sides, "lengths", f"rows per {about.get('group')}"),
                "what": what,
                "channels": channels,
                "cross": _cross(sides),
            }
        )
    return blocks


def _histogram(about: Mapping[str, Any] | None, sides: Mapping[str, Mapping[str, Any]], key: str, name: str) -> Any:
    if not about:
        return None
    known = {side: sides[side][key] for side in ("target", "syn", "ref", "dec") if sides.get(side, {}).get(key)}
    # Each side has as many bins as its own longest: the labels are those of the longest of all, others end in 0.
    labels = [str(label) for label in max((held["labels"] for held in [about, *known.values()]), key=len)]
    shares = {
        ("wrk" if side == "target" else side): [*held["shares"], *[0.0] * (len(labels) - len(held["shares"]))]
        for side, held in known.items()
    }
    return charts.steps(shares, labels, name=name) if labels and shares else None


def _cross(sides: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Correlation across channels on T, on the synthetic data, and the difference."""
    real, syn = (sides.get(side, {}).get("cross") for side in ("target", "syn"))
    if not real or not syn or len(real.get("columns", ())) < 2:
        return []
    names = [str(name) for name in real["columns"]]
    pairs = zip(real["matrix"], syn["matrix"], strict=False)
    difference = [[None if a is None or b is None else b - a for a, b in zip(x, y, strict=False)] for x, y in pairs]
    return [
        (
            "held-out real data",
            charts.heat(real["matrix"], names, name="Correlation across channels, held-out real data"),
        ),
        ("synthetic data", charts.heat(syn["matrix"], names, name="Correlation across channels, synthetic data")),
        ("synthetic minus real", charts.heat(difference, names, name="Difference of correlation", difference=True)),
    ]
