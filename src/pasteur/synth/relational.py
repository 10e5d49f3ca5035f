"""`relational`: a tree of tables under one claim per unit: its root by any algorithm, its children row by row. Our own.

1. ONE-WAYS: every column of every table on its own, each unit's rows clipped together; levels of it from those alone.
2. CHILDREN: how many rows of each child a row has, and, of those in order, when the first was and what they are on
   average, given what is known of the row.
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

from pasteur import synth
from pasteur.errors import ConfigError, near_miss, rule
from pasteur.privacy.tables import PrivateTables
from pasteur.synth import _spending
from pasteur.synth._relational_fitting import Fitting
from pasteur.synth._relational_model import RelationalModel

if TYPE_CHECKING:
    from types import ModuleType

    from pasteur.privacy import Budget, PrivateTable
    from pasteur.synth.model import Model

PRIVATE = True
COMPONENTS = "tree"
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
    choice_share: float = 0.2
    """Share of each attribute's part for choosing what it depends on; inside (0, 1)."""
    contexts: int = 3
    """Columns that an attribute depends on, at most; 1 or more."""
    clip: float | None = None
    """Norm that one unit may add to a table of several columns; from 2^-10 to 16. Null: 1.5 to 3, by epsilon."""
    doubt: float = 0.5
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
    if name in synth.names() and _able(name):
        return synth.find(name)
    able = [each for each in synth.names() if _able(each)]
    raise ConfigError(rule("root", name, "a private algorithm for one table") + near_miss(name, able))


def _able(name: str) -> bool:
    module = synth.find(name)
    return bool(module.PRIVATE and module.COMPONENTS == "one")


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
    if not isinstance(private, PrivateTables):
        return replace(_root(algorithm, private), algorithm="relational", settings=asdict(settings))
    fitting = Fitting(private, settings)
    for name in private.rows if private.relations else ():
        fitting.table(name)
    return RelationalModel(
        settings=asdict(settings),
        name=private.name,
        root=_root(algorithm, private.root),
        relations=private.relations,
        columns=private.columns,
        domains=private.domains,
        looked=private.looked,
        conditionals=fitting.conditionals,
        measured=tuple(fitting.measured),
    )


def _root(algorithm: ModuleType, private: PrivateTable) -> Model:
    model: Model = algorithm.fit(private, algorithm.Settings())
    return model
