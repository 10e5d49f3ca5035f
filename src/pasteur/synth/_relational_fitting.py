"""What `relational` spends and learns below the root, table after table, parents before their children.

The first row of each parent and all later ones are two things: what the first depends on is above it, what later ones
depend on is mostly before them. So each attribute has a conditional for either, with contexts of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pasteur.synth._relational_columns import Chain, with_levels
from pasteur.synth._relational_conditional import Spending, learn
from pasteur.synth._relational_sampling import at_first
from pasteur.synth._weave_levels import SMALLEST, smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Measurement
    from pasteur.privacy import PrivateRows
    from pasteur.privacy.columns import Columns
    from pasteur.privacy.tables import PrivateTables
    from pasteur.synth._relational_conditional import Conditional
    from pasteur.synth.relational import Settings

    Floats = NDArray[np.float64]

MOST = 4
"""Rows that those of a unit weigh together when contexts are scored, at most."""
LEAST = 1e-3
"""Rows of a unit, on average, that are taken for granted."""
COUNTS = 6.0
"""Parts of the budget that a number of children on its own has, where other columns on their own have 1."""
ALL, BEGINNING, AFTER, TRAIT = "all", "first", "later", "trait"
"""Which rows of each parent a conditional is of; the last is of all, and of what the rows below are on average."""
PARTS = {ALL: 1.0, BEGINNING: 1.0, AFTER: 2.0, TRAIT: 0.5}
"""Parts of the budget that a conditional has; a trait has as many on its own, where other columns have 1."""


class Fitting:
    """The conditionals of all tables.

    Args:
        private: the tables.
        settings: of `relational`.
    """

    def __init__(self, private: PrivateTables, settings: Settings) -> None:
        self.private, self.settings, self.ledger = private, settings, private.ledger
        self.kept = self.ledger.remaining * settings.root_share
        self.owners = {each.child: each for each in private.relations if each.owns}
        below = (self.ledger.remaining - self.kept) * settings.one_way_share
        self.alone = {name: self._alone(name) for name in private.rows}
        self.unmeasured = sum(sum(parts.values()) for parts in self.alone.values())
        self.one_cost = below / self.unmeasured
        self.parts = sum(map(self._parts, private.rows))
        self.chains: dict[str, dict[str, Chain]] = {}
        self.conditionals: dict[str, dict[str, Conditional]] = {}
        self.measured: list[Measurement] = []
        self.numbers: dict[str, Floats] = {}
        """Child table -> how many rows a parent has, (most + 1,) shares."""

    def table(self, name: str) -> None:
        """Learn one table's rows, and how many children each has."""
        rows, called = self.private.rows[name], self.private.columns[name]
        shares = self._ones(name, rows)
        self.chains[name] = self._chains(name, rows, shares)
        leveled = with_levels(rows, self.chains[name])
        known = list(called.given)
        if name in self.owners:
            known = self._rows(name, leveled, shares)
        for child, number in called.numbers.items():
            traits = called.means.get(child, {}).values()
            for target in (number, *called.below(child)):
                self._learn(name, TRAIT if target in traits else ALL, leveled, target, shares[target], known)
                known = [*known, target]
            self.numbers[child] = shares[number]

    def _rows(self, name: str, rows: PrivateRows, shares: Mapping[str, Floats]) -> list[str]:
        """Learn the attributes of a child's rows; give what is known of a row once it is drawn."""
        called = self.private.columns[name]
        start = [*called.above, *called.along]
        known, first = [*start, *called.remembered], list(start)
        single = self.owners[name].max_rows == 1
        assert called.place is not None  # noqa: S101 - children have one
        later, beginning = rows.only(called.place, first=False), rows.only(called.place, first=True)
        for target in called.drawn:
            one = shares[target]
            if single:
                self._learn(name, ALL, rows, target, one, start)
            else:
                self._learn(name, AFTER, later, target, one, known)
                if target != called.step:
                    self._learn(name, BEGINNING, beginning, target, one, first)
            more = [target, *self._with(name, target)]
            start, known, first = [*start, *more], [*known, *more], [*first, *more]
        return start

    def _with(self, name: str, target: str) -> list[str]:
        """What is known beside once a column is drawn."""
        called = self.private.columns[name]
        if target in called.looked:
            return list(called.looked[target])
        if target == called.step and called.moment:
            return [called.moment]
        return [
            each for other, link in called.links.items() if link == target for each in called.beside[other].values()
        ]

    def _alone(self, name: str) -> dict[str, float]:
        """The columns of a table that are measured on their own -> their parts of the budget for that."""
        called = self.private.columns[name]
        own = called.drawn if name in self.owners else called.own
        moment = [called.moment] if called.moment else []
        parts = dict.fromkeys([*own, *moment], 1.0) | dict.fromkeys(called.numbers.values(), COUNTS)
        return parts | dict.fromkeys(called.firsts.values(), 1.0) | dict.fromkeys(_traits(called), PARTS[TRAIT])

    def _parts(self, name: str) -> float:
        """Parts of the budget that a table's conditionals have."""
        called = self.private.columns[name]
        parts = PARTS[ALL] * (len(called.numbers) + len(called.firsts)) + PARTS[TRAIT] * len(_traits(called))
        if name not in self.owners:
            return parts
        if self.owners[name].max_rows == 1:
            return parts + PARTS[ALL] * len(called.drawn)
        return parts + PARTS[AFTER] * len(called.drawn) + PARTS[BEGINNING] * (len(called.drawn) - bool(called.step))

    def _clip(self, name: str, kind: str) -> float:
        """Norm that a unit may add to tables of such rows: 1 where it has one of them."""
        above = self.owners[name].parent if kind == BEGINNING else name
        if self.private.rows[above].max_rows == 1:
            return 1.0
        if self.settings.clip is not None:
            return self.settings.clip
        return float(np.clip(1.5 * math.sqrt(self.ledger.budget.epsilon), 1.5, 3.0))

    def _ones(self, name: str, rows: PrivateRows) -> dict[str, Floats]:
        """Each column on its own: noisy shares, of ordered ones smoothed."""
        found = {}
        clip = self._clip(name, ALL)
        for column, parts in self.alone[name].items():
            sigma = rows.clipped_sigma(self.one_cost * parts, clip)
            (one,) = rows.measure_clipped([(column,)], sigmas=[sigma], clip=clip, label="one column")
            self.measured.append(one)
            if column in rows.domain.ordinal and len(one.values) >= SMALLEST:
                one = smoothed(one)
            counts = np.maximum(np.asarray(one.values, dtype=np.float64), 0)
            counts[counts < one.sigma / 2] = 0
            found[column] = counts / counts.sum() if counts.sum() > 0 else np.full(len(counts), 1 / len(counts))
        self.unmeasured -= sum(self.alone[name].values())
        return found

    def _chains(self, name: str, rows: PrivateRows, shares: Mapping[str, Floats]) -> dict[str, Chain]:
        """Levels of all columns: of its own from their shares, of others as in the tables they come from."""
        called = self.private.columns[name]
        chains = {column: Chain.of(one, ordinal=column in rows.domain.ordinal) for column, one in shares.items()}
        for column, looked in self.private.looked.get(name, {}).items():
            weights = np.bincount(looked.codes, shares[looked.column], looked.size).astype(np.float64)
            chains[column] = Chain.of(weights, ordinal=looked.ordinal)
        if name in self.owners:
            parent = self.owners[name].parent
            above = self.private.columns[parent].visible
            chains |= dict(zip(called.above, (self.chains[parent][each] for each in above), strict=True))
            for other, columns in called.beside.items():
                chains |= {column: self.chains[other][each].with_none() for each, column in columns.items()}
            for each in called.drawn:
                chains |= dict.fromkeys(called.memory(each), chains[each].with_none())
            chains |= {column: chains[each] for each, column in called.due.items()}
            number = self.numbers[name]
            places = Chain.of(np.array([number[k + 1 :].sum() for k in range(len(number) - 1)]), ordinal=True)
            chains |= dict.fromkeys([each for each in (called.place, called.left) if each], places)
        return {column: chains[column] for column in rows.domain.attributes}

    def _learn(self, name: str, kind: str, rows: PrivateRows, target: str, one: Floats, known: Sequence[str]) -> None:
        """One target's conditional, for its parts of what is left for those to come."""
        settings = self.settings
        left = self.ledger.remaining - self.kept - self.one_cost * self.unmeasured
        cost = left * PARTS[kind] / self.parts
        self.parts -= PARTS[kind]
        steps = np.arange(1, settings.contexts + 1, dtype=float)
        clip, most = self._clip(name, kind), min(MOST, rows.max_rows)
        each, shares = self._rows_of_unit(name, kind)
        spending = Spending(
            choose=cost * settings.choice_share / settings.contexts,
            measure=tuple(cost * (1 - settings.choice_share) * steps / steps.sum()),
            clip=clip,
            mass=max(LEAST, float(shares @ np.minimum(each, clip * np.sqrt(each)))),
            most=most,
            weight=max(LEAST, float(shares @ np.minimum(each, most))),
            doubt=settings.doubt,
        )
        learnt = learn(rows, target, one, known, self.chains[name], spending, whole=kind in {ALL, TRAIT})
        key = at_first(name) if kind == BEGINNING else name
        self.conditionals.setdefault(key, {})[target] = learnt.conditional
        self.measured += learnt.measurements

    def _rows_of_unit(self, name: str, kind: str) -> tuple[Floats, Floats]:
        """How many such rows a unit has: numbers and their shares, from noisy answers. Below children only the mean."""
        if name not in self.owners:
            return np.ones(1), np.ones(1)
        number = self.numbers[name]
        rows = np.arange(len(number), dtype=float)
        each = {ALL: rows, TRAIT: rows, BEGINNING: np.minimum(rows, 1), AFTER: np.maximum(rows - 1, 0)}[kind]
        above, shares = self._rows_of_unit(self.owners[name].parent, ALL)
        parents = float(above @ shares)
        return (each, number) if parents == 1 else (np.array([parents * float(each @ number)]), np.ones(1))


def _traits(called: Columns) -> list[str]:
    """The columns that say what a row's children are on average."""
    return [column for means in called.means.values() for column in means.values()]
