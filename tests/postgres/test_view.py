"""Keys and views made in the server: the same as from files, whatever its types and names; and what is refused."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pasteur import datasets, views
from pasteur.datasets import DatasetConfig, postgres
from pasteur.datasets.config import SourceConfig, TableConfig, UnitConfig
from pasteur.errors import ConfigError, DataError, PasteurError, SchemaError, SqlError
from pasteur.table import UNIT, Table
from pasteur.views import ComponentConfig, PublicConfig, ViewConfig, server, server_units

PEOPLE = """
CREATE TYPE "{s}"."Größe" AS ENUM ('klein', 'groß');
CREATE DOMAIN "{s}".euro AS numeric(9, 2);
CREATE DOMAIN "{s}".cents AS "{s}".euro;
CREATE TABLE "{s}"."Patienten" (
    "Nr." uuid PRIMARY KEY DEFAULT gen_random_uuid(), "größe" "{s}"."Größe", rent "{s}".cents, born date,
    seen timestamptz, at timestamp, tall real, smokes boolean, note varchar(20), code char(4), tags text[],
    small smallint);
INSERT INTO "{s}"."Patienten" SELECT
    md5(i::text)::uuid, CASE WHEN i % 7 > 0 THEN ('{{klein,groß}}'::text[])[1 + i % 2]::"{s}"."Größe" END, i * 1.25,
    date '1950-01-01' + i, timestamptz '2024-03-31 01:30:00+01' + i * interval '1 hour',
    timestamp '2024-01-01' + i * interval '1 us',
    i / 10.0, i % 2 = 0, CASE i % 3 WHEN 0 THEN 'it''s \\ "x"' WHEN 1 THEN '' ELSE 'Zoë' END, 'ab', ARRAY['a', NULL], i
    FROM generate_series(1, 60) AS i;
CREATE TABLE "{s}".visits (visit bigint, person uuid, cost float8);
INSERT INTO "{s}".visits SELECT i, md5((1 + i % 60)::text)::uuid, i / 3.0 FROM generate_series(1, 200) AS i;
CREATE TABLE "{s}".prices (smokes boolean, price numeric);
INSERT INTO "{s}".prices VALUES (true, 1.5), (false, 2.5);
"""


@pytest.fixture(scope="module")
def clinic(server):
    """Sixty people with visits, in a schema and under names that must be quoted."""
    name = "Klinik Süd"
    server.sql(*[s for s in PEOPLE.format(s=name).split(";\n") if s.strip()])
    yield name
    server.sql(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture(scope="module", autouse=True)
def made_schema(server):
    server.sql('CREATE SCHEMA IF NOT EXISTS "Klinik Süd"')


@pytest.fixture
def dataset(clinic, connected):
    return DatasetConfig(
        name="clinic",
        source=SourceConfig(kind="postgres", schema=clinic),
        unit=UnitConfig(name="patient", column="id", table="people"),
        tables={
            "people": TableConfig(
                relation=f'"{clinic}"."Patienten"', rename={"Nr.": "id", "größe": "size"}, drop=["tags"], unique=["id"]
            ),
            "visits": TableConfig(types={"person": "string"}, foreign_keys={"person": "people.id"}),
            "prices": TableConfig(public=True),
        },
    )


def view(*, core="SELECT * FROM people", **components):
    made = {"core": ComponentConfig(sql=core, key=["id"]), **components}
    return ViewConfig(name="v", unit="id", components={name: c for name, c in made.items() if c})


VISITS = ComponentConfig(sql="SELECT * FROM visits", parent="core", link={"person": "id"}, key=["visit"])


SESSIONS = []
"""A connection costs a quarter of a second: tests share one until a statement fails, which ends it."""


@pytest.fixture(scope="module", autouse=True)
def sessions():
    yield
    while SESSIONS:
        SESSIONS.pop().close()


def opened(dataset, folder):
    """A snapshot over the shared connection."""
    snapshot = postgres.connect(replace(dataset, source=replace(dataset.source, snapshot="shared")), folder)
    if not (SESSIONS and SESSIONS[-1]._closing.alive):
        SESSIONS.append(snapshot.session)
    snapshot._session = SESSIONS[-1]
    return snapshot


def read(dataset, view, tmp_path):
    """Keys and the view's tables."""
    snapshot = opened(dataset, tmp_path)
    keys = {split: table.arrow() for split, table in postgres.split_keys(dataset, snapshot).items()}
    built = server.build(
        view,
        snapshot,
        units=postgres.units_sql(dataset, snapshot.relations),
        split=lambda unit: postgres.split_sql(dataset, unit),
        splits=datasets.SPLITS,
    )
    return keys, {name: {s: t.arrow() for s, t in parts.items()} for name, parts in built.items()}


def mixing(dataset, view, tmp_path):
    links = datasets.relationships(dataset)
    snapshot = opened(dataset, tmp_path)
    return server_units.respects_units(view, snapshot, relationships=links, sample=3, rng=np.random.default_rng(0))


def whole(parts):
    return pa.concat_tables(parts.values())


def test_types_of_the_server_are_ours(dataset, tmp_path):
    _, built = read(dataset, view(), tmp_path)
    rows = whole(built["core"])
    assert {field.name: str(field.type) for field in rows.schema} == {
        UNIT: "string",
        "id": "string",
        "size": "string",
        "rent": "double",
        "born": "date32[day]",
        "seen": "timestamp[us]",
        "at": "timestamp[us]",
        "tall": "double",
        "smokes": "bool",
        "note": "string",
        "code": "string",
        "small": "int64",
    }
    first = {row["small"]: row for row in rows.to_pylist()}[1]
    assert first["id"] == first[UNIT] == "c4ca4238-a0b9-2382-0dcc-509a6f75849b"
    assert (first["size"], first["rent"], first["note"], first["code"]) == ("groß", 1.25, "", "ab")
    assert first["seen"] == dt.datetime(2024, 3, 31, 1, 30)  # noqa: DTZ001 - of UTC, without a zone
    assert first["at"] == dt.datetime(2024, 1, 1, 0, 0, 0, 1)  # noqa: DTZ001
    assert first["tall"] == pytest.approx(0.1, abs=1e-8)
    assert rows["size"].null_count == 8


def test_splits_and_bytes_are_those_of_files(dataset, tmp_path):
    chosen = view(visits=VISITS)
    keys, built = read(dataset, chosen, tmp_path)
    people = whole(built["core"]).drop_columns([UNIT])
    visits = whole(built["visits"]).drop_columns([UNIT])
    order = np.random.default_rng(0).permutation(len(people))
    primary = {"people": Table.of(people.take(pa.array(order))), "visits": Table.of(visits)}
    files = replace(
        dataset,
        source=SourceConfig(),
        files={"x": datasets.config.FileConfig(path="x")},
        tables={"people": TableConfig(files=["x"])},
    )
    expected = datasets.split_keys(files, primary)
    assert {split: table.arrow() for split, table in expected.items()} == keys
    for name, parts in views.build(chosen, primary, expected).items():
        for split, table in parts.items():
            assert table.arrow() == built[name][split], (name, split)


@pytest.mark.parametrize("salt", ["clinic", 'it\'s \\ "ß"'])
def test_the_server_hashes_as_we_do(dataset, tmp_path, salt):
    salted = replace(dataset, salt=salt)
    keys, _ = read(salted, view(), tmp_path)
    units = [unit for table in keys.values() for unit in table[UNIT].to_pylist()]
    codes = datasets.keys.assign(units, salt=salt, ratios=dataset.ratios)
    assert [datasets.SPLITS[code] for code in codes] == [s for s, table in keys.items() for _ in range(len(table))]


def test_a_component_may_have_sql_of_each_dialect(dataset, tmp_path):
    both = ComponentConfig(
        sql="SELECT id, strftime(born, '%Y') AS year FROM people",
        postgres="SELECT id, to_char(born, 'YYYY') AS year FROM people",
    )
    _, built = read(dataset, ViewConfig(name="v", unit="id", components={"core": both}), tmp_path)
    assert set(whole(built["core"])["year"].to_pylist()) == {"1950"}


def test_an_empty_table_has_no_rows(dataset, server, clinic, tmp_path):
    core = ComponentConfig(sql="SELECT * FROM visits WHERE cost < 0", parent="core", link={"person": "id"})
    _, built = read(dataset, view(none=core), tmp_path)
    assert whole(built["none"]).num_rows == 0


@pytest.mark.parametrize(
    "core",
    [
        "SELECT * FROM people",
        "SELECT id, price FROM people JOIN prices USING (smokes)",
        "SELECT person AS id, sum(cost::numeric(12, 4)) AS total, count(*) AS n FROM visits GROUP BY person",
        "SELECT person AS id, row_number() OVER (PARTITION BY person ORDER BY visit) AS n FROM visits",
    ],
)
def test_d27_views_that_respect_units(dataset, tmp_path, core):
    assert mixing(dataset, view(core=core), tmp_path) == []


@pytest.mark.parametrize(
    "core",
    [
        "SELECT id, small - avg(small) OVER () AS small FROM people",
        "SELECT id, rank() OVER (ORDER BY rent) AS place FROM people",
        "SELECT id FROM people WHERE rent < (SELECT max(rent) FROM people)",
        "SELECT p.id, (SELECT count(*) FROM people) AS n FROM people AS p",
        "SELECT min(id) AS id, smokes FROM people GROUP BY smokes",
        "SELECT id, rent FROM people ORDER BY rent LIMIT 5",
        "SELECT DISTINCT ON (smokes) id, smokes FROM people ORDER BY smokes, id",
        "SELECT p.id, (SELECT sum(cost) FROM visits) AS all_costs FROM people AS p",
    ],
)
def test_d27_views_that_mix_people_are_found(dataset, tmp_path, core):
    found = mixing(dataset, view(core=core), tmp_path)
    assert found
    assert "view v, component core: mixes units" in found[0]


def test_children_are_left_out_with_their_unit(dataset, tmp_path):
    assert mixing(dataset, view(visits=VISITS), tmp_path) == []
    ranked = replace(VISITS, sql="SELECT *, rank() OVER (ORDER BY cost) AS place FROM visits")
    assert "component visits: mixes units" in mixing(dataset, view(visits=ranked), tmp_path)[0]


def test_a_table_that_leads_to_nobody_is_told(dataset, tmp_path):
    snapshot = opened(dataset, tmp_path)
    joined = view(core="SELECT id, price FROM people JOIN prices USING (smokes)")
    assert server_units.unowned(joined, snapshot, relationships=datasets.relationships(dataset)) == ["prices"]


BAD = [
    ({"core": "SELECT id, random() AS x FROM people"}, SqlError, "view v, component core: function 'random'"),
    ({"core": 'SELECT * FROM "Klinik Süd".visits'}, SqlError, "'Klinik Süd.visits' is not allowed"),
    ({"core": "SELECT id, smal FROM people"}, SqlError, 'column "smal" does not exist'),
    ({"core": "SELECT id FROM peple"}, SqlError, 'relation "peple" does not exist'),
    ({"core": "SELECT id FROM visits) AS q; DROP TABLE x; --"}, SqlError, "parentheses|semicolon"),
    ({"core": "SELECT id, ARRAY[1] AS x FROM people"}, SchemaError, r"column 'x' \(integer\[\]\) must be a number"),
    (
        {"core": "SELECT id, note::bigint AS x FROM people"},
        SqlError,
        "a text cannot be converted to the type asked for",
    ),
    ({"core": "SELECT id, 1 / (small - 3) AS x FROM people"}, SqlError, "a division by zero"),
    ({"core": "SELECT id, date 'infinity' AS x FROM people"}, DataError, "column 'x' must be a finite date"),
    ({"core": "SELECT id, 1 AS x, 2 AS x FROM people"}, DataError, "column 'x' must have a name of its own"),
    ({"core": "SELECT rent FROM people"}, SchemaError, "column 'id' is not there"),
    ({"core": "SELECT p.id FROM people AS p JOIN visits AS v ON v.person = p.id"}, DataError, "must be unique"),
    ({"core": "SELECT nullif(id, id) AS id FROM people"}, DataError, "60 rows lack it"),
    ({"core": "SELECT id || 'x' AS id FROM people"}, DataError, "60 rows have a unit .* that is in no split"),
    (
        {"visits": replace(VISITS, sql="SELECT visit, person || '-' AS person FROM visits")},
        DataError,
        "200 rows do not",
    ),
]


@pytest.mark.parametrize(("parts", "kind", "message"), BAD)
def test_what_cannot_be_a_view_is_refused(dataset, tmp_path, parts, kind, message):
    with pytest.raises(kind, match=message) as caught:
        read(dataset, view(**parts), tmp_path)
    assert "Zoë" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def table(**changes):
    return lambda d: replace(d, tables={**d.tables, **{n: replace(d.tables[n], **c) for n, c in changes.items()}})


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            table(visits={"relation": "visit"}),
            DataError,
            "table 'visit' is not in schema 'Klinik Süd'; did you mean 'visits'",
        ),
        (table(visits={"relation": "Klinik.visits"}), DataError, "schema 'Klinik' has no tables"),
        (table(visits={"relation": "a.b.c"}), ConfigError, "tables.visits.relation (a.b.c) must be"),
        (table(visits={"unique": ["cots"]}), DataError, "column 'cots' is not in table 'visits'; did you mean 'cost'"),
        (
            table(visits={"foreign_keys": {"cost": "people.ids"}}),
            DataError,
            "column 'ids' (foreign_keys of table 'visits') is not in table 'people'; did you mean 'id'",
        ),
        (
            lambda d: replace(d, unit=replace(d.unit, column="ids")),
            DataError,
            "column 'ids' is not in table 'people' (unit); did you mean 'id'",
        ),
        (table(people={"drop": []}), SchemaError, "column 'tags' (text[]) must be a number"),
        (table(people={"rename": {"nr": "id"}}), DataError, "column 'nr' is not there"),
        (table(people={"types": {"rent": "int64"}}), DataError, "cents) must be of a type that int64 can be made of"),
        (table(people={"types": {"size_": "string"}}), DataError, "column 'size_' is not there; did you mean 'size'"),
        (table(people={"unique": ["smokes"]}), DataError, "column 'smokes' must be unique, but has an earlier value"),
        (table(people={"unique": ["size"]}), DataError, "column 'size' must be unique, but is missing in 8 rows"),
        (
            table(visits={"foreign_keys": {"cost": "people.tall"}}),
            DataError,
            "column 'cost' names no row of people.tall",
        ),
        (
            table(visits={"foreign_keys": {"cost": "people.id"}}),
            DataError,
            "double precision and text) must be the same",
        ),
        (lambda d: replace(d, unit=replace(d.unit, column="rent")), DataError, "must be text, whole numbers or uuids"),
        (
            lambda d: replace(d, unit=replace(d.unit, column="size")),
            DataError,
            "unit column 'size' must not be missing",
        ),
    ],
)
def test_what_the_yaml_says_and_the_server_has_not(dataset, tmp_path, change, kind, message):
    changed = change(dataset)
    with pytest.raises(kind, match=re.escape(message)):
        postgres.split_keys(changed, opened(changed, tmp_path))


def test_arrays_may_be_dropped_or_cast(dataset, tmp_path):
    _, built = read(table(people={"drop": [], "types": {"tags": "string"}})(dataset), view(), tmp_path)
    assert set(whole(built["core"])["tags"].to_pylist()) == {"{a,NULL}"}


def test_a_label_is_taken_at_its_word(dataset, tmp_path, monkeypatch):
    monkeypatch.delenv("PASTEUR_POSTGRES")
    labelled = replace(dataset, source=replace(dataset.source, snapshot="2026-11"))
    assert postgres.connect(labelled, tmp_path).recorded == {"snapshot": "2026-11"}
    fresh = postgres.connect(labelled, tmp_path, refresh=True).recorded
    assert fresh["refreshed"]
    assert postgres.connect(labelled, tmp_path).recorded == fresh
    with pytest.raises(ConfigError, match="PASTEUR_POSTGRES must be set"):
        postgres.connect(dataset, tmp_path)


def test_a_digest_query_that_is_none_is_refused(dataset, tmp_path):
    with pytest.raises(SqlError, match=r'source\.digest: relation "nowhere" does not exist'):
        postgres.connect(replace(dataset, source=replace(dataset.source, digest="SELECT 1 FROM nowhere")), tmp_path)


@pytest.mark.parametrize("digest", [None, "SELECT max(visit) FROM {s}.visits"])
def test_a_digest_follows_the_rows(dataset, server, clinic, tmp_path, digest):
    asked = digest and digest.format(s=f'"{clinic}"')
    changing = replace(dataset, source=replace(dataset.source, digest=asked))

    def state():
        snapshot = postgres.connect(changing, tmp_path)
        snapshot.close()
        return snapshot.recorded

    before = state()
    assert state() == before
    server.sql(f'INSERT INTO "{clinic}".visits SELECT 1000, "Nr.", 1 FROM "{clinic}"."Patienten" LIMIT 1')
    try:
        assert state() != before
    finally:
        server.sql(f'DELETE FROM "{clinic}".visits WHERE visit = 1000')
    assert state() == before


def test_one_moment_for_all_that_is_read(dataset, server, clinic, tmp_path):
    snapshot = postgres.connect(dataset, tmp_path)
    count = 'SELECT count(*) AS n FROM "Klinik Süd".visits'
    assert snapshot.session.one(count, where="x")["n"] == 200
    server.sql(f'INSERT INTO "{clinic}".visits VALUES (2000, NULL, 1)')
    try:
        assert snapshot.session.one(count, where="x")["n"] == 200
    finally:
        snapshot.close()
        server.sql(f'DELETE FROM "{clinic}".visits WHERE visit = 2000')


def test_nothing_can_be_written(dataset, tmp_path, server, clinic):
    snapshot = opened(dataset, tmp_path)
    with pytest.raises(PasteurError, match="must only read"):
        snapshot.session.rows(f'WITH x AS (DELETE FROM "{clinic}".visits RETURNING 1) SELECT * FROM x', where="x")
    assert server.sql(f'SELECT count(*) FROM "{clinic}".visits') == [(200,)]


PRICES = "SELECT CAST(price * 2 AS int) AS twice, smokes::text AS who FROM prices"


def test_a_public_table_is_made_of_public_tables_alone(dataset, tmp_path):
    def made(**config):
        public = {"rates": PublicConfig(**{"key": "twice", "sql": PRICES} | config)}
        return server.build_public(replace(view(), public=public), opened(dataset, tmp_path), nobodys=["prices"])[
            "rates"
        ]

    assert made().arrow().to_pylist() == [{"twice": 3, "who": "true"}, {"twice": 5, "who": "false"}]
    assert made(key="who").arrow()["who"].to_pylist() == ["false", "true"]
    with pytest.raises(SchemaError, match="component rates: column 'twic' is not there; did you mean 'twice'"):
        made(key="twic")
    with pytest.raises(DataError, match=r"key \(twice\) must be unique: 1 of its values repeat"):
        made(sql="SELECT 1 AS twice, smokes FROM prices")
    with pytest.raises(SqlError, match="people"):
        made(sql="SELECT count(*) AS twice FROM people")
