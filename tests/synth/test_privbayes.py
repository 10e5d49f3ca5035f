from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from coded import EDGES, chained, drawn, fitted, private_of, shares, variation
from hypothesis import given
from hypothesis import strategies as st

from pasteur.errors import ConfigError
from pasteur.marginals import Domain
from pasteur.synth import privbayes
from pasteur.synth._parents import chain, finest, hierarchies, parent_sets

ORDERED = Domain.of({"age": 85, "sex": 2, "hours": 99, "job": 15}, ordinal=("age", "hours"))


def test_an_order_is_a_tree_that_halves():
    levels = hierarchies(ORDERED, cells=1e6)
    sizes = [levels.domain.size((name,)) for name in chain(levels, "age")]
    assert sizes == [85, 22, 11, 6, 3, 2]
    assert chain(levels, "job") == ("job",), "codes without an order have no neighbours"
    for name in chain(levels, "hours"):
        codes = levels.codes(name)
        assert (np.diff(codes) >= 0).all()
        counts = np.bincount(codes)
        assert set(counts[:-1]) == {counts[0]}, "merged evenly, but for the last"
        assert counts[-1] <= counts[0]


def test_wide_tables_and_huge_attributes_have_fewer_heights():
    wide = Domain.of({f"x{i}": 40 for i in range(140)}, ordinal=[f"x{i}" for i in range(5)])
    assert len(hierarchies(wide, cells=1e9).maps) == 2 * 5
    wider = Domain.of({f"x{i}": 40 for i in range(300)}, ordinal=[f"x{i}" for i in range(300)])
    assert not hierarchies(wider, cells=1e9).maps
    huge = Domain.of({"a": 100_000, "b": 50}, ordinal=("a", "b"))
    assert {name.split(" ")[0] for name in hierarchies(huge, cells=1e5).maps} == {"b"}


def test_a_height_is_named_unlike_any_attribute():
    domain = Domain.of({"a": 4, "a in 2": 2}, ordinal=("a",))
    assert list(hierarchies(domain, cells=1e6).maps) == ["a in 2'"]


shapes = st.lists(st.sampled_from([(16, 8, 4, 2), (5,), (9, 5, 3, 2), (3, 2)]), min_size=1, max_size=3).map(tuple)


@given(shapes, st.floats(1, 400))
def test_heights_are_maximal_and_none_is_missing(sizes, cells):
    def size(heights):
        return math.prod(each[height] for each, height in zip(sizes, heights, strict=True))

    every = [h for h in product(*(range(len(each)) for each in sizes)) if size(h) <= cells]
    found = finest(sizes, cells)
    for heights in every:
        finer = any(all(x <= y for x, y in zip(h, heights, strict=True)) for h in found)
        assert finer, "each that fits is as coarse as one found, or coarser"
    for one, other in combinations(found, 2):
        assert not all(x <= y for x, y in zip(one, other, strict=True))


def test_parents_fill_the_room_there_is():
    levels = hierarchies(ORDERED, cells=1e6)
    assert parent_sets(levels, ["age"], cells=1, parents=3) == []
    assert parent_sets(levels, ["age"], cells=12, parents=3) == [("age in 11",)]
    assert parent_sets(levels, ["age"], cells=100, parents=3) == [("age",)]
    found = parent_sets(levels, ["age", "sex", "job"], cells=60, parents=2)
    assert set(found) == {("age in 22", "sex"), ("age in 3", "job"), ("sex", "job")}
    assert parent_sets(levels, ["age", "sex", "job"], cells=60, parents=1) == [("age in 22",), ("sex",), ("job",)]


def test_it_learns_a_chain():
    codes = chained(20_000)
    model = fitted("privbayes", codes, 3.0)
    rows = drawn(model, 20_000)
    for pair in [*EDGES, ("a", "d"), ("c", "e")]:
        assert variation(codes, rows, pair) < 0.04, pair


def test_parents_at_coarser_heights_are_learnt_from():
    rng = np.random.default_rng(0)
    domain = Domain.of({"x": 64, "y": 64}, ordinal=("x", "y"))
    x = rng.integers(0, 64, 3000)
    codes = {"x": x, "y": np.clip(x + rng.integers(-3, 4, 3000), 0, 63)}
    far = {}
    for name, each in (("heights", domain), ("none", Domain.of(domain.as_dict()))):
        model = fitted("privbayes", codes, 3.0, each)
        rows = drawn(model, 3000)
        far[name] = np.abs(rows["x"].astype(float) - rows["y"]).mean()
        assert set(rows) == {"x", "y"}, "heights are no columns"
    assert far["heights"] < 10 < far["none"]


def test_a_joint_has_theta_times_the_noise_in_a_cell():
    codes = chained(3000)
    for theta in (1.0, 4.0, 30.0):
        model = fitted("privbayes", codes, 1.0, theta=theta)
        joints = [each for each in model.measurements if len(each.clique) > 1]
        for each in joints:
            assert each.values.size <= 3000 * 1.05 / (theta * math.sqrt(2 / math.pi) * each.sigma)
    assert not [each for each in fitted("privbayes", codes, 1.0, theta=1e6).measurements if len(each.clique) > 1]


def test_each_attribute_is_a_child_once_and_its_parents_came_before():
    model = fitted("privbayes", chained(20_000), 3.0)
    inside = ["c"]  # the largest
    for each in model.measurements[5:]:
        *parents, child = each.clique
        assert child not in inside
        assert set(parents) <= set(inside)
        inside.append(child)
    assert set(inside) == set("abcde")


def test_the_budget_goes_where_the_parts_say():
    steps = shares(fitted("privbayes", chained(20_000), 3.0, one_way=1, choices=2, joints=5).ledger)
    assert steps["one-way marginal"] == pytest.approx(1 / 8, rel=1e-3)
    assert steps["child and parents"] == pytest.approx(2 / 8, rel=1e-3)
    assert steps["joint"] == pytest.approx(5 / 8, rel=1e-3)


def test_what_no_parents_are_useful_for_is_measured_again():
    model = fitted("privbayes", chained(500), 0.2, theta=1e5)
    assert [each.clique for each in model.measurements] == [(name,) for name in "abcde"] * 2
    assert model.ledger.spent > 0.999 * model.ledger.total


def test_the_network_stays_under_its_size():
    domain = Domain.of({f"x{i}": 6 for i in range(8)})
    shared = np.random.default_rng(0).integers(0, 6, 50_000)
    codes = dict.fromkeys(domain.attributes, shared)
    for size in (0.005, 0.05):
        model = fitted("privbayes", codes, 5.0, domain, max_size=size)
        assert model.graphical.calibrated.tree.cells <= size * 2**17
        joints = [each.clique for each in model.measurements if len(each.clique) > 1]
        assert len(joints) == 7, "where many parents do not fit, fewer do"


def test_too_large_a_table_is_refused_before_anything_is_asked():
    private = private_of({"a": [0], "b": [7]}, 1.0, domain=Domain.of({"a": 2, "b": 60_000}))
    with pytest.raises(ConfigError, match=r"max_size \(0.1 MB\) must be 1 MB or more.*'b' has 60,000 codes"):
        privbayes.fit(private, privbayes.Settings(max_size=0.1))
    assert private.ledger.spent == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"theta": 0}, r"theta \(0\) must be finite and above 0"),
        ({"joints": float("inf")}, r"joints \(inf\) must be finite and above 0"),
        ({"choices": float("nan")}, r"choices \(nan\) must be finite and above 0"),
        ({"parents": 0}, r"parents \(0\) must be 1 or more"),
        ({"candidates": 0}, r"candidates \(0\) must be 1 or more"),
        ({"max_size": -1}, r"max_size \(-1\) must be finite and above 0"),
    ],
)
def test_settings_are_checked(wrong, text):
    with pytest.raises(ConfigError, match=text):
        privbayes.Settings(**wrong)
