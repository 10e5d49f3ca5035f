"""What is public of a tree of tables: how they hang together, and which columns stand beside a table's own attributes.

The time of a row is one number made of the attributes of its order. The first row of a parent has a moment, later ones
a step since the row before; both are dealt to bins that follow from the number of moments alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.marginals import Domain
    from pasteur.privacy.noise import Integers

EXACT = 512
"""Moments up to which the first row's is kept as it is; more are dealt to half as many bins."""
FINE, GROWTH = 8, 1.5
"""Steps of time that are told apart, and by how much the bins of longer ones grow."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Each row of `child` belongs to one row of `parent`, or (`owns` is False) only names one of the same unit.

    Attributes:
        parent: the table above.
        parent_key: its key.
        child: the table below.
        child_key: its column that names the parent's row.
        order: of an owning relation the attributes that the rows of one parent stand by; none: they have no order.
        max_rows: of an owning relation the rows of one parent that count, at most.
        owns: whether the child's rows are drawn under this parent.
    """

    parent: str
    parent_key: str
    child: str
    child_key: str
    order: tuple[str, ...] = ()
    max_rows: int = 1
    owns: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """An attribute of the public row that a column names: a function of that column's code, so that it costs nothing.

    Attributes:
        column: the one that names.
        codes: of the attribute for each code of `column`, (codes of it,); the last one is for naming none.
        size: codes of the attribute.
        ordinal: whether it has a natural order.
    """

    column: str
    codes: Integers
    size: int
    ordinal: bool


@dataclass(frozen=True, kw_only=True)
class Columns:
    """How the columns are called that stand beside a table's own attributes. All public.

    Attributes:
        own: the table's attributes, but those of its order: first those that name public rows, then as in the codes.
        order: those.
        above: what is known of the rows above, and of how many rows each parent has: names as in `known`.
        numbers: child table -> the column with the number of a row's children in it.
        firsts: child table with an order -> the column with the moment of the first of them, in bins, one more if none.
        means: child table with an order -> its ordinal attribute -> the column with the mean of that over a row's
            children: a trait of the row that lasts. One code more if there are none.
        step: the column with the time since the row before, in bins after 0 for first rows; None: there is no order.
        moment: the column with the time itself, in bins.
        place: the column with a row's place among those of its parent.
        left: the column with the rows that come after it.
        links: second parent -> the column with how a row names a row of that.
        beside: second parent -> its attribute -> the column with that attribute of the row named.
        ordinal: the drawn columns that have a natural order.
        missing: the attributes whose last code says that there is no value.
        traits: attribute -> the column of `above` with its mean over all rows of the parent.
        looked: attribute that names rows of a public table -> the columns with what is known of that row.
    """

    own: tuple[str, ...]
    order: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    numbers: Mapping[str, str]
    firsts: Mapping[str, str]
    means: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    step: str | None = None
    moment: str | None = None
    place: str | None = None
    left: str | None = None
    links: Mapping[str, str]
    beside: Mapping[str, Mapping[str, str]]
    ordinal: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)
    looked: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def given(self) -> tuple[str, ...]:
        """The table's attributes, and what follows from them alone."""
        return (*self.own, *(name for names in self.looked.values() for name in names))

    @property
    def visible(self) -> tuple[str, ...]:
        """The columns of a row that its children's rows know, in the order of their `above`."""
        beside = [name for other, link in self.links.items() for name in (link, *self.beside[other].values())]
        along = [name for name in (self.place, self.left, self.step, self.moment) if name]
        below = [name for child, number in self.numbers.items() for name in (number, *self.below(child))]
        return (*self.given, *self.above, *beside, *along, *below)

    def below(self, child: str) -> tuple[str, ...]:
        """The columns that say what a row's children are like, if it has any: when the first was, their means."""
        first = [self.firsts[child]] if child in self.firsts else []
        return (*first, *self.means.get(child, {}).values())

    @property
    def along(self) -> tuple[str, ...]:
        """The columns that say where a row stands among those of its parent; without an order that says nothing."""
        return (self.place, self.left) if self.place and self.left else ()

    @property
    def drawn(self) -> tuple[str, ...]:
        """The columns of a row that are drawn, in this order: the links, the step, the attributes."""
        return (*self.links.values(), *([self.step] if self.step else ()), *self.own)

    @property
    def remembered(self) -> tuple[str, ...]:
        """The columns that say of each drawn column what it was in the row before, and so far, and what is due."""
        return (*(column for name in self.drawn for column in self.memory(name)), *self.due.values())

    @property
    def due(self) -> dict[str, str]:
        """Each attribute with a trait -> the column with what is due of it (`due_code`)."""
        return {name: f"{name} due" for name in self.traits}

    def memory(self, name: str) -> tuple[str, ...]:
        """Of one drawn column: the first as it was in the row before, the second its mean over all rows before.

        A mean is of the rows in which the column is not missing. Each has one code more than the column, which says
        that there is none; what has no order has no mean.
        """
        return (f"{name} before", f"{name} so far") if name in self.ordinal else (f"{name} before",)


def moments(domain: Domain, order: Sequence[str]) -> int:
    """How many moments there are."""
    return math.prod(domain.shape(order))


def first_bins(count: int) -> Integers:
    """Where the bins of a first moment begin, and where the last one ends."""
    bins = count if count <= EXACT else EXACT // 2
    return np.array([number * count // bins for number in range(bins + 1)], dtype=np.int64)


def step_bins(count: int) -> Integers:
    """Where the bins of a step between two rows begin, and where the last one ends: fine at first, then ever longer."""
    edges = list(range(min(FINE, count) + 1))
    while edges[-1] < count:
        edges.append(min(count, math.ceil(edges[-1] * GROWTH)))
    return np.array(edges, dtype=np.int64)


def mean_code(sums: Integers, count: Integers, none: int) -> Integers:
    """The mean of `count` codes that sum to `sums`, rounded half up; `none` where there are none."""
    some = np.maximum(count, 1)
    mean: Integers = np.where(count > 0, (2 * sums + some) // (2 * some), none)
    return mean


def due_code(
    mean: Integers, before: Integers, sums: Integers, known: Integers, left: Integers, *, size: int, missing: bool
) -> Integers:
    """Halfway from the row before to what this row and those after it must be on average for all to have `mean`.

    One number that says what four do: the trait, the row before, what has been, and how many rows are to come. Halfway,
    as rows that had to meet the mean would leave all that was missed so far to the last one. Missing rows before weigh
    as if they had the mean, and a missing row before is as if it had.

    Args:
        mean: over all rows of the parent, (rows,) codes.
        before: code of the row before; under 0: there is none.
        sums: of the codes of the rows before that are not missing.
        known: how many those are.
        left: rows after this one.
        size: codes of the attribute.
        missing: whether the last of them says that there is no value: what is due if all rows lack one, not otherwise.
    """
    most, rows = size - 1 - missing, left + 1
    last = np.where((before < 0) | (before > most), mean, before)
    found = mean * (known + rows) - sums + last * rows
    return np.where(mean > most, mean, np.clip((found + rows) // (2 * rows), 0, most))
