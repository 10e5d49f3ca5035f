from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.errors import BudgetError, PrivacyError
from pasteur.privacy import Budget, DiscreteGaussian, DiscreteLaplace, ExponentialChoice, Ledger, no_claim, sentence


def gaussian(sigma):
    return DiscreteGaussian(sigma=sigma, sensitivity=1)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(
    epsilon=st.floats(0.02, 20),
    delta=st.floats(1e-12, 1e-3),
    d=st.integers(1, 8),
    rounds=st.integers(1, 6),
    share=st.floats(0.05, 0.95),
    name=st.sampled_from(["gdp", "zcdp"]),
)
def test_d08_random_budgets_fit_whole_and_never_more(epsilon, delta, d, rounds, share, name):
    budget = Budget(epsilon=epsilon, delta=delta)
    ledger = Ledger(budget, name)
    buys = ledger.accountant
    ledger.charge([gaussian(buys.sigma(share * ledger.total / d, 1)) for _ in range(d)], "one-way")
    each = ledger.remaining / rounds
    for _ in range(rounds):
        ledger.charge(ExponentialChoice(epsilon=buys.choice_epsilon(each / 3), sensitivity=1024), "choice")
        ledger.charge(gaussian(buys.sigma(2 * each / 3, 1)), "pair")
    costs = [buys.cost(event) for event in ledger.events]
    assert sum(map(Fraction, costs)) <= Fraction(float(ledger.total))
    with pytest.raises(BudgetError):
        ledger.charge([gaussian(0.5)] * 4, "more than any of these totals")
    assert len(ledger.events) == len(costs)


@pytest.mark.parametrize("k", [1, 3, 7, 100])
@pytest.mark.parametrize("name", ["gdp", "zcdp"])
def test_d12_a_budget_for_k_steps_runs_k(name, k):
    ledger = Ledger(Budget(epsilon=1), name)
    sigma = ledger.accountant.sigma(ledger.total / k, 1)
    for _ in range(k):
        ledger.charge(gaussian(sigma), "step")
    with pytest.raises(BudgetError, match=r"'step' would bring the total to .* rho; it must be at most"):
        ledger.charge(gaussian(sigma), "step")
    assert len(ledger.events) == k


QUESTIONS = {
    "marginals": lambda private: private.measure([("a",), ("b",)], sigmas=[60.0, 60.0], label="x"),
    "laplace": lambda private: private.measure_laplace([("a",), ("b",)], scales=[90.0, 90.0], label="x"),
    "total": lambda private: private.measure_total(sigma=60.0, label="x"),
    "choice": lambda private: private.choose([("a",), ("b",)], answers=[[1] * 4, [1] * 3], epsilon=0.02, label="x"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_d12_the_charge_stands_before_the_answer(make_private, rows, question):
    asked = []

    class Spy:
        stamps = ()

        def gaussian(self, exact, event):
            asked.append(event in private.ledger.events)
            return exact

        laplace = gaussian

        def choose(self, scores, event):
            return self.gaussian(0, event)

    private = make_private(rows(10), mechanisms=Spy())
    QUESTIONS[question](private)
    assert asked
    assert all(asked)
    private.measure([("c",)], sigmas=[private.sigma(private.ledger.remaining)], label="all the rest")
    before = len(asked)
    with pytest.raises(BudgetError):
        QUESTIONS[question](private)
    assert len(asked) == before


def test_a_batch_is_charged_whole_or_not_at_all():
    ledger = Ledger(Budget(epsilon=1))
    dear = gaussian(ledger.accountant.sigma(0.6 * ledger.total, 1))
    with pytest.raises(BudgetError):
        ledger.charge([dear, dear], "both")
    assert ledger.events == ()
    assert ledger.spent == 0
    ledger.charge(dear, "one")
    assert ledger.remaining == pytest.approx(0.4 * ledger.total, rel=1e-6)


def test_d15_changing_any_event_changes_the_total():
    events = [gaussian(20.0), ExponentialChoice(epsilon=0.05, sensitivity=1), DiscreteLaplace(scale=90, sensitivity=1)]
    for name in ("gdp", "zcdp"):

        def spent(changed, name=name):
            ledger = Ledger(Budget(epsilon=3), name)
            ledger.charge(changed, "all")
            return ledger.spent

        whole = spent(events)
        others = [
            gaussian(21.0),
            ExponentialChoice(epsilon=0.06, sensitivity=1),
            DiscreteLaplace(scale=91, sensitivity=1),
        ]
        for place, other in enumerate(others):
            assert spent([*events[:place], other, *events[place + 1 :]]) != whole
            assert spent([*events[:place], *events[place + 1 :]]) < whole


def test_claim_says_whom_it_covers_and_what_the_other_accountant_thinks():
    ledger = Ledger(Budget(epsilon=1, unit="patient"))
    ledger.charge(gaussian(ledger.accountant.sigma(ledger.total, 1)), "all")
    claim = json.loads(json.dumps(ledger.claim()))
    assert (claim["private"], claim["epsilon"], claim["delta"]) == (True, 1.0, 1e-9)
    assert (claim["relation"], claim["unit"], claim["accountant"]) == ("add_remove", "patient", "gdp")
    assert claim["people"] == ["wrk"]
    assert claim["not_covered"] == ["ref", "val", "dev"]
    assert claim["spent"] == pytest.approx(1, rel=1e-6)
    assert claim["cross_check"] == {"accountant": "zcdp", "epsilon": pytest.approx(1.0524, abs=1e-4), "delta": 1e-9}
    assert sentence(claim) == (
        "(1, 1e-09)-DP for adding or removing one patient of wrk, by the gdp accountant; "
        "people of ref, val, dev are not covered: exact scores may read them"
    )


def test_d24_the_relation_is_part_of_the_claim():
    claim = Ledger(Budget(epsilon=1, relation="replace"), people=("wrk", "ref", "val", "dev")).claim()
    assert claim["relation"] == "replace"
    assert (
        sentence(claim)
        == "(1, 1e-09)-DP for replacing one person of wrk and ref and val and dev, by the gdp accountant"
    )


def test_the_claim_is_the_budget_not_what_was_spent():
    ledger = Ledger(Budget(epsilon=1))
    ledger.charge(gaussian(ledger.accountant.sigma(ledger.total / 10, 1)), "a tenth")
    assert ledger.claim()["epsilon"] == 1
    assert ledger.claim()["spent"] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize("epsilon", [1.0, 0.1, 2.10049, 1.0000001, 1.00000049, 123456.7, 3.3333333333333335])
def test_words_never_claim_less_than_the_numbers(epsilon):
    words = sentence(Ledger(Budget(epsilon=epsilon)).claim())
    told = float(words.split("(")[1].split(",")[0])
    assert epsilon <= told <= epsilon * (1 + 1e-5)


def test_a_claim_stands_where_the_other_accountant_has_no_price():
    """Less noise than gdp can price, bought under zcdp: the run has paid, and its claim must not be lost."""
    ledger = Ledger(Budget(epsilon=100), "zcdp")
    ledger.charge(gaussian(0.3), "little noise")
    assert ledger.claim()["epsilon"] == 100
    assert ledger.claim()["cross_check"] == {"accountant": "gdp", "epsilon": None, "delta": 1e-9}


def test_a_stamp_voids_the_claim_and_stays():
    ledger = Ledger(Budget(epsilon=1))
    ledger.stamp("floating-point noise")
    assert ledger.claim()["private"]
    ledger.stamp("NOT PRIVATE: noise from debug_seed 1")
    ledger.stamp("NOT PRIVATE: noise from debug_seed 1")
    assert ledger.claim()["epsilon"] is None
    assert not ledger.private
    assert Ledger.from_json(ledger.to_json()).stamps == ledger.stamps
    assert len(ledger.claim()["stamps"]) == 2
    assert sentence(ledger.claim()).startswith("no DP guarantee [floating-point noise] [NOT PRIVATE")
    assert set(no_claim(["NOT PRIVATE: reference"])) == set(ledger.claim())


def test_text_and_json(make_private, rows):
    private = make_private(rows(50))
    sigma = private.sigma(private.ledger.total / 3)
    private.measure([("a",), ("a", "b")], sigmas=[sigma, sigma], label="marginal")
    private.choose(
        [("a",)], answers=[[1, 2, 3, 4]], epsilon=private.choice_epsilon(private.ledger.remaining), label="edge"
    )
    ledger = private.ledger
    text = ledger.table()
    assert "marginal: a x b" in text
    assert "edge: 1 of 1" in text
    assert "spent 100.00% of the budget (gdp)" in text
    again = Ledger.from_json(ledger.to_json())
    assert (again.entries, again.budget, again.spent) == (ledger.entries, ledger.budget, ledger.spent)
    raw = ledger.to_dict()
    raw["events"] *= 2
    with pytest.raises(BudgetError):
        Ledger.from_dict(raw)
    with pytest.raises(
        PrivacyError, match=r"event 'discrete_gausian' is not known; did you mean 'discrete_gaussian'\?"
    ):
        Ledger.from_dict(raw | {"events": [{"label": "x", "event": "discrete_gausian"}]})
    with pytest.raises(PrivacyError, match="not one that Pasteur wrote"):
        Ledger.from_dict({})


def test_the_table_tells_each_event_where_asked():
    ledger = Ledger(Budget(epsilon=1))
    each = gaussian(ledger.accountant.sigma(ledger.total / 4, 1))
    ledger.charge([each] * 3, "step")
    ledger.charge(each, "last")
    folded, told = ledger.table().splitlines(), ledger.table(every=True).splitlines()
    assert len(folded) == 1 + 1 + 2 + 1
    assert "step (3 times)" in folded[2]
    assert "75.00%" in folded[2]
    assert len(told) == 1 + 1 + 4 + 1
    assert [line.split("(")[1] for line in told[2:-1]] == [f"{share}.00% by then)" for share in (25, 50, 75, 100)]
    assert [line.split("(")[0].split()[-1] for line in told[2:-1]] == ["step"] * 3 + ["last"]


def test_labels_and_events_must_match():
    ledger = Ledger(Budget(epsilon=1))
    for what, label in (([], "none"), ([gaussian(50)], ["a", "b"])):
        with pytest.raises(PrivacyError, match=r"number of labels"):
            ledger.charge(what, label)


def test_where_there_are_no_splits_none_is_named():
    claim = Ledger(Budget(epsilon=1), people=("the table",)).claim()
    assert (claim["private"], claim["people"], claim["not_covered"]) == (True, ["the table"], [])
    assert sentence(claim) == "(1, 1e-09)-DP for adding or removing one person of the table, by the gdp accountant"


def test_a_claim_on_half_a_split_says_so():
    ledger = Ledger(Budget(epsilon=1), people=["ref_fit"])
    ledger.charge(DiscreteGaussian(sigma=900.0, sensitivity=1), "x")
    claim = ledger.claim()
    assert claim["not_covered"] == ["wrk", "ref_held", "val", "dev"]
    assert "of the fitted half of ref, by" in sentence(claim)
    assert "people of wrk, the other half of ref, val, dev are not covered" in sentence(claim)
    assert sentence(claim | {"tuning": "chosen in 3 trials"}).endswith("; chosen in 3 trials")
