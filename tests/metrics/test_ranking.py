"""What is worst, from the marginals' parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.metrics.components import columns_of, joined, part
from pasteur.metrics.ranking import worst
from pasteur.metrics.score import Raw, Score

names = st.text(min_size=1, max_size=12)


@given(st.lists(names, min_size=1, max_size=3))
def test_a_part_names_its_columns_whatever_they_are_called(columns):
    assert columns_of(part(columns)) == tuple(columns)


@given(st.lists(names, min_size=2, max_size=2), st.lists(names, min_size=2, max_size=2))
def test_no_two_sets_of_columns_have_one_name(one, two):
    assert (part(one) == part(two)) == (one == two)


def scores(pairs, alone):
    """`pairs`: columns -> (syn, ref, base)."""

    def made(width, found):
        sides = {side: {p: values[i] for p, values in found.items()} for i, side in enumerate(("syn", "ref", "base"))}
        return Score(metric=f"marginals/tvd{width}", better="lower", split="dev", syn=0.1, parts=sides)

    return [made(1, alone), made(2, pairs)]


def test_a_column_is_as_bad_as_its_pairs_and_itself():
    pairs = {"a,b": (0.5, 0.1, 0.5), "a,c": (0.3, 0.1, 0.3), "b,c": (0.1, 0.1, 0.3)}
    alone = {"a": (0.02, 0.02, 0.02), "b": (0.02, 0.02, 0.02), "c": (0.02, 0.02, 0.02)}
    details = {"base": {"marginals": {"errors": {"core": dict.fromkeys(pairs, 0.01)}}}}
    found = worst(scores(pairs, alone), details, ["core"])
    assert found["columns"][0]["columns"] == ["a"]
    assert found["columns"][0]["gap"] == pytest.approx(1)
    assert [row["columns"] for row in found["pairs"]] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert found["pairs"][0]["gap"] == pytest.approx(1)
    assert found["triples"] == []
    assert found["columns"][1]["columns"] == ["b"]
    assert found["columns"][1]["gap"] == pytest.approx(0.4 / 0.6)  # each pair weighs what there is to lose in it
    # A column that is wrong by itself is worse than one that only lost its ties.
    alone["c"] = (0.9, 0.02, 0.02)
    assert worst(scores(pairs, alone), details, ["core"])["columns"][0]["columns"] == ["c"]


def test_a_pair_without_signal_has_no_gap_and_counts_in_none():
    pairs = {"a,b": (0.5, 0.1, 0.5), "a,c": (0.3, 0.1, 0.11)}
    details = {"base": {"marginals": {"errors": {"core": dict.fromkeys(pairs, 0.01)}}}}
    found = worst(scores(pairs, {"a": (0, 0, 0), "c": (0, 0, 0)}), details, ["core"])
    assert [row["gap"] for row in found["pairs"]] == [pytest.approx(1), None]
    by_name = {row["columns"][0]: row for row in found["columns"]}
    assert by_name["a"]["gap"] == pytest.approx(1)
    assert by_name["c"]["gap"] is None


def test_without_anchors_the_largest_error_comes_first():
    only = [
        Score(metric="marginals/tvd2", better="lower", split="val", syn=0.1, parts={"syn": {"a,b": 0.1, "a,c": 0.4}})
    ]
    found = worst(only, {}, ["core"])
    assert [row["columns"] for row in found["pairs"]] == [["a", "c"], ["a", "b"]]
    assert found["pairs"][0]["gap"] is None


def test_marginals_that_did_not_run_have_no_worst():
    assert worst([], {}, ["core"]) == {"columns": [], "pairs": [], "triples": []}


def test_components_have_their_own_scores_and_a_mean_that_alone_counts():
    raws = {
        "syn": [Raw(metric=f"x/y/{c}", value=v, better="lower", dependence=True) for c, v in (("a", 0.2), ("b", 0.4))]
    }
    found = {raw.metric: raw for raw in joined(raws, 2)["syn"]}
    assert found["x/y"].value == pytest.approx(0.3)
    assert found["x/y"].parts == {"a": 0.2, "b": 0.4}
    assert [raw.dependence for raw in found.values()] == [True, False, False]
    assert [raw.metric for raw in joined({"syn": raws["syn"][:1]}, 1)["syn"]] == ["x/y"]
