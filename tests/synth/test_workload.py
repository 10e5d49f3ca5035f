from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.errors import ConfigError
from pasteur.marginals import Domain
from pasteur.synth._workload import Workload, affordable, closure, goals, importance

DOMAIN = Domain.of({"a": 4, "b": 3, "c": 2, "d": 5})


def test_all_cliques_of_a_size():
    assert goals(Workload(), DOMAIN) == dict.fromkeys(combinations("abcd", 2), 1.0)
    assert len(goals(Workload(ways=3), DOMAIN)) == 4
    assert goals(Workload(ways=3), DOMAIN.project("ab")) == {("a", "b"): 1.0}
    assert goals(Workload(), DOMAIN.project("a")) == {("a",): 1.0}


def test_a_target_is_in_every_clique():
    assert list(goals(Workload(target="c"), DOMAIN)) == [("a", "c"), ("b", "c"), ("c", "d")]
    assert all("c" in clique for clique in goals(Workload(ways=3, target="c"), DOMAIN))
    assert len(goals(Workload(ways=3, target="c"), DOMAIN)) == 3


def test_listed_cliques_are_the_workload_in_the_domain_s_order():
    listed = Workload(cliques=(("b", "a"), ("d",), ("a", "b")), weights=(2.0, 1.0, 0.5))
    assert goals(listed, DOMAIN) == {("a", "b"): 2.5, ("d",): 1.0}
    assert goals(Workload(cliques=(("b", "a"),)), DOMAIN) == {("a", "b"): 1.0}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"ways": 4}, r"ways \(4\) must be 1, 2 or 3"),
        ({"ways": 0}, r"ways \(0\) must be 1, 2 or 3"),
        ({"cliques": (("a", "b"),), "weights": (0.0,)}, r"weights \(0.0\) must be finite and above 0"),
        ({"cliques": (("a", "b"),), "weights": (-1.0,)}, r"weights \(-1.0\) must be finite and above 0"),
        ({"cliques": (("a", "b"),), "weights": (float("nan"),)}, r"weights \(nan\) must be finite and above 0"),
        ({"cliques": (("a", "b"),), "weights": (float("inf"),)}, r"weights \(inf\) must be finite and above 0"),
        ({"cliques": (("a", "b"),), "weights": (1.0, 2.0)}, r"number of weights \(2\) must be 1, one a clique"),
        ({"weights": (1.0,)}, r"number of weights \(1\) must be 0, one a clique"),
        ({"cliques": ((),)}, "lists of one or more different attributes"),
        ({"cliques": (("a", "a"),)}, "lists of one or more different attributes"),
        ({"cliques": (("a", "b"),), "target": "a"}, r"target \(a\) must be null where cliques are listed"),
    ],
)
def test_settings_are_checked(wrong, text):
    with pytest.raises(ConfigError, match=text):
        Workload(**wrong)


def test_names_are_checked_against_the_table():
    domain = Domain.of({"age": 4, "income": 2})
    with pytest.raises(ConfigError, match=r"target \(incme\) must be an attribute of the table; did you mean 'income'"):
        goals(Workload(target="incme"), domain)
    with pytest.raises(ConfigError, match=r"cliques \(sex\) must be an attribute of the table; choose from: age, inc"):
        goals(Workload(cliques=(("age", "sex"),)), domain)


def test_too_many_cliques_are_refused_before_they_are_made():
    domain = Domain.of({f"x{i}": 2 for i in range(300)})
    with pytest.raises(ConfigError, match=r"300 attributes, which have 4,455,100 cliques .* a target"):
        goals(Workload(ways=3), domain)
    assert len(goals(Workload(ways=3, target="x7"), domain)) == 299 * 298 // 2


def test_candidates_are_all_subsets_small_ones_first():
    found = closure([("a", "b", "c"), ("c", "d")])
    assert found == [
        *[("a",), ("b",), ("c",), ("d",)],
        *[("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")],
        ("a", "b", "c"),
    ]


cliques = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, unique=True).map(tuple), min_size=1, max_size=6)


@given(cliques, st.data())
def test_importance_is_the_paper_s_sum(listed, data):
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(listed), max_size=len(listed)))
    wanted = goals(Workload(cliques=tuple(listed), weights=tuple(weights)), DOMAIN)
    candidates = closure(wanted)
    plain = np.array([sum(c * len(set(r) & set(s)) for s, c in wanted.items()) for r in candidates])
    np.testing.assert_allclose(importance(candidates, wanted), plain / plain.max())


def test_one_ways_weigh_half_of_pairs():
    wanted = goals(Workload(), DOMAIN)
    candidates = closure(wanted)
    for clique, weight in zip(candidates, importance(candidates, wanted), strict=True):
        assert weight == pytest.approx(len(clique) / 2)


def test_tables_over_the_model_s_size_are_no_candidates():
    domain = Domain.of({"a": 1000, "b": 1000, "c": 10})
    assert affordable(domain, [("a",), ("a", "b"), ("b", "c")], max_size=4.0) == [("a",), ("b", "c")]
    assert affordable(domain, [("a", "b")], max_size=8.0) == [("a", "b")]


def test_candidates_whose_counts_would_not_fit_are_refused_with_their_size():
    domain = Domain.of({f"x{i}": 700 for i in range(50)})
    pairs = list(combinations(domain.attributes, 2))
    with pytest.raises(ConfigError, match=r"the counts of 1,225 candidates take 4,580 MB; .*max_size \(4 MB\).*bins"):
        affordable(domain, pairs, max_size=4.0)
    assert affordable(domain, pairs, max_size=0.5) == []
