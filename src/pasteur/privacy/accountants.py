"""What events cost, what a total buys, and how much noise fits a share of it.

Accountants speak in rho, which adds up: rho of zCDP, and mu^2/2 of Gaussian DP, whose mus add in squares, also when
events are chosen by earlier answers (Smith and Thakurta 2022; Whitehouse et al. 2023 for zCDP); that of `rdp`, for
DP-SGD, is a Renyi divergence of one order, over the order. All roundings
go towards more privacy: costs up, totals down, sigmas up, epsilons of choices down.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Protocol

from pasteur.errors import BudgetError, ConfigError, PrivacyError, near_miss, rule
from pasteur.privacy import curves, grid
from pasteur.privacy.budget import Epsilon, Mu, Rho, Sensitivity, Sigma, checked
from pasteur.privacy.events import DiscreteGaussian, DiscreteLaplace, Event, ExponentialChoice, SubsampledGaussian

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pasteur.privacy.budget import Budget

SLACK = 2.0**-40
"""Relative margin of every rounding here; scipy's functions are good to 2^-49, and shares still fit after summing."""

TINY = 2.0**-60
"""The least epsilon that is ever stated."""


class Accountant(Protocol):
    """Turns events into a claim. Stateless; the ledger holds the state."""

    @property
    def name(self) -> str:
        """What a ledger calls it: `find` gives it back."""

    def cost(self, event: Event) -> Rho:
        """What `event` costs, in rho."""

    def total(self, budget: Budget) -> Rho:
        """All that `budget` allows, in rho, rounded down."""

    def epsilon(self, cost: float, delta: float) -> Epsilon:
        """The epsilon of the claim that a summed `cost` (rho, above 0) supports at `delta`, rounded up."""

    def sigma(self, cost: float, sensitivity: float) -> Sigma:
        """The least scale whose discrete Gaussian costs at most `cost`: the noise that a share of the total buys."""

    def choice_epsilon(self, cost: float) -> Epsilon:
        """The largest epsilon whose exponential choice costs at most `cost`."""


class GaussianDP:
    """Gaussian differential privacy (Dong, Roth, Su 2022), exact for the discrete Gaussian. The default.

    The curve of a continuous Gaussian with sensitivity / sigma is *not* valid for discrete noise: near delta 1e-9 the
    true delta at sigma 1 is 2.5 times what it says. `curves.gaussian_mu` is what is valid.
    """

    name: ClassVar[str] = "gdp"

    def mu(self, event: Event) -> Mu:
        """The mu of `event`: no test tells the two worlds apart better than N(0, 1) from N(mu, 1).

        Raises:
            PrivacyError: a discrete Gaussian of sigma under 0.5, for which the formula has not been shown.
        """
        if isinstance(event, DiscreteGaussian):
            value = event.sensitivity * curves.gaussian_mu(event.sigma)
        elif isinstance(event, ExponentialChoice):
            value = curves.ratio_mu(event.epsilon / 2)
        else:
            value = curves.ratio_mu(_pure(event, self.name))
        return Mu(value * (1 + SLACK))

    def cost(self, event: Event) -> Rho:
        """mu^2 / 2."""
        return Rho(self.mu(event) ** 2 / 2 * (1 + SLACK))

    def total(self, budget: Budget) -> Rho:
        """mu^2 / 2 of the largest mu whose delta(epsilon) is at most delta, by bisection."""
        return _total("gdp", float(budget.epsilon), float(budget.delta))

    def epsilon(self, cost: float, delta: float) -> Epsilon:
        """The least epsilon with delta(epsilon) at most delta (Dong, Roth, Su 2022, corollary 2.13)."""
        return _epsilon("gdp", _positive_cost(cost), delta)

    def sigma(self, cost: float, sensitivity: float) -> Sigma:
        """The least sigma of 30 bits, 0.5 or more, that costs at most `cost`.

        Raises:
            BudgetError: the cost is 0 or less, or so small that the noise would pass 2^40.
        """
        return _least_sigma("gdp", _positive_cost(cost), checked(Sensitivity, "sensitivity", sensitivity))

    def choice_epsilon(self, cost: float) -> Epsilon:
        """2 log(Phi(mu/2) / Phi(-mu/2)): the inverse of a choice's mu."""
        mu = math.sqrt(2 * _positive_cost(cost))
        return Epsilon(2 * curves.mu_ratio(mu) * (1 - 4 * SLACK))


class ZCDP:
    """Zero-concentrated DP (Bun, Steinke 2016), converted tightly (Canonne, Kamath, Steinke 2020, corollary 13)."""

    name: ClassVar[str] = "zcdp"

    def cost(self, event: Event) -> Rho:
        """Gaussian sensitivity^2 / (2 sigma^2) (theorem 14 there); choice epsilon^2 / 8; pure DP epsilon^2 / 2.

        The choice's is of Cesar and Rogers 2021, as an exponential mechanism has bounded range.
        """
        if isinstance(event, DiscreteGaussian):
            value = (event.sensitivity / event.sigma) ** 2 / 2
        elif isinstance(event, ExponentialChoice):
            value = event.epsilon**2 / 8
        else:
            value = _pure(event, self.name) ** 2 / 2
        return Rho(value * (1 + SLACK))

    def total(self, budget: Budget) -> Rho:
        """The largest rho that converts to at most (epsilon, delta), by bisection."""
        return _total("zcdp", float(budget.epsilon), float(budget.delta))

    def epsilon(self, cost: float, delta: float) -> Epsilon:
        """The least epsilon over the orders of Renyi divergence."""
        return _epsilon("zcdp", _positive_cost(cost), delta)

    def sigma(self, cost: float, sensitivity: float) -> Sigma:
        """Give sensitivity / sqrt(2 rho), rounded up to 30 bits.

        Raises:
            BudgetError: the cost is 0 or less, or so small that the noise would pass 2^40.
        """
        return _least_sigma("zcdp", _positive_cost(cost), checked(Sensitivity, "sensitivity", sensitivity))

    def choice_epsilon(self, cost: float) -> Epsilon:
        """sqrt(8 rho)."""
        return Epsilon(math.sqrt(8 * _positive_cost(cost)) * (1 - SLACK))


ACCOUNTANTS: dict[str, GaussianDP | ZCDP] = {"gdp": GaussianDP(), "zcdp": ZCDP()}


def find(name: str) -> Accountant:
    """The accountant called `name`: "gdp", "zcdp", or "rdp" and its order. Fixed before a run, from public settings.

    Raises:
        ConfigError: there is none of that name, or no such order.
    """
    if name.startswith("rdp"):
        from pasteur.privacy import rdp

        return rdp.find(name)
    if name not in ACCOUNTANTS:
        message = f"accountant '{name}' is not known{near_miss(name, ACCOUNTANTS)}"
        raise ConfigError(message)
    return ACCOUNTANTS[name]


def exact_sum(costs: Iterable[float]) -> Fraction:
    """Sum without any rounding, so that what is left never depends on the order of events."""
    return sum((Fraction(cost) for cost in costs), Fraction(0))


def _pure(event: DiscreteLaplace | SubsampledGaussian, name: str) -> float:
    if isinstance(event, SubsampledGaussian):
        raise PrivacyError(f"accountant ({name}) must be rdp where units are subsampled, as DP-SGD does")
    return event.sensitivity / event.scale * (1 + SLACK)


def _positive_cost(cost: float) -> float:
    if isinstance(cost, (Sigma, Epsilon, Mu, Sensitivity)):
        raise PrivacyError(rule("cost", repr(cost), f"of kind Rho, not {type(cost).__name__}"))
    if not 0 < cost < math.inf:
        raise BudgetError(rule("cost", cost, "finite and above 0: nothing is left to spend"))
    return float(cost)


CONVERSIONS: dict[str, Callable[[float, float], float]] = {
    "gdp": curves.gdp_log_delta,
    "zcdp": curves.zcdp_log_delta,
}
"""log delta(rho, epsilon) of each accountant: falls with epsilon, grows with rho."""


@lru_cache(maxsize=4096)
def _total(name: str, epsilon: float, delta: float) -> Rho:
    log_delta, goal = CONVERSIONS[name], math.log(delta) - curves.MARGIN
    low, _ = _bracket(lambda rho: log_delta(rho, epsilon) <= goal)
    return Rho(low * (1 - SLACK))


@lru_cache(maxsize=4096)
def _epsilon(name: str, cost: float, delta: float) -> Epsilon:
    log_delta, goal = CONVERSIONS[name], math.log(delta) - curves.MARGIN
    if log_delta(cost, TINY) <= goal:
        return Epsilon(TINY)
    _, high = _bracket(lambda epsilon: log_delta(cost, epsilon) > goal)
    return Epsilon(high * (1 + SLACK))


@lru_cache(maxsize=4096)
def _least_sigma(name: str, cost: float, sensitivity: float) -> Sigma:
    cost_of, goal = ACCOUNTANTS[name].cost, cost * (1 - SLACK)

    def dear(sigma: float) -> bool:
        return cost_of(DiscreteGaussian(sigma=Sigma(sigma), sensitivity=Sensitivity(sensitivity))) > goal

    least = curves.LEAST_SIGMA if name == "gdp" else 2.0**-20
    if not dear(least):
        return Sigma(least)
    if dear(grid.LARGEST):
        message = rule("cost", cost, "large enough that the noise it buys is under 2^40")
        raise BudgetError(message)
    _, high = _bracket(lambda sigma: sigma < least or dear(sigma))
    return Sigma(grid.up(high))


def _bracket(below: Callable[[float], bool]) -> tuple[float, float]:
    """Neighbours (low, high) with `below(low)` and not `below(high)`: by doubling or halving, then by bisection."""
    low = high = 1.0
    while not below(low):
        high, low = low, low / 2
        if low == 0:
            message = "the budget is too small to be worked with in floating point"
            raise BudgetError(message)
    while below(high):
        low, high = high, high * 2
    while True:
        middle = (low + high) / 2
        if not low < middle < high or high - low < low * SLACK / 4:
            return low, high
        low, high = (middle, high) if below(middle) else (low, middle)
