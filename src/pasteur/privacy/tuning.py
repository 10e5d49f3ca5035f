"""What choosing the best of several private runs costs, where their number is drawn (Papernot and Steinke 2022).

All trials of a sweep together cost what composes: that holds however they were chosen and whatever is released of
them. Where the trials are drawn alike and on their own (random search), their *number* is drawn at random too, and only
the best of them is released, far less is spent: "Hyperparameter Tuning with Renyi Differential Privacy", theorems 2
and 6. Then neither the number of trials nor anything of the others may leave the house.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.privacy import accountants, curves
from pasteur.privacy.budget import Epsilon
from pasteur.privacy.entropy import SystemEntropy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pasteur.privacy.budget import Budget
    from pasteur.privacy.entropy import Entropy

DISTRIBUTIONS = ("negative_binomial", "poisson")
DIGITS = 60
"""Decimal digits in which probabilities of numbers are summed: no tail that is cut off comes near any delta."""
ROUNDED = 1 + 1e-9
"""Far more than a mean is off by the digits of its gamma."""
LARGEST = 1_000
"""The largest expected number of trials."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """How many trials a sweep makes: a random number that no data and no result can move.

    Attributes:
        distribution: `negative_binomial` (truncated: 1 or more) or `poisson` (0 is possible: then nothing is released).
        mean: the expected number of trials; above 1, at most 1,000.
        eta: shape of the negative binomial, -0.5 to 100: 1 is the geometric distribution, 0 the logarithmic one. The
            less it is, the less is spent and the more the number scatters. Of no meaning for poisson.
    """

    distribution: str = "negative_binomial"
    mean: float = 20.0
    eta: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if self.distribution not in DISTRIBUTIONS:
            must_be = f"one of {', '.join(DISTRIBUTIONS)}"
            message = rule("randomised_trials.distribution", self.distribution, must_be)
            raise ConfigError(message + near_miss(self.distribution, DISTRIBUTIONS))
        if not 1 < self.mean <= LARGEST:
            raise ConfigError(rule("randomised_trials.mean", self.mean, f"above 1, and at most {LARGEST}"))
        if not -0.5 <= self.eta <= 100:  # from -1 on it is a distribution, but one that asks for millions of trials
            raise ConfigError(rule("randomised_trials.eta", self.eta, "from -0.5 to 100"))

    @property
    def gamma(self) -> float:
        """The gamma of the truncated negative binomial whose mean this is, inside (0, 1)."""
        return _gamma(self.mean, self.eta)

    def shares(self) -> Iterator[tuple[int, Decimal]]:
        """Each number with its probability, from the least on, in 60 digits (definition 1 of the paper)."""
        if self.distribution == "poisson":
            mean, number = Decimal(self.mean), 0
            share = (-mean).exp()
            while True:
                yield number, share
                number += 1
                share *= mean / number
        gamma, eta, number = Decimal(self.gamma), Decimal(self.eta), 1
        share = (1 - gamma) / -gamma.ln() if self.eta == 0 else eta * (1 - gamma) / ((-eta * gamma.ln()).exp() - 1)
        while True:
            yield number, share
            share *= (1 - gamma) * (number + eta) / (number + 1)
            number += 1

    def draw(self, entropy: Entropy | None = None) -> int:
        """Draw the number of trials of one sweep, from bits of the operating system.

        Args:
            entropy: where the bits come from, in tests.
        """
        bits = 8 * 24
        word = int.from_bytes((entropy or SystemEntropy()).read(bits // 8), "big")
        with localcontext() as context:
            context.prec = DIGITS
            left = Decimal(word) / Decimal(2**bits)
            for number, share in self.shares():
                left -= share
                if left < 0 or (number > self.mean and share < Decimal(2) ** -bits):
                    return number
        raise AssertionError  # numbers do not end

    def epsilon(self, accountant: str, total: float, delta: float) -> Epsilon:
        """The epsilon at `delta` of releasing the best of this many trials, and nothing else of them.

        Every order of Renyi divergence gives a valid bound, so an inexact search for the best one errs towards more
        privacy; what comes out is rounded up.

        Args:
            accountant: "gdp" or "zcdp", that of a trial's ledger.
            total: what one trial may spend, in rho.
            delta: of the claim on the best.
        """
        curve = _poisson(self.mean, accountant, total) if self.distribution == "poisson" else self._binomial(total)
        goal = math.log(delta) - curves.MARGIN

        def stated(log_excess: float) -> float:
            order = 1 + math.exp(log_excess)
            more = math.exp(log_excess)
            # Canonne, Kamath, Steinke 2020, proposition 12
            return curve(order) + math.log1p(-1 / order) - (goal + math.log(order)) / more

        found = _least(stated, -12.0, 16.0)
        return Epsilon(max(found, accountants.TINY) * (1 + accountants.SLACK))

    def price(self, budget: Budget) -> Epsilon:
        """The same, where each trial has this budget and its own settings say which accountant reads it.

        The theorems are about one mechanism, which draws its settings and then fits: its curve is that of the dearest
        settings that might be drawn, not of those that were.
        """
        delta = float(budget.delta)
        return max(
            self.epsilon(name, float(accountants.find(name).total(budget)), delta) for name in accountants.CONVERSIONS
        )

    def _binomial(self, total: float) -> Callable[[float], float]:
        """The Renyi curve of the best, from that of one trial, `rho order` (theorem 2).

        eps' = eps(order) + (1 + eta) ((1 - 1/other) eps(other) + log(1/gamma) / other) + log(mean) / (order - 1), and
        the second term is least at other = sqrt(log(1/gamma) / rho), or at 1 where that is less.
        """
        nothing = -math.log(self.gamma)
        other = max(1.0, math.sqrt(nothing / total))
        constant = (1 + self.eta) * (total * (other - 1) + nothing / other)
        return lambda order: total * order + constant + math.log(self.mean * ROUNDED) / (order - 1)


def _poisson(mean: float, accountant: str, total: float) -> Callable[[float], float]:
    """The Renyi curve of the best of a Poisson number of trials (theorem 6).

    eps' = eps(order) + mean delta + log(mean) / (order - 1), one trial being (log(1 + 1/(order - 1)), delta)-DP. That
    no trial is made is an outcome too, of probability e^-mean on either side: it adds e^-mean to the sum of which eps'
    is the logarithm, and is added here, where the theorem leaves it out.
    """
    log_delta = accountants.CONVERSIONS[accountant]

    def curve(order: float) -> float:
        more = order - 1
        slip = math.exp(min(0.0, log_delta(total, math.log1p(1 / more)) + curves.MARGIN))
        chosen = more * (total * order + mean * slip) + math.log(mean)
        return (chosen + math.log1p(math.exp(-mean - chosen))) / more

    return curve


@lru_cache(maxsize=256)
def _gamma(mean: float, eta: float) -> float:
    """The gamma whose truncated negative binomial has this mean, to 12 digits."""

    def expected(log_gamma: float) -> float:
        ratio = -1 / log_gamma if eta * log_gamma == 0 else eta / -math.expm1(eta * log_gamma)
        return -math.expm1(log_gamma) * math.exp(-log_gamma) * ratio

    low, high = -700.0, -1e-12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) > mean else (low, middle)
    return math.exp(high)


def _least(of: Callable[[float], float], low: float, high: float) -> float:
    """The least value found: over a grid, then by golden section about the best point."""
    steps = 280
    at = min(range(steps + 1), key=lambda i: of(low + (high - low) * i / steps))
    width = (high - low) / steps
    left, right = low + width * max(at - 1, 0), low + width * min(at + 1, steps)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = right - ratio * (right - left), left + ratio * (right - left)
        left, right = (left, b) if of(a) < of(b) else (a, right)
    return of((left + right) / 2)


def document(number: Number) -> dict[str, Any]:
    """The distribution as JSON values."""
    held = {"distribution": number.distribution, "mean": number.mean}
    return held if number.distribution == "poisson" else held | {"eta": number.eta}
