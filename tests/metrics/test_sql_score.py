from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pasteur.errors import SqlError
from pasteur.metrics.sql_numbers import number
from pasteur.metrics.sql_parse import Query, Value
from pasteur.metrics.sql_score import Side, cell_error, compare

GROUPS = Query(
    name="q", kind="groups", sql="", file="f.sql", line=1, keys=("g",), support="n",
    values=(Value(column="n", type="count"), Value(column="r", type="ratio"), Value(column="m", type="mean")),
)  # fmt: skip
SHARE = replace(GROUPS, kind="share", values=(Value(column="n", type="count"),), support=None)
SCALAR = replace(GROUPS, kind="scalar", keys=(), support=None)
TOPK = replace(GROUPS, kind="topk", support=None, order="r", k=3)
DIST = replace(GROUPS, kind="dist", keys=(), values=(Value(column="x", type="number"),), support=None)
DEVIATIONS = {"m": 2.0}

keys = st.one_of(st.integers(0, 4), st.none(), st.sampled_from(["a", "b"]))
strange = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**400), 10**400),
    st.decimals(allow_nan=True, allow_infinity=True).filter(lambda d: not d.is_snan()),
    st.booleans(),
)
counts = st.one_of(st.none(), st.floats(0, allow_infinity=True), st.integers(0, 10**400), st.decimals(0, 10**9))


@st.composite
def sides(draw, query):
    if query.kind == "dist":
        return Side(result={"x": draw(st.lists(strange, max_size=8))}, rows=draw(st.integers(0, 50)))
    if query.kind == "scalar":
        held = draw(st.integers(0, 1))
        result = {c: draw(st.lists(strange, min_size=held, max_size=held)) for c in "nrm"}
        return Side(result=result, rows=draw(st.integers(0, 50)))
    names = draw(st.lists(keys, max_size=6, unique=True))
    size = len(names)
    result = {"g": names, "n": draw(st.lists(counts, min_size=size, max_size=size))}
    result |= {c: draw(st.lists(strange, min_size=size, max_size=size)) for c in "rm"}
    return Side(result=result, rows=draw(st.integers(0, 50)))


QUERIES = [GROUPS, SHARE, SCALAR, TOPK, DIST]


def run(query, r, s):
    return compare(query, r, s, deviations=DEVIATIONS)


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.kind)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_score_lies_in_0_to_1_and_is_symmetric(query, data):
    r, s = data.draw(sides(query)), data.draw(sides(query))
    there, back = run(query, r, s), run(query, s, r)
    assert 0 <= there.score <= 1
    assert there.score == pytest.approx(back.score, abs=1e-9)
    assert there.vacuous == back.vacuous
    assert all(math.isfinite(part) for part in there.parts.values())


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.kind)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_same_result_scores_1_in_any_order_of_rows(query, data):
    r = data.draw(sides(query))
    order = data.draw(st.permutations(range(r.height)))
    shuffled = replace(r, result={c: [values[i] for i in order] for c, values in r.result.items()})
    assert run(query, r, r).score == pytest.approx(1)
    assert run(query, r, shuffled).score == pytest.approx(1)


@pytest.mark.parametrize("query", [GROUPS, SHARE, SCALAR, TOPK], ids=lambda q: q.kind)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), times=st.integers(1, 1000))
def test_the_scale_of_counts_changes_nothing(query, data, times):
    size = 1 if query.kind == "scalar" else 4
    cells = [data.draw(st.lists(st.integers(1, 99), min_size=size, max_size=size)) for _ in range(4)]
    result = {"g": list(range(size)), "n": cells[0], "r": cells[1], "m": cells[2]}
    target = Side(result=result | {"n": cells[3]}, rows=400)
    scores = [
        run(query, target, Side(result=result | {"n": [n * k for n in cells[0]]}, rows=300 * k)).score
        for k in (1, times)
    ]
    assert scores[0] == pytest.approx(scores[1])


@pytest.mark.parametrize("query", [GROUPS, SCALAR], ids=lambda q: q.kind)
@pytest.mark.parametrize("sign", [-1, 1])
@settings(max_examples=30, deadline=None)
@given(start=st.floats(0, 100), steps=st.lists(st.floats(0, 50), min_size=1, max_size=5), column=st.sampled_from("rm"))
def test_a_score_falls_as_one_cell_moves_away(query, sign, start, steps, column):
    size = 1 if query.kind == "scalar" else 3
    result = {"g": list(range(size)), "n": [5] * size, "r": [0.4] * size, "m": [7.0] * size}
    target = Side(result=result | {column: [start] * size}, rows=50)
    at, scores = start, []
    for step in [0.0, *steps]:
        at += sign * step
        moved = Side(result=target.result | {column: [at] + [start] * (size - 1)}, rows=50)
        scores.append(run(query, target, moved).score)
    assert all(after <= before + 1e-12 for before, after in pairwise(scores))


@pytest.mark.parametrize("query", [SHARE, TOPK], ids=lambda q: q.kind)
def test_shares_and_rankings_fall_as_one_group_moves_away(query):
    result = {"g": [*"abcd"], "n": [40, 30, 20, 10], "r": [0.9, 0.6, 0.4, 0.2], "m": [1.0] * 4}
    target, scores = Side(result=result, rows=100), []
    for step in range(6):
        moved = result | {"n": [40 + 20 * step, 30, 20, 10], "r": [0.9 - 0.17 * step, 0.6, 0.4, 0.2]}
        scores.append(run(query, target, Side(result=moved, rows=100)).score)
    assert scores[0] == 1
    assert all(after < before for before, after in pairwise(scores))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20), st.floats(0, 50), st.floats(0, 50))
def test_a_distribution_falls_as_it_moves_away(values, near, far):
    assume(max(values) - min(values) > 1)
    target = Side(result={"x": values}, rows=9)
    one, two = (
        run(DIST, target, Side(result={"x": [v + by for v in values]}, rows=9)).score for by in (near, near + far)
    )
    # Each value moves by the same: W1 is the shift, and the pooled range grows by no more than it.
    assert two <= one + 1e-9


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.kind)
def test_empty_results(query):
    empty = Side(result={c: [] for c in "gnrmx"}, rows=10)
    full = Side(result={"g": [1], "n": [2], "r": [0.5], "m": [3], "x": [1.5]}, rows=10)
    assert run(query, empty, empty).vacuous
    assert run(query, empty, empty).score == 1
    for one, two in ((empty, full), (full, empty)):
        assert run(query, one, two).score == 0
        assert not run(query, one, two).vacuous


@pytest.mark.parametrize("query", [GROUPS, SHARE, TOPK], ids=lambda q: q.kind)
def test_keys_that_are_not_unique_are_an_error(query):
    side = Side(result={"g": ["a", "b", "a"], "n": [1, 2, 3], "r": [1, 2, 3], "m": [1, 2, 3]}, rows=10)
    with pytest.raises(
        SqlError, match=r"^f.sql:1: query 'q': keys \(g\) must be unique in the result: row 3 repeats one$"
    ):
        run(query, side, side)


def test_keys_must_be_plain():
    side = Side(result={"g": [["a"]], "n": [1], "r": [1], "m": [1]}, rows=10)
    with pytest.raises(SqlError, match="must be plain values, not lists"):
        run(GROUPS, side, side)


def test_nulls_and_nan_are_keys_of_their_own():
    r = Side(result={"g": [None, math.nan, 1], "n": [1, 1, 1], "r": [1, 1, 1], "m": [1, 1, 1]}, rows=3)
    s = Side(result={"g": [Decimal(1), None, math.nan], "n": [1, 1, 1], "r": [1, 1, 1], "m": [1, 1, 1]}, rows=3)
    assert run(GROUPS, r, s).score == 1


def test_a_missing_column_and_a_second_row_of_a_scalar():
    side = Side(result={"g": ["a", "b"], "n": [1, 2], "r": [1, 2], "m": [1, 2]}, rows=10)
    with pytest.raises(SqlError, match=r"query 'q': its result must have a column 'm'"):
        run(GROUPS, Side(result={c: side.result[c] for c in "gnr"}, rows=10), side)
    with pytest.raises(SqlError, match="a query of kind scalar must have one row, not 2"):
        run(SCALAR, side, side)


@pytest.mark.parametrize(
    ("r", "s", "bound", "error"),
    [
        (0.5, 0.4, 0.05, 0.2),
        (0.01, 0.03, 0.05, 0.4),
        (0.0, 0.0, 0.05, 0.0),
        (-1.0, 1.0, 0.05, 1.0),
        (math.nan, math.nan, 0.05, 0.0),
        (math.nan, 0.0, 0.05, 1.0),
        (math.inf, math.inf, 0.05, 0.0),
        (math.inf, -math.inf, 0.05, 1.0),
        (math.inf, 3.0, 0.05, 1.0),
        (1e308, -1e308, 0.05, 1.0),
        (1.7e308, 0.85e308, 0.05, 0.5),
    ],
)
def test_the_error_of_a_cell(r, s, bound, error):
    assert cell_error(r, s, bound) == pytest.approx(error)
    assert cell_error(s, r, bound) == pytest.approx(error)


def test_numbers():
    assert number(Decimal("1.5")) == 1.5
    assert number(10**400) == math.inf
    assert number(-(10**400)) == -math.inf
    assert math.isnan(number(None))


def test_groups_by_hand():
    # a: n 40/100 against 20/100, error 1/2; r equal. b on T only: 1 twice. c has 5 of 100 rows on both sides: out.
    query = replace(GROUPS, values=GROUPS.values[:2], min_support=10)
    r = Side(result={"g": [*"abc"], "n": [40, 32, 5], "r": [0.5, 0.1, 0.9]}, rows=100)
    s = Side(result={"g": [*"ac"], "n": [20, 5], "r": [0.5, 0.0]}, rows=100)
    found = run(query, r, s)
    weights = [math.sqrt(0.3), math.sqrt(0.16)]
    assert found.score == pytest.approx(1 - (weights[0] * 0.5 + weights[1] * 2) / (2 * sum(weights)))
    assert found.parts["missing"] == 0.5
    assert found.parts["extra"] == 0
    assert found.parts["group_f1"] == pytest.approx(2 / 3)
    assert run(query, r, Side(result=s.result | {"n": [20, 10]}, rows=100)).parts["missing"] == pytest.approx(1 / 3)


def test_nothing_above_the_support_is_vacuous():
    side = Side(result={"g": ["a"], "n": [3], "r": [1], "m": [1]}, rows=100)
    assert run(replace(GROUPS, min_support=10), side, side).vacuous


def test_share_by_hand():
    r = Side(result={"g": [*"ab"], "n": [50, 50]}, rows=100)
    s = Side(result={"g": [*"ac"], "n": [30, 10]}, rows=100)
    found = run(SHARE, r, s)
    # Shares 1/2, 1/2, 0 against 3/4, 0, 1/4: half of 1/4 + 1/2 + 1/4. Volume: 1 against 0.4 of the rows.
    assert found.score == pytest.approx(0.5)
    assert found.parts["volume"] == pytest.approx(0.4)
    assert found.parts["missing"] == found.parts["extra"] == pytest.approx(1 / 3)


def test_shares_cannot_be_negative():
    side = Side(result={"g": ["a"], "n": [-1]}, rows=9)
    with pytest.raises(SqlError, match="'n' must be 0 or more in every group"):
        run(SHARE, side, side)


def test_topk_by_hand():
    query = replace(TOPK, values=(Value(column="r", type="ratio"),), k=2)
    r = Side(result={"g": [*"abc"], "r": [0.9, 0.8, 0.1]}, rows=9)
    s = Side(result={"g": [*"abc"], "r": [0.9, 0.4, 0.5]}, rows=9)
    found = run(query, r, s)
    # First two: a b against a c. Ranks of a, b, c: 1 2 3 and 1 3 2: two pairs agree, one does not, tau 1/3.
    assert found.parts["overlap"] == 0.5
    assert found.parts["tau"] == pytest.approx(1 / 3)
    assert found.parts["values"] == pytest.approx(1 - (0 + 0.5 + 0.8) / 3)
    assert found.score == pytest.approx(0.4 * 0.5 + 0.3 * (4 / 3) / 2 + 0.3 * found.parts["values"])
    ascending = replace(query, descending=False)
    assert (run(ascending, r, s).parts["overlap"], run(ascending, r, s).parts["tau"]) == (1, -1)


def test_no_group_of_one_side_in_the_other():
    r = Side(result={"g": [*"ab"], "n": [1, 1], "r": [0.9, 0.8], "m": [1, 1]}, rows=9)
    s = Side(result={"g": [*"cd"], "n": [1, 1], "r": [0.9, 0.8], "m": [1, 1]}, rows=9)
    assert run(GROUPS, r, s).score == 0
    assert run(SHARE, r, s).score == 0
    assert run(TOPK, r, s).score < 0.1


@pytest.mark.parametrize(
    ("x", "y", "score"), [([2, 2], [2], 1), ([2, 2], [3], 0), ([1, None], [None, 1], 1), ([None], [1], 0)]
)
def test_constants_and_nothing_in_distributions(x, y, score):
    assert run(DIST, Side(result={"x": x}, rows=1), Side(result={"x": y}, rows=1)).score == score


@pytest.mark.parametrize("value", ["Bergen", "12", b"12", ["x"], {"a": 1}, date(2020, 1, 1)], ids=repr)
@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.kind)
def test_a_compared_column_must_be_numbers_and_its_values_are_never_told(query, value):
    column = query.values[-1].column
    good = {"g": ["a"], "n": [2], "r": [0.5], "m": [1.0], "x": [3.0]}
    held = {name: good[name] for name in (*query.keys, *(v.column for v in query.values))}
    assert run(query, Side(result=held, rows=9), Side(result=held, rows=9)).score == 1
    wrong = Side(result=held | {column: [value]}, rows=9)
    for sides_ in ((wrong, Side(result=held, rows=9)), (Side(result=held, rows=9), wrong)):
        with pytest.raises(SqlError) as caught:
            run(query, *sides_)
        said = str(caught.value)
        assert said == f"f.sql:1: query 'q': '{column}' ({type(value).__name__}) must be numbers or lengths of time"


def test_support_must_be_numbers():
    wrong = Side(result={"g": ["a"], "n": [1], "r": [0.5], "m": [1.0], "rows": ["many"]}, rows=3)
    with pytest.raises(SqlError, match=r"'rows' \(str\) must be numbers"):
        run(replace(GROUPS, support="rows"), wrong, wrong)


def test_lengths_of_time_are_seconds():
    assert number(timedelta(minutes=1, milliseconds=500)) == 60.5
    assert number(pa.MonthDayNano([1, 2, 500_000_000])) == 32 * 86_400 + 0.5
    day, night = (Side(result={"x": [timedelta(hours=h) for h in hours]}, rows=2) for hours in ([1, 2], [11, 12]))
    seconds = Side(result={"x": [3600.0, 7200.0]}, rows=2)
    assert run(DIST, day, seconds).score == 1
    assert run(DIST, day, night).score < 0.2
    with pytest.raises(TypeError, match=r"a compared value \(str\) must be a number") as caught:
        number("Bergen")
    assert "Bergen" not in str(caught.value)


def test_groups_with_little_support_weigh_little():
    """Support 0.81 against 0.01: weights 0.9 and 0.1, so a miss in the small group costs a tenth of a miss in all."""
    query = replace(GROUPS, values=(Value(column="r", type="ratio"),))
    target = Side(result={"g": ["big", "small"], "n": [81, 1], "r": [0.5, 0.5]}, rows=100)
    candidate = Side(result={"g": ["big", "small"], "n": [81, 1], "r": [0.5, 0.0]}, rows=100)
    assert run(query, target, candidate).score == pytest.approx(0.9)
    other = Side(result={"g": ["big", "small"], "n": [81, 1], "r": [0.0, 0.5]}, rows=100)
    assert run(query, target, other).score == pytest.approx(0.1)


def test_min_support_is_in_rows_of_t_on_either_side():
    query = replace(GROUPS, min_support=10, values=(Value(column="r", type="ratio"),))
    target = Side(result={"g": ["a", "b"], "n": [50, 9], "r": [1.0, 1.0]}, rows=100)
    candidate = Side(result={"g": ["a", "b"], "n": [500, 90], "r": [1.0, 0.0]}, rows=1000)
    assert run(query, target, candidate).score == 1, "9 of 100 rows and 90 of 1000 are both below 10 of 100"
    assert run(query, target, replace(candidate, result=candidate.result | {"n": [500, 110]})).score < 1
    assert run(query, target, replace(candidate, result=candidate.result | {"n": [500, None]})).score == 1


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.dictionaries(st.integers(0, 9), st.floats(0, 1e6), min_size=1, max_size=6),
    others=st.dictionaries(st.integers(0, 9), st.floats(0, 1e6), min_size=1, max_size=6),
    third=st.dictionaries(st.integers(0, 9), st.floats(0, 1e6), min_size=1, max_size=6),
)
def test_one_less_a_share_score_is_a_distance(amounts, others, third):
    assume(all(any(value > 0 for value in side.values()) for side in (amounts, others, third)))
    one, two, three = (Side(result={"g": list(s), "n": list(s.values())}, rows=10) for s in (amounts, others, third))
    distance = [1 - run(SHARE, a, b).score for a, b in ((one, two), (two, three), (one, three))]
    assert distance[2] <= distance[0] + distance[1] + 1e-9


def test_ranking_by_hand_upwards_with_nothing_last():
    query = replace(TOPK, k=2, descending=False, values=(Value(column="r", type="ratio"),))
    target = Side(result={"g": list("abcd"), "r": [0.3, None, 0.1, 0.2]}, rows=10)  # first: c, d
    candidate = Side(result={"g": list("abcd"), "r": [0.3, 0.05, 0.1, 0.2]}, rows=10)  # first: b, c
    parts = run(query, target, candidate).parts
    assert parts["overlap"] == 0.5
    assert parts["values"] == pytest.approx(2 / 3), "b is nothing in T and something here"
    # Ranks of c, d, b: T 0, 1, 2; the candidate's 1, 2, 0. One pair of three agrees.
    assert parts["tau"] == pytest.approx(-1 / 3)
