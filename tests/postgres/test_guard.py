"""What a query in the server's dialect may be."""

from __future__ import annotations

import pytest

from pasteur.errors import SqlError
from pasteur.postgres import Session, check, mentioned

LONG = "l" * 63
"""The server drops what comes after 63 bytes of a name."""


@pytest.fixture(scope="module")
def session(server):
    import os

    os.environ["PASTEUR_GUARD_TEST"] = server.uri
    server.sql(
        "CREATE SCHEMA own",
        "CREATE TABLE own.people (id int, age int)",
        f"CREATE SCHEMA {LONG}",
        f"CREATE TABLE {LONG}.people (id int)",
        "CREATE FUNCTION own.twice(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * x'",
    )
    with Session(variable="PASTEUR_GUARD_TEST") as held:
        yield held
    server.sql("DROP SCHEMA own CASCADE", f"DROP SCHEMA {LONG} CASCADE")
    del os.environ["PASTEUR_GUARD_TEST"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM people",
        "WITH x AS (SELECT id FROM people) SELECT x.id, count(*) FROM x GROUP BY x.id",
        "SELECT id, sum(age::numeric(12, 4)) FILTER (WHERE age > 3) FROM people GROUP BY id",
        "SELECT id, row_number() OVER (PARTITION BY id ORDER BY age) FROM people",
        "SELECT id, string_agg(name, ',' ORDER BY name) FROM people GROUP BY id",
        "SELECT DISTINCT ON (id) id, age FROM people ORDER BY id, age",
        "SELECT extract(hour FROM at)::bigint, date_trunc('day', at), to_char(at, 'DY') FROM people",
        "SELECT array(SELECT a FROM x ORDER BY a), coalesce(a, b), CAST(a AS text) FROM people",
        'SELECT "user", "limit", p.offset, a AS limit FROM people AS p',
        "SELECT mode() WITHIN GROUP (ORDER BY age), percentile_cont(0.5) WITHIN GROUP (ORDER BY age) FROM people",
        "SELECT sum(a) OVER (PARTITION BY id ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM people",
        "SELECT 'nowhere', 'all day', date_trunc('day', at), at + interval '1 day', rows FROM people",
        "SELECT 'random() ; own.people' AS note -- now()",
        "(SELECT 1) UNION ALL (SELECT 2)",
    ],
)
def test_pure_queries_over_given_tables_may_run(session, text):
    assert check(text, session=session, where="q") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be one SELECT"),
        ("DELETE FROM people", "must be one SELECT"),
        ("SELECT 1; SELECT 2", "without a semicolon"),
        ("WITH x AS (DELETE FROM people RETURNING *) SELECT * FROM x", "DELETE is not allowed"),
        ("WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x", "WITH RECURSIVE is not allowed"),
        ("SELECT id, random() FROM people", "function 'random' is not allowed"),
        ('SELECT "random" ()', "function 'random' is not allowed"),
        ("SELECT pg_catalog.random()", "'pg_catalog.random' is not allowed"),
        ("SELECT nextval('s')", "function 'nextval'"),
        ("SELECT set_config('a', 'b', true)", "function 'set_config'"),
        ("SELECT pg_read_file('/etc/passwd')", "function 'pg_read_file'"),
        ("SELECT table_to_xml('own.people', true, false, '')", "function 'table_to_xml'"),
        ("SELECT query_to_xml('SELECT * FROM own.people', true, false, '')", "function 'query_to_xml'"),
        ("SELECT now()", "function 'now'"),
        ("SELECT age(at) FROM people", "function 'age'"),
        ("SELECT CURRENT_DATE", "current_date is not allowed"),
        ("SELECT current_user", "current_user is not allowed"),
        ("SELECT * FROM own.people", "'own.people' is not allowed"),
        ('SELECT * FROM own /* x */ . "people"', "'own.people' is not allowed"),
        (f"SELECT * FROM {LONG}_.people", f"'{LONG}.people' is not allowed"),
        ("SELECT 'now'::timestamptz", "'now' is not allowed: as a date or time it reads a clock"),
        ("SELECT * FROM people WHERE at < ' Today 10:00'", "it reads a clock"),
        ("SELECT $$yesterday$$::date", "it reads a clock"),
        ("SELECT json_arrayagg(a) FROM people", "json_arrayagg must be"),
        ("SELECT json_array(SELECT a FROM people)::text", "must have an ORDER BY: else"),
        ("SELECT sum(a) OVER (PARTITION BY id ROWS 2 PRECEDING) FROM people", "a window of ROWS or GROUPS must"),
        ("SELECT own.twice(age) FROM people", "'own.twice' is not allowed"),
        ("SELECT * FROM pg_stats", "table 'pg_stats' is not allowed"),
        ("SELECT * FROM information_schema.tables", "'information_schema.tables' is not allowed"),
        ("SELECT * FROM people TABLESAMPLE SYSTEM (10)", "TABLESAMPLE"),
        ("SELECT id OPERATOR(pg_catalog.+) 1 FROM people", "OPERATOR"),
        ("SELECT id INTO x FROM people", "INTO is not allowed"),
        ("SELECT id FROM people LIMIT 3", "LIMIT, OFFSET and FETCH"),
        ("SELECT * FROM (SELECT id FROM people FETCH FIRST ROW ONLY) AS x ORDER BY id", "LIMIT, OFFSET and FETCH"),
        ("SELECT DISTINCT ON (id) id FROM people", "DISTINCT ON"),
        ("SELECT string_agg(name, ',') FROM people", "string_agg must be"),
        ("SELECT array(SELECT a FROM people)", "must have an ORDER BY"),
        ("SELECT lag(age) OVER (PARTITION BY id) FROM people", "lag must have an ORDER BY"),
        ("SELECT rank() OVER w FROM people WINDOW w AS (ORDER BY id)", "window in OVER"),
        ("SELECT $1", "a parameter"),
    ],
)
def test_all_else_is_refused(session, text, message):
    with pytest.raises(SqlError, match="q: .*" + message.replace("(", r"\(").replace("$", r"\$")):
        check(text, session=session, where="q")


def test_tables_that_a_query_names():
    text = "SELECT x.visits FROM People JOIN \"Rooms\" USING (id) WHERE note = 'prices'"
    assert mentioned(f"SELECT * FROM {LONG}", [LONG + "_table"], "q") == [LONG + "_table"]
    assert mentioned(text, ["people", "Rooms", "visits", "prices"], "q") == ["Rooms", "people"]
