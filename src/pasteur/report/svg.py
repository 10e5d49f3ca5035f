"""Elements of SVG as escaped markup. Colours are classes of the style sheet, so that light and dark are its own."""

from __future__ import annotations

from markupsafe import Markup, escape

from pasteur.report.text import clean


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """An element: children and attributes are escaped unless they are markup; `class_` and `font_size` as one expects.

    Args:
        name: of the element; never a text from data.
        children: text or markup.
        attributes: those that are None are left out; numbers get at most two decimals.
    """
    shown = Markup("").join(
        Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), _value(value))  # noqa: S704 - our own names
        for key, value in attributes.items()
        if value is not None
    )
    opened = Markup("<{}{}").format(Markup(name), shown)  # noqa: S704 - our own names
    if not children:
        return opened + Markup("/>")
    inner = Markup("").join(child if isinstance(child, Markup) else escape(clean(str(child))) for child in children)
    return opened + Markup(">") + inner + Markup("</{}>").format(Markup(name))  # noqa: S704 - our own names


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
    return clean(str(value), 100_000) if not isinstance(value, int) else str(value)


def drawing(width: float, height: float, label: str, *children: Markup, class_: str = "chart") -> Markup:
    """A picture that scales, with the words that a screen reader says in its place."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=class_,
    )


def rect(x: float, y: float, width: float, height: float, class_: str, *children: Markup) -> Markup:
    """A rectangle; never of a negative size."""
    return tag(
        "rect",
        *children,
        x=float(x),
        y=float(y),
        width=max(float(width), 0.0),
        height=max(float(height), 0.0),
        class_=class_,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def words(
    x: float, y: float, text: str, class_: str = "label", anchor: str = "start", transform: str | None = None
) -> Markup:
    """A text; `anchor` is start, middle or end."""
    return tag("text", text, x=float(x), y=float(y), class_=class_, text_anchor=anchor, transform=transform)


def path(points: str, class_: str) -> Markup:
    """A path."""
    return tag("path", d=points, class_=class_)


def title(text: str) -> Markup:
    """What shows when the pointer rests on a shape."""
    return tag("title", text)


def mark(kind: str, x: float, y: float, tip: str = "") -> Markup:
    """The sign of a candidate, told apart by shape as well as by colour.

    syn: disc; ref: diamond; dec: upright bar; base: hollow square; wrk: cross.
    """
    shapes = {
        "syn": f"M{x - 5:.1f} {y:.1f}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
        "ref": f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z",
        "dec": f"M{x - 1.5:.1f} {y - 6:.1f}h3v12h-3z",
        "base": f"M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z",
        "wrk": f"M{x - 4:.1f} {y - 4:.1f}l8 8M{x - 4:.1f} {y + 4:.1f}l8 -8",
    }
    shape = {"d": shapes[kind], "class_": f"mark m-{kind}"}
    return tag("path", title(tip), **shape) if tip else tag("path", **shape)
