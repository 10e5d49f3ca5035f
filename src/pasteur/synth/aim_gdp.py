"""`aim_gdp`: AIM with nothing but Gaussian noise. Errors are not chosen among but measured, kept and used again.

McKenna, Mullins, Sheldon, Miklau (2022): AIM, https://arxiv.org/abs/2201.12677, in the variant in which each round
measures the errors of a few candidates as one vector with Gaussian noise. What that costs is what a vector costs:
of L2 sensitivity sqrt(k) for k errors, with no cheaper price for using the largest alone. What is then done with the
noisy errors is free: weighing them, choosing by them, remembering them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop
from pasteur.synth import _spending
from pasteur.synth._rounds import Rounds, fitting, penalties, stands_still
from pasteur.synth._workload import Workload, affordable, closure, goals, importance
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pasteur.privacy import Budget, PrivateTable

    Numbers = NDArray[np.float64]

PRIVATE = True
COMPONENTS = "one"


@dataclass(frozen=True, kw_only=True)
class Settings(Workload):
    """What may be set."""

    max_size: float = 4.0
    """Size of the model's junction tree in MB, at most; above 0. It grows to this with the share that is spent."""
    rounds_per_attribute: int = 16
    """Rounds that are planned, for each attribute; 1 or more. Annealing makes them fewer."""
    alpha: float = 0.9
    """Share of a round that is spent on the marginal, the rest on the errors; inside (0, 1)."""
    errors: int = 16
    """Candidates whose errors are measured in a round, at most; 1 or more."""
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
        for name in ("rounds_per_attribute", "errors", "iterations", "last_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "1 or more"))


def accountant(budget: Budget, settings: Settings) -> str:
    """Gaussian DP: every event is a Gaussian's, of which it buys 8 to 12 percent more than zCDP at any budget."""
    del budget, settings
    return "gdp"


def fit(private: PrivateTable, settings: Settings) -> Model:
    """INITIALISE, then rounds of FILTER, ERRORS, SELECT, MEASURE, ESTIMATE and ANNEAL until the budget is spent.

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
    known = Errors(len(candidates))
    rounds = Rounds(private.ledger, count=settings.rounds_per_attribute * len(domain))
    between, last = Stop(iterations=settings.iterations), Stop(iterations=settings.last_iterations)

    # INITIALISE: every one-way marginal, with the noise of a round.
    measured = _spending.one_ways(private, cost=settings.alpha * rounds.cost * len(domain))
    total = _spending.rows(private, measured)
    model = GraphicalModel.estimate(domain, measured, total=total, stop=between)

    for cost in rounds:
        # FILTER: what the model may grow by.
        kept = fitting(model, candidates, megabytes=settings.max_size * rounds.spent, turn=rounds.number)
        sigma = private.sigma(settings.alpha * cost)
        left = penalties(model, [candidates[index] for index in kept], sigma=sigma)
        answers = model.marginals([candidates[index] for index in kept])
        known.move(kept, answers)

        # ERRORS: those of the candidates that look worst, or that nothing is known of.
        looked = np.argsort(-weights[kept] * (known.values[kept] - left), kind="stable")[: settings.errors]
        noise = private.error_sigma((1 - settings.alpha) * cost, len(looked))
        seen = private.measure_errors(
            [candidates[kept[place]] for place in looked],
            answers=[answers[place] for place in looked],
            sigma=noise,
            label="candidates",
        )
        known.see(kept[looked], seen, sigma=noise)

        # SELECT: the largest weighted error above what noise would leave, among all that were ever seen.
        scores = np.where(known.seen[kept], weights[kept] * (known.values[kept] - left), -np.inf)
        chosen = int(kept[scores.argmax()])

        # MEASURE.
        measured += private.measure([candidates[chosen]], sigmas=[sigma], label="marginal")

        # ESTIMATE: from the potentials of the round before.
        before = model
        stop = last if rounds.last else between
        model = GraphicalModel.estimate(domain, measured, total=total, start=before, stop=stop)

        # ANNEAL: where precision is what lacks, and not knowledge of the candidates, the next rounds get more of it.
        if known.seen[kept].all() and stands_still(before, model, measured[-1]):
            rounds.anneal()

    return Model(
        algorithm="aim_gdp",
        settings=asdict(settings),
        measurements=tuple(measured),
        merging=Merging.none(domain),
        graphical=model,
        ledger=private.ledger,
    )


class Errors:
    """What is known of each candidate's error: all noisy answers so far, older ones the less, the more has moved.

    A Kalman filter: where the model's answer has moved by D in L1, the error has by at most D, so that its variance
    grows by D^2; a new noisy error is averaged with the old by their variances. All of it is post-processing.

    Attributes:
        values: the errors, in rows; infinite where none was seen yet.
    """

    def __init__(self, candidates: int) -> None:
        self.values: Numbers = np.full(candidates, np.inf)
        self._variances: Numbers = np.full(candidates, np.inf)
        self._answers: dict[int, Numbers] = {}

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whose error was measured at least once."""
        return np.isfinite(self._variances)

    def move(self, candidates: Sequence[int] | NDArray[np.intp], answers: Sequence[Numbers]) -> None:
        """The model's answers are these now, in rows."""
        for index, answer in zip(map(int, candidates), answers, strict=True):
            if index in self._answers:
                self._variances[index] += float(np.abs(answer - self._answers[index]).sum()) ** 2
            self._answers[index] = answer

    def see(self, candidates: NDArray[np.intp], noisy: Numbers, *, sigma: float) -> None:
        """Errors of some candidates against the present answers, with noise of `sigma`, in rows."""
        old, was = self.values[candidates], self._variances[candidates]
        known = np.isfinite(was)
        gain = np.where(known, np.where(known, was, 0.0) / np.where(known, was + sigma**2, 1.0), 1.0)
        self.values[candidates] = np.where(known, old, 0.0) * (1 - gain) + gain * noisy
        self._variances[candidates] = gain * sigma**2
