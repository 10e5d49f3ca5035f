from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.datasets.identity import canonical, content_ids
from pasteur.table import UNIT, Table

ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.sampled_from(["a", "b", '"', "\\", "a\n", "\x00", "é"])), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)
SCHEMA = pa.schema([("text", pa.string()), ("number", pa.int64())])


def table(rows):
    return Table.of(pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA))


def ids(rows):
    """Each row with its id."""
    return [(row["text"], row["number"], row[UNIT]) for row in content_ids(table(rows)).arrow().to_pylist()]


def test_the_canonical_form_is_json():
    row = {"b": 'q"\\\n\x01é', "a": 7, "d": 1.5, "e": True, "f": dt.datetime(2020, 1, 2, 3, 4, 5, 60), "g": None}  # noqa: DTZ001
    batch = pa.RecordBatch.from_pylist([row])
    expected = dict(row, a="7", d="1.5", e="true", f="2020-01-02 03:04:05.000060")
    assert canonical(batch).to_pylist() == [
        json.dumps(expected, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    ]


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_every_text_is_quoted_as_json_quotes_it(rows):
    made = [json.loads(line) for line in canonical(table(rows).arrow().combine_chunks().to_batches()[0]).to_pylist()]
    assert made == [{"text": text, "number": str(number)} for text, number in rows]


def test_an_id_is_what_duckdb_computes():
    """Origin: DuckDB's own JSON and SHA-256 over the same three rows."""
    rows = [("b", 1), ("a", 1), ("b", 1)]
    asked = """
        select left(sha256(form), 32) || '-' || (row_number() over (partition by form) - 1)
        from (select to_json({number: number::varchar, text: text}) as form from rows)
    """
    rows_table = table(rows).arrow()
    with duckdb.connect() as connection:
        connection.register("rows", rows_table)
        found = {row[0] for row in connection.sql(asked).fetchall()}
    assert {row[2] for row in ids(rows)} == found
    assert ids([("a", 1)])[0][2] == hashlib.sha256(b'{"number":"1","text":"a"}').hexdigest()[:32] + "-0"


@settings(max_examples=50, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_ids_are_unique_and_do_not_depend_on_order(rows, random):
    before = ids(rows)
    assert len({row[2] for row in before}) == len(rows)
    shuffled = random.sample(rows, len(rows))
    assert Counter(ids(shuffled)) == Counter(before)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.integers(0, 29))
def test_one_row_less_takes_one_id_and_moves_no_other(rows, at):
    at %= len(rows)
    rest = rows[:at] + rows[at + 1 :]
    gone = Counter(ids(rows)) - Counter(ids(rest) if rest else [])
    assert len(gone) == 1
    assert not Counter(ids(rest) if rest else []) - Counter(ids(rows))
    assert next(iter(gone))[:2] == rows[at]


def test_the_order_of_columns_does_not_matter():
    turned = table([("a", 1)]).arrow().select(["number", "text"])
    assert content_ids(Table.of(turned)).arrow()[UNIT].to_pylist() == [ids([("a", 1)])[0][2]]
