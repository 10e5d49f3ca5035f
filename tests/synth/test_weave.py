from __future__ import annotations

from contextlib import suppress
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.errors import BudgetError, ConfigError
from pasteur.marginals import Domain, count
from pasteur.privacy import Budget, DiscreteGaussian, ExponentialChoice, Ledger, PrivateTable
from pasteur.synth import weave
from pasteur.synth._weave_plan import Plan, faintness, one_way_shares
from pasteur.synth.model import Model
from pasteur.table import Table

SIZES = {"a": 30, "b": 8, "c": 4, "d": 2}


def hidden(rows, sizes=None, seed=0):
    """Columns that all depend on one hidden number."""
    rng = np.random.default_rng(seed)
    sizes = SIZES if sizes is None else sizes
    base = rng.random(rows)
    return {
        name: np.clip((base + rng.normal(0, 0.15, rows)) * size, 0, size - 1).astype(np.uint16)
        for name, size in sizes.items()
    }


def fitted(codes, sizes=None, epsilon=1.0, **settings):
    domain = Domain.of(SIZES if sizes is None else sizes, ordinal=settings.pop("ordinal", ()))
    budget = Budget(epsilon=epsilon, delta=settings.pop("delta", 1e-9))
    chosen = weave.Settings(preset=settings.pop("preset", "fast"), **settings)
    ledger = Ledger(budget, weave.accountant(budget, chosen))
    return weave.fit(PrivateTable(Table.of(pa.table(codes)), domain, ledger, salt="s"), chosen)


def columns(model, rows, seed=0):
    table = model.sample(rows, rng=np.random.default_rng(seed)).arrow()
    return {name: table.column(name).to_numpy() for name in table.column_names}


def error(codes, drawn, domain):
    pairs = list(combinations(domain.attributes, 2))
    rows = len(codes["a"])
    both = zip(count([codes], domain, pairs), count([drawn], domain, pairs), strict=True)
    return float(np.mean([np.abs(one - other).sum() / 2 / rows for one, other in both]))


@pytest.fixture(scope="module")
def plenty():
    codes = hidden(20_000)
    return codes, fitted(codes, epsilon=10.0, ordinal=["a"])


def test_with_plenty_of_budget_pairs_come_near(plenty):
    codes, model = plenty
    assert error(codes, columns(model, 20_000), Domain.of(SIZES)) < 0.04


def test_rows_are_fitted_to_pairs_and_fitting_can_be_left_out(plenty):
    codes, model = plenty
    plain = Model(**{**vars_of(model), "refinement": None})
    domain = Domain.of(SIZES)
    assert error(codes, columns(model, 20_000), domain) < error(codes, columns(plain, 20_000), domain)


def vars_of(model):
    return {name: getattr(model, name) for name in model.__dataclass_fields__}


def test_a_saved_model_gives_the_same_rows(plenty, tmp_path):
    _, model = plenty
    model.save(tmp_path / "model.npz")
    again = Model.load(tmp_path / "model.npz")
    assert again.refinement == model.refinement
    assert (
        model.sample(3000, rng=np.random.default_rng(1))
        .arrow()
        .equals(again.sample(3000, rng=np.random.default_rng(1)).arrow())
    )


def test_rows_do_not_depend_on_the_batches_they_are_read_in(plenty):
    table = plenty[1].sample(3000, rng=np.random.default_rng(1))
    small = pa.Table.from_batches(table.batches(rows=700))
    assert small.combine_chunks().equals(table.arrow().combine_chunks())


def test_the_whole_budget_is_spent_on_known_questions(plenty):
    ledger = plenty[1].ledger
    assert ledger.spent <= ledger.total
    assert ledger.remaining < 1e-3 * ledger.total
    assert {type(entry.event) for entry in ledger.entries} == {DiscreteGaussian, ExponentialChoice}


def test_no_level_comes_out(plenty):
    _, model = plenty
    assert model.levels.maps
    assert list(columns(model, 10)) == list(SIZES)


@pytest.mark.parametrize(
    "sizes",
    [{"a": 7}, {"a": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 5}, {"a": 5000, "b": 4000, "c": 2}],
    ids=["one", "one of one value", "all of one value", "one beside it", "huge"],
)
@pytest.mark.parametrize("rows", [0, 300])
def test_odd_tables_are_fitted(sizes, rows):
    model = fitted(hidden(rows, sizes), sizes)
    drawn = columns(model, 100)
    assert {name: int(column.max()) < sizes[name] for name, column in drawn.items()} == dict.fromkeys(sizes, True)


@pytest.mark.slow
def test_three_hundred_attributes_are_fitted():
    sizes = {f"x{place}": 2 for place in range(300)}
    model = fitted(hidden(200, sizes), sizes, rounds_per_attribute=0.02, iterations=2, last_iterations=2, passes=1)
    assert {"preset": "fast", "passes": 1}.items() <= model.settings.items()
    assert len(columns(model, 20)) == 300


def test_a_tiny_budget_is_refused_or_gives_noise_only():
    with suppress(BudgetError):
        assert len(columns(fitted(hidden(100), epsilon=1e-8), 50)["a"]) == 50
    assert len(columns(fitted(hidden(100), epsilon=1e-3), 50)["a"]) == 50


def test_settings_go_before_preset_and_plan():
    assert weave.Settings(preset="fast", passes=11).worked("passes") == 11
    assert weave.Settings(preset="fast").worked("cells") < weave.Settings(preset="best").worked("cells")
    chosen = weave.Settings(one_way_share=0.3, outside_share=0.2, outside_pairs=7, rounds_per_attribute=2.0)
    plan = Plan.of(Domain.of(SIZES), sigma=5.0, rows=1000.0, settings=chosen)
    assert (plan.one_way_share, plan.outside_share, plan.outside_pairs, plan.rounds) == (0.3, 0.2, 7, 8)


def test_the_plan_is_a_smooth_and_steady_function_of_the_noise():
    domain = Domain.of(SIZES)
    plans = [Plan.of(domain, sigma=1.0, rows=rows, settings=weave.Settings()) for rows in np.geomspace(10, 1e8, 200)]
    ones, outside = ([getattr(plan, name) for plan in plans] for name in ("one_way_share", "outside_share"))
    assert sorted(ones, reverse=True) == ones
    assert sorted(outside) == outside
    assert np.abs(np.diff(np.log(ones))).max() < 0.1
    assert all(one + other < 1 for one, other in zip(ones, outside, strict=True))
    assert sum(one_way_shares(domain)) == pytest.approx(1.0)
    assert faintness(domain, 2.0, 100.0) == pytest.approx(2 * faintness(domain, 2.0, 200.0))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"preset": "slow"}, r"preset \(slow\) must be one of fast, best"),
        ({"one_way_share": 0.0}, r"one_way_share \(0.0\) must be inside \(0, 1\)"),
        ({"one_way_share": 0.6, "outside_share": 0.5}, "under 1"),
        ({"outside_pairs": -1}, r"outside_pairs \(-1\) must be 0 or more"),
        ({"cells": 0}, r"cells \(0\) must be 1 or more"),
        ({"rounds_per_attribute": float("nan")}, "finite and above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, text):
    with pytest.raises(ConfigError, match=text):
        weave.Settings(**settings)


def test_an_unknown_ordered_attribute_is_named_with_its_near_miss():
    with pytest.raises(ConfigError, match="ordered \\(aa\\) must be an attribute of the table"):
        fitted(hidden(50), ordered=("aa",))
