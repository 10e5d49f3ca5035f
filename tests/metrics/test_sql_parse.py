from __future__ import annotations

import pytest

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
