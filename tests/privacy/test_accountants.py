from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.errors import BudgetError, ConfigError, PrivacyError
from pasteur.privacy import (
    Budget,
    DiscreteGaussian,
    DiscreteLaplace,
    ExponentialChoice,
    accountant,
    curves,
    grid,
)

GDP, ZCDP = accountant("gdp"), accountant("zcdp")
DELTA = 1e-9


def gaussian(sigma, sensitivity=1.0):
    return DiscreteGaussian(sigma=sigma, sensitivity=sensitivity)


@pytest.mark.parametrize(
    ("epsilon", "tight", "gdp"),
    [
        (0.1, 0.00018, 0.00020),
        (0.5, 0.00395, 0.00439),
        (1, 0.01497, 0.01656),
        (2, 0.05613, 0.06179),
        (3, 0.12058, 0.13234),
        (5, 0.31169, 0.34054),
        (10, 1.09079, 1.18253),
    ],
)
def test_what_an_epsilon_buys(epsilon, tight, gdp):
    budget = Budget(epsilon=epsilon, delta=DELTA)
    assert round(ZCDP.total(budget), 5) == tight
    assert round(GDP.total(budget), 5) == gdp
    for accounted in (GDP, ZCDP):
        back = accounted.epsilon(accounted.total(budget), DELTA)
        assert back == pytest.approx(epsilon, rel=1e-6)
        assert back <= epsilon * (1 + 1e-11)  # rounded up once more on the way back


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-4, 50), st.floats(-12, -2))
def test_totals_hold_in_50_digits(epsilon, exponent):
    delta = 10**exponent
    with mpmath.workdps(50):
        mu = mpmath.sqrt(2 * mpmath.mpf(GDP.total(Budget(epsilon=epsilon, delta=delta))))

        def true_delta(m):
            return mpmath.ncdf(-epsilon / m + m / 2) - mpmath.exp(epsilon) * mpmath.ncdf(-epsilon / m - m / 2)

        assert true_delta(mu) <= delta
        assert true_delta(mu * (1 + mpmath.mpf("1e-6"))) > delta * 0.999999


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 4, 12])
def test_mu_of_one_step_is_the_largest_gap_of_normal_quantiles(sigma):
    with mpmath.workdps(60):
        scale = mpmath.mpf(sigma)
        reach = int(16 * sigma) + 4
        masses = [mpmath.exp(-(mpmath.mpf(k) ** 2) / (2 * scale**2)) for k in range(int(30 * sigma) + 40)]
        whole = masses[0] + 2 * sum(masses[1:])
        tails = np.cumsum(np.array(masses[::-1], dtype=object))[::-1] / whole
        steps = range(1, reach) if sigma < 4 else [1, 2, 3, 5, 9, 17, 30, 50, reach - 1]
        quantile = {k: normal_quantile(tails[k]) for step in steps for k in (step, step + 1)}
        gaps = [-2 * quantile[1]] + [quantile[k] - quantile[k + 1] for k in steps]
        assert max(gaps) == gaps[0]
        assert float(gaps[0]) == pytest.approx(curves.gaussian_mu(sigma), rel=1e-13)
        assert GDP.mu(gaussian(sigma)) >= gaps[0]


def normal_quantile(tail):
    """z with Phi(z) = tail < 1/2, by Newton's steps on the logarithm."""
    log_tail = mpmath.log(tail)
    z = -mpmath.sqrt(-2 * log_tail)
    for _ in range(60):
        value = mpmath.erfc(-z / mpmath.sqrt(2)) / 2
        step = (mpmath.log(value) - log_tail) * value * mpmath.sqrt(2 * mpmath.pi) * mpmath.exp(z * z / 2)
        z -= step
        if abs(step) < mpmath.mpf(10) ** -45:
            break
    return z


@pytest.mark.parametrize(("sigma", "says"), [(1, 1.0458), (2, 1.0107), (4, 1.0026), (5.9, 1.0012), (12, 1.0003)])
def test_mu_times_sigma(sigma, says):
    assert round(curves.gaussian_mu(sigma) * sigma, 4) == says
    assert curves.gaussian_mu(sigma * 3.7) * sigma * 3.7 == pytest.approx(1 + 1 / (24 * (3.7 * sigma) ** 2), abs=1e-4)


@pytest.mark.parametrize(("sigma", "ratio"), [(1, 2.5), (2, 1.4), (4, 1.09)])
def test_the_curve_of_the_continuous_gaussian_is_not_valid(sigma, ratio):
    near = np.linspace(0.9, 1.1, 400) * GDP.epsilon((1 / sigma) ** 2 / 2, DELTA)  # the ratio swings with epsilon
    worst = max(discrete_delta(sigma, 1, e) / math.exp(curves.gdp_log_delta((1 / sigma) ** 2 / 2, e)) for e in near)
    assert worst == pytest.approx(ratio, rel=0.02)
    valid = max(
        discrete_delta(sigma, 1, e) / math.exp(curves.gdp_log_delta(GDP.cost(gaussian(sigma)), e)) for e in near
    )
    assert valid <= 1


def discrete_delta(sigma, shift, epsilon):
    """delta(epsilon) of one discrete Gaussian answer, straight from its definition."""
    x = np.arange(-int(45 * sigma) - 10, int(45 * sigma) + 10)
    mass = np.exp(-(x**2) / (2 * sigma**2))
    moved = np.exp(-((x - shift) ** 2) / (2 * sigma**2))
    return float(np.maximum(mass - np.exp(epsilon) * moved, 0).sum() / mass.sum())


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 60), st.integers(1, 8), st.floats(0.01, 12))
def test_discrete_gaussian_never_on_the_wrong_side(sigma, steps, epsilon):
    true = discrete_delta(sigma, steps, epsilon)
    for accounted, curve in ((GDP, curves.gdp_log_delta), (ZCDP, curves.zcdp_log_delta)):
        cost = accounted.cost(gaussian(sigma, steps))
        assert math.exp(curve(cost, epsilon)) >= true * (1 - 1e-9) - 1e-15


@pytest.mark.parametrize(("sigma", "times"), [(1, 1), (2, 3), (5.9, 1), (5.9, 20), (37, 1), (37, 100)])
def test_against_pld_of_discrete_gaussians(sigma, times):
    from dp_accounting.pld import privacy_loss_distribution as pld

    def composed(*, pessimistic):
        one = pld.from_discrete_gaussian_mechanism(
            sigma, value_discretization_interval=1e-3, pessimistic_estimate=pessimistic
        )
        return one.self_compose(times)

    floor = composed(pessimistic=False).get_epsilon_for_delta(DELTA)
    ceiling = composed(pessimistic=True).get_epsilon_for_delta(DELTA)
    gdp = GDP.epsilon(times * GDP.cost(gaussian(sigma)), DELTA)
    zcdp = ZCDP.epsilon(times * ZCDP.cost(gaussian(sigma)), DELTA)
    assert floor <= gdp <= ceiling * 1.03
    assert floor <= zcdp <= ceiling * 1.15


@pytest.mark.parametrize("rho", [0.0002, 0.015, 0.3, 1.1])
def test_zcdp_conversion_is_opendp_s(rho):
    from opendp import combinators, domains, measurements, metrics, mod

    mod.enable_features("contrib")
    space = domains.vector_domain(domains.atom_domain(T="i64"))
    sigma = 1 / math.sqrt(2 * rho)
    approximate = combinators.make_zCDP_to_approxDP(
        measurements.make_gaussian(space, metrics.l2_distance(T="i64"), sigma)
    )
    theirs = approximate.map(1).epsilon(DELTA)
    assert ZCDP.epsilon(ZCDP.cost(gaussian(sigma)), DELTA) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 1.0, 3.0, 10.0])
def test_choice_is_worst_where_its_ratio_is_centred(epsilon):
    mu = float(GDP.mu(ExponentialChoice(epsilon=epsilon, sensitivity=1)))
    with mpmath.workdps(30):
        for left in np.linspace(0.02, 0.98, 49):
            low, high = -left * epsilon, (1 - left) * epsilon
            p = (1 - mpmath.exp(low)) / (mpmath.exp(high) - mpmath.exp(low))  # answers 1 w.p. p, or p e^high nearby
            gap = normal(p * mpmath.exp(high)) - normal(p)
            assert gap <= mu
    assert mu <= math.sqrt(2 * math.pi) / 4 * epsilon * (1 + 1e-9)


def normal(p):
    return mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)


def test_pure_dp_is_the_binary_answer():
    for epsilon in (1e-6, 0.3, 1, 4, 30, 300, 599, 601):
        mu = GDP.mu(DiscreteLaplace(scale=1, sensitivity=epsilon))
        with mpmath.workdps(600):
            assert mu == pytest.approx(float(-2 * normal(1 / (1 + mpmath.exp(mpmath.mpf(epsilon))))), rel=1e-11)


@pytest.mark.parametrize("accounted", [GDP, ZCDP])
@pytest.mark.parametrize("cost", [1e3, 1e5, 1e9, 1e50])
def test_a_choice_of_any_size_has_a_price(accounted, cost):
    epsilon = accounted.choice_epsilon(cost)
    assert cost * (1 - 1e-9) <= accounted.cost(ExponentialChoice(epsilon=epsilon, sensitivity=1)) <= cost


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-7, 5), st.floats(1, 40), st.sampled_from([GDP, ZCDP]))
def test_calibration_buys_the_least_noise_that_fits(cost, sensitivity, accounted):
    sigma = accounted.sigma(cost, sensitivity)
    assert accounted.cost(gaussian(sigma, sensitivity)) <= cost
    assert float(grid.up(sigma)) == sigma
    if sigma > 0.5:
        assert accounted.cost(gaussian(sigma * (1 - 1e-8), sensitivity)) > cost * (1 - 1e-8)
    epsilon = accounted.choice_epsilon(cost)
    assert accounted.cost(ExponentialChoice(epsilon=epsilon, sensitivity=1)) <= cost
    assert accounted.cost(ExponentialChoice(epsilon=epsilon * (1 + 1e-9), sensitivity=1)) > cost


def test_a_choice_costs_more_under_gdp_and_noise_less():
    choice = ExponentialChoice(epsilon=0.1, sensitivity=1)
    assert GDP.cost(choice) / 0.1**2 == pytest.approx(0.196, abs=1e-3)
    assert ZCDP.cost(choice) / 0.1**2 == pytest.approx(0.125)


def test_refusals():
    with pytest.raises(ConfigError, match=r"accountant 'gpd' is not known; did you mean 'gdp'\?"):
        accountant("gpd")
    with pytest.raises(PrivacyError, match=r"sigma \(0.4\) must be at least 0.5"):
        GDP.cost(gaussian(0.4))
    for accounted in (GDP, ZCDP):
        for nothing in (0.0, -1.0, math.nan):
            with pytest.raises(BudgetError, match="nothing is left to spend"):
                accounted.sigma(nothing, 1)
        with pytest.raises(BudgetError, match=r"under 2\^40"):
            accounted.sigma(1e-40, 1)


@pytest.mark.parametrize("accountant", [GDP, ZCDP])
def test_budgets_that_protect_nobody_have_a_total(accountant):
    totals = [accountant.total(Budget(epsilon=epsilon)) for epsilon in (300.0, 1e3, 1e5, 1e8)]
    for epsilon, total in zip((300.0, 1e3, 1e5, 1e8), totals, strict=True):
        assert 0.4 * epsilon < total < epsilon
        assert accountant.epsilon(total, 1e-9) <= epsilon * (1 + 1e-9)
