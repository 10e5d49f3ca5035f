from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.errors import SqlError
from pasteur.metrics.sql_parse import Value, parse, read

HEAD = """-- name: income by education and sex
-- kind: groups            groups | share | scalar | topk | dist
-- keys: education, sex
-- values: n=count, rate=ratio, hours=mean
-- support: n   min_support: 20   weight: 2
SELECT education, sex, count(*) AS n, avg(income) AS rate, avg(hours) AS hours FROM core GROUP BY ALL
"""


def test_the_head_of_the_specification():
    (query,) = parse(HEAD, file="adult/bench.general.sql")
    assert query.name == "income by education and sex"
    assert query.metric == "sql/income-by-education-and-sex"
    assert query.kind == "groups"
    assert query.keys == ("education", "sex")
    assert query.values == tuple(
        Value(column=c, type=t) for c, t in (("n", "count"), ("rate", "ratio"), ("hours", "mean"))
    )
    assert (query.support, query.min_support, query.weight) == ("n", 20, 2)
    assert query.sql.startswith("SELECT education")
    assert query.where == "adult/bench.general.sql:1: query 'income by education and sex'"


def test_statements_are_split_by_the_parser_and_know_their_lines():
    text = """-- A file's own remark.

-- name: first é
-- kind: dist            remarks: may hold colons? and ; too
-- values: x=number
SELECT ';' AS a, 1 AS x -- inside
FROM core; -- name it well

/* a block */
-- name: second
-- kind: topk
-- keys: a
-- values: x=ratio, m=mean(core.age)
-- order: x asc   k: 3
SELECT a, x, m FROM core
;
"""
    one, two = parse(text.replace("remarks: may", "remarks may").replace("-- name it", "-- it"), file="f.sql")
    assert (one.line, two.line) == (3, 10)
    assert one.sql == "SELECT ';' AS a, 1 AS x -- inside\nFROM core"
    assert two.sql == "SELECT a, x, m FROM core"
    assert (two.order, two.descending, two.k) == ("x", False, 3)
    assert two.values[1] == Value(column="m", type="mean", of="core.age")


def change(old, new, text=HEAD):
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (change("name: income by education and sex", "nam: x"), r"f.sql:1: 'nam' is not an entry .* 'name'\?"),
        (
            change("-- kind: groups            groups | share | scalar | topk | dist\n", ""),
            r"f.sql:1: .* must have 'kind:'",
        ),
        (change("kind: groups ", "kind: group "), r"f.sql:2: kind \(group\) must be one of .* 'groups'\?"),
        (change("keys: education, sex", "keys: education sex"), r"f.sql:3: keys \(education sex\) must be names"),
        (change("-- keys: education, sex\n", ""), r"f.sql:1: query .* of kind groups must have 'keys:'"),
        (change("-- values: n=count, rate=ratio, hours=mean\n", ""), r"must have 'values:'"),
        (change("n=count", "n"), r"f.sql:4: values \(n\) must be column=type"),
        (change("n=count", "n=counts"), r"f.sql:4: values: type of n \(counts\) must be one of count, ratio, mean"),
        (change("n=count", "n=count(age)"), r"f.sql:4: only a mean is of a column: write n=count"),
        (change("hours=mean", "sex=mean"), r"f.sql:4: a column must be named once"),
        (
            change("min_support: 20", "min_support: many"),
            r"f.sql:5: min_support \(many\) must be a number of at least 0",
        ),
        (change("weight: 2", "weight: -1"), r"f.sql:5: weight \(-1\) must be a number of at least 0"),
        (change("weight: 2", "k: 3"), r"f.sql:5: 'k' means nothing to a query of kind groups"),
        (change("weight: 2", "weight:"), r"f.sql:5: 'weight' must have a value"),
        (change("keys: education, sex", "name: other"), r"f.sql:3: 'name' is given twice, first in line 1"),
        (HEAD + "\n;\n" + HEAD, r"f.sql:9: query .* has the name of the query in line 1"),
        (change("name: income by education and sex", "name: Mean"), r"f.sql:1: .* choose another"),
        ("SELECT 1", r"f.sql:1: a statement must have a comment head"),
        (HEAD + ";\nSELECT 2", r"f.sql:8: a statement must have a comment head"),
        ("-- name: x\n-- kind: dist\n-- values: a=number, b=number\nSELECT 1", r"f.sql:3: .* exactly one value"),
        ("-- name: x\n-- kind: share\n-- keys: k\n-- values: a=ratio\nSELECT 1", r"must be one of count"),
        (
            "-- name: x\n-- kind: topk\n-- keys: k\n-- values: a=ratio\n-- order: b   k: 1\nSELECT 1",
            r"f.sql:5: order \(b\) must be one of the values",
        ),
        (
            "-- name: x\n-- kind: topk\n-- keys: k\n-- values: a=ratio\n-- order: a up   k: 1\nSELECT 1",
            r"f.sql:5: order \(a up\) must be a column, then asc or desc",
        ),
        (
            "-- name: x\n-- kind: topk\n-- keys: k\n-- values: a=ratio\n-- order: a   k: 1.5\nSELECT 1",
            r"f.sql:5: k \(1.5\) must be a whole number of at least 1",
        ),
        ("-- name: x\n-- kind: dist\n-- values: a=number\nSELCT 1", r"f.sql:4: is not SQL \(Parser Error"),
        ("-- only a remark\n", r"f.sql: holds no query"),
        ("", r"f.sql: holds no query"),
    ],
)
def test_errors_name_file_and_line(text, message):
    with pytest.raises(SqlError, match=message):
        parse(text, file="f.sql")


def test_files(tmp_path):
    path = tmp_path / "adult" / "bench.x.sql"
    path.parent.mkdir()
    path.write_text(HEAD, encoding="utf-8")
    assert read(path)[0].file == "adult/bench.x.sql"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SqlError, match=r"bench.x.sql: is not a readable text file"):
        read(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_may_end_as_on_windows_and_texts_hold_any_letters(end):
    text = "-- größe: no\n".replace("größe: no", "größe — ohne Eintrag") + HEAD + ";\n-- 数\n" + AGES
    one, two = parse(text.replace("\n", end), file="f.sql")
    assert (one.line, two.line) == (2, 10)
    assert one.keys == ("education", "sex")
    assert (two.name, two.values[0].column) == ("ages ü", "x")
    assert two.sql == "SELECT age AS x FROM core WHERE city <> 'Zürich; -- name: no'"


AGES = (
    "-- name: ages ü\n-- kind: dist\n-- values: x=number\nSELECT age AS x FROM core WHERE city <> 'Zürich; -- name: no'"
)

NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8)
OPTIONS = {
    "support": NAMES,
    "min_support": st.integers(0, 99),
    "weight": st.floats(0, 100, allow_subnormal=False),
    "per": NAMES,
}


@settings(max_examples=60)
@given(
    keys=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    values=st.dictionaries(NAMES, st.sampled_from(["count", "ratio", "mean"]), min_size=1, max_size=3),
    options=st.fixed_dictionaries({}, optional=OPTIONS),
    data=st.data(),
)
def test_a_head_says_the_same_in_any_order_and_on_any_lines(keys, values, options, data):
    compared = ",".join(f"{column} = {kind}" for column, kind in values.items())
    entries = {"name": "q", "kind": "groups", "keys": ", ".join(keys), "values": compared, **options}
    mixed = data.draw(st.permutations(sorted(entries)))
    breaks = data.draw(st.lists(st.sampled_from(["\n-- ", "   ", "      a remark\n--"]), min_size=9, max_size=9))
    head = "".join(f"{key.upper()}: {entries[key]}{gap}" for key, gap in zip(mixed, breaks, strict=False))
    text = f"-- {head}\nSELECT 1"
    if set(keys) & set(values):
        with pytest.raises(SqlError, match="a column must be named once among keys and values"):
            parse(text, file="f.sql")
        return
    (query,) = parse(text, file="f.sql")
    assert query.keys == tuple(keys)
    assert {value.column: value.type for value in query.values} == values
    assert query.support == options.get("support")
    assert query.per == options.get("per")
    assert query.min_support == options.get("min_support", 0)
    assert query.weight == options.get("weight", 1)
    assert query.sql == "SELECT 1"


@pytest.mark.parametrize("word", ["nan", "inf", "-1", "1e999", "ten", "0x10"])
@pytest.mark.parametrize("key", ["weight", "min_support"])
def test_numbers_of_a_head_are_finite(key, word):
    with pytest.raises(SqlError, match=rf"f\.sql:2: {key} \({word}\) must be a number of at least 0"):
        parse(f"-- name: q   kind: groups\n-- {key}: {word}\n-- keys: a   values: n=count\nSELECT 1", file="f.sql")


@pytest.mark.parametrize("word", ["0", "-3", "2.5", "nan", "inf", "many"])
def test_the_length_of_a_ranking_is_a_whole_number(word):
    text = f"-- name: q   kind: topk   keys: a   values: n=count   order: n   k: {word}\nSELECT 1"
    with pytest.raises(SqlError, match=rf"f\.sql:1: k \({word}\) must be a whole number of at least 1"):
        parse(text, file="f.sql")


@pytest.mark.parametrize(
    ("order", "column", "descending"), [("n", "n", True), ("n DESC", "n", True), ("r Asc", "r", False)]
)
def test_rankings_go_down_unless_they_say_asc(order, column, descending):
    text = f"-- name: q   kind: topk   keys: a   values: n=count, r=ratio   order: {order}   k: 2\nSELECT 1"
    (query,) = parse(text, file="f.sql")
    assert (query.order, query.descending, query.k) == (column, descending, 2)


def test_a_comment_after_the_last_statement_is_nobodys_head():
    (query,) = parse(HEAD + ";\n-- name: nothing follows\n-- kind: dist\n", file="f.sql")
    assert query.name == "income by education and sex"
    assert query.sql.endswith("GROUP BY ALL")


def test_names_that_become_one_metric_clash():
    one, other = (HEAD.replace("income by education and sex", name) for name in ("a-b", "A (b)"))
    with pytest.raises(SqlError, match=r"f\.sql:8: query 'A \(b\)': has the name of the query in line 1"):
        parse(f"{one};\n{other}", file="f.sql")
