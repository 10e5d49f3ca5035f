from __future__ import annotations

import numpy as np
import pytest
from coded import DOMAIN, EDGES, chained, fitted, private_of, shares, variation

from pasteur import privacy
from pasteur.errors import ConfigError
from pasteur.marginals import Domain
from pasteur.privacy import Budget
from pasteur.synth import independent, mst


def test_it_finds_the_tree_and_learns_its_pairs():
    codes = chained(20_000)
    model = mst.fit(private_of(codes, 5.0), mst.Settings())
    assert {each.clique for each in model.measurements if len(each.clique) == 2} == EDGES
    frame = model.sample(None, rng=np.random.default_rng(0)).frame()
    drawn = {name: frame[name].to_numpy() for name in DOMAIN.attributes}
    for pair in [*EDGES, ("c", "b"), ("a", "d"), ("c", "e")]:
        assert variation(codes, drawn, pair) < 0.03, pair


def test_it_beats_independent_columns():
    codes = chained(5000)
    distances = []
    for algorithm in (mst, independent):
        frame = algorithm.fit(private_of(codes, 1.0), algorithm.Settings()).sample(5000, rng=np.random.default_rng(0))
        drawn = {name: frame.frame()[name].to_numpy() for name in DOMAIN.attributes}
        distances.append(np.mean([variation(codes, drawn, pair) for pair in EDGES]))
    assert distances[0] < distances[1] / 3


def test_thirds_of_the_budget_go_to_each_step():
    ledger = mst.fit(private_of(chained(500), 1.0), mst.Settings()).ledger
    shares = {}
    for entry in ledger.entries:
        step = entry.label.split(":")[0]
        shares[step] = shares.get(step, 0) + ledger.accountant.cost(entry.event) / ledger.total
    assert set(shares) == {"one-way marginal", "edge of the tree", "edge"}
    assert all(share == pytest.approx(1 / 3, rel=1e-4) for share in shares.values())


def test_parts_weigh_the_steps():
    settings = mst.Settings(one_way=4, choices=1, edges=5)
    ledger = mst.fit(private_of(chained(500), 1.0), settings).ledger
    ones = sum(ledger.accountant.cost(entry.event) for entry in ledger.entries if "one-way" in entry.label)
    assert ones / ledger.total == pytest.approx(0.4, rel=1e-4)


def test_rare_codes_are_merged_and_come_back():
    rng = np.random.default_rng(0)
    domain = Domain.of({"x": 50, "y": 2})
    codes = {"x": np.where(rng.random(5000) < 0.9, 0, rng.integers(0, 50, 5000)), "y": rng.integers(0, 2, 5000)}
    model = mst.fit(private_of(codes, 1.0, domain=domain), mst.Settings())
    assert model.merging.merged.size(("x",)) < 10
    assert model.sample(5000, rng=rng).frame()["x"].nunique() > 15


def test_a_public_number_of_rows_is_used():
    model = mst.fit(private_of(chained(777), 0.5, rows_public=True), mst.Settings())
    assert model.rows == 777
    assert independent.fit(private_of(chained(777), 0.5, rows_public=True), independent.Settings()).rows == 777


@pytest.mark.parametrize("algorithm", [mst, independent])
def test_a_public_number_of_no_rows_still_gives_a_model(algorithm):
    model = algorithm.fit(private_of(chained(0), 0.5, rows_public=True), algorithm.Settings())
    assert model.sample(10, rng=np.random.default_rng(0)).frame().shape == (10, 5)


def test_thirds_are_better_off_under_zcdp_and_few_choices_under_gaussian_dp():
    for epsilon in (0.1, 1.0, 10.0):
        assert mst.accountant(Budget(epsilon=epsilon), mst.Settings()) == "zcdp"
        assert mst.accountant(Budget(epsilon=epsilon), mst.Settings(choices=0.1)) == "gdp"
        assert independent.accountant(Budget(epsilon=epsilon), independent.Settings()) == "gdp"


def test_gaussian_dp_buys_independent_more():
    totals = {name: privacy.accountant(name).total(Budget(epsilon=1.0)) for name in ("gdp", "zcdp")}
    assert totals["gdp"] > 1.05 * totals["zcdp"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"one_way": 0}, r"one_way \(0\) must be finite and above 0"),
        ({"edges": float("inf")}, r"edges \(inf\) must be finite and above 0"),
        ({"choices": float("nan")}, r"choices \(nan\) must be finite and above 0"),
        ({"merge_below": -1}, r"merge_below \(-1\) must be 0 or more"),
        ({"iterations": 0}, r"iterations \(0\) must be 1 or more"),
    ],
)
def test_settings_are_checked(wrong, text):
    with pytest.raises(ConfigError, match=text):
        mst.Settings(**wrong)


def test_pairs_that_do_not_fit_are_never_joined():
    rng = np.random.default_rng(0)
    domain = Domain.of({"a": 2, "b": 2, "wide": 3000, "wider": 5000})
    codes = {name: rng.integers(0, size, 500) for name, size in domain.as_dict().items()}
    model = fitted("mst", codes, 1.0, domain, max_size=0.1)
    assert {frozenset(each.clique) for each in model.measurements[4:]} < {
        frozenset(pair) for pair in [("a", "b"), ("a", "wide"), ("b", "wide"), ("a", "wider"), ("b", "wider")]
    }
    apart = fitted("mst", codes, 1.0, domain, max_size=0.065)
    edges = [each.clique for each in apart.measurements[4:]]
    assert len(edges) == 2, "the tree falls apart"
    assert not [edge for edge in edges if "wider" in edge]
    for each in (model, apart):
        assert each.ledger.spent > 0.999 * each.ledger.total


def test_too_large_a_table_is_refused_before_anything_is_asked():
    private = private_of({"a": [0], "b": [7]}, 1.0, domain=Domain.of({"a": 2, "b": 60_000}))
    with pytest.raises(ConfigError, match=r"max_size \(0.1 MB\) must be 1 MB or more.*'b' has 60,000 codes"):
        mst.fit(private, mst.Settings(max_size=0.1))
    assert private.ledger.spent == 0


def test_edges_span_without_a_cycle():
    rng = np.random.default_rng(1)
    domain = Domain.of({f"x{i}": 2 for i in range(12)})
    codes = {name: rng.integers(0, 2, 300) for name in domain.attributes}
    model = fitted("mst", codes, 0.1, domain)
    edges = [each.clique for each in model.measurements if len(each.clique) == 2]
    part = {name: name for name in domain.attributes}
    for edge in edges:
        assert part[edge[0]] != part[edge[1]]
        part = mst.joined(part, edge)
    assert len(set(part.values())) == 1
    assert shares(model.ledger)["edge of the tree"] == pytest.approx(1 / 3, rel=1e-3)
