"""Renyi differential privacy at one order: what DP-SGD's subsampled steps cost, beside everything else.

A subsampled Gaussian has no single rho: its Renyi divergences are small at low orders and leap at high ones. So the
order alpha is fixed first, from public settings (`planned`); at that order all divergences add up, also when events
are chosen by earlier answers (Feldman and Zrnic 2021, theorem 3.1). What is summed is the divergence over alpha, in
which discrete Gaussians, choices and pure DP cost what they do in zCDP: their line alpha rho, at this alpha.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from pasteur.errors import BudgetError, ConfigError, rule
from pasteur.privacy import accountants, grid
from pasteur.privacy.accountants import SLACK, TINY, ZCDP
from pasteur.privacy.budget import Epsilon, Rho, Sensitivity, Sigma, checked
from pasteur.privacy.events import Event, SubsampledGaussian

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.privacy.accountants import Accountant
    from pasteur.privacy.budget import Budget

MARGIN = 1e-9
"""Relative, of a subsampled Gaussian's divergence: above what its sum of up to 2^14 terms can lose."""
ORDERS = tuple(sorted({*range(2, 65), *(int(64 * 1.06**k) for k in range(96))}))
"""Whole numbers from 2 to about 16,000; between them the best conversion changes by less than a per cent."""
LEAST, LARGEST = 0.05, 2.0**30
"""Of the noise multiplier: outside, a divergence would lose its digits."""


class RDP:
    """Divergences of order `order`, a whole number from 2 on. Its name in a ledger says which: "rdp-24"."""

    def __init__(self, order: int) -> None:
        if isinstance(order, bool) or not isinstance(order, int) or not 2 <= order <= ORDERS[-1]:
            raise ConfigError(rule("order", order, f"a whole number from 2 to {ORDERS[-1]}"))
        self.order = order

    def __repr__(self) -> str:
        return f"RDP({self.order})"

    @property
    def name(self) -> str:
        """What a ledger calls it."""
        return f"rdp-{self.order}"

    def cost(self, event: Event) -> Rho:
        """Divergence of `event` at the order, over the order."""
        if not isinstance(event, SubsampledGaussian):
            return ZCDP().cost(event)
        return Rho(event.steps * subsampled(self.order, event.q, event.sigma / event.sensitivity) * (1 + SLACK))

    def total(self, budget: Budget) -> Rho:
        """What converts to `budget` at the order (Canonne, Kamath, Steinke 2020, proposition 12), over the order.

        Raises:
            BudgetError: at this order nothing does.
        """
        whole = _room(self.order, float(budget.epsilon), float(budget.delta))
        if whole <= 0:
            raise BudgetError(
                f"order ({self.order}) must be higher for epsilon {budget.epsilon:g} and delta {budget.delta:g}"
            )
        return Rho(whole / self.order * (1 - SLACK))

    def epsilon(self, cost: float, delta: float) -> Epsilon:
        """The epsilon that a summed `cost` converts to at the order, rounded up."""
        worst = self.order * cost + _offset(self.order, delta)
        return Epsilon(max(worst + abs(worst) * SLACK, TINY))

    def sigma(self, cost: float, sensitivity: float) -> Sigma:
        """As of zCDP."""
        return ZCDP().sigma(cost, sensitivity)

    def choice_epsilon(self, cost: float) -> Epsilon:
        """As of zCDP."""
        return ZCDP().choice_epsilon(cost)

    def steps_sigma(self, cost: float, *, sensitivity: float, q: float, steps: int) -> Sigma:
        """The least scale at which `steps` subsampled Gaussians of `sensitivity` cost at most `cost`.

        Raises:
            BudgetError: none does.
        """
        clip = checked(Sensitivity, "sensitivity", sensitivity)
        multiplier = _multiplier(self.order, cost * (1 - 2 * SLACK) / steps, q)
        if multiplier is None:
            raise BudgetError(rule("cost", cost, f"large enough for {steps} steps at q {q:g}"))
        return Sigma(multiplier * clip * (1 + 4 * SLACK))


def find(name: str) -> RDP:
    """The accountant called "rdp-<order>".

    Raises:
        ConfigError: no such order.
    """
    order = name.removeprefix("rdp-")
    if not order.isdecimal():
        raise ConfigError(rule("accountant", name, "gdp, zcdp or rdp-<order>, such as rdp-24"))
    return RDP(int(order))


def together(releases: Sequence[tuple[Accountant, float]], delta: float) -> float:
    """The epsilon, at `delta`, of several releases: the accountant of each and its total.

    Under one accountant the totals add up. Otherwise each counts as zCDP, which a mu-GDP release satisfies with
    mu^2/2, as a Gaussian mechanism's divergences bound its own. Where some have a bound at one order alone, all are
    taken at the least of those orders: divergences grow with the order.
    """
    orders = [accountant.order for accountant, _ in releases if isinstance(accountant, RDP)]
    if not orders:
        names = {accountant.name for accountant, _ in releases}
        common: Accountant = accountants.find(names.pop() if len(names) == 1 else "zcdp")
    else:
        common = RDP(min(orders))
    factors = [accountant.order / min(orders) if isinstance(accountant, RDP) else 1.0 for accountant, _ in releases]
    whole = accountants.exact_sum(total * factor for (_, total), factor in zip(releases, factors, strict=True))
    return float(common.epsilon(math.nextafter(float(whole), math.inf) * (1 + SLACK), delta))


@lru_cache(maxsize=256)
def planned(budget: Budget, *, share: float, q: float, steps: int) -> RDP:
    """The order at which `steps` subsampled Gaussians need the least noise, while the rest keeps what it would have.

    The rest keeps 1 - `share` of what zCDP has for the budget. All arguments are public.

    Raises:
        BudgetError: there is no such order.
        ConfigError: a share outside (0, 1).
    """
    if not 0 < share < 1:
        raise ConfigError(rule("share", share, "inside (0, 1)"))
    rest = (1 - share) * ZCDP().total(budget)
    noise: dict[int, float] = {}
    for order in ORDERS:
        room = _room(order, float(budget.epsilon), float(budget.delta)) / order - rest
        found = _multiplier(order, room / steps, q) if room > 0 else None
        if found is not None:
            noise[order] = found
    if not noise:
        raise BudgetError(rule("epsilon", budget.epsilon, f"large enough for {steps} steps at q {q:g}"))
    return RDP(min(noise, key=noise.__getitem__))


@lru_cache(maxsize=1 << 16)
def subsampled(order: int, q: float, multiplier: float) -> float:
    """Renyi divergence of one Poisson-subsampled Gaussian over the order, rounded up.

    The worse direction, adding or removing one unit (Mironov, Talwar, Zhang 2019, section 3.3): with z the multiplier,
    log sum_k C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 z^2)) / (a - 1), the sum taken less 1, which is exact as
    the weights sum to 1.

    Args:
        order: alpha, a whole number from 2 on.
        q: probability of taking part.
        multiplier: scale of the noise over the L2 sensitivity.
    """
    if q == 1:
        return 1 / (2 * multiplier**2) * (1 + MARGIN)
    k = np.arange(2, order + 1, dtype=np.float64)
    power = (k * k - k) / (2 * multiplier**2)
    chosen = special.gammaln(order + 1) - special.gammaln(k + 1) - special.gammaln(order - k + 1)
    terms = chosen + (order - k) * math.log1p(-q) + k * math.log(q) + power + np.log(-np.expm1(-power))
    return float(np.logaddexp(0.0, special.logsumexp(terms))) / (order - 1) / order * (1 + MARGIN)


def _offset(order: int, delta: float) -> float:
    """Epsilon less the divergence at `order`: log(1 - 1/a) - (log delta + log a) / (a - 1); where negative, 0."""
    return max(math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1), 0.0)


def _room(order: int, epsilon: float, delta: float) -> float:
    return epsilon - _offset(order, delta) - SLACK * (1 + epsilon)


def _multiplier(order: int, cost: float, q: float) -> float | None:
    """The least noise multiplier at which one step costs at most `cost`; None where there is none in range."""
    low, high = LEAST, LARGEST
    if cost <= 0 or subsampled(order, q, high) > cost:
        return None
    while high > low * (1 + 1e-6):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if subsampled(order, q, middle) > cost else (low, middle)
    return grid.up(high)
