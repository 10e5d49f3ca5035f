"""One-way distributions for a report: at most `CELLS` cells an attribute, the same on every side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.embeddings._grid import Grid
from pasteur.embeddings.boolean import Boolean
from pasteur.embeddings.categories import Categories
from pasteur.embeddings.constant import Constant
from pasteur.embeddings.datetime import Datetime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.embeddings import Embedding, Part
    from pasteur.metrics.data import Data

CELLS = 24
"""Cells of a histogram: more cannot be told apart in a small picture."""

LETTERS = 60
"""A label's length: a level may be a whole text."""


def histograms(target: Data, side: Data, *, labels: bool) -> dict[str, Any]:
    """Component -> attribute -> `shares`: (cells,) and, where wanted, `column`, `labels` and `ordered`.

    Neighbouring bins are put together; of levels without an order the most frequent in T have a cell each, and one is
    for all others.
    """
    shown: dict[str, Any] = {}
    for component, encoder in target.encoders.items():
        shown[component] = {}
        for column, embedding in encoder.embeddings.items():
            for number, part in enumerate(embedding.parts):
                codes = target.codes[component][part.name]
                cells = _cells(embedding, part, number, codes)
                counts = np.bincount(cells.of[side.codes[component][part.name]], minlength=len(cells.labels))
                entry: dict[str, Any] = {"shares": (counts / max(counts.sum(), 1)).round(6).tolist()}
                if labels:
                    entry |= {"column": column, "labels": cells.labels, "ordered": part.ordered}
                shown[component][part.name] = entry
    return shown


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """`of`: (codes,) the cell of each code."""

    of: NDArray[np.int64]
    labels: list[str]


def _cells(embedding: Embedding, part: Part, number: int, codes: NDArray[np.int64]) -> _Cells:
    null = bool(getattr(embedding, "null", False)) and part.size > 1
    values, most = part.size - null, CELLS - null
    names = _names(embedding, number, values)
    if part.ordered:
        width = -(-values // most)
        of = np.arange(values) // width
        starts = range(0, values, width)
        labels = [_span(names[i], names[min(i + width, values) - 1]) for i in starts]
    elif values <= most:
        of, labels = np.arange(values), names
    else:
        first = np.argsort(-np.bincount(codes, minlength=part.size)[:values], kind="stable")[: most - 1]
        of = np.full(values, most - 1)
        of[first] = np.arange(most - 1)
        labels = [*(names[i] for i in first), f"{values - most + 1} others"]
    labels = [label if len(label) <= LETTERS else label[: LETTERS - 1] + "…" for label in labels]
    if null:
        of, labels = np.append(of, len(labels)), [*labels, "missing"]
    return _Cells(of=of.astype(np.int64), labels=labels)


def _span(first: str, last: str) -> str:
    """`1 to 4 ` and `5 to 9` are `1 to 9`."""
    return first if first == last else f"{first.split(' to ', maxsplit=1)[0]} to {last.rsplit(' to ', maxsplit=1)[-1]}"


def _names(embedding: Embedding, number: int, values: int) -> list[str]:
    """A name for each code but null's: the declared level, or the bin's bounds."""
    inner: Any = getattr(embedding, "_inner", embedding)  # an rdt embedding holds a grid or categories
    if isinstance(inner, Grid):
        scale = 10.0**inner.decimals
        edges = inner.edges + inner.low
        ends = [(edges[i] / scale, (edges[i + 1] - 1) / scale) for i in range(values)]
        return [_span(f"{low:,.{inner.decimals}f}", f"{high:,.{inner.decimals}f}") for low, high in ends]
    if isinstance(inner, Categories):
        members: list[list[str]] = [[] for _ in range(values)]
        for level, group in zip(inner.levels, inner.groups, strict=True):
            members[group].append(str(level))
        return [", ".join(levels) for levels in members]
    if isinstance(inner, Boolean):
        return ["false", "true"]
    if isinstance(inner, Constant):
        return ["null" if inner.value is None else str(inner.value)]
    if isinstance(inner, Datetime):
        return [str(code + _start(inner, number)) for code in range(values)]
    return [str(code) for code in range(values)]


def _start(embedding: Datetime, number: int) -> int:
    """What code 0 of a date's part means: a year, a month from 1, a day from 1, an hour from 0."""
    low = np.datetime64(embedding.low, "s")
    unit = embedding.units[number]
    if unit == "year":
        return int(low.astype("datetime64[Y]").astype(int)) + 1970
    return int(dict(zip(embedding.units, getattr(embedding, "_ranges", ()), strict=True))[unit][0]) + (
        unit in ("month", "day")
    )
