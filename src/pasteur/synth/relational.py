"""`relational`: a tree of tables under one claim per unit: its root by any algorithm, its children row by row. Our own.

1. ONE-WAYS: every column of every table on its own, each unit's rows clipped together; levels of it from those alone.
2. CHILDREN: how many rows of each child a row has, and when the first one was, given what is known of the row.
3. ROWS: each attribute of a child's row given at most three of: rows above, rows before, place, attributes before it.
   Each of the three is chosen by the exponential mechanism for what it tells beyond those before (`_relational_...`).
4. ROOT: by an algorithm for one table, with what is left.

A unit is a row of the root with all that hangs on it. The closest paper: Kapenekakis, Dell'Aglio, Vestergaard,
Hose, Garofalakis (2024): Synthesizing Accurate Relational Data under Differential Privacy.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pasteur import synth
from pasteur.errors import ConfigError, near_miss, rule
from pasteur.privacy import PrivateTable
from pasteur.synth import _spending
from pasteur.synth._relational_columns import Chain, with_levels
from pasteur.synth._relational_conditional import Conditional, Spending, learn
from pasteur.synth._relational_model import RelationalModel
from pasteur.synth._weave_levels import SMALLEST, smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from pasteur.marginals import Measurement
    from pasteur.privacy import Budget, PrivateRows
    from pasteur.privacy.tables import PrivateTables
    from pasteur.synth.model import Model

    Floats = NDArray[np.float64]

PRIVATE = True
COMPONENTS = "tree"
MOST = 4
"""Rows that those of a unit weigh together when contexts are scored, at most."""
CHOICES = 20
"""Choices of a tree of usual size, for which the accountant is chosen before any domain is known."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set."""

    root: str = "weave"
    """Algorithm of the root table: any private one for one table, with its default settings."""
    root_share: float = 0.2
    """Share of the budget for the root table; inside (0, 1)."""
    one_way_share: float = 0.1
    """Share of the rest for every column on its own; inside (0, 1)."""
    choice_share: float = 0.1
    """Share of each attribute's part for choosing what it depends on; inside (0, 1)."""
    contexts: int = 3
    """Columns that an attribute depends on, at most; 1 or more."""
    clip: float | None = None
    """Norm that one unit may add to a table of several columns; from 2^-10 to 16. Null: 1.5 to 3, by epsilon."""
    doubt: float = 1.0
    """Sizes of the noise that a context must tell beyond, to be worth measuring; 0 or more."""

    def __post_init__(self) -> None:
        """Check."""
        for name in ("root_share", "one_way_share", "choice_share"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "inside (0, 1)"))
        if self.contexts < 1:
            raise ConfigError(rule("contexts", self.contexts, "1 or more"))
        if self.clip is not None and not 2**-10 <= self.clip <= 16:
            raise ConfigError(rule("clip", self.clip, "from 2^-10 to 16"))
        if not (math.isfinite(self.doubt) and self.doubt >= 0):
            raise ConfigError(rule("doubt", self.doubt, "finite and 0 or more"))
        rooted(self.root)


def rooted(name: str) -> ModuleType:
    """The algorithm of the root table.

    Raises:
        ConfigError: there is none of that name, or it is not private, or not one for one table.
    """
    able = [each for each in synth.names() if each != "relational"]
    if name not in able:
        raise ConfigError(rule("root", name, "an algorithm for one table") + near_miss(name, able))
    module = synth.find(name)
    if not module.PRIVATE or module.COMPONENTS != "one":
        raise ConfigError(rule("root", name, "a private algorithm for one table"))
    return module


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares of choosing and measuring more."""
    share = settings.choice_share * (1 - settings.one_way_share) * (1 - settings.root_share)
    return _spending.accountant(budget, choices=share, events=CHOICES)


def fit(private: PrivateTables | PrivateTable, settings: Settings) -> Model | RelationalModel:
    """ONE-WAYS, CHILDREN, ROWS, ROOT; of one table the last of them alone.

    Control flow depends on domains and on noisy answers alone.

    Raises:
        BudgetError: the budget is too small for one measurement.
    """
    algorithm = rooted(settings.root)
    if isinstance(private, PrivateTable):
        return replace(_root(algorithm, private), algorithm="relational", settings=asdict(settings))
    fitting = _Fitting(private, settings)
    for name in private.rows:
        fitting.table(name)
    return RelationalModel(
        settings=asdict(settings),
        name=private.name,
        root=_root(algorithm, private.root),
        relations=private.relations,
        columns=private.columns,
        domains=private.domains,
        conditionals=fitting.conditionals,
        measured=tuple(fitting.measured),
    )


def _root(algorithm: ModuleType, private: PrivateTable) -> Model:
    model: Model = algorithm.fit(private, algorithm.Settings())
    return model


class _Fitting:
    """What is spent and learnt below the root, table after table, parents before their children."""

    def __init__(self, private: PrivateTables, settings: Settings) -> None:
        self.private, self.settings, self.ledger = private, settings, private.ledger
        self.kept = self.ledger.remaining * settings.root_share
        below = self.ledger.remaining - self.kept
        alone = {name: _alone(private, name) for name in private.rows}
        self.alone = alone
        self.one_cost = below * settings.one_way_share / sum(map(len, alone.values()))
        self.left = sum(len(_targets(private, name)) for name in private.rows)
        self.chains: dict[str, dict[str, Chain]] = {}
        self.conditionals: dict[str, dict[str, Conditional]] = {}
        self.measured: list[Measurement] = []
        self.mass: dict[str, float] = {private.name: 1.0}
        self.weight: dict[str, float] = {private.name: 1.0}

    def clip(self, name: str) -> float:
        """Norm that a unit may add to tables of `name`."""
        if self.private.rows[name].max_rows == 1:
            return 1.0
        if self.settings.clip is not None:
            return self.settings.clip
        return float(np.clip(1.5 * math.sqrt(self.ledger.budget.epsilon), 1.5, 3.0))

    def table(self, name: str) -> None:
        """Learn one table's rows, and how many children each has."""
        rows, called = self.private.rows[name], self.private.columns[name]
        shares = self._ones(name, rows)
        chains = self._chains(name, rows, shares)
        self.chains[name] = chains
        leveled = with_levels(rows, chains)
        self.conditionals[name] = {}
        known = self._known(name)
        if name == self.private.name:
            known = list(called.own)
        else:
            for target in called.drawn:
                self._learn(name, leveled, target, shares[target], known)
                known.append(target)
                for other, link in called.links.items():
                    if link == target:
                        known += called.beside[other].values()
                if target == called.step and called.moment:
                    known.append(called.moment)
        for child, number in called.numbers.items():
            self._learn(name, leveled, number, shares[number], known)
            self.mass[child] = self.mass[name] * _mass(shares[number], self.clip(child))
            rows_each = np.minimum(np.arange(len(shares[number])), MOST)
            self.weight[child] = max(1e-3, min(1.0, self.weight[name]) * float(shares[number] @ rows_each))
            known.append(number)
            if child in called.firsts:
                self._learn(name, leveled, called.firsts[child], shares[called.firsts[child]], known)
                known.append(called.firsts[child])

    def _known(self, name: str) -> list[str]:
        """What is known of a child's row before any of it is drawn."""
        called = self.private.columns[name]
        return [*called.above, *called.along, *called.remembered]

    def _ones(self, name: str, rows: PrivateRows) -> dict[str, Floats]:
        """Each column on its own: noisy shares, of ordered ones smoothed."""
        found = {}
        clip = self.clip(name)
        sigma = rows.clipped_sigma(self.one_cost, clip)
        for column in self.alone[name]:
            (one,) = rows.measure_clipped([(column,)], sigmas=[sigma], clip=clip, label="one column")
            self.measured.append(one)
            if column in rows.domain.ordinal and len(one.values) >= SMALLEST:
                one = smoothed(one)
            counts = np.maximum(np.asarray(one.values, dtype=np.float64), 0)
            counts[counts < one.sigma / 2] = 0
            found[column] = counts / counts.sum() if counts.sum() > 0 else np.full(len(counts), 1 / len(counts))
        return found

    def _chains(self, name: str, rows: PrivateRows, shares: Mapping[str, Floats]) -> dict[str, Chain]:
        """Levels of all columns: of its own from their shares, of others as in the tables they come from."""
        called, sizes = self.private.columns[name], rows.domain.as_dict()
        chains = {column: Chain.of(one, ordinal=column in rows.domain.ordinal) for column, one in shares.items()}
        owner = next((each for each in self.private.relations if each.owns and each.child == name), None)
        if owner:
            above = self.private.columns[owner.parent].visible
            chains |= dict(zip(called.above, (self.chains[owner.parent][each] for each in above), strict=True))
            for other, columns in called.beside.items():
                chains |= {column: self.chains[other][each].with_none() for each, column in columns.items()}
            for each in called.drawn:
                chains |= dict.fromkeys(called.memory(each), chains[each].with_none())
            number = shares_of(self.conditionals[owner.parent], self.private.columns[owner.parent].numbers[name])
            places = np.array([number[k + 1 :].sum() for k in range(len(number) - 1)])
            chains |= {each: Chain.of(places, ordinal=True) for each in called.along}
        return {column: chains[column] for column in sizes}

    def _learn(self, name: str, rows: PrivateRows, target: str, one: Floats, known: list[str]) -> None:
        """One target's conditional, for an even part of what is left for those to come."""
        part = (self.ledger.remaining - self.kept) / self.left - _unspent_ones(self, name) / self.left
        self.left -= 1
        steps = self.settings.contexts
        measure = part * (1 - self.settings.choice_share)
        weights = np.arange(1, steps + 1, dtype=float)
        clip = self.clip(name)
        learnt = learn(
            rows,
            target,
            one,
            known,
            self.chains[name],
            Spending(
                choose=part * self.settings.choice_share / steps,
                measure=tuple(measure * weights / weights.sum()),
                clip=clip,
                mass=self.mass[name],
                most=min(MOST, rows.max_rows),
                weight=self.weight[name],
                doubt=self.settings.doubt,
            ),
        )
        self.conditionals[name][target] = learnt.conditional
        self.measured += learnt.measurements


def _unspent_ones(fitting: _Fitting, name: str) -> float:
    """What the one-ways of the tables after `name` will cost."""
    names = list(fitting.private.rows)
    return fitting.one_cost * sum(len(fitting.alone[each]) for each in names[names.index(name) + 1 :])


def shares_of(conditionals: Mapping[str, Conditional], target: str) -> Floats:
    """A target's distribution over all contexts alike: (codes,)."""
    shares = conditionals[target].shares
    mean: Floats = shares.reshape(-1, shares.shape[-1]).mean(axis=0)
    return mean


def _alone(private: PrivateTables, name: str) -> list[str]:
    """The columns of a table that are measured on their own."""
    called = private.columns[name]
    own = called.own if name == private.name else called.drawn
    moment = [called.moment] if called.moment else []
    return [*own, *moment, *called.numbers.values(), *called.firsts.values()]


def _targets(private: PrivateTables, name: str) -> list[str]:
    """The columns of a table that get a conditional."""
    called = private.columns[name]
    own = () if name == private.name else called.drawn
    return [*own, *called.numbers.values(), *called.firsts.values()]


def _mass(number: Floats, clip: float) -> float:
    """What a unit adds to a clipped table in all, on average, if no two of its rows fall into one cell."""
    rows = np.arange(len(number))
    return max(1e-3, float(number @ np.minimum(rows, clip * np.sqrt(rows))))
