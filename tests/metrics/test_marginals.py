from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.metrics import marginals
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.families import stream
from pasteur.table import Table

cells = st.lists(st.integers(0, 5), min_size=1, max_size=30).map(lambda x: np.array(x, dtype=np.int64))


def found(target, candidate, schema, **settings):
    config = MetricsConfig(families=["marginals"], **settings)
    raws = measure(target, {"syn": candidate}, schema=schema, settings=config, seed=0, rows={}).raws["syn"]
    return {raw.metric: raw for raw in raws}


def test_tvd_by_hand():
    # Worked by hand: shares 1/2, 1/4, 1/4 against 1/4, 1/4, 1/2: half of |1/4| + |1/4|.
    assert marginals.tvd(np.array([0, 0, 1, 2]), np.array([0, 1, 2, 2]), 3) == 0.25


@given(cells, cells)
def test_tvd_is_half_the_l1_distance_of_the_shares(a, b):
    shares = [[np.mean(x == c) for c in range(6)] for x in (a, b)]
    assert marginals.tvd(a, b, 6) == pytest.approx(0.5 * sum(abs(p - q) for p, q in zip(*shares, strict=True)))
    assert marginals.tvd(a, b, 6) == marginals.tvd(b, a, 6)
    assert marginals.tvd(a, a, 6) == 0


def test_tvd_of_empty_samples():
    empty = np.array([], dtype=np.int64)
    assert marginals.tvd(empty, empty, 3) == 0
    assert marginals.tvd(empty, np.array([1]), 3) == 1


@given(cells, cells)
def test_a_marginal_with_many_cells_scores_the_same_by_its_used_cells(a, b):
    huge = 10**15
    left, right, used = marginals._compact(a * 10**14, b * 10**14, huge)
    assert used <= 12
    assert marginals.tvd(left, right, used) == pytest.approx(marginals.tvd(a, b, 6))


@given(st.integers(1, 9), st.integers(1, 4))
def test_ranks_of_combinations_are_lexicographic(n, width):
    listed = list(itertools.combinations(range(n), width))
    assert [tuple(marginals._unrank(rank, n, width)) for rank in range(comb(n, width))] == listed


def test_triples_are_drawn_with_the_seed_and_never_listed():
    names = tuple(f"c{i}" for i in range(2000))  # 1.3 billion triples
    drawn = marginals.cliques(names, 3, 50, stream(0, "tvd3/core"))
    assert len(set(drawn)) == 50
    assert drawn == marginals.cliques(names, 3, 50, stream(0, "tvd3/core"))
    assert drawn != marginals.cliques(names, 3, 50, stream(1, "tvd3/core"))
    assert len(marginals.cliques(names[:4], 3, 50, stream(0, "x"))) == 4


@pytest.mark.parametrize("size", [7, 5000])  # 5000 cells of 500 rows: numbered anew for each candidate
def test_the_jackknife_leaves_a_group_out_on_both_sides(size):
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(0, size, rows) for rows in (200, 300, 250))
    g, h, i = (rng.integers(0, 10, rows).astype(np.uint8) for rows in (200, 300, 250))
    sides = {"ref": ({"x": b}, h), "base": ({"x": c}, i), "syn": ({"x": c}, None)}
    said = marginals.over_cliques(({"x": a}, g), sides, [("x",)], {"x": size}, {})
    for name, values, groups in (("ref", b, h), ("base", c, i)):
        expected = [marginals.tvd(a[g != k], values[groups != k], size) for k in range(10)]
        assert said[name][1] == pytest.approx(expected)
    assert said["syn"][1] is None


def test_every_way_and_the_same_data_scores_0(flat, people):
    target = people(300, 1)
    scores = found(target, target, flat)
    assert {m: r.value for m, r in scores.items()} == {
        "marginals/tvd1": 0, "marginals/tvd2": 0, "marginals/tvd3": 0, "marginals/wasserstein": 0
    }  # fmt: skip
    assert [len(scores[f"marginals/tvd{k}"].parts) for k in (1, 2, 3)] == [4, 6, 4]
    assert set(scores["marginals/wasserstein"].parts) == {"age", "height"}
    assert [scores[f"marginals/tvd{k}"].dependence for k in (1, 2, 3)] == [False, True, True]


def test_bins_are_the_schemas(flat, people):
    target = people(300, 1)
    frame = target["core"].frame()
    # Heights have bins of 1.25: a change inside the first bin is none.
    frame.loc[frame["height"] < 1.2, "height"] = 0.6
    scores = found(target, {"core": Table.of(frame)}, flat)
    assert scores["marginals/tvd1"].parts["height"] == 0
    assert scores["marginals/wasserstein"].parts["height"] > 0


def test_nulls_are_a_level(flat, people):
    target = people(300, 1)
    held = target["core"].arrow()
    blank = held.set_column(1, "city", pa.nulls(300, pa.string()))
    known = held["city"].null_count / 300
    assert found(target, {"core": Table.of(blank)}, flat)["marginals/tvd1"].parts["city"] == pytest.approx(1 - known)


def test_several_components_have_a_score_each_and_their_mean(nested, ward):
    scores = found(ward(100, 1), ward(100, 2), nested)
    one, two = scores["marginals/tvd2/stays"], scores["marginals/tvd2/events"]
    assert scores["marginals/tvd2"].value == pytest.approx((one.value + two.value) / 2)
    assert scores["marginals/tvd2"].parts == {"stays": one.value, "events": two.value}
    assert scores["marginals/tvd2"].dependence
    assert not one.dependence


def test_an_empty_candidate_is_as_far_as_can_be(flat, people):
    scores = found(people(100, 1), people(0, 1), flat)
    assert {m: r.value for m, r in scores.items()} == dict.fromkeys(scores, 1.0)


def test_triples_by_depth(flat, people):
    assert "marginals/tvd3" not in found(people(50, 1), people(50, 2), flat, triples=0)
    assert len(found(people(50, 1), people(50, 2), flat, triples=2)["marginals/tvd3"].parts) == 2
