from __future__ import annotations

import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from pasteur.errors import DataError, SqlError
from pasteur.sql import Limits, Query, Sandbox, quote, rows_of
from pasteur.table import Table

PEOPLE = pa.table({"id": [1, 2, 3, 4], "age": [30, 40, 50, 60], "name": ["secret7", "b", "c", None]})


@pytest.fixture
def people():
    with Sandbox(tables={"people": Table.of(PEOPLE)}) as sandbox:
        yield sandbox


def test_rows_are_lazy_and_the_same_on_each_reading(people):
    result = people.query("SELECT age, id FROM people ORDER BY age DESC;", where="q")
    assert result.columns == ("age", "id")
    assert result.arrow()["age"].to_pylist() == [60, 50, 40, 30]
    assert result.arrow(["id"]).to_pydict() == {"id": [4, 3, 2, 1]}
    assert [b.num_rows for b in result.batches(rows=2)] == [2, 2]


def test_a_table_may_be_read_twice_in_a_query_and_two_results_side_by_side(people):
    pairs = people.query("SELECT a.id, b.id AS other FROM people a JOIN people b ON a.id < b.id", where="q")
    first, second = pairs.batches(rows=2), pairs.batches(rows=3)
    assert (next(first).num_rows, next(second).num_rows) == (2, 3)
    assert sum(b.num_rows for b in first) + sum(b.num_rows for b in second) == 4 + 3


def test_a_column_that_is_not_there(people):
    with pytest.raises(SqlError, match=r"^q: .*\"ages\".*; Candidate bindings: \"age\""):
        people.query("SELECT ages FROM people", where="q")


@pytest.mark.parametrize(
    "expression", ["name::INTEGER", "name::DATE", "(age * 100000000000000)::INTEGER", "strptime(name, '%Y')"]
)
def test_no_value_in_an_error(people, expression):
    result = people.query(f"SELECT {expression} FROM people", where="q")
    with pytest.raises(SqlError, match=r"^q: (a value cannot be converted|a number is out of range|failed)") as error:
        result.arrow()
    assert "secret7" not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_nothing_but_the_tables_can_be_reached(people, tmp_path):
    people_frame = PEOPLE.to_pandas()
    (tmp_path / "x.csv").write_text("a\n1\n")
    for text in (
        "SELECT * FROM people_frame",
        "SELECT * FROM PEOPLE2",
        f"SELECT * FROM '{tmp_path}/x.csv'",
        f"SELECT * FROM read_csv('{tmp_path}/x.csv')",
        "SELECT * FROM read_text('/etc/hostname')",
    ):
        with pytest.raises(SqlError):
            people.select(text, where="behind the guard").arrow()
    for text in (
        f"ATTACH '{tmp_path}/x.db'",
        f"COPY people TO '{tmp_path}/y.csv'",
        "SET threads = 4",
        "RESET memory_limit",
    ):
        with pytest.raises(SqlError):
            people.execute(text, where="behind the guard")
    assert len(people_frame) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv"]


def test_hidden_tables_are_hidden_from_questions_only():
    with Sandbox(tables={"people": Table.of(PEOPLE)}, hidden={"keys": Table.of(PEOPLE)}) as sandbox:
        with pytest.raises(SqlError, match="table 'keys' is not there"):
            sandbox.query("SELECT * FROM keys", where="q")
        name = sandbox.define(Query(text="SELECT id FROM people", where="q", tables=frozenset({"people"})))
        with pytest.raises(SqlError, match="is not there"):
            sandbox.query(f"SELECT * FROM {name}", where="q")
        assert rows_of(sandbox.select(f"SELECT count(*) AS n FROM {name} SEMI JOIN keys USING (id)", where="q")) == [
            {"n": 4}
        ]


def test_moments_are_utc_on_every_machine():
    moments = pa.table({"moment": pa.array([0], pa.timestamp("us", tz="America/New_York"))})
    with Sandbox(tables={"t": Table.of(moments)}) as sandbox:
        assert rows_of(sandbox.query("SELECT hour(moment) AS h FROM t", where="q")) == [{"h": 0}]


def test_a_query_that_takes_too_long_is_stopped():
    table = Table.of(pa.table({"x": np.arange(1_000_000)}))
    with Sandbox(tables={"t": table}, limits=Limits(seconds=0.2)) as sandbox:
        text = "SELECT count(*) FROM t a JOIN t b ON hash(a.x + b.x) % 7 = 1"
        started = time.monotonic()
        with pytest.raises(SqlError, match=r"^slow: took longer than 0\.2 s"):
            sandbox.query(text, where="slow").arrow()
        assert time.monotonic() - started < 60  # unstopped it takes hours
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]


def test_time_of_the_reader_does_not_count(people):
    with Sandbox(tables={"people": Table.of(PEOPLE)}, limits=Limits(seconds=3)) as sandbox:
        batches = sandbox.query("SELECT * FROM people", where="q").batches(rows=1)
        next(batches)
        time.sleep(3.2)
        assert len(list(batches)) == 3


def test_what_does_not_fit_is_spilled_and_removed(tmp_path):
    rows, block = 400_000, 50_000

    def make():
        for start in range(0, rows, block):
            numbers = np.arange(start, start + block) * 7919 % rows
            yield pa.record_batch({"a": numbers, "b": pa.array(np.char.add("x" * 40, numbers.astype(str)))})

    table = Table.stream(pa.schema({"a": pa.int64(), "b": pa.string()}), make, rows=rows)
    spilled = False
    with Sandbox(tables={"t": table}, limits=Limits(megabytes=40, folder=tmp_path)) as sandbox:
        last = -1
        for batch in sandbox.query("SELECT b, a FROM t ORDER BY a", where="q").batches():
            values = batch["a"].to_numpy()
            assert values[0] > last
            assert np.all(np.diff(values) > 0)
            last = values[-1]
            spilled |= any(path.is_file() for path in tmp_path.rglob("*"))
    assert last == rows - 1
    assert spilled
    assert not list(tmp_path.iterdir())


def test_a_tables_own_error_is_told():
    def make():
        yield from ()
        raise DataError("core.pq: row 3 is broken")

    table = Table.stream(pa.schema({"a": pa.int64()}), make)
    with Sandbox(tables={"t": table}) as sandbox, pytest.raises(DataError, match=r"core\.pq: row 3 is broken"):
        sandbox.query("SELECT * FROM t", where="q").arrow()


def test_rows_outlive_the_name_of_their_sandbox(tmp_path):
    sandbox = Sandbox(tables={"people": Table.of(PEOPLE)}, limits=Limits(folder=tmp_path))
    result = sandbox.query("SELECT id FROM people ORDER BY id", where="q")
    del sandbox
    assert result.arrow()["id"].to_pylist() == [1, 2, 3, 4]
    del result
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["threads", "megabytes", "seconds"])
def test_limits_under_which_nothing_runs(name):
    with pytest.raises(SqlError, match=rf"sql\.{name} \(0\) must be above 0"):
        Limits(**{name: 0})


def test_names_are_quoted():
    odd = 'a"; DROP'
    with Sandbox(tables={odd: Table.of(PEOPLE)}) as sandbox:
        assert rows_of(sandbox.select(f"SELECT count(*) AS n FROM {quote(odd)}", where="q")) == [{"n": 4}]
