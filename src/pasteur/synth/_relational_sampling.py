"""Rows of a tree of tables, drawn table by table, and within one parent row after row, each for all parents at once.

Nothing is drawn independently: rows of the same contexts take evenly spaced quantiles of their distribution, in random
order, so that how often a value comes is as close to what the model says as whole numbers allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pasteur.privacy.columns import due_code, first_bins, mean_code, moments, step_bins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Domain
    from pasteur.privacy.columns import Columns, Looked, Relation
    from pasteur.synth._relational_conditional import Conditional

    Codes = NDArray[np.integer]
    Integers = NDArray[np.int64]
    Sheet = dict[str, Codes]


def drawn(
    conditional: Conditional, columns: Mapping[str, Codes], rows: int, *, without: int | None, rng: np.random.Generator
) -> Codes:
    """Draw the target of every row.

    Args:
        conditional: its distribution.
        columns: of the contexts, (rows,) each.
        rows: how many.
        without: a code that none of them may have.
        rng: source of randomness.
    """
    shares = conditional.shares.reshape(-1, conditional.shares.shape[-1])
    if without is not None:
        shares = shares.copy()
        shares[:, without] = 0
        empty = shares.sum(axis=1) <= 0
        shares[empty] = 1
        shares[:, without] = 0
    cells = conditional.cells(columns, rows)
    order = rng.permutation(rows)
    order = order[np.argsort(cells[order], kind="stable")]
    sizes = np.bincount(cells, minlength=len(shares))
    rank = np.arange(rows) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    offset = rng.random(len(shares))
    inside = (rank + offset[cells[order]]) / sizes[cells[order]]
    upto = np.cumsum(shares, axis=1)
    upto /= upto[:, -1:]
    # One search for all: the quantiles of row k of the shares lie in [k, k + 1).
    flat = (upto + np.arange(len(shares))[:, None]).ravel()
    place = np.searchsorted(flat, cells[order] + inside, side="right") - cells[order] * shares.shape[1]
    codes = np.empty(rows, dtype=np.min_scalar_type(shares.shape[1] - 1))
    codes[order] = np.clip(place, 0, shares.shape[1] - 1)
    return codes


def at_first(table: str) -> str:
    """What the conditionals of the first rows of each parent are kept under."""
    return f"{table} at first"


class Drawing:
    """One sample of a tree of tables in the making.

    Args:
        columns: how each table's columns are called.
        domains: each table's attributes.
        relations: between them.
        conditionals: of each table, by target.
        looked: table -> what is known of public rows that its rows name.
        rng: source of randomness.
    """

    def __init__(
        self,
        columns: Mapping[str, Columns],
        domains: Mapping[str, Domain],
        relations: Sequence[Relation],
        conditionals: Mapping[str, Mapping[str, Conditional]],
        looked: Mapping[str, Mapping[str, Looked]],
        rng: np.random.Generator,
    ) -> None:
        self.columns, self.domains, self.relations, self.conditionals = columns, domains, relations, conditionals
        self.looked = looked
        self.rng = rng
        self.sheets: dict[str, Sheet] = {}
        self.parents: dict[str, Integers] = {}
        """Table -> the parent's row of each of its rows, which stand parent after parent."""
        self.roots: dict[str, Integers] = {}
        """Table -> the root's row of each of its rows."""
        self.named: dict[tuple[str, str], Integers] = {}
        """(table, second parent) -> the row that each row names, or -1."""
        self.order: dict[str, Sheet] = {}
        """Table -> the attributes of its order."""

    def root(self, name: str, codes: Sheet, rows: int) -> None:
        """Take the root's rows, and draw how many children each has."""
        self.sheets[name] = dict(codes) | {
            each: looked.codes[codes[looked.column]] for each, looked in self.looked.get(name, {}).items()
        }
        self.roots[name] = np.arange(rows)
        self._below(name, rows)

    def child(self, relation: Relation) -> None:
        """Draw the rows of a table whose parent is there."""
        name, above = relation.child, self.sheets[relation.parent]
        number = above[self.columns[relation.parent].numbers[name]].astype(np.int64)
        parent = np.repeat(np.arange(len(number)), number)
        self.parents[name] = parent
        self.roots[name] = self.roots[relation.parent][parent]
        place = np.arange(len(parent)) - np.repeat(np.cumsum(number) - number, number)
        called = self.columns[name]
        rows = _Rows(self, relation, parent, place, number[parent] - 1 - place)
        for step in range(int(number.max(initial=0))):
            rows.draw(np.flatnonzero(place == step), step)
        self.sheets[name] = rows.sheet
        if called.order:
            self.order[name] = _split(rows.time, self.domains[name], called.order)
        for link, at in rows.named.items():
            self.named[name, link] = at
        self._below(name, len(parent))

    def _below(self, name: str, rows: int) -> None:
        called, sheet = self.columns[name], self.sheets[name]
        for child, column in called.numbers.items():
            sheet[column] = drawn(self.conditionals[name][column], sheet, rows, without=None, rng=self.rng)
            some = np.flatnonzero(sheet[column] > 0)
            for target in called.below(child):
                conditional = self.conditionals[name][target]
                none = conditional.shares.shape[-1] - 1
                codes = np.full(rows, none, dtype=np.min_scalar_type(none))
                known = {each: sheet[each][some] for each in conditional.contexts}
                codes[some] = drawn(conditional, known, len(some), without=none, rng=self.rng)
                sheet[target] = codes


class _Rows:
    """The rows of one child table in the making."""

    def __init__(self, drawing: Drawing, relation: Relation, parent: Integers, place: Integers, left: Integers) -> None:
        self.drawing, self.relation, self.parent = drawing, relation, parent
        self.called, self.left = drawing.columns[relation.child], left
        self.conditionals = drawing.conditionals[relation.child]
        self.firsts = drawing.conditionals.get(at_first(relation.child), {})
        self.above = drawing.sheets[relation.parent]
        self.looked = drawing.looked.get(relation.child, {})
        self.source = _sources(drawing.columns, relation)
        self.sheet: Sheet = {
            name: np.zeros(len(parent), dtype=np.min_scalar_type(self.conditionals[name].shares.shape[-1] - 1))
            for name in self.called.drawn
        }
        for name in self.called.above:
            self.sheet[name] = self.above[self.source[name]][parent]
        self.sheet |= zip(self.called.along, (place, left), strict=False)
        if self.called.place:
            self.sheet[self.called.place] = place
        # What only rows below will ask for.
        self.kept = [name for name in self.called.visible if name not in self.sheet and name in self._along]
        self.sheet |= {name: np.zeros(len(parent), dtype=np.int64) for name in self.kept}
        self.sums, self.counts = (
            {name: np.zeros(len(parent), dtype=np.int64) for name in self.called.ordinal} for _ in range(2)
        )
        self.time = np.zeros(len(parent), dtype=np.int64)
        self.named = {other: np.full(len(parent), -1, dtype=np.int64) for other in self.called.links}
        if self.called.order:
            self.moments = moments(drawing.domains[relation.child], self.called.order)
            self.steps, self.edges = step_bins(self.moments), first_bins(self.moments)

    @property
    def _along(self) -> set[str]:
        """Columns that are worked out row by row, besides those that are drawn."""
        beside = {name for columns in self.called.beside.values() for name in columns.values()}
        return beside | {*self.looked} | ({self.called.moment} if self.called.moment else set())

    def draw(self, rows: Integers, step: int) -> None:
        """Draw the rows that are the `step`-th of their parents."""
        known: Sheet = {name: self.sheet[name][rows] for name in self.called.above}
        for name in self.called.along:
            known[name] = self.sheet[name][rows]
        for name in self.called.drawn:
            self._remember(name, known, rows, step)
        for other, name in self.called.links.items():
            known[name] = self._one(name, known, rows, step)
            self._name(other, known[name], rows, step)
            sheet = self.drawing.sheets[other]
            for each, column in self.called.beside[other].items():
                values = np.append(sheet[each].astype(np.int64), self.drawing.domains[other].size((each,)))
                known[column] = values[self.named[other][rows]]
        if self.called.step:
            self._move(known, rows, step)
        for name in self.called.own:
            known[name] = self._one(name, known, rows, step)
            for each in self.called.looked.get(name, ()):
                known[each] = self.looked[each].codes[known[name]]
        for name in self.kept:
            self.sheet[name][rows] = known[name]
        for name, sums in self.sums.items():
            counts, size = self.counts[name], self.conditionals[name].shares.shape[-1]
            counted = known[name] < size - (name in self.called.missing)
            sums[rows] = known[name] * counted + self._last(sums, rows, step, 0)
            counts[rows] = counted + self._last(counts, rows, step, 0)

    def _remember(self, name: str, known: Sheet, rows: Integers, step: int) -> None:
        """What the column was in the row before, on average so far, and what is due of it."""
        size = self.conditionals[name].shares.shape[-1]
        before, *mean = self.called.memory(name)
        known[before] = self._last(self.sheet[name], rows, step, size)
        if name not in self.sums:
            return
        sums, counts = (self._last(each[name], rows, step, 0) for each in (self.sums, self.counts))
        known |= {each: mean_code(sums, counts, size) for each in mean}
        if name in self.called.due:
            trait = known[self.called.traits[name]].astype(np.int64)
            last = self._last(self.sheet[name], rows, step, -1)
            missing = name in self.called.missing
            known[self.called.due[name]] = due_code(
                trait, last, sums, counts, self.left[rows], size=size, missing=missing
            )

    def _last(self, column: Codes, rows: Integers, step: int, none: int) -> Integers:
        """The column in the rows before; `none` in first rows."""
        return column[rows - 1].astype(np.int64) if step else np.full(len(rows), none, dtype=np.int64)

    def _one(self, name: str, known: Sheet, rows: Integers, step: int, *, without: int | None = None) -> Codes:
        conditional = self.conditionals[name] if step else self.firsts.get(name, self.conditionals[name])
        codes = drawn(conditional, known, len(rows), without=without, rng=self.drawing.rng)
        self.sheet[name][rows] = codes
        return codes

    def _move(self, known: Sheet, rows: Integers, step: int) -> None:
        """Draw when the rows are: first ones as their parent says, others some time after the row before."""
        rng, name = self.drawing.rng, self.called.step
        assert name is not None  # noqa: S101 - for the type checker
        assert self.called.moment is not None  # noqa: S101 - the same
        if step == 0:
            first = self.above[self.drawing.columns[self.relation.parent].firsts[self.relation.child]]
            code = first[self.parent[rows]].astype(np.int64)
            time = rng.integers(self.edges[code], self.edges[code + 1])
            known[name] = np.zeros(len(rows), dtype=np.int64)
        else:
            code = self._one(name, known, rows, step, without=0).astype(np.int64)
            known[name] = code
            time = self.time[rows - 1] + rng.integers(self.steps[code - 1], self.steps[code])
        self.time[rows] = np.minimum(time, self.moments - 1)
        known[self.called.moment] = np.searchsorted(self.edges, self.time[rows], side="right") - 1

    def _name(self, other: str, code: Codes, rows: Integers, step: int) -> None:
        """Choose the row of the second parent: none, the same as before, the next, or another one of the same root."""
        roots = self.drawing.roots[other]
        mine = self.drawing.roots[self.relation.child][rows]
        start, stop = np.searchsorted(roots, mine), np.searchsorted(roots, mine, side="right")
        before = self.named[other][rows - 1] if step else np.full(len(rows), -1)
        after = np.where(before >= 0, before + 1, start)
        any_ = self.drawing.rng.integers(start, np.maximum(stop, start + 1))
        at = np.select(
            [code == 0, (code == 1) & (before >= 0), (code == 2) & (after < stop)], [-1, before, after], any_
        )
        self.named[other][rows] = np.where(start < stop, at, -1)


def _sources(columns: Mapping[str, Columns], relation: Relation) -> dict[str, str]:
    """Each column that is known of the row above -> how it is called there."""
    parent = columns[relation.parent]
    there = [*parent.visible]
    return dict(zip(columns[relation.child].above, there, strict=True))


def _split(time: Integers, domain: Domain, order: Sequence[str]) -> Sheet:
    """The attributes of the order that one number stands for."""
    found: Sheet = {}
    for name in reversed(order):
        time, code = np.divmod(time, domain.size((name,)))
        found[name] = code
    return found
