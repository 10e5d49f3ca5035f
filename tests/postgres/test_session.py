"""The connection: where it is looked for, what it tells when it fails, and that no password is shown."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import traceback

import pytest
from psycopg.conninfo import conninfo_to_dict

from pasteur.errors import ConfigError, DataError, PasteurError, SqlError
from pasteur.postgres import Session
from pasteur.postgres.faults import connecting, running
from pasteur.postgres.session import target

SECRET = "s3cr%t&-4be1d0a7"  # noqa: S105 - nobody's


def refusal(**settings):
    """What a session says when it cannot be opened."""
    with pytest.raises(PasteurError) as caught:
        Session(variable="PASTEUR_POSTGRES", **settings)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert SECRET[:6] not in told
    return str(caught.value)


def url(secret, host="127.0.0.1:1", role="someone"):
    return f"postgresql://{role}:{secret}@{host}/somewhere"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (url("s3cr%25t%26-"), "no server answers there"),
        (url(SECRET), "is no connection string that libpq reads"),
        (url("s3cr@t"), "the host's name is not known"),
        (f"host=127.0.0.1 port=1 password={SECRET}", "no server answers there"),
        (f"password={SECRET} hostess=x", "is no connection string"),
        (f"host=127.0.0.1 password='{SECRET}", "is no connection string"),
        (SECRET, "is no connection string"),
        ("service=nowhere_at_all", "service 'nowhere_at_all' must be in"),
    ],
)
def test_what_cannot_be_reached_is_told_without_the_password(connected, monkeypatch, text, message):
    monkeypatch.setenv("PASTEUR_POSTGRES", text)
    assert message in refusal()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('FATAL: password authentication failed for user "eve"', "refuses the password of role 'eve'"),
        ("fe_sendauth: no password supplied", "asks for a password"),
        ('FATAL: role "eve" does not exist', "role 'eve' must be one of the server's"),
        ('FATAL: database "x" does not exist', "database 'x' must be"),
        ("FATAL: no pg_hba.conf entry for host", "admits no such host"),
        ("root certificate file does not exist", "TLS could not be set up"),
        ("FATAL: sorry, too many clients already", "no connection left"),
        ("FATAL: the database system is starting up", "starting or shutting down"),
        ("timeout expired", "does not answer"),
        (f'FATAL: database "me:{SECRET}@host/x" does not exist', "database '...' must be one of the server's"),
        (SECRET, "no connection could be made"),
    ],
)
def test_each_failure_says_what_to_do(text, message):
    told = str(connecting(RuntimeError(text), "X"))
    assert told.startswith("Postgres (X): ")
    assert message in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ERROR: division by zero", "q: a division by zero"),
        ('ERROR: invalid input syntax for type integer: "Zoë"', "q: a text cannot be converted"),
        ("canceling statement due to statement timeout", "q: took longer than source.seconds"),
        ("server closed the connection unexpectedly", "q: the server went away"),
        ("something with Zoë", "q: failed while rows were read"),
    ],
)
def test_an_error_between_rows_shows_no_value(text, message):
    told = str(running(OSError(text), "q", reading=True))
    assert message in told
    assert "Zoë" not in told


def test_nothing_names_a_server(connected, monkeypatch):
    monkeypatch.delenv("PASTEUR_POSTGRES")
    assert "PASTEUR_POSTGRES must be set to the server's connection string" in refusal()


def test_database_and_role_that_are_not_there(connected, monkeypatch):
    monkeypatch.setenv("PASTEUR_POSTGRES", connected.at(dbname="nowhere"))
    assert "database 'nowhere' must be one of the server's" in refusal()


@pytest.fixture
def locked(server):
    """A role with a password, which the server asks for."""
    role = f"locked_{secrets.token_hex(3)}"
    if server.data is None:
        if not server.asks():
            pytest.skip("the server asks for no password, and is not ours to set up")
        server.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        yield role
        server.sql(f"DROP ROLE {role}")
        return
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
    rules.write_text(f"local all {role} scram-sha-256\n{before}")
    server.sql("SELECT pg_reload_conf()")
    yield role
    rules.write_text(before)
    server.sql("SELECT pg_reload_conf()", f"DROP ROLE {role}")


def test_a_password_is_found_where_libpq_looks_and_never_shown(connected, locked, monkeypatch, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PASTEUR_POSTGRES", connected.at(user=locked, password="s3cr%t&-wrong"))  # noqa: S106
    assert f"refuses the password of role '{locked}'" in refusal()
    monkeypatch.setenv("PASTEUR_POSTGRES", connected.at(user=locked, password=None))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    assert "asks for a password and got none" in refusal()
    monkeypatch.setenv("PGPASSWORD", SECRET)
    Session(variable="PASTEUR_POSTGRES").close()
    monkeypatch.delenv("PGPASSWORD")
    kept = tmp_path / "pgpass"
    kept.write_text(f"*:*:*:{locked}:{SECRET}\n")
    kept.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(kept))
    Session(variable="PASTEUR_POSTGRES").close()
    services = tmp_path / "services"
    parts = conninfo_to_dict(connected.at(user=locked, password=None))
    services.write_text("[clinic]\n" + "".join(f"{name}={value}\n" for name, value in parts.items()))
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "clinic")
    monkeypatch.delenv("PASTEUR_POSTGRES")
    with Session(variable="PASTEUR_POSTGRES") as session:
        assert session.one("SELECT session_user::text AS who", where="x")["who"] == locked
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_options_of_tls_pass_through(connected, monkeypatch):
    monkeypatch.setenv("PASTEUR_POSTGRES", "postgresql://127.0.0.1:1/x?sslmode=verify-full&sslrootcert=/none/ca.pem")
    assert target("PASTEUR_POSTGRES").startswith(os.environ["PASTEUR_POSTGRES"])
    assert "no server answers there" in refusal()
    monkeypatch.setenv("PASTEUR_POSTGRES", "postgresql://127.0.0.1:1/x?sslmode=never")
    assert refusal() != ""


def test_a_role_without_rights(connected, monkeypatch, tmp_path):
    from pasteur.postgres import Snapshot, TableSpec

    role = f"poor_{secrets.token_hex(3)}"
    connected.sql(
        f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'",
        "CREATE SCHEMA shut",
        "CREATE TABLE shut.people (id int, age int)",
    )
    try:
        monkeypatch.setenv("PASTEUR_POSTGRES", connected.at(user=role, password=SECRET))
        snapshot = Snapshot("d", {"p": TableSpec(schema="shut", name="people")}, variable="PASTEUR_POSTGRES", seconds=9)
        with pytest.raises(DataError, match="may not look into schema 'shut': GRANT USAGE"):
            _ = snapshot.relations
        connected.sql(f"GRANT USAGE ON SCHEMA shut TO {role}", f"GRANT SELECT (id) ON shut.people TO {role}")
        with pytest.raises(DataError, match=r'may not read \'age\' of "shut"."people": GRANT SELECT'):
            _ = snapshot.relations
        snapshot.close()
    finally:
        connected.sql("DROP SCHEMA shut CASCADE", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_statement_has_its_time(connected):
    with pytest.raises(ConfigError, match=r"source.seconds \(0\) must be above 0"):
        Session(variable="PASTEUR_POSTGRES", seconds=0)
    with pytest.raises(ConfigError, match=r"source.seconds \(1000000000000.0\) must be 2,000,000 or less"):
        Session(variable="PASTEUR_POSTGRES", seconds=1e12)
    with pytest.raises(SqlError, match=r"took longer than source\.seconds"):  # 0 would be no limit to the server
        Session(variable="PASTEUR_POSTGRES", seconds=1e-5).rows("SELECT pg_sleep(60)::text AS a", where="x")
    session = Session(variable="PASTEUR_POSTGRES", seconds=0.2)
    with pytest.raises(SqlError, match=r"x: took longer than source\.seconds"):
        session.rows("SELECT pg_sleep(60)::text AS a", where="x")
    with pytest.raises(DataError, match="the connection has ended"):
        session.rows("SELECT 1 AS a", where="x")


def test_a_server_that_goes_away(connected):
    session = Session(variable="PASTEUR_POSTGRES")
    pid = session.one("SELECT pg_backend_pid() AS pid", where="x")["pid"]
    threading.Timer(0.3, connected.sql, [f"SELECT pg_terminate_backend({pid})"]).start()
    with pytest.raises(DataError, match="x: the server went away; what was made before is whole"):
        for _ in session.stream("SELECT i, pg_sleep(0.01)::text AS s FROM generate_series(1, 6000) AS i", where="x"):
            pass
