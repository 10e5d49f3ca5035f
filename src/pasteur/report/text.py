"""Words and numbers as a page shows them. Nothing that comes from data reaches a page but through here."""

from __future__ import annotations

import math
import re
import unicodedata

NONE = "\u2013"
"""Where there is nothing to show."""

LONGEST = 300
"""Characters of one text. More would not be read, and ten thousand would break a table."""

NAME = 48
"""Characters of a name in a table or a chart."""

HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
"""What is not seen but turns the rest of a line around or hides in it."""


def clean(text: str, longest: int = LONGEST) -> str:
    """`text` without control characters, halves of surrogate pairs and invisible marks, its middle left out if long."""
    head = text if len(text) <= 4 * longest else text[: 2 * longest] + text[-2 * longest :]
    shown = HIDDEN.sub("\ufffd", head)
    shown = "".join(
        c if unicodedata.category(c) not in {"Cc", "Cs"} else " " if c in "\t\n\r" else "\ufffd" for c in shown
    )
    if len(shown) <= longest:
        return shown
    tail = (longest - 1) // 2
    return f"{shown[: longest - 1 - tail]}…{shown[-tail:]}"


def short(text: object, longest: int = NAME) -> str:
    """A name for a table or a chart."""
    return clean(str(text), longest)


def number(value: float | None, digits: int = 4) -> str:
    """A score: `digits` decimals, fewer for large numbers, an en dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{max(0, digits - len(str(int(abs(value)))) + 1)}f}"


def signed(value: float | None, digits: int = 2) -> str:
    """A difference, with its sign."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:+.{digits}f}".replace("-", "\u2212")


def gap(value: float | None) -> str:
    """A gap: two decimals, or that there is no signal."""
    return "no signal" if value is None else f"{value:.2f}".replace("-", "\u2212")


def percent(share: float | None) -> str:
    """A share, in per cent."""
    if share is None or not math.isfinite(share):
        return NONE
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else "< 0.1 %"


def seconds(value: float | None) -> str:
    """A duration."""
    if value is None or not math.isfinite(value):
        return NONE
    if value >= 120:
        return f"{value / 60:.1f} min"
    return f"{value:.1f} s" if value >= 0.1 else f"{1000 * value:.0f} ms"


def plural(count: int, word: str, many: str = "") -> str:
    """`1 column`, `2 columns`, `2 families`."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"


def slug(text: str) -> str:
    """An id of an element: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
