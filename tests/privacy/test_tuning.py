"""The price of the best of a random number of trials, against numbers that were worked out in other ways."""

from __future__ import annotations

import math
from itertools import islice

import mpmath
import numpy as np
import pytest
from dp_accounting.rdp import rdp_privacy_accountant as other
from scipy import integrate, special

from pasteur.errors import ConfigError
from pasteur.privacy import Budget, accountant
from pasteur.privacy.entropy import SeededEntropy
from pasteur.privacy.tuning import Number

GDP = accountant("gdp")
DELTA = 1e-9
ALL = [
    Number(eta=1, mean=20),
    Number(eta=0, mean=20),
    Number(eta=-0.5, mean=8),
    Number(eta=3, mean=50),
    Number(distribution="poisson", mean=20),
    Number(distribution="poisson", mean=1.5),
]
IDS = [f"{n.distribution[:3]} {n.eta:g} {n.mean:g}" for n in ALL]


def rho(epsilon=1.0, delta=DELTA, name="gdp"):
    return float(accountant(name).total(Budget(epsilon=epsilon, delta=delta)))


@pytest.mark.parametrize("number", ALL, ids=IDS)
def test_shares_are_a_distribution_with_its_mean(number):
    shares = [(k, float(p)) for k, p in islice(number.shares(), 30_000)]
    assert shares[0][0] == (0 if number.distribution == "poisson" else 1)
    assert sum(p for _, p in shares) == pytest.approx(1, abs=1e-9)
    assert sum(k * p for k, p in shares) == pytest.approx(number.mean, rel=1e-9)


def test_named_shapes_are_what_they_are_called():
    geometric = [float(p) for _, p in islice(Number(eta=1, mean=4).shares(), 5)]
    assert geometric == pytest.approx([0.25 * 0.75**k for k in range(5)])
    assert Number(eta=1, mean=4).gamma == pytest.approx(0.25)
    gamma = Number(eta=0, mean=4).gamma
    logarithmic = [float(p) for _, p in islice(Number(eta=0, mean=4).shares(), 5)]
    assert logarithmic == pytest.approx([(1 - gamma) ** k / (k * math.log(1 / gamma)) for k in range(1, 6)])
    poisson = [float(p) for _, p in islice(Number(distribution="poisson", mean=4).shares(), 5)]
    assert poisson == pytest.approx([math.exp(-4) * 4**k / math.factorial(k) for k in range(5)])


@pytest.mark.parametrize("number", ALL, ids=IDS)
def test_draws_follow_the_shares(number):
    entropy = SeededEntropy(7)
    drawn = np.array([number.draw(entropy) for _ in range(400)])
    shares = {k: float(p) for k, p in islice(number.shares(), 200)}
    for most in (1, 5, 20):
        expected = sum(p for k, p in shares.items() if k <= most)
        assert abs((drawn <= most).mean() - expected) < 4 * math.sqrt(0.25 / 400)
    assert len({number.draw() for _ in range(60)}) > 3  # the operating system's


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(("eta", "mean"), [(0.0, 20.0), (1.0, 20.0), (2.5, 100.0)])
def test_another_library_gives_the_same_bound(epsilon, eta, mean):
    total = rho(epsilon)
    orders = 1 + np.exp(np.linspace(-4, 9, 500))
    theirs, _ = other.compute_epsilon(
        orders, other._compute_rdp_repeat_and_select(orders, total * orders, mean, eta), DELTA
    )
    ours = Number(eta=eta, mean=mean).epsilon("gdp", total, DELTA)
    assert ours <= theirs * (1 + 1e-6)  # of theirs every order is of a grid
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_poisson_bound_by_hand_in_50_digits():
    """Theorem 6 at one order, with the outcome that there is no trial, converted by proposition 12 of CKS 2020."""
    total, mean = rho(1.0), 20
    with mpmath.workdps(50):

        def stated(order):
            mu, eps = mpmath.sqrt(2 * mpmath.mpf(total)), mpmath.log(1 + 1 / (order - 1))
            delta = mpmath.ncdf(-eps / mu + mu / 2) - mpmath.exp(eps) * mpmath.ncdf(-eps / mu - mu / 2)
            moment = mean * mpmath.exp((order - 1) * (total * order + mean * delta)) + mpmath.exp(-mean)
            renyi = mpmath.log(moment) / (order - 1)
            return renyi + mpmath.log(1 - 1 / order) - (mpmath.log(DELTA) + mpmath.log(order)) / (order - 1)

        best = min(stated(mpmath.mpf(order) / 100) for order in range(2000, 6000, 8))
    ours = Number(distribution="poisson", mean=mean).epsilon("gdp", total, DELTA)
    assert float(best) * (1 - 1e-4) <= ours <= float(best) * (1 + 1e-5)


def test_a_geometric_bound_by_hand():
    """Theorem 2 at eta 1: gamma = 1/mean, so that both of its extra terms are short."""
    total, mean = rho(1.0), 20
    ours = Number(eta=1, mean=mean).epsilon("gdp", total, DELTA)
    middle = 2 * (2 * math.sqrt(total * math.log(mean)) - total)
    orders = 1 + np.exp(np.linspace(-4, 9, 20_000))
    convert = np.log1p(-1 / orders) - (math.log(DELTA) + np.log(orders)) / (orders - 1)
    by_hand = (total * orders + middle + math.log(mean) / (orders - 1) + convert).min()
    assert ours == pytest.approx(by_hand, rel=1e-6)


def true_delta(number, mu, epsilon):
    """The exact delta of the best of K normals whose score is the answer itself, one unit moving its mean by mu.

    The best has density f'(Phi(y)) phi(y), f the generating function of K; where there is no trial both worlds agree.
    """

    def derivative(x):
        if number.distribution == "poisson":
            return number.mean * np.exp(number.mean * (x - 1))
        gamma, eta = number.gamma, number.eta
        return number.mean * gamma ** (eta + 1) * (1 - (1 - gamma) * x) ** (-eta - 1)

    def density(y, mean):
        return derivative(special.ndtr(y - mean)) * np.exp(-((y - mean) ** 2) / 2) / math.sqrt(2 * math.pi)

    grid = np.linspace(-12, 12 + mu, 60_001)
    here, there = density(grid, mu), density(grid, 0.0)
    pairs = ((here, there), (there, here))
    return max(integrate.trapezoid(np.maximum(0, p - math.exp(epsilon) * q), grid) for p, q in pairs)


@pytest.mark.parametrize("number", ALL, ids=IDS)
@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_what_is_stated_holds_for_a_case_that_can_be_integrated(number, epsilon):
    delta = 1e-5
    total = rho(epsilon, delta)
    mu = math.sqrt(2 * total)
    stated = number.epsilon("gdp", total, delta)
    assert true_delta(number, mu, 0.0) > delta  # there is something to be paid for
    assert true_delta(number, mu, stated) <= delta
    assert stated > epsilon  # the best of several tells more than one of them
    alone = Number(eta=1, mean=1 + 1e-9).epsilon("gdp", total, delta)
    assert epsilon <= alone < stated
    assert true_delta(number, mu, epsilon * 0.4) > delta  # and the price is not fantasy: far less would not hold


def test_prices_rise_with_mean_shape_and_budget_and_beat_composing():
    def price(epsilon=1.0, **more):
        return Number(**more).epsilon("gdp", rho(epsilon), DELTA)

    assert price(eta=-0.5) < price(eta=0) < price(eta=1) < price(eta=1, mean=100) < price(eta=1, mean=100, epsilon=2.0)
    assert price(eta=1, mean=20) < GDP.epsilon(20 * rho(), DELTA)
    assert price(eta=1, mean=20) == pytest.approx(2.0009, rel=1e-4)
    zcdp = Number(mean=20).epsilon("zcdp", rho(name="zcdp"), DELTA)
    assert 1 < zcdp < price(mean=20) < 2 * zcdp


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"distribution": "poison"}, r"randomised_trials\.distribution \(poison\) must be one of .*mean 'poisson'\?"),
        ({"mean": 1}, r"randomised_trials\.mean \(1\) must be above 1, and at most 1000"),
        ({"mean": math.nan}, r"randomised_trials\.mean \(nan\) must be above 1"),
        ({"eta": -1}, r"randomised_trials\.eta \(-1\) must be from -0\.5 to 100"),
    ],
)
def test_what_is_no_distribution_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Number(**wrong)
