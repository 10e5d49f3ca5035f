"""`mwem`: multiplicative weights with the exponential mechanism, its distribution kept as a graphical model.

Hardt, Ligett, McSherry (2012): A simple and practical algorithm for differentially private data release,
https://arxiv.org/abs/1012.4763, figure 1, whose histogram over the whole domain is one of a graphical model here
(McKenna, Sheldon, Miklau 2019, https://arxiv.org/abs/1901.09136, section 5), so that it scales to many attributes.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop
from pasteur.synth import _spending
from pasteur.synth._rounds import Rounds, fitting, penalties
from pasteur.synth._workload import Workload, affordable, closure, goals
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"
USUAL = 15
"""Attributes of a table of usual size, for which the accountant is chosen before any domain is known."""


@dataclass(frozen=True, kw_only=True)
class Settings(Workload):
    """What may be set."""

    rounds_per_attribute: float = 2.0
    """T, the number of rounds, for each attribute; finite and above 0. At least one round there is."""
    alpha: float = 0.7
    """Share of a round that is spent on measuring, the rest on choosing; inside (0, 1)."""
    counting: float = 0.02
    """Share of the budget for the number of rows, unless that is declared public; inside (0, 1)."""
    max_size: float = 1.0
    """Size of the model's junction tree in MB, at most; above 0."""
    iterations: int = 100
    """Steps of mirror descent, at most, that fit the model in each round; 1 or more."""
    last_iterations: int = 300
    """The same for the last fit."""

    def __post_init__(self) -> None:
        """Check."""
        super().__post_init__()
        for name in ("max_size", "rounds_per_attribute"):
            if not getattr(self, name) > 0:
                raise ConfigError(rule(name, getattr(self, name), "above 0"))
        if not math.isfinite(self.rounds_per_attribute):
            raise ConfigError(rule("rounds_per_attribute", self.rounds_per_attribute, "finite"))
        for name in ("alpha", "counting"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "inside (0, 1)"))
        for name in ("iterations", "last_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "1 or more"))

    def rounds(self, attributes: int) -> int:
        """Give T for a table of so many attributes."""
        return max(1, round(self.rounds_per_attribute * attributes))


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares of choosing and measuring more."""
    return _spending.accountant(budget, choices=1 - settings.alpha, events=settings.rounds(USUAL))


def fit(private: PrivateTable, settings: Settings) -> Model:
    """From the uniform distribution, T times: choose the worst answered clique, measure it, update.

    Control flow depends on the domain and on noisy answers alone.

    Raises:
        ConfigError: the workload names an attribute that the table lacks, or the table is too large for `max_size`.
        BudgetError: the budget is too small for one measurement.
    """
    domain = private.domain
    _spending.check_one_ways(domain, max_size=settings.max_size)
    candidates = affordable(domain, closure(goals(settings, domain)), max_size=settings.max_size)
    between, last = Stop(iterations=settings.iterations), Stop(iterations=settings.last_iterations)

    # Let A_0 be n times the uniform distribution.
    counted = [] if private.public_rows is not None else [_spending.count(private, share=settings.counting)]
    total = _spending.rows(private, counted)
    model = GraphicalModel.estimate(domain, [], total=total)
    measured = []

    rounds = Rounds(private.ledger, count=settings.rounds(len(domain)))
    for cost in rounds:
        # Exponential mechanism: the clique of the largest error above what noise would leave, of those that fit.
        sigma = private.sigma(settings.alpha * cost)
        kept = fitting(model, candidates, megabytes=settings.max_size, turn=rounds.number)
        cliques = [candidates[index] for index in kept]
        chosen = private.choose(
            cliques,
            answers=model.marginals(cliques),
            bias=penalties(model, cliques, sigma=sigma),
            epsilon=private.choice_epsilon((1 - settings.alpha) * cost),
            label="clique",
        )

        # Measure it; multiplicative weights, here mirror descent on all measurements so far (improvement 1 there).
        measured += private.measure([cliques[chosen]], sigmas=[sigma], label="marginal")
        stop = last if rounds.last else between
        model = GraphicalModel.estimate(domain, measured, total=total, start=model, stop=stop)

    return Model(
        algorithm="mwem",
        settings=asdict(settings),
        measurements=(*counted, *measured),
        merging=Merging.none(domain),
        graphical=model,
        ledger=private.ledger,
    )
