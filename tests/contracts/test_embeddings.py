"""Every embedding, found by glob, crossed with hard data: the two zones (D11, D20), declared domains (D01, D02)."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pasteur.embeddings
from pasteur.embeddings import find, names
from pasteur.schema import Column

TYPES = sorted(
    path.stem
    for path in Path(pasteur.embeddings.__file__).parent.glob("*.py")
    if not path.stem.startswith("_") and path.stem != "table"
)


def column(embedding, domain, sdtype="categorical", **sdv):
    return Column(
        name="c",
        table="core",
        sdtype=sdtype,
        embedding=embedding,
        domain=domain,
        source="a codebook",
        declared=True,
        sdv={"sdtype": sdtype, **sdv},
    )


DAY = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
BOUNDS = {"min": "1999-12-30T22:00", "max": "2004-03-01"}
GROUPS = {"hierarchy": {"red": "warm", "orange": "warm"}}
EXAMPLES = {
    "categories": {
        "plain": column({"type": "categories"}, {"levels": ["red", "orange", "blü", ""]}),
        "other and null": column({"type": "categories"}, {"levels": ["red", "blü"], "other": "Other", "null": True}),
        "numbers": column({"type": "categories", "ordered": True}, {"levels": [3, 1, 2], "null": True}),
        "booleans": column({"type": "categories"}, {"levels": [True, False]}),
        "groups": column(
            {"type": "categories", "height": 1}, {"levels": ["red", "blü", "orange"], "null": True, **GROUPS}
        ),
    },
    "integers": {
        "plain": column({"type": "integers"}, {"min": -3, "max": 99}, "numerical"),
        "many, null": column({"type": "integers"}, {"min": 0, "max": 70_000, "null": True}, "numerical"),
        "small type": column({"type": "integers"}, {"min": 0, "max": 99}, "numerical", computer_representation="UInt8"),
        "as float": column({"type": "integers"}, {"min": 0, "max": 9}, "numerical", computer_representation="Float"),
    },
    "uniform": {
        "whole": column({"type": "uniform", "bins": 7}, {"min": -10, "max": 200}, "numerical"),
        "decimals, null": column(
            {"type": "uniform", "bins": 300}, {"min": -0.5, "max": 1e6, "decimals": 3, "null": True}, "numerical"
        ),
        "one bin": column({"type": "uniform", "bins": 1}, {"min": 0, "max": 1}, "numerical"),
    },
    "log": {
        "from 0": column({"type": "log", "bins": 20}, {"min": 0, "max": 99_999, "null": True}, "numerical"),
        "from 10": column({"type": "log", "bins": 8}, {"min": 10.5, "max": 1e9, "decimals": 2}, "numerical"),
        "below 0": column({"type": "log", "bins": 9}, {"min": -5, "max": 100}, "numerical"),
    },
    "boolean": {
        "plain": column({"type": "boolean"}, {}, "boolean"),
        "null": column({"type": "boolean"}, {"null": True}, "boolean"),
    },
    "datetime": {
        "date text": column({"type": "datetime", "parts": ["year", "month", "day"]}, BOUNDS, **DAY),
        "timestamps": column(
            {"type": "datetime", "parts": ["year", "month", "day", "hour", "minute", "second"]},
            {**BOUNDS, "null": True},
            "datetime",
        ),
        "coarse": column({"type": "datetime", "parts": ["year"]}, {**BOUNDS, "null": True, "type": "date"}, "datetime"),
        "time of day": column({"type": "datetime", "parts": ["hour", "minute"]}, {**BOUNDS, "null": True}, "datetime"),
        "day of year": column({"type": "datetime", "parts": ["month", "day"]}, BOUNDS, "datetime"),
        "slow format": column(
            {"type": "datetime", "parts": ["month"]},
            {**BOUNDS, "null": True},
            sdtype="datetime",
            datetime_format="%d.%m.%y %H:%M:%S.%f",
        ),
    },
    "constant": {
        "text": column({"type": "constant"}, {"value": "x"}),
        "number, null": column({"type": "constant"}, {"value": 3, "null": True}, "numerical"),
        "all null": column({"type": "constant"}, {"value": None}, "datetime"),
    },
    "rdt": {
        "numbers": column({"type": "rdt", "transformer": "FloatFormatter", "bins": 8}, None, "numerical"),
        "whole": column({"type": "rdt", "transformer": "FloatFormatter", "bins": 8}, {"decimals": 0}, "numerical"),
        "levels": column({"type": "rdt", "transformer": "LabelEncoder"}, None),
        "moments": column({"type": "rdt", "transformer": "UnixTimestampEncoder", "bins": 4}, None, **DAY),
    },
}
BIG = 10**300
UTC = dt.UTC
HARD = {
    "constant": pa.array([1, 1, 1, 1]),
    "one row": pa.array(["red"]),
    "empty": pa.array([], pa.float64()),
    "empty text": pa.array([], pa.string()),
    "all null": pa.array([None, None], pa.string()),
    "all null numbers": pa.array([None, None], pa.int32()),
    "no type": pa.nulls(3),
    "extreme integers": pa.array([-(2**63), 2**63 - 1, 0, -1]),
    "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "tiny integers": pa.array([-128, 127, None], pa.int8()),
    "NaN and infinity": pa.array([float("nan"), float("inf"), -float("inf"), None, -0.0]),
    "overflow": pa.array([1.8e308, -1.8e308, 5e-324, 1e19]),
    "single precision": pa.array([0.1, 3e38, float("nan")], pa.float32()),
    "half precision": pa.array(np.array([0.1, np.inf, np.nan], np.float16)),
    "decimals": pa.array([Decimal("1.50"), None, Decimal("-99999999999999999999999999.99")]),
    "booleans": pa.array([True, None, False]),
    "unicode": pa.array(["blü", "blu\u0308", "\U0001d4b3", "\u202e", "\0", "ß" * 9, "\uff11\uff12", "٣"]),
    "wrong type": pa.array(["17", " 18 ", "n/a", "1e999", "-inf", "nan", "0x1", "1_0", "", "+5", None, "1,5", "true"]),
    "huge strings": pa.array(["9" * 100_000, "x" * 1_000_000]),
    "large strings": pa.array(["red", None], pa.large_string()),
    "string views": pa.array(["red", None, "3"], pa.string_view()),
    "dictionary": pa.array(["red", None, "3", "red", "z"]).dictionary_encode(),
    "numbers in a dictionary": pa.array([1, None, 3, 1, 1]).dictionary_encode(),
    "dictionary with a null": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1]), pa.array(["red", None])),
    "empty dictionary": pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int8()), pa.array([], pa.string())),
    "chunks": pa.chunked_array([["red"], [], ["x", None]]),
    "bytes": pa.array([b"\xff\xfe", b"17", None]),
    "dates": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None, dt.date(2000, 2, 29)]),
    "moments and NaT": pa.array(np.array(["2000-02-29T23:59:59.9", "NaT", "1677-09-22"], "M8[ns]")),
    "far moments": pa.array([2**62, -(2**62), 0], pa.timestamp("s")),
    "zones": pa.array([dt.datetime(2004, 3, 1, 23, 59, tzinfo=UTC), None], pa.timestamp("us", "Asia/Tokyo")),
    "times of day": pa.array([dt.time(23, 59), None]),
    "durations": pa.array([5, None], pa.duration("us")),
    "far dates of 64 bits": pa.array([2**55 // 86_400_000 * 86_400_000], pa.date64()),
    "dates as text": pa.array(["2000-02-29", "2000-02-30", "2000-13-01", "99999-01-01", "2001-01-01T10:00:00Z", "0"]),
    "lists": pa.array([[1, 2], None, []]),
    "structs": pa.array([{"a": 1}, None]),
}
NAMED = [(kind, name) for kind in TYPES for name in EXAMPLES.get(kind, {})]
FIT = {
    "numbers": pa.array([0.25, 1.5, None, 7.75, 3.0, 3.0]),
    "whole": pa.array([1, 5, 9, 40]),
    "levels": pa.array(["red", "blü", None, "red"]),
    "moments": pa.array(["2000-02-29", "2003-01-01", None]),
}


@functools.cache
def made(kind, name):
    embedding = find(kind).declare(EXAMPLES[kind][name])
    return embedding if embedding.private else embedding.fit(FIT[name])


def every(embedding, rows=400):
    """Codes that exist together: whatever bin there is, encoded from what some codes decode to."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, part.size, rows) for part in embedding.parts]
    edge = [np.r_[d, 0, part.size - 1] for d, part in zip(drawn, embedding.parts, strict=True)]
    return embedding.encode(embedding.decode(edge, rng=rng))


def same(left, right):
    return len(left) == len(right) and all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_every_module_has_examples():
    assert set(EXAMPLES) == set(TYPES)
    assert set(TYPES) <= set(names())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("hard", HARD)
def test_d11_hard_data_is_encoded_into_the_domain_value_by_value(kind, hard):
    values = HARD[hard]
    for name in EXAMPLES[kind]:
        embedding = made(kind, name)
        codes = embedding.encode(values)
        assert len(codes) == len(embedding.parts)
        for part, found in zip(embedding.parts, codes, strict=True):
            assert found.shape == (len(values),)
            assert found.dtype == np.min_scalar_type(part.size - 1)
            assert not len(found) or found.max() < part.size
        for row in range(len(values)):
            alone = embedding.encode(values.slice(row, 1))
            assert [int(a[0]) for a in alone] == [int(found[row]) for found in codes], (name, row)
        decoded = embedding.decode(codes, rng=np.random.default_rng(1))
        assert decoded.type == embedding.arrow
        assert same(embedding.encode(decoded), codes), name


@pytest.mark.parametrize("hard", HARD)
def test_checks_and_reports_never_crash_and_name_the_first_row(hard):
    values = HARD[hard]
    for kind, name in NAMED:
        embedding = made(kind, name)
        index = embedding.check(values)
        assert index is None or 0 <= index < len(values)
        if index is not None:
            assert embedding.check(values.slice(0, index)) is None, (kind, name)
            assert embedding.check(values.slice(index, 1)) == 0, (kind, name)
        assert all(0 <= count <= len(values) for count in embedding.moved(values).values())


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_every_code_round_trips(kind, name):
    embedding = made(kind, name)
    codes = every(embedding)
    for seed in range(3):
        assert same(embedding.encode(embedding.decode(codes, rng=np.random.default_rng(seed))), codes)
    if len(embedding.parts) == 1:
        everything = np.arange(embedding.parts[0].size)
        assert same(embedding.encode(embedding.decode([everything], rng=np.random.default_rng(0))), [everything])


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_decoded_values_pass_their_own_check(kind, name):
    embedding = made(kind, name)
    rng = np.random.default_rng(2)
    decoded = embedding.decode([rng.integers(0, part.size, 500) for part in embedding.parts], rng=rng)
    assert embedding.check(decoded) is None
    assert not any(embedding.moved(decoded).values())


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_decoding_no_rows_gives_no_rows_of_the_type(kind, name):
    embedding = made(kind, name)
    decoded = embedding.decode([np.empty(0, np.uint8) for _ in embedding.parts], rng=np.random.default_rng(0))
    assert (len(decoded), decoded.type) == (0, embedding.arrow)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_decoding_draws_the_same_from_the_same_generator(kind, name):
    embedding = made(kind, name)
    codes = every(embedding)
    first, second = (embedding.decode(codes, rng=np.random.default_rng(5)) for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_state_is_json_and_brings_the_embedding_back(kind, name):
    embedding = made(kind, name)
    written = json.dumps(embedding.state())
    again = find(kind).from_state(json.loads(written))
    codes = every(embedding)
    assert json.dumps(again.state()) == written
    assert again.parts == embedding.parts
    assert again.arrow == embedding.arrow
    decoded = [e.decode(codes, rng=np.random.default_rng(3)) for e in (embedding, again)]
    assert decoded[0].equals(decoded[1])
    assert same(again.encode(decoded[0]), codes)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_fitting_twice_is_fitting_once(kind, name):
    embedding = find(kind).declare(EXAMPLES[kind][name])
    values = FIT.get(name, HARD["all null"])
    once = embedding.fit(values)
    assert once.fit(values).state() == once.state() == embedding.fit(values).state()


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_a_fitted_embedding_holds_no_reference_to_its_data(kind, name):
    values = pa.array(FIT.get(name, pa.array(["red"])).to_pylist())
    before = sys.getrefcount(values)
    fitted = find(kind).declare(EXAMPLES[kind][name]).fit(values)
    fitted.encode(values)
    assert sys.getrefcount(values) == before
    assert not any(isinstance(held, pa.Array | pa.ChunkedArray) for held in vars(fitted).values())


PRIVATE = [(kind, name) for kind, name in NAMED if find(kind).private]


@pytest.mark.parametrize(("kind", "name"), PRIVATE)
def test_d01_d02_one_row_more_changes_no_domain_no_edge_and_no_size(kind, name):
    declared = find(kind).declare(EXAMPLES[kind][name])
    old, new = dt.datetime(2000, 1, 1, tzinfo=UTC), dt.datetime(2031, 1, 1, tzinfo=UTC)
    for value, row in (("red", "a new level"), (1, 10**15), (1.0, -1e300), (old, new), ("red", None)):
        fitted = [declared.fit(pa.array(values)) for values in ([value], [value, row])]
        states = [json.dumps(embedding.state()) for embedding in fitted]
        assert states[0] == states[1] == json.dumps(declared.state())
        assert fitted[1].parts == declared.parts
        assert same(fitted[0].encode(pa.array([value, row])), fitted[1].encode(pa.array([value, row])))


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in PRIVATE}))
def test_d20_neighbours_leave_the_same_log_and_raise_nothing(kind, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for hard in HARD.values():
        for values in (hard, hard.slice(1)):
            made(kind, next(iter(EXAMPLES[kind]))).encode(values)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


ANY = st.one_of(
    st.lists(st.none() | st.floats(), max_size=8).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.none() | st.text(max_size=12), max_size=8).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.none() | st.datetimes(), max_size=8).map(lambda v: pa.array(v, pa.timestamp("us"))),
    st.lists(st.none() | st.booleans(), max_size=8).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(st.none() | st.from_regex(r"[-+]?[0-9]{0,4}[.eE:/-]?[0-9]{0,4}", fullmatch=True), max_size=8).map(
        lambda v: pa.array(v, pa.string())
    ),
)


@pytest.mark.parametrize("kind", TYPES)
@given(values=ANY)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_d11_any_value_lands_in_the_domain_and_stays_in_its_bin(kind, values):
    for name in EXAMPLES[kind]:
        embedding = made(kind, name)
        codes = embedding.encode(values)
        assert all(not len(c) or c.max() < part.size for c, part in zip(codes, embedding.parts, strict=True))
        assert same(embedding.encode(embedding.decode(codes, rng=np.random.default_rng(0))), codes)
        embedding.check(values)
