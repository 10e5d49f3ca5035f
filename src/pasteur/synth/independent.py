"""`independent`: each attribute on its own, with noise. The floor: what a table is worth without any dependence.

All of the budget goes to the one-way marginals, a discrete Gaussian of the same sigma on each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pasteur.marginals import GraphicalModel, Merging
from pasteur.synth import _spending
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """There is nothing to set."""


def accountant(budget: Budget, settings: Settings) -> str:
    """Gaussian DP: every event is a Gaussian's, of which it buys 8 to 12 percent more than zCDP at any budget."""
    del budget, settings
    return "gdp"


def fit(private: PrivateTable, settings: Settings) -> Model:
    """Measure every one-way marginal; the model is their product.

    Raises:
        ConfigError: the table has too many codes.
        BudgetError: the budget is too small for one measurement.
    """
    _spending.check_codes(private.domain)
    ones = _spending.one_ways(private, cost=private.ledger.remaining)
    total = _spending.rows(private, ones)
    return Model(
        algorithm="independent",
        settings=asdict(settings),
        measurements=tuple(ones),
        merging=Merging.none(private.domain),
        graphical=GraphicalModel.estimate(private.domain, ones, total=total),
        ledger=private.ledger,
    )
