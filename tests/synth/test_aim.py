"""`aim`, `aim_gdp` and `mwem`: rounds that each measure what the model so far answers badly."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from coded import DOMAIN, EDGES, chained, drawn, fitted, private_of, shares, variation

from pasteur import synth
from pasteur.errors import ConfigError
from pasteur.marginals import Domain
from pasteur.privacy import Budget, DiscreteGaussian
from pasteur.synth import aim, aim_gdp, mwem

ROUNDS = ["aim", "aim_gdp", "mwem"]
CODES = chained(20_000)


@pytest.mark.parametrize("name", ROUNDS)
def test_it_learns_the_pairs_that_depend(name):
    model = fitted(name, CODES, 3.0)
    assert {each.clique for each in model.measurements} >= EDGES
    rows = drawn(model, 20_000)
    for pair in combinations("abcde", 2):
        assert variation(CODES, rows, pair) < 0.04, pair


@pytest.mark.parametrize("name", ROUNDS)
def test_it_beats_independent_columns(name):
    codes = chained(4000)
    far = {}
    for each in (name, "independent"):
        rows = drawn(fitted(each, codes, 1.0), 4000)
        far[each] = np.mean([variation(codes, rows, pair) for pair in EDGES])
    assert far[name] < far["independent"] / 2


@pytest.mark.parametrize("name", ROUNDS)
def test_a_target_is_what_is_learnt(name):
    model = fitted(name, CODES, 3.0, target="c")
    several = {each.clique for each in model.measurements if len(each.clique) > 1}
    assert several
    assert all("c" in clique for clique in several)


@pytest.mark.parametrize("name", ["aim", "mwem"])
def test_three_ways_are_measured_where_three_depend(name):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, 5000), rng.integers(0, 2, 5000)
    codes = {"a": a, "b": b, "c": a ^ b}
    domain = Domain.of(dict.fromkeys(codes, 2))
    rows = drawn(fitted(name, codes, 2.0, domain, ways=3), 5000)
    assert variation(codes, rows, ("a", "b", "c"), domain) < 0.05
    rows = drawn(fitted(name, codes, 2.0, domain), 5000)
    assert variation(codes, rows, ("a", "b", "c"), domain) > 0.4, "pairs alone do not show it"


def test_listed_cliques_and_their_weights_steer_the_rounds():
    model = fitted("aim", CODES, 0.3, cliques=[("a", "b"), ("d", "e")], weights=[1000.0, 1.0])
    asked = [each.clique for each in model.measurements[5:]]
    assert set(asked) <= {("a", "b"), ("d", "e"), ("a",), ("b",), ("d",), ("e",)}
    assert asked[0] in {("a", "b"), ("a",), ("b",)}


@pytest.mark.parametrize("name", ROUNDS)
def test_a_name_that_the_table_lacks_is_refused_before_anything_is_asked(name):
    module = synth.find(name)
    private = private_of(CODES, 1.0)
    with pytest.raises(ConfigError, match=r"target \(f\) must be an attribute of the table"):
        module.fit(private, module.Settings(target="f"))
    assert private.ledger.spent == 0


@pytest.mark.parametrize("name", ROUNDS)
def test_the_model_stays_under_its_size(name):
    domain = Domain.of({f"x{i}": 12 for i in range(6)})
    shared = np.random.default_rng(0).integers(0, 12, 4000)
    codes = dict.fromkeys(domain.attributes, shared)
    cells = {
        size: fitted(name, codes, 5.0, domain, max_size=size).graphical.calibrated.tree.cells for size in (0.003, 0.05)
    }
    assert cells[0.003] <= 0.003 * 2**17
    assert cells[0.003] < cells[0.05] <= 0.05 * 2**17


@pytest.mark.parametrize("name", ROUNDS)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_asked(name):
    module = synth.find(name)
    domain = Domain.of({"a": 2, "b": 60_000})
    private = private_of({"a": [0], "b": [7]}, 1.0, domain=domain)
    with pytest.raises(ConfigError, match=r"max_size \(0.1 MB\) must be 1 MB or more.*'b' has 60,000 codes"):
        module.fit(private, module.Settings(max_size=0.1))
    assert private.ledger.spent == 0


def test_aim_s_one_ways_take_their_part_and_choices_a_tenth():
    steps = shares(fitted("aim", CODES, 1.0).ledger)
    assert steps["one-way marginal"] == pytest.approx(0.9 / 16, rel=1e-3)
    assert steps["clique"] == pytest.approx((1 - 0.9 / 16) * 0.1, rel=1e-2)
    assert sum(steps.values()) == pytest.approx(1, rel=1e-3)


def test_aim_s_precision_only_ever_doubles():
    measured = fitted("aim", CODES, 1.0).measurements[5:]
    sigmas = np.array([each.sigma for each in measured])
    factors = sigmas[:-1] / sigmas[1:]
    assert (factors[:-1] > 0.999).all()
    assert {round(float(factor)) for factor in factors[:-1]} <= {1, 2}
    assert len(measured) < 16 * 5, "annealing makes rounds fewer"


def test_aim_gdp_is_gaussian_throughout_and_looks_at_few_errors():
    model = fitted("aim_gdp", CODES, 1.0, errors=4)
    events = [(entry.label.split(":")[0], entry.event) for entry in model.ledger.entries]
    assert all(isinstance(event, DiscreteGaussian) for _, event in events)
    errors = [entry.label for entry in model.ledger.entries if entry.label.startswith("candidates")]
    assert errors
    assert all(label.endswith("errors of 4") for label in errors)
    assert aim_gdp.accountant(Budget(epsilon=1.0), aim_gdp.Settings()) == "gdp"


def test_errors_are_averaged_by_their_variances_and_forgotten_as_the_model_moves():
    known = aim_gdp.Errors(2)
    assert list(known.seen) == [False, False]
    known.move([0, 1], [np.zeros(2), np.zeros(2)])
    known.see(np.array([0]), np.array([10.0]), sigma=1.0)
    assert list(known.seen) == [True, False]
    assert known.values[0] == 10.0
    known.see(np.array([0]), np.array([20.0]), sigma=1.0)
    assert known.values[0] == 15.0, "two equally good answers"
    known.move([0], [np.array([1000.0, 0.0])])
    known.see(np.array([0]), np.array([40.0]), sigma=1.0)
    assert known.values[0] == pytest.approx(40.0, abs=0.01), "the old ones are of another model"
    assert known.values[1] == np.inf


def test_mwem_has_as_many_rounds_as_it_was_told_and_counts_the_rows_first():
    model = fitted("mwem", CODES, 1.0, rounds_per_attribute=1.4)
    assert model.measurements[0].clique == ()
    assert len(model.measurements) == 1 + 7
    assert shares(model.ledger)["number of rows"] == pytest.approx(0.02, rel=1e-3)
    public = mwem.fit(private_of(CODES, 1.0, rows_public=True), mwem.Settings())
    assert public.rows == 20_000
    assert () not in {each.clique for each in public.measurements}


def test_most_budgets_are_better_off_under_gaussian_dp():
    for epsilon in (0.1, 1.0, 10.0):
        assert aim.accountant(Budget(epsilon=epsilon), aim.Settings()) == "gdp"
        assert aim.accountant(Budget(epsilon=epsilon), aim.Settings(alpha=0.3)) == "zcdp"


@pytest.mark.parametrize(
    ("name", "wrong", "text"),
    [
        ("aim", {"max_size": 0}, r"max_size \(0\) must be above 0"),
        ("aim", {"alpha": 1.0}, r"alpha \(1.0\) must be inside \(0, 1\)"),
        ("aim", {"alpha": float("nan")}, r"alpha \(nan\) must be inside \(0, 1\)"),
        ("aim", {"rounds_per_attribute": 0}, r"rounds_per_attribute \(0\) must be 1 or more"),
        ("aim", {"iterations": 0}, r"iterations \(0\) must be 1 or more"),
        ("aim", {"ways": 5}, r"ways \(5\) must be 1, 2 or 3"),
        ("aim_gdp", {"errors": 0}, r"errors \(0\) must be 1 or more"),
        ("aim_gdp", {"alpha": 0}, r"alpha \(0\) must be inside \(0, 1\)"),
        ("aim_gdp", {"max_size": -1}, r"max_size \(-1\) must be above 0"),
        ("mwem", {"counting": 0}, r"counting \(0\) must be inside \(0, 1\)"),
        ("mwem", {"rounds_per_attribute": 0}, r"rounds_per_attribute \(0\) must be above 0"),
        ("mwem", {"last_iterations": 0}, r"last_iterations \(0\) must be 1 or more"),
    ],
)
def test_settings_are_checked(name, wrong, text):
    with pytest.raises(ConfigError, match=text):
        synth.find(name).Settings(**wrong)


def test_the_domain_is_what_a_model_is_of():
    assert fitted("aim", CODES, 1.0).domain == DOMAIN
