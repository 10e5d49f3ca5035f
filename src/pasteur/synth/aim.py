"""`aim`: an adaptive and iterative mechanism. Each round measures the clique that the model so far answers worst.

McKenna, Mullins, Sheldon, Miklau (2022): AIM, https://arxiv.org/abs/2201.12677, algorithms 1 to 4. What a clique is
worth follows from the workload, how large the model may grow from the share of the budget that is spent, and how
precise a round is from what the last one taught.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop
from pasteur.synth import _spending
from pasteur.synth._rounds import Rounds, fitting, penalties, stands_still
from pasteur.synth._workload import Workload, affordable, closure, goals, importance
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"
USUAL = 15
"""Attributes of a table of usual size, for which the accountant is chosen before any domain is known."""


@dataclass(frozen=True, kw_only=True)
class Settings(Workload):
    """What may be set; the paper's values by default, but for a smaller model, which on a CPU costs nothing."""

    max_size: float = 4.0
    """Size of the model's junction tree in MB, at most; above 0. It grows to this with the share that is spent."""
    rounds_per_attribute: int = 16
    """Rounds that are planned, for each attribute; 1 or more. Annealing makes them fewer."""
    alpha: float = 0.9
    """Share of a round that is spent on measuring, the rest on choosing; inside (0, 1)."""
    iterations: int = 300
    """Steps of mirror descent, at most, that fit the model in each round; 1 or more. A model that is cut short moves
    less than its measurement says, and so anneals too soon: on coded Adult at epsilon 1, 100 steps lose 4 %."""
    last_iterations: int = 300
    """The same for the last fit."""

    def __post_init__(self) -> None:
        """Check."""
        super().__post_init__()
        if not self.max_size > 0:
            raise ConfigError(rule("max_size", self.max_size, "above 0"))
        if not 0 < self.alpha < 1:
            raise ConfigError(rule("alpha", self.alpha, "inside (0, 1)"))
        for name in ("rounds_per_attribute", "iterations", "last_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "1 or more"))


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares more: Gaussian DP for the paper's, most of which is spent on measuring."""
    choices = 1 - settings.alpha
    return _spending.accountant(budget, choices=choices, events=settings.rounds_per_attribute * USUAL)


def fit(private: PrivateTable, settings: Settings) -> Model:
    """INITIALISE, then rounds of FILTER, SELECT, MEASURE, ESTIMATE and ANNEAL until the budget is spent.

    Control flow depends on the domain and on noisy answers alone.

    Raises:
        ConfigError: the workload names an attribute that the table lacks, or the table is too large for `max_size`.
        BudgetError: the budget is too small for one measurement.
    """
    domain = private.domain
    _spending.check_one_ways(domain, max_size=settings.max_size)
    wanted = goals(settings, domain)
    candidates = affordable(domain, closure(wanted), max_size=settings.max_size)
    weights = importance(candidates, wanted)
    rounds = Rounds(private.ledger, count=settings.rounds_per_attribute * len(domain))
    between, last = Stop(iterations=settings.iterations), Stop(iterations=settings.last_iterations)

    # INITIALISE: every one-way marginal, with the noise of a round.
    measured = _spending.one_ways(private, cost=settings.alpha * rounds.cost * len(domain))
    total = _spending.rows(private, measured)
    model = GraphicalModel.estimate(domain, measured, total=total, stop=between)

    for cost in rounds:
        # FILTER: what the model may grow by.
        kept = fitting(model, candidates, megabytes=settings.max_size * rounds.spent, turn=rounds.number)
        cliques = [candidates[index] for index in kept]

        # SELECT: the clique with the largest weighted error above what noise would leave.
        sigma = private.sigma(settings.alpha * cost)
        chosen = private.choose(
            cliques,
            answers=model.marginals(cliques),
            weights=weights[kept],
            bias=penalties(model, cliques, sigma=sigma),
            epsilon=private.choice_epsilon((1 - settings.alpha) * cost),
            label="clique",
        )

        # MEASURE.
        measured += private.measure([cliques[chosen]], sigmas=[sigma], label="marginal")

        # ESTIMATE: from the potentials of the round before.
        before = model
        stop = last if rounds.last else between
        model = GraphicalModel.estimate(domain, measured, total=total, start=before, stop=stop)

        # ANNEAL: where precision is what lacks, the next rounds get more of it.
        if stands_still(before, model, measured[-1]):
            rounds.anneal()

    return Model(
        algorithm="aim",
        settings=asdict(settings),
        measurements=tuple(measured),
        merging=Merging.none(domain),
        graphical=model,
        ledger=private.ledger,
    )
