from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.errors import SqlError
from pasteur.sql import check
from pasteur.sql.functions import ALLOWED, CLOCKS, OPERATORS, ORDERED_AGGREGATES, WINDOWS

TABLES = ("people", "visits")
WHERE = "view adult, component core"


def refused(text):
    with pytest.raises(SqlError) as error:
        check(text, tables=TABLES, where=WHERE)
    message = str(error.value)
    assert message.startswith(f"{WHERE}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM people",
        "select age, count(*) as n from People group by all order by n desc, age limit 3; -- with a comment",
        "FROM people",
        "VALUES (1, 'a')",
        "SELECT ';' AS a, 'DROP TABLE people' AS b",
        "WITH old AS (SELECT * FROM people WHERE age > 60) SELECT sex, avg(age) FROM old GROUP BY sex",
        "SELECT p.age FROM people AS p LEFT JOIN visits AS v USING (id) WHERE v.id IS NULL",
        "SELECT first(age ORDER BY id), string_agg(sex, ',' ORDER BY id) FROM people",
        "SELECT row_number() OVER (PARTITION BY sex ORDER BY id) AS n FROM people",
        "SELECT sum(age) OVER (PARTITION BY sex) FROM people",
        "SELECT first_value(age) OVER (PARTITION BY sex ORDER BY id) FROM people",
        "SELECT DISTINCT ON (sex) sex, age FROM people ORDER BY sex, age, id",
        "SELECT DISTINCT sex FROM people",
        "SELECT unnest(range(24)) AS hour",
        "SELECT CASE WHEN age BETWEEN 1 AND 9 THEN 'c' ELSE lower(sex) END, age IN (1, 2), age::VARCHAR FROM people",
        "SELECT extract(hour FROM t), t + INTERVAL 3 DAY, t AT TIME ZONE 'UTC', date '2020-01-01' FROM visits",
        "SELECT list_transform([1, 2], lambda x: x + 1), {'a': 1}.a, [1, 2][1], quantile_cont(age, 0.5) FROM people",
        "SELECT people.user, people.today FROM people",
        "SELECT a.age FROM people a UNION ALL SELECT id FROM visits ORDER BY 1 LIMIT 5",
        "SELECT * FROM people WHERE id IN (SELECT id FROM visits) AND EXISTS (SELECT 1 FROM visits)",
    ],
)
def test_questions_pass_as_they_were_written(text):
    assert check(text, tables=TABLES, where=WHERE).text == text


def test_which_tables_are_read():
    query = check("WITH those AS (SELECT * FROM PEOPLE) SELECT * FROM those", tables=TABLES, where=WHERE)
    assert query.tables == {"people"}


@pytest.mark.parametrize(
    "text",
    [
        "WITH people AS (SELECT * FROM people) SELECT * FROM people",
        "WITH People AS (SELECT * FROM visits) SELECT * FROM people",
        "SELECT * FROM people AS p WHERE EXISTS (WITH people AS (SELECT 1 AS x) SELECT x FROM people)",
        "SELECT id FROM people UNION ALL (WITH people AS (SELECT id FROM visits) SELECT * FROM people)",
    ],
)
def test_no_part_of_a_query_hides_a_table(text):
    """The name would be the table's outside of that part, and inside of its own body: a table read unseen."""
    assert "WITH people must have a name that no table has" in refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1; SELECT 2", "must be one SELECT, not 2 statements"),
        ("SELECT 1; DROP TABLE people", "not 2 statements"),
        ("", "not 0 statements"),
        ("-- nothing", "not 0 statements"),
        ("PRAGMA database_list", "must be one SELECT"),
        ("ATTACH 'x.db'", "ATTACH is not allowed"),
        ("COPY people TO 'x.csv'", "COPY is not allowed"),
        ("COPY (SELECT 1) TO 'x.csv'", "COPY is not allowed"),
        ("INSTALL httpfs", "must be one SELECT"),
        ("LOAD httpfs", "LOAD is not allowed"),
        ("SET threads = 8", "is not allowed"),
        ("CREATE TABLE t AS SELECT 1", "CREATE is not allowed"),
        ("INSERT INTO people VALUES (1)", "INSERT is not allowed"),
        ("DELETE FROM people", "DELETE is not allowed"),
        ("CALL pragma_version()", "is not allowed"),
        ("EXPLAIN SELECT 1", "EXPLAIN is not allowed"),
        ("EXPORT DATABASE 'x'", "is not allowed"),
        ("PIVOT people ON sex USING count(*)", "PIVOT and the like is not allowed"),
        ("SELECT * FROM people PIVOT (sum(age) FOR sex IN ('F', 'M'))", "PIVOT"),
        ("UNPIVOT people ON age", "PIVOT"),
        ("DESCRIBE people", "DESCRIBE"),
        ("SHOW TABLES", "SHOW"),
        ("SUMMARIZE people", "SUMMARIZE"),
        ("SELECT * FROM (DESCRIBE people)", "DESCRIBE"),
        ("SELECT * FROM (SHOW ALL TABLES)", "SHOW"),
        ("WITH a AS (INSERT INTO people VALUES (1)) SELECT 1", "INSERT is not allowed"),
        ("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a) SELECT * FROM a", "RECURSIVE"),
        ("SELEC 1", "syntax error"),
        ("SELECT ?", "a parameter is not allowed"),
        ("SELECT $1", "a parameter is not allowed"),
    ],
)
def test_not_one_select(text, said):
    assert said.lower() in refused(text).lower()


@pytest.mark.parametrize(
    "source",
    [
        "'x.csv'",
        '"/etc/passwd"',
        "'https://host/x.parquet'",
        "read_csv('x.csv')",
        "read_text('/etc/passwd')",
        "read_parquet(['a.pq'])",
        "glob('*')",
        "range(10)",
        "duckdb_settings()",
        "query('SELECT 1')",
        "query_table('people')",
        "json_execute_serialized_sql('x')",
        "information_schema.tables",
        "pg_catalog.pg_class",
        "sqlite_master",
        "duckdb_tables",
        "memory.main.people",
        "main.people",
        "people TABLESAMPLE 10%",
        "people AT (VERSION => 1)",
        "people POSITIONAL JOIN visits",
        "people, (SELECT * FROM read_csv('x.csv'))",
    ],
)
def test_rows_come_from_the_given_tables_alone(source):
    refused(f"SELECT * FROM {source}")
    refused(f"WITH a AS (SELECT * FROM {source}) SELECT 1")
    refused(f"SELECT (SELECT count(*) FROM {source})")


def test_a_missing_table_has_a_near_miss():
    assert "table 'peple' is not there; did you mean 'people'?" in refused("SELECT * FROM peple")


@pytest.mark.parametrize(
    "call",
    [
        "getenv('HOME')", "current_setting('threads')", "random()", "uuid()", "gen_random_uuid()", "now()", "today()",
        "current_date", "CURRENT_TIMESTAMP", "current_user", '"user"', "version()", "setseed(0.5)", "sleep_ms(1)",
        "age(timestamp '2020-01-01')", "nextval('s')", "getvariable('x')", "error('x')", "write_log('x')",
        "read_text('x')", "approx_quantile(age, 0.5)", "reservoir_quantile(age, 0.5)", "approx_count_distinct(age)",
        "query('x')", "main.lower('a')", "system.main.now()", "json_serialize_sql('x')", "txid_current()",
        "now() OVER ()", "pg_sleep(1)", "list_aggregate([1], 'reservoir_quantile')",
        "list_transform([1], lambda x: random())", "Random()",
    ],
)  # fmt: skip
def test_impure_functions(call):
    assert "is not allowed" in refused(f"SELECT {call} FROM people")
    refused(f"SELECT age FROM people WHERE ({call}) IS NOT NULL")
    refused(f"SELECT age FROM people ORDER BY {call}")


def test_a_function_has_a_near_miss():
    assert "function 'coutn' is not allowed; did you mean 'count'?" in refused("SELECT coutn(age) FROM people")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM people LIMIT 3",
        "SELECT * FROM people OFFSET 3",
        "SELECT * FROM people LIMIT 10%",
        "SELECT * FROM people WHERE id IN (SELECT id FROM visits LIMIT 1)",
        "(SELECT * FROM people LIMIT 1) UNION ALL (SELECT * FROM people) ORDER BY 1",
        "SELECT DISTINCT ON (sex) sex, age FROM people",
        "SELECT * FROM people USING SAMPLE 10",
        *(f"SELECT {name}(age) FROM people" for name in sorted(ORDERED_AGGREGATES)),
        *(f"SELECT {name}(age) OVER () FROM people" for name in sorted(ORDERED_AGGREGATES)),
        *(f"SELECT {name}(age) OVER (PARTITION BY sex) FROM people" for name in ("lag", "ntile")),
        "SELECT row_number() OVER () FROM people",
        "SELECT rank() OVER w FROM people WINDOW w AS (PARTITION BY sex)",
        "SELECT * FROM people QUALIFY row_number() OVER (PARTITION BY sex) = 1",
    ],
)
def test_the_order_of_rows_may_not_decide(text):
    said = refused(text)
    assert "the order of rows decides" in said or "SAMPLE is not allowed" in said


def test_every_function_that_is_not_allowed_is_refused_and_each_allowed_one_exists():
    rows = duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    names = {name for (name,) in rows}
    written = {"coalesce", "ifnull", "grouping", "listagg", "array_agg", "if", "nullif", "element_at"}
    assert not ALLOWED - OPERATORS - WINDOWS - written - names
    wild = sorted(n for n in names - ALLOWED if n.isidentifier() and n not in {"IS", "count_star"} | CLOCKS)
    assert len(wild) > 300
    for name in wild[::5]:
        with pytest.raises(SqlError):
            check(f'SELECT "{name}"(age) FROM people', tables=TABLES, where=WHERE)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_an_sql_error(text):
    for candidate in (text, f"SELECT {text} FROM people", f"SELECT 1 FROM {text}"):
        try:
            query = check(candidate, tables=TABLES, where=WHERE)
        except SqlError as error:
            assert str(error).startswith(WHERE)  # noqa: PT017 - either outcome is fine
        else:
            assert query.tables <= set(TABLES)
