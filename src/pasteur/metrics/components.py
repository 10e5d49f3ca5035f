"""Scores of several components, and names that scores are made of."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pasteur.metrics.score import Raw


def joined(raws: Mapping[str, Sequence[Raw]], components: int) -> dict[str, list[Raw]]:
    """Candidate -> scores `<family>/<name>`, made of `<family>/<name>/<component>`.

    Of one component they are the same under the short name. Of several both are there: the short name is the mean, and
    only the means count in the family's gap.
    """
    if components == 1:
        return {name: [replace(raw, metric=short(raw.metric)) for raw in found] for name, found in raws.items()}
    return {name: _with_means(found) for name, found in raws.items()}


def short(metric: str) -> str:
    """A metric's name without its last word, the component."""
    return metric.rsplit("/", 1)[0]


def _with_means(raws: Sequence[Raw]) -> list[Raw]:
    means = []
    for metric in dict.fromkeys(short(raw.metric) for raw in raws):
        of = [raw for raw in raws if short(raw.metric) == metric]
        alike = len({len(raw.replicates) for raw in of}) == 1
        mean = replace(
            of[0],
            metric=metric,
            value=float(np.mean([raw.value for raw in of])),
            parts={raw.metric.rsplit("/", 1)[1]: raw.value for raw in of},
            replicates=tuple(np.mean([raw.replicates for raw in of], axis=0).tolist()) if alike else (),
        )
        means.append(mean)
    return means + [replace(raw, dependence=False) for raw in raws]


def part(columns: Iterable[str]) -> str:
    r"""The name of a part that is of several columns: `a,b`. A comma in a column's own name is written with a `\\`."""
    return ",".join(re.sub(r"([\\,])", r"\\\1", column) for column in columns)


def columns_of(part: str) -> tuple[str, ...]:
    """The columns that `part` named."""
    pieces = re.findall(r"((?:\\.|[^\\,])*)(?:,|$)", part, re.DOTALL)
    # The pattern finds the end of the text once more.
    return tuple(re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL) for piece in pieces[:-1])


def slug(name: str) -> str:
    """A name in a metric's: tracking stores allow few signs, and a dot there ends the metric's name."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name)[:80].strip("-") or "x"
