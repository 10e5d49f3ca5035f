# ruff: noqa: DTZ001  (moments without a zone are under test)
from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.embeddings._moments import UNITS
from pasteur.embeddings.datetime import Datetime
from pasteur.errors import SchemaError


@pytest.fixture
def declare(column):
    def make(parts, low, high, *, null=False, type_=None, **sdv):
        domain = {"min": low, "max": high, "null": null} | ({"type": type_} if type_ else {})
        return Datetime.declare(column({"type": "datetime", "parts": parts}, domain, "datetime", name="seen", **sdv))

    return make


def codes(embedding, values):
    return [found.tolist() for found in embedding.encode(pa.array(values))]


def decoded(embedding, *wanted, seed=0):
    return embedding.decode([np.asarray(part) for part in wanted], rng=np.random.default_rng(seed))


def test_parts_are_attributes_with_a_null_code_each(declare):
    embedding = declare(["year", "month", "day"], "2019-01-01", "2021-12-31", null=True)
    assert [(part.name, part.size) for part in embedding.parts] == [
        ("seen.year", 4),
        ("seen.month", 13),
        ("seen.day", 32),
    ]
    assert codes(embedding, [dt.date(2020, 2, 29), None, dt.date(1900, 5, 5)]) == [[1, 3, 0], [1, 12, 0], [28, 31, 0]]


def test_parts_inside_one_coarser_unit_have_its_range_only(declare):
    embedding = declare(["year", "month", "day"], "2020-03-10", "2020-05-20")
    assert [part.size for part in embedding.parts] == [1, 3, 31]
    assert [part.size for part in declare(["hour"], "2020-03-10T08:00", "2020-03-10T11:59").parts] == [4]


def test_text_comes_back_in_its_format(declare):
    embedding = declare(["year"], "2019-01-01", "2021-12-31", datetime_format="%d/%m/%Y")
    drawn = decoded(embedding, [0, 1, 2]).to_pylist()
    assert [text[-4:] for text in drawn] == ["2019", "2020", "2021"]
    assert codes(embedding, drawn) == [[0, 1, 2]]
    assert embedding.check(pa.array(["31/12/2020", "2020-12-31"])) == 1


def test_what_the_parts_leave_open_is_drawn_inside_the_bounds(declare):
    embedding = declare(["year", "month"], "2020-01-20", "2020-03-10", type_="date")
    january = set(decoded(embedding, np.zeros(500, int), np.zeros(500, int)).to_pylist())
    assert january == {dt.date(2020, 1, day) for day in range(20, 32)}
    march = decoded(embedding, np.zeros(5000, int), np.full(5000, 2)).to_pylist()
    counts = [march.count(dt.date(2020, 3, day)) for day in range(1, 11)]
    assert sum(counts) == 5000
    assert min(counts) > 350


def test_an_upper_bound_without_a_time_is_its_whole_day(declare):
    embedding = declare(["hour"], "2020-01-01", "2020-01-02")
    moment = pa.array([dt.datetime(2020, 1, 2, 23, 30)])
    assert codes(embedding, moment) == [[23]]
    assert embedding.moved(moment) == {"outside": 0}
    assert embedding.moved(pa.array([dt.datetime(2020, 1, 3)])) == {"outside": 1}


def test_the_coarser_unit_is_drawn_where_the_parts_exist_in_it(declare):
    embedding = declare(["month", "day"], "1897-06-15", "1905-02-28")
    leap = decoded(embedding, np.full(50, 1), np.full(50, 28)).to_pylist()
    assert {moment.date() for moment in leap} == {dt.date(1904, 2, 29)}
    june = {moment.year for moment in decoded(embedding, np.full(500, 5), np.full(500, 9)).to_pylist()}
    assert june == set(range(1898, 1905))


def test_a_day_that_does_not_exist_is_the_last_of_its_month(declare):
    embedding = declare(["year", "month", "day"], "2020-01-01", "2021-12-31", type_="date")
    assert decoded(embedding, [0, 1], [1, 1], [30, 30]).to_pylist() == [dt.date(2020, 2, 29), dt.date(2021, 2, 28)]


def test_the_first_part_says_what_is_null(declare):
    embedding = declare(["year", "month"], "2020-01-01", "2021-12-31", null=True, type_="date")
    drawn = decoded(embedding, [2, 0, 2], [3, 12, 12]).to_pylist()
    assert [value is None for value in drawn] == [True, False, True]
    assert drawn[1].year == 2020


def test_zones_are_read_in_utc(declare):
    embedding = declare(["day", "hour"], "2020-01-01", "2020-01-31")
    moment = pa.array([dt.datetime(2020, 1, 5, 22, tzinfo=dt.UTC)], pa.timestamp("us", "Asia/Tokyo"))
    assert codes(embedding, moment) == [[4], [22]]


@pytest.mark.parametrize(
    ("form", "text", "hour"),
    [
        (None, "2020-01-05T22:10:00Z", 22),
        (None, "2020-01-05 22:10:00.250", 22),
        (None, "2020-01-05", 0),
        ("%m/%d/%y %I:%M %p", "01/05/20 10:15 PM", 22),
        ("%Y%m%d%H", "2020010522", 22),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-01-05 22:10:00.000250", 22),
    ],
)
def test_text_of_many_forms(declare, form, text, hour):
    sdv = {"datetime_format": form} if form else {}
    embedding = declare(["hour"], "2020-01-01", "2020-01-31", **sdv)
    assert codes(embedding, [text, "no date"])[0] == [hour, 0]
    assert embedding.check(pa.array([text, "no date"])) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": ["yaer"]}, r"core\.seen embedding\.parts \(yaer\) must be a part; did you mean 'year'"),
        ({"parts": []}, "must be neighbours in order"),
        ({"parts": ["year", "day"]}, r"embedding\.parts \(year, day\) must be neighbours in order"),
        ({"parts": ["month", "year"]}, "must be neighbours in order"),
        ({"parts": "year"}, "embedding must have 'parts'"),
        ({"low": "2022-01-01"}, r"domain\.min \(2022-01-01T00:00:00\) must be below max"),
        ({"low": "1/1/2022"}, r"domain\.min \(1/1/2022\) must be an ISO date or time"),
        ({"low": 2022}, r"domain\.min \(2022\) must be an ISO date or time"),
        ({"parts": ["day", "hour"], "type_": "date"}, r"parts \(hour\) must be no finer than .* the day"),
        ({"parts": ["hour"], "datetime_format": "%Y-%m-%d"}, r"parts \(hour\) must be no finer"),
        ({"type_": "text"}, "must have a datetime_format"),
        ({"type_": "dat"}, r"domain\.type \(dat\) must be .*did you mean 'date'"),
    ],
)
def test_wrong_declarations_name_the_column_and_the_rule(declare, changes, message):
    with pytest.raises(SchemaError, match=message):
        declare(**{"parts": ["year"], "low": "2020-01-01", "high": "2021-12-31", **changes})


MOMENTS = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2260, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(
    ends=st.lists(MOMENTS, min_size=2, max_size=2, unique=True).map(sorted),
    values=st.lists(MOMENTS | st.none(), max_size=12),
    start=st.integers(0, 5),
    count=st.integers(1, 6),
    seed=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_a_decoded_moment_stays_in_its_parts_and_inside_the_bounds(ends, values, start, count, seed):
    low, high = (int(end.replace(tzinfo=dt.UTC).timestamp()) for end in ends)
    units = UNITS[start : start + count]
    embedding = Datetime(
        name="x", where="t.x", null=True, low=low, high=high, units=units, stored="timestamp", form=None
    )
    codes = embedding.encode(pa.array([*values, *ends], pa.timestamp("us")))
    drawn = embedding.decode(codes, rng=np.random.default_rng(seed))
    again = embedding.encode(drawn)
    assert [c.tolist() for c in again] == [c.tolist() for c in codes]
    assert all(value is None or ends[0] <= value <= ends[1] for value in drawn.to_pylist())


def test_the_last_day_of_february_in_and_out_of_leap_years(declare):
    embedding = declare(["year", "month", "day"], "2019-01-01", "2020-12-31", type_="date")
    days = [dt.date(2019, 2, 28), dt.date(2020, 2, 29), dt.date(2020, 3, 1)]
    assert codes(embedding, days) == [[0, 1, 1], [1, 1, 2], [27, 28, 0]]
    # 29 February 2019 is no day: the nearest that is.
    assert decoded(embedding, [0, 1], [1, 1], [28, 28]).to_pylist() == [dt.date(2019, 2, 28), dt.date(2020, 2, 29)]


def test_moments_before_1970_have_positive_parts(declare):
    embedding = declare(["month", "day", "hour"], "1901-01-01", "1969-12-31")
    assert codes(embedding, [dt.datetime(1969, 12, 31, 23, 59), dt.datetime(1901, 2, 3, 4)]) == [
        [11, 1],
        [30, 2],
        [23, 4],
    ]


def test_outside_the_bounds_goes_to_the_edge_and_is_counted(declare):
    embedding = declare(["year", "month"], "2010-03-15", "2012-02-10", null=True)
    values = [dt.datetime(2010, 3, 14), dt.datetime(2012, 2, 10, 23, 59, 59), dt.datetime(2012, 2, 11), None]
    assert codes(embedding, values) == [[0, 2, 2, 3], [2, 1, 1, 12]]
    assert embedding.moved(pa.array(values)) == {"outside": 2}
    assert embedding.check(pa.array(values)) is None


def test_a_null_in_a_later_part_alone_is_drawn_and_no_null(declare):
    embedding = declare(["year", "month"], "2010-01-01", "2011-12-31", null=True)
    drawn = decoded(embedding, [1] * 200, [12] * 200).to_pylist()
    assert {moment.year for moment in drawn} == {2011}
    assert {moment.month for moment in drawn} == set(range(1, 13))


@given(
    low=st.dates(dt.date(1900, 1, 1), dt.date(2099, 1, 1)),
    days=st.integers(1, 800),
    data=st.data(),
)
@settings(max_examples=60)
def test_any_codes_decode_inside_the_bounds_also_those_of_no_day(low, days, data):
    """A model draws parts apart: 31 April must still become a value that the ingestion check takes."""
    high = low + dt.timedelta(days=days)
    start, count = data.draw(st.sampled_from([(0, 3), (0, 2), (1, 2), (2, 1), (1, 1), (0, 1)]))
    embedding = Datetime(
        name="x", where="t.x", null=False, units=UNITS[start : start + count], stored="date", form=None,
        low=int(np.datetime64(low, "s").astype(int)), high=int(np.datetime64(high, "s").astype(int)) + 86_399,
    )  # fmt: skip
    wanted = [
        np.array(data.draw(st.lists(st.integers(0, p.size - 1), min_size=4, max_size=4))) for p in embedding.parts
    ]
    drawn = decoded(embedding, *wanted, seed=data.draw(st.integers(0, 9)))
    assert embedding.check(drawn) is None
    assert embedding.moved(drawn) == {"outside": 0}
    assert all(low <= day <= high for day in drawn.to_pylist())
