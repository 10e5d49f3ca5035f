"""The formulas that accountants stand on, each with its source and with the side on which it errs."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy import special

from pasteur.errors import PrivacyError, rule

LARGE = 600.0
"""Log-ratio above which 1 / (1 + e^half) runs out of digits, and is e^-half to all of them."""
LEAST_SIGMA = 0.5
"""Under this scale (in grid steps) `gaussian_mu` has not been shown to be the largest gap."""
MARGIN = 1e-6
"""Subtracted from log delta before any comparison: far above the error of these functions, and worth 3e-8 of a mu."""


@lru_cache(maxsize=4096)
def gaussian_mu(sigma: float) -> float:
    """Give the mu of a discrete Gaussian X on the integers for one step of sensitivity: 2 Phi^-1((1 + P[X = 0]) / 2).

    Of a log-concave distribution on the integers the trade-off curve between X and X + 1 is mu-GDP for mu the largest
    gap between normal quantiles Phi^-1(P[X <= k]) at neighbouring points; for sigma 0.5 and more that is the gap at
    the centre. (Away from it, to second order in 1/sigma^2 the quantile is y (1 + 1/(24 sigma^2) + 21/(5760 sigma^4))
    - y^3/(2880 sigma^4), y = (k + 1/2)/sigma: gaps shrink; far out they stay under (1 + 1/(40 sigma^2))/sigma. A test
    looks for larger ones in 60 digits.) D steps cost D times as much, and coordinates add in squares.

    Raises:
        PrivacyError: sigma is under 0.5.
    """
    if not sigma >= LEAST_SIGMA:
        raise PrivacyError(rule("sigma", sigma, f"at least {LEAST_SIGMA} under the gdp accountant"))
    # P[X = 0] = 1 / sum exp(-k^2 / (2 sigma^2)); above sigma 4 the sum is sigma sqrt(2 pi) to 130 digits (Poisson).
    mass = sigma * math.sqrt(2 * math.pi)
    if sigma < 4:
        mass = math.fsum([1.0, *(2 * math.exp(-(k**2) / (2 * sigma**2)) for k in range(1, int(10 * sigma) + 2))])
    return float(2 * math.sqrt(2) * special.erfinv(1 / mass))


def ratio_mu(half: float) -> float:
    """Give the mu of a binary answer of log-ratios within [-half, half]: 2 Phi^-1(1 / (1 + e^-half)).

    Pure eps-DP: half = eps. An exponential choice: its log-ratios lie in an interval of length eps, and the worst
    such interval is centred: half = eps / 2 (largest at eps 0.01 to 10; a test looks again).
    """
    if half < 1:
        return float(2 * math.sqrt(2) * special.erfinv(math.tanh(half / 2)))
    if half > LARGE:
        return float(-2 * special.ndtri_exp(-half))
    return float(2 * math.sqrt(2) * special.erfcinv(2 * special.expit(-half)))


def mu_ratio(mu: float) -> float:
    """Inverse of `ratio_mu`: log(Phi(mu/2) / Phi(-mu/2))."""
    if mu < 1:
        return float(2 * math.atanh(special.erf(mu / (2 * math.sqrt(2)))))
    return float(special.log_ndtr(mu / 2) - special.log_ndtr(-mu / 2))


def gdp_log_delta(rho: float, epsilon: float) -> float:
    """Give log of Phi(-eps/mu + mu/2) - e^eps Phi(-eps/mu - mu/2), rho = mu^2/2 (Dong, Roth, Su 2022, corollary 2.13).

    Written with Mills ratios R, as phi(near) (R(near) - R(far)): the plain difference loses all digits at small mu.
    """
    mu = math.sqrt(2 * rho)
    near, far = epsilon / mu - mu / 2, epsilon / mu + mu / 2
    log_density = -near * near / 2 - math.log(2 * math.pi) / 2
    mills_far = _mills(far)
    if near >= 0:
        gap = _mills(near) - mills_far
        return log_density + math.log(gap) if gap > 0 else -math.inf
    tail = math.exp(log_density) * mills_far
    return math.log(max(float(special.ndtr(-near)) - tail, 0.0) or 5e-324)


def _mills(x: float) -> float:
    return math.sqrt(math.pi / 2) * float(special.erfcx(x / math.sqrt(2)))


def zcdp_log_delta(rho: float, epsilon: float) -> float:
    """Give log of the least over alpha > 1 of exp((alpha - 1)(alpha rho - eps)) / (alpha - 1) (1 - 1/alpha)^alpha.

    Canonne, Kamath, Steinke 2020, corollary 13. Every alpha gives a valid delta, so an inexact search for the best
    one errs towards more privacy. In x = alpha - 1 the log is convex; its slope is concave and rises, so that Newton's
    steps from a point where it is negative approach the root from there and never pass it.
    """
    if rho - epsilon > 600:  # such a point would be under the smallest float, and delta is 1 to 200 digits
        return 0.0
    x = (epsilon - rho) / (2 * rho) if epsilon > rho else min(0.5, 1 / math.expm1(min(2 * rho + 1, 700)))
    for _ in range(200):
        slope = (2 * x + 1) * rho - epsilon - math.log1p(1 / x)
        step = -slope / (2 * rho + 1 / (x * (1 + x)))
        x += step
        if abs(step) <= 1e-8 * x:  # flat at the best alpha: 1e-16 of the value
            break
    return x * ((x + 1) * rho - epsilon) - math.log(x) - (x + 1) * math.log1p(1 / x)
