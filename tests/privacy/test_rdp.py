"""The accountant of one Renyi order, against dp-accounting's."""

from __future__ import annotations

import dp_accounting as dpa
import pytest
from dp_accounting import rdp as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.errors import BudgetError, ConfigError, PrivacyError
from pasteur.privacy import (
    RDP,
    ZCDP,
    Budget,
    DiscreteGaussian,
    ExponentialChoice,
    Ledger,
    LedgerBook,
    Release,
    Sensitivity,
    Sigma,
    SubsampledGaussian,
    accountant,
    events,
    rdp,
)

BUDGET = Budget(epsilon=3, delta=1e-6)


def steps(sigma, q=0.05, count=400, sensitivity=1.0):
    return SubsampledGaussian(sigma=Sigma(sigma), sensitivity=Sensitivity(sensitivity), q=q, steps=count)


def composed(event, *, rest=0.0, orders=None):
    """dp-accounting's accountant after an event of ours and `rest` (rho) of Gaussians."""
    found = theirs.RdpAccountant(orders=orders)
    one = dpa.PoissonSampledDpEvent(event.q, dpa.GaussianDpEvent(event.sigma / event.sensitivity))
    found.compose(one, event.steps)
    if rest:
        found.compose(dpa.GaussianDpEvent((2 * rest) ** -0.5))
    return found


@pytest.mark.parametrize(
    ("order", "q", "sigma"),
    [(2, 0.01, 0.7), (12, 0.05, 1.0), (60, 0.05, 4.0), (8, 1e-3, 0.6), (500, 0.3, 2.0), (3, 1, 2)],
)
def test_a_step_costs_what_dp_accounting_says(order, q, sigma):
    ours = RDP(order).cost(steps(sigma, q, 1))
    known = composed(steps(sigma, q, 1), orders=[order])._rdp[0] / order
    assert known <= ours <= known * (1 + 1e-8)
    assert RDP(order).cost(steps(3 * sigma, q, 7, sensitivity=3.0)) == pytest.approx(7 * ours, rel=1e-9)


@pytest.mark.parametrize("order", [2, 9, 40])
def test_an_order_converts_as_dp_accounting_does(order):
    event = steps(2.0)
    own = RDP(order)
    epsilon = float(own.epsilon(own.cost(event), 1e-6))
    known = composed(event, orders=[order]).get_epsilon(1e-6)
    assert known <= epsilon <= known * (1 + 1e-7)


def test_what_is_not_subsampled_enters_with_its_zcdp_line():
    own = RDP(9)
    for event in (
        DiscreteGaussian(sigma=Sigma(3), sensitivity=Sensitivity(2)),
        ExponentialChoice(epsilon=0.3, sensitivity=Sensitivity(1)),
    ):
        assert own.cost(event) == ZCDP().cost(event)
    for known in ("gdp", "zcdp"):
        with pytest.raises(PrivacyError, match="must be rdp where units are subsampled"):
            accountant(known).cost(steps(1))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    epsilon=st.floats(0.3, 12),
    exponent=st.floats(-10, -4),
    share=st.floats(0.05, 0.9),
    q=st.sampled_from([0.01, 0.05, 0.3]),
    count=st.integers(1, 2000),
)
def test_a_planned_training_and_the_rest_fill_the_budget_and_never_pass_it(epsilon, exponent, share, q, count):
    budget = Budget(epsilon=epsilon, delta=10**exponent)
    own = rdp.planned(budget, share=share, q=q, steps=count)
    ledger = Ledger(budget, own.name)
    rest = (1 - share) * ZCDP().total(budget)
    sigma = own.steps_sigma(ledger.remaining - rest, sensitivity=0.5, q=q, steps=count)
    ledger.charge(steps(sigma, q, count, sensitivity=0.5), "training")
    ledger.charge(DiscreteGaussian(sigma=own.sigma(ledger.remaining, 1.0), sensitivity=Sensitivity(1.0)), "the rest")
    assert ledger.remaining < 1e-5 * ledger.total
    known = composed(steps(sigma, q, count, sensitivity=0.5), rest=rest, orders=[own.order]).get_epsilon(budget.delta)
    assert known <= epsilon * (1 + 1e-9)
    assert known > epsilon * (1 - 1e-4)
    again = Ledger.from_json(ledger.to_json())
    assert (again.events, again.accountant.name) == (ledger.events, own.name)


def test_composing_is_cheaper_than_adding_epsilons():
    one = theirs.RdpAccountant()
    own = rdp.planned(BUDGET, share=0.5, q=0.05, steps=400)
    cost = own.total(BUDGET) - ZCDP().total(BUDGET) / 2
    event = steps(own.steps_sigma(cost, sensitivity=1.0, q=0.05, steps=400))
    one.compose(dpa.PoissonSampledDpEvent(0.05, dpa.GaussianDpEvent(event.sigma)), 400)
    rest = float(ZCDP().epsilon(ZCDP().total(BUDGET) / 2, 1e-6))
    assert one.get_epsilon(1e-6) + rest > 1.2 * BUDGET.epsilon


def test_a_claim_names_its_order():
    ledger = Ledger(BUDGET, "rdp-9")
    ledger.charge(steps(10), "training")
    claim = ledger.claim()
    assert (claim["accountant"], claim["epsilon"], claim["cross_check"]["epsilon"]) == ("rdp-9", 3.0, None)
    assert "subsampled_gaussian" in ledger.table()


@pytest.mark.parametrize("name", ["rdp", "rdp-", "rdp-x", "rdp-1", "rdp--5", "rdp-99999"])
def test_orders_that_there_are_not(name):
    with pytest.raises(ConfigError, match="must be"):
        accountant(name)


def test_too_little_for_an_order_or_a_training():
    with pytest.raises(BudgetError, match=r"order \(2\) must be higher"):
        RDP(2).total(Budget(epsilon=0.1, delta=1e-9))
    with pytest.raises(BudgetError, match="large enough for 10 steps"):
        RDP(9).steps_sigma(1e-30, sensitivity=1.0, q=0.5, steps=10)
    with pytest.raises(ConfigError, match="share"):
        rdp.planned(BUDGET, share=1.0, q=0.05, steps=10)


@pytest.mark.parametrize(
    ("field", "value"), [("q", 0.0), ("q", 1.5), ("q", float("nan")), ("steps", 0), ("steps", 2.5), ("sigma", 0)]
)
def test_events_out_of_range(field, value):
    fields = {"sigma": 1.0, "sensitivity": 1.0, "q": 0.1, "steps": 3} | {field: value}
    with pytest.raises(PrivacyError, match=field):
        SubsampledGaussian(**fields)


def test_events_survive_json():
    event = steps(1.5, 0.25, 7)
    assert events.from_dict(events.to_dict(event)) == event
    assert isinstance(events.from_dict(events.to_dict(event)).steps, int)


def test_a_book_composes_releases_of_different_orders(tmp_path):
    book = LedgerBook(tmp_path / "book.jsonl")
    names = ["rdp-9", "rdp-12", "gdp", "zcdp"]
    for number, name in enumerate(names):
        ledger = Ledger(BUDGET, name)
        book.add(
            Release(run=str(number), time="", dataset="d", salt="s", view="v", algorithm="a", fitted=("wrk",),
                    ledger=ledger.to_dict())
        )  # fmt: skip
    whole = float(book.composed("d", "s", "wrk").epsilon)
    alone = [Ledger(BUDGET, name) for name in names]
    at_nine = sum(
        max(ledger.accountant.order if "rdp" in ledger.accountant.name else 9, 9) * ledger.total for ledger in alone
    )
    assert whole == pytest.approx(float(RDP(9).epsilon(at_nine / 9, 1e-6)), rel=1e-9)
    assert 3 < whole < 12
