from __future__ import annotations

import pytest

from pasteur.app.sweep import spent
from pasteur.app.sweep.settings import SweepConfig
from pasteur.app.sweep.spaces import Space
from pasteur.app.sweep.tuned import alike, number_of, tuning_of
from pasteur.errors import ConfigError
from pasteur.privacy import Budget, DiscreteGaussian, Ledger, LedgerBook, Release, accountant
from pasteur.privacy.tuning import Number

GDP, ZCDP = accountant("gdp"), accountant("zcdp")


@pytest.fixture
def book(tmp_path):
    return LedgerBook(tmp_path / "book.jsonl")


def add(book, run, *, epsilon=1.0, name="gdp", fitted="wrk", sweep="toy-1", people=None, scored=("dev", "ref")):
    ledger = None
    if epsilon is not None:
        ledger = Ledger(Budget(epsilon=epsilon), name, people=[fitted] if people is None else people)
        ledger.charge(DiscreteGaussian(sigma=900.0, sensitivity=1), "x")
    book.add(
        Release(
            run=run,
            time="2025-01-01T00:00:00Z",
            dataset="adult",
            salt="s",
            view="adult",
            algorithm="mst",
            fitted=(fitted,),
            scored=scored,
            ledger=ledger.to_dict() if ledger else None,
            sweep=sweep,
        )
    )


def together(*epsilons, accountant=GDP):
    return accountant.epsilon(sum(accountant.total(Budget(epsilon=e)) for e in epsilons), 1e-9)


def test_trials_compose_whatever_became_of_them(book):
    for n in range(4):
        add(book, f"r{n}")
    add(book, "another", epsilon=5, sweep="toy-2")
    add(book, "alone", epsilon=5, sweep="")
    (entry,) = spent.of(book, "toy-1")
    assert (entry["split"], entry["trials"], entry["each"]) == ("wrk", 4, [1.0, 1.0])
    assert entry["epsilon"] == pytest.approx(together(1, 1, 1, 1))
    assert (entry["best"], entry["planned"], entry["why_none"]) == (None, None, "")
    (line,) = spent.lines([entry])
    assert line.startswith("wrk of adult: 4 trials; epsilon 1 a trial, 2.0")
    assert spent.of(book, "toy-3") == []


def test_each_fitted_split_has_its_own_people(book):
    add(book, "r1", fitted="ref_fit", epsilon=2)
    add(book, "r2")
    first, second = spent.of(book, "toy-1")
    assert (first["split"], first["epsilon"], second["split"]) == ("ref_fit", 2.0, "wrk")
    assert spent.lines([first])[0].startswith(
        "the fitted half of ref of adult: 1 trials; epsilon 2 a trial, 2 together"
    )


def test_the_best_of_a_drawn_number_costs_less_than_all(book):
    number = Number(mean=10)
    for n in range(8):
        add(book, f"r{n}")
    (entry,) = spent.of(book, "toy-1", number=number)
    assert entry["best"] == number.epsilon("gdp", GDP.total(Budget(epsilon=1)), 1e-9)
    assert 1 < entry["best"] < entry["epsilon"]
    assert "the best alone: epsilon" in spent.lines([entry])[1]
    add(book, "r9", name="zcdp")
    (mixed,) = spent.of(book, "toy-1", number=number)
    assert mixed["best"] == entry["best"]


def test_the_best_is_priced_as_the_dearest_that_might_have_been_drawn(book):
    """Trials of zCDP's accountant may have Gaussian DP's beside them: which have it follows from what was drawn."""
    number = Number(mean=10)
    for n in range(3):
        add(book, f"r{n}", name="zcdp")
    (entry,) = spent.of(book, "toy-1", number=number)
    assert entry["best"] == number.price(Budget(epsilon=1)) == number.epsilon("gdp", GDP.total(Budget(epsilon=1)), 1e-9)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"privacy.epsilon": [0.5, 10.0]}, r"sweep\.space\.privacy\.epsilon \(searched\) must be fixed with"),
        ({"privacy.accountant": ["gdp", "zcdp"]}, r"sweep\.space\.privacy\.accountant \(searched\) must be fixed with"),
        ({"schema": ["detail", "coarse"]}, r"sweep\.space\.schema \(searched\) must be fixed with"),
        ({"algorithm": ["mst", "reference"]}, r"algorithm \(reference\) must be one with a guarantee"),
    ],
)
def test_trials_of_a_drawn_number_all_have_one_budget(space, said):
    """A trial of epsilon 0.5 that might have been one of 10 costs what the best of those costs."""
    found = Space.of(config(space=space, search=False), algorithm="mst", said={})
    with pytest.raises(ConfigError, match=said):
        alike(found)
    alike(Space.of(config(space={"algorithm": ["mst", "aim"], "seed": [1, 2]}, search=False), algorithm="mst", said={}))


def test_budgets_that_were_chosen_along_the_way_are_bounded_by_what_was_fixed(book):
    add(book, "r1", epsilon=0.5)
    add(book, "r2", epsilon=2)
    (entry,) = spent.of(book, "toy-1", most=3.0, trials=5)
    assert entry["epsilon"] == pytest.approx(together(0.5, 2))
    assert entry["planned"] == pytest.approx(together(3, 3, 3, 3, 3), rel=1e-6)
    assert "epsilon 0.5 to 2 a trial" in spent.lines([entry])[0]
    assert "what was fixed beforehand is epsilon" in spent.lines([entry])[1]


@pytest.mark.parametrize(
    ("trial", "why"),
    [
        ({"epsilon": None}, "1 of 2 without a claim for wrk"),
        ({"scored": ("dev", "ref", "wrk")}, "an objective read their rows without noise"),
        ({"people": ()}, "1 of 2 without a claim for wrk"),
    ],
    ids=["no guarantee", "exact", "public"],
)
def test_one_trial_may_end_the_claim_of_all(book, trial, why):
    add(book, "r1")
    add(book, "r2", **trial)
    (entry,) = spent.of(book, "toy-1", number=Number())
    assert (entry["why_none"], entry["best"]) == (why, None)
    assert any(why in line for line in spent.lines([entry]))


def test_a_sweep_that_makes_no_claim_at_all_says_so(book):
    add(book, "r1", epsilon=None)
    (entry,) = spent.of(book, "toy-1")
    assert (entry["each"], entry["epsilon"]) == (None, None)
    assert spent.lines([entry]) == ["wrk of adult: 1 trials, no claim (1 of 1 without a claim for wrk)"]


def test_the_number_of_trials_is_drawn_once(tmp_path):
    number = Number(mean=500)
    first = spent.drawn(tmp_path / "toy-1", number)
    assert all(spent.drawn(tmp_path / "toy-1", number) == first for _ in range(3))
    assert any(spent.drawn(tmp_path / f"toy-{n}", number) != first for n in range(2, 6))


def config(**more):
    return SweepConfig(**{"name": "toy", "objective": ["marginals/tvd2/gap"]} | more)


def test_what_trials_are_told_follows_from_the_objectives():
    told = tuning_of(config(objective=["marginals/tvd2/gap", "epsilon"], data="ref"), "toy-1", sampler="TPESampler")
    assert (told.sweep, told.data, told.ref, told.reads) == ("toy-1", "ref", "budgeted", ("ref", "syn", "target"))
    assert told.randomised is None
    for objective in ("marginals/tvd2/model_gap", "copies/share", "fit/tvd2"):
        with pytest.raises(ConfigError, match=r"sweep\.claim \(ledger\) must be none"):
            tuning_of(config(objective=[objective]), "toy-1", sampler="TPESampler")
        assert tuning_of(config(objective=[objective], claim="none"), "toy-1", sampler="TPESampler").exact


def test_a_random_number_needs_trials_that_are_drawn_alike():
    said = {"distribution": "poisson", "mean": 30.0}
    assert number_of(config(randomised_trials=said), sampler="RandomSampler") == Number(distribution="poisson", mean=30)
    with pytest.raises(ConfigError, match="trials that learn from one another are not drawn alike"):
        number_of(config(randomised_trials=said), sampler="TPESampler")
    with pytest.raises(ConfigError, match=r"sweep\.objective \(a/b, epsilon\) must be one name with"):
        number_of(config(randomised_trials=said, objective=["a/b", "epsilon"]), sampler="RandomSampler")
    with pytest.raises(
        ConfigError, match=r"sweep\.randomised_trials\.meen is not a known setting; did you mean 'mean'"
    ):
        number_of(config(randomised_trials={"meen": 3}), sampler="RandomSampler")


def test_every_family_that_reads_the_fitted_rows_is_known_beforehand():
    """A trial's scores say what they read when it is over; a sweep asks before anything is spent."""
    from importlib import import_module

    from pasteur.app.sweep import objectives
    from pasteur.metrics.families import families

    read = {name for name in families() if "wrk" in getattr(import_module(f"pasteur.metrics.{name}"), "READS", ())}
    assert read == set(objectives.FITTED_FAMILIES)
