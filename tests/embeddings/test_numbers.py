"""Integers, uniform and log: numbers on a grid of decimals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.embeddings.integers import Integers
from pasteur.embeddings.log import Log
from pasteur.embeddings.uniform import Uniform
from pasteur.errors import SchemaError


def codes(embedding, values):
    return embedding.encode(pa.array(values))[0].tolist()


def decoded(embedding, wanted, seed=0):
    return embedding.decode([np.asarray(wanted)], rng=np.random.default_rng(seed))


def test_integers_are_their_distance_from_min(column):
    embedding = Integers.declare(column({"type": "integers"}, {"min": 17, "max": 90, "null": True}))
    assert codes(embedding, [17, 90, 3, 1000, None]) == [0, 73, 0, 73, 74]
    assert decoded(embedding, [0, 73, 74]).to_pylist() == [17, 90, None]
    assert embedding.parts[0].size == 75


def test_without_a_null_code_missing_is_code_0(column):
    embedding = Integers.declare(column({"type": "integers"}, {"min": 17, "max": 90}))
    assert codes(embedding, [None, 90]) == [0, 73]
    assert codes(embedding, [float("nan"), float("inf"), -float("inf")]) == [0, 73, 0]


def test_uniform_bins_hold_equally_many_values_give_or_take_one(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 32}, {"min": 0, "max": 99}))
    counts = np.bincount(embedding.encode(pa.array(range(100)))[0])
    assert len(counts) == 32
    assert set(counts) == {3, 4}


def test_uniform_takes_the_nearest_step_of_its_decimals(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 10}, {"min": 0, "max": 0.99, "decimals": 2}))
    assert codes(embedding, [0.0949, 0.0951, 0.29, 0.3 - 1e-9]) == [0, 1, 2, 3]


def test_decoding_draws_every_value_of_a_bin_alike(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 10}, {"min": 0, "max": 9.99, "decimals": 2}))
    values = np.array(decoded(embedding, np.full(100_000, 3)))
    found, counts = np.unique(values, return_counts=True)
    assert found.tolist() == [step / 100 for step in range(300, 400)]
    assert abs(counts - 1000).max() < 6 * np.sqrt(1000)


@pytest.mark.parametrize(("decimals", "kind"), [(0, pa.int64()), (2, pa.float64())])
def test_decimals_decide_the_type(column, decimals, kind):
    domain = {"min": 0, "max": 50, "decimals": decimals}
    assert decoded(Uniform.declare(column({"type": "uniform", "bins": 5}, domain)), [0, 4]).type == kind


def test_sdv_representation_decides_the_type(column):
    for given_type, kind in (("Float", pa.float64()), ("UInt8", pa.uint8()), ("Int32", pa.int32())):
        declared = column({"type": "integers"}, {"min": 0, "max": 50}, computer_representation=given_type)
        assert decoded(Integers.declare(declared), [50]).equals(pa.array([50], kind))


def test_min_alone_has_the_first_log_bin_and_the_others_widen(column):
    embedding = Log.declare(column({"type": "log", "bins": 16}, {"min": 0, "max": 99_999}))
    assert codes(embedding, [0, -5, 1, 99_999, 10**9]) == [0, 0, 1, 15, 15]
    widths = np.diff(embedding.edges)
    assert widths[0] == 1
    assert np.all(np.diff(widths[1:]) >= 0)
    assert np.allclose(widths[8:-1] / widths[7:-2], 100_000 ** (1 / 15), rtol=0.02)


def test_log_bins_of_positive_values_widen_with_the_value(column):
    embedding = Log.declare(column({"type": "log", "bins": 5}, {"min": 10, "max": 100_000}))
    assert (embedding.edges + 10).tolist()[2:-1] == pytest.approx([110, 1_048, 10_000], rel=0.08)


def test_log_bins_may_be_as_many_as_the_values(column):
    embedding = Log.declare(column({"type": "log", "bins": 6}, {"min": 0, "max": 5}))
    assert codes(embedding, range(6)) == list(range(6))


def test_text_numbers_and_their_edges(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 11}, {"min": 0, "max": 10, "null": True}))
    words = ["7", " 7 ", "7.0", "+7", "7e0", "1e999", "-inf", "nan", "seven", "", None]
    assert codes(embedding, words) == [7, 7, 7, 7, 7, 10, 0, 11, 0, 0, 11]
    assert embedding.check(pa.array(words)) == words.index("seven")
    assert embedding.check(pa.array(words[:7])) is None


def test_integers_refuse_broken_numbers_at_ingestion_only(column):
    embedding = Integers.declare(column({"type": "integers"}, {"min": 0, "max": 10}))
    assert embedding.check(pa.array([1.0, 2.5, None])) == 1
    assert embedding.check(pa.array([1.0, None, 2.5])) == 1
    assert embedding.check(pa.array([1.0, 1e18, float("inf")])) is None
    assert codes(embedding, [2.4, 2.6]) == [2, 3]


def test_what_lies_outside_is_counted(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 5}, {"min": 0, "max": 10, "null": True}))
    assert embedding.moved(pa.array([-1, 0, 10, 10.4, 10.6, None, float("inf")])) == {"outside": 3}


UNIFORM = {"type": "uniform", "bins": 4}


@pytest.mark.parametrize(
    ("embedding", "domain", "message"),
    [
        (UNIFORM, None, r"column core\.age must have a declared domain"),
        (UNIFORM, {"min": 5, "max": 3}, r"core\.age domain\.min \(5\) must be below max \(3\)"),
        (UNIFORM, {"min": 5.5, "max": 5.5, "decimals": 1}, r"domain\.min \(5\.5\) must be below max \(5\.5\)"),
        (UNIFORM, {"max": 3}, "core.age domain must have 'min'"),
        (UNIFORM, {"min": 1, "max": 3, "decimal": 1}, "'decimal' is not a known key; did you mean 'decimals'"),
        ({**UNIFORM, "bin": 1}, {"min": 1, "max": 3}, "embedding: 'bin' is not a known key; did you mean 'bins'"),
        ({"type": "uniform"}, {"min": 1, "max": 3}, "embedding must have 'bins'"),
        (UNIFORM, {"min": 1, "max": 3}, r"embedding\.bins \(4\) must be at most 3, the values between min and max"),
        ({"type": "uniform", "bins": 0}, {"min": 1, "max": 3}, r"embedding\.bins \(0\) must be a whole number from 1"),
        ({"type": "uniform", "bins": 2.0}, {"min": 1, "max": 3}, r"embedding\.bins \(2\.0\) must be a whole number"),
        ({"type": "uniform", "bins": True}, {"min": 1, "max": 3}, r"embedding\.bins \(True\) must be a whole number"),
        (UNIFORM, {"min": 0.25, "max": 3, "decimals": 1}, r"domain\.min \(0\.25\) must be a number of at most 1 dec"),
        (UNIFORM, {"min": 0, "max": 3, "decimals": -1}, r"domain\.decimals \(-1\) must be a whole number from 0 to 15"),
        (UNIFORM, {"min": 0, "max": "9"}, r"domain\.max \(9\) must be a finite number"),
        (UNIFORM, {"min": 0, "max": float("inf")}, r"domain\.max \(inf\) must be a finite number"),
        (UNIFORM, {"min": 0, "max": 1e15, "decimals": 9}, r"domain\.max .* must be at most 2\^53 steps"),
        (UNIFORM, {"min": -(2**53), "max": 2**53}, r"domain\.max .* must be at most 2\^53 steps above min"),
        (UNIFORM, {"min": 0, "max": 9, "null": "yes"}, r"null \(yes\) must be true or false"),
    ],
)
def test_wrong_declarations_name_the_column_and_the_rule(column, embedding, domain, message):
    with pytest.raises(SchemaError, match=message):
        Uniform.declare(column(embedding, domain))


def test_wrong_types_and_sizes_are_refused(column):
    with pytest.raises(SchemaError, match=r"computer_representation \(Int65\) must be .*did you mean 'Int"):
        Integers.declare(column({"type": "integers"}, {"min": 0, "max": 9}, computer_representation="Int65"))
    with pytest.raises(SchemaError, match=r"domain\.max \(300\) must be one that uint8 holds"):
        Integers.declare(column({"type": "integers"}, {"min": 0, "max": 300}, computer_representation="UInt8"))
    domain = {"min": 0, "max": 30, "decimals": 1}
    with pytest.raises(SchemaError, match=r"domain\.decimals \(1\) must be 0 where numbers are Int8"):
        Uniform.declare(column(UNIFORM, domain, computer_representation="Int8"))
    with pytest.raises(SchemaError, match="values\\) must be at most 16777216 of them; use bins"):
        Integers.declare(column({"type": "integers"}, {"min": 0, "max": 2**30}))
    with pytest.raises(SchemaError, match=r"domain\.min \(5\) must be below max \(3\)"):
        Integers.declare(column({"type": "integers"}, {"min": 5, "max": 3}))
    with pytest.raises(SchemaError, match=r"embedding\.bins \(1\) must be at least 2"):
        Log.declare(column({"type": "log", "bins": 1}, {"min": 0, "max": 3}))


@st.composite
def grids(draw):
    decimals = draw(st.integers(0, 6))
    low = draw(st.integers(-(10**9), 10**9))
    steps = draw(st.one_of(st.integers(1, 50), st.integers(1, 10**12)))
    kind = draw(st.sampled_from([Uniform, Log]))
    fewest = 2 if kind is Log else 1
    bins = draw(st.integers(fewest, min(steps + 1, 400)))
    domain = {"low": low, "high": low + steps, "decimals": decimals, "bins": bins, "null": draw(st.booleans())}
    return kind(name="x", where="t.x", kind="double", **domain)


@given(grid=grids(), values=st.lists(st.floats(), max_size=20), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_a_decoded_number_stays_in_its_bin_and_inside_the_bounds(grid, values, seed):
    edges = grid.edges
    assert (edges[0], edges[-1], len(edges)) == (0, grid.steps, grid.bins + 1)
    assert np.all(np.diff(edges) > 0)
    everything = np.r_[np.arange(grid.size), grid.encode(pa.array(values, pa.float64()))[0]]
    drawn = grid.decode([everything], rng=np.random.default_rng(seed))
    assert grid.encode(drawn)[0].tolist() == everything.tolist()
    kept = np.array(drawn.drop_null(), dtype=np.float64)
    scale = 10**grid.decimals
    assert np.all((kept >= grid.low / scale) & (kept <= grid.high / scale))
    assert [f"{value:.{grid.decimals}f}" for value in kept] == [
        f"{round(v, grid.decimals):.{grid.decimals}f}" for v in kept
    ]


def test_uniform_bins_are_exact_where_products_would_overflow(column):
    embedding = Uniform.declare(column({"type": "uniform", "bins": 3000}, {"min": 0, "max": 2**52}))
    starts = embedding.edges[:-1].astype(np.int64)
    assert codes(embedding, starts) == list(range(3000))
    assert codes(embedding, starts[1:] - 1) == list(range(2999))


@given(grid=grids(), data=st.data())
@settings(max_examples=80)
def test_codes_never_fall_as_values_rise(grid, data):
    scale = 10.0**grid.decimals
    inside = st.integers(grid.low, grid.high).map(lambda step: step / scale)
    values = sorted(data.draw(st.lists(inside | st.floats(allow_nan=False), min_size=2, max_size=20)))
    found = grid.encode(pa.array(values, pa.float64()))[0].astype(int)
    assert np.all(np.diff(found) >= 0)
    assert grid.encode(pa.array([grid.low / scale, grid.high / scale]))[0].tolist() == [0, grid.bins - 1]


@given(low=st.integers(-50, 50), steps=st.integers(2, 3000), data=st.data())
@settings(max_examples=80)
def test_log_bins_widen_and_min_is_alone(low, steps, data):
    bins = data.draw(st.integers(2, min(steps + 1, 60)))
    grid = Log(name="x", where="t.x", kind="int64", low=low, high=low + steps, decimals=0, bins=bins, null=False)
    widths = np.diff(grid.edges)
    assert widths[0] == 1
    # Rounding down to whole values may take one from a bin; the last one ends one past max.
    assert np.all(np.diff(widths[1:]) >= -1)
    assert grid.encode(pa.array([low, low + 1]))[0].tolist() == [0, 1]


def test_decimals_that_floats_cannot_hold_still_find_their_bin(column):
    """0.1 + 0.2 is 0.30000000000000004: the nearest step is meant."""
    embedding = Uniform.declare(column({"type": "uniform", "bins": 11}, {"min": 0, "max": 1, "decimals": 1}))
    assert codes(embedding, [0.1 + 0.2, 0.3, 1 - 0.9, 0.7 + 0.1]) == [3, 3, 1, 8]
    drawn = embedding.decode([np.arange(11, dtype=np.uint8)], rng=np.random.default_rng(0)).to_pylist()
    assert drawn == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
