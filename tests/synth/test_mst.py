from __future__ import annotations

import numpy as np
import pytest

from pasteur import privacy
from pasteur.errors import ConfigError
from pasteur.marginals import Domain, count
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.synth import independent, mst
from pasteur.table import Table

DOMAIN = Domain.of({"a": 4, "b": 4, "c": 6, "d": 3, "e": 2})
EDGES = {("a", "b"), ("a", "c"), ("b", "d"), ("d", "e")}


def chained(rows, seed=0):
    """A tree of strong dependences: c - a - b - d - e."""
    rng = np.random.default_rng(seed)

    def follows(parent, size, share):
        return np.where(rng.random(rows) < share, parent % size, rng.integers(0, size, rows))

    a = rng.integers(0, 4, rows)
    b, c = follows(a, 4, 0.8), follows(a, 6, 0.7)
    d = follows(b, 3, 0.8)
    return {"a": a, "b": b, "c": c, "d": d, "e": follows(d, 2, 0.8)}


def private_of(codes, epsilon, accountant="zcdp", domain=DOMAIN, **more):
    import pyarrow as pa

    table = Table.of(pa.table({name: pa.array(column.astype(np.uint8)) for name, column in codes.items()}))
    return PrivateTable(table, domain, Ledger(Budget(epsilon=epsilon), accountant), salt="s", **more)


def variation(codes, drawn, pair):
    tables = [count([each], DOMAIN, [pair])[0] for each in (codes, drawn)]
    return np.abs(tables[0] / tables[0].sum() - tables[1] / tables[1].sum()).sum() / 2


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
