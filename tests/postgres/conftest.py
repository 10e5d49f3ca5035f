"""A real server for the tests of one session, and a database of its own for each worker.

`PASTEUR_TEST_POSTGRES` names a server where none can be started; its role must be allowed to make databases and
roles.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

VARIABLE = "PASTEUR_TEST_POSTGRES"


@dataclass(frozen=True)
class Server:
    """Where the server is."""

    uri: str
    data: Path | None
    """The folder of a server that was started here."""

    def at(self, **changes):
        """Its connection string, with other parts, or without those that are None."""
        parts = {**conninfo_to_dict(self.uri), **changes}
        return make_conninfo(**{name: value for name, value in parts.items() if value is not None})

    def asks(self):
        """Whether it asks for passwords, though it was not started here."""
        try:
            psycopg.connect(self.at(password="wrong")).close()  # noqa: S106 - nobody's
        except psycopg.OperationalError:
            return True
        return False

    def sql(self, *statements, **changes):
        """Run statements; rows of the last one."""
        with psycopg.connect(self.at(**changes), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _started():
    """A server of one test run: workers of the same run share it."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    pgserver = pytest.importorskip("pgserver", reason=f"no server here, and no {VARIABLE}")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(6))[:12]
    folder = Path(tempfile.gettempdir()) / f"pasteur-pg-{run}"
    return pgserver.get_server(folder, cleanup_mode="delete"), folder


@pytest.fixture(scope="session")
def server():
    """A server with a fresh database."""
    held, folder = (None, None) if VARIABLE in os.environ else _started()
    uri = os.environ[VARIABLE] if held is None else held.get_uri()
    name = f"pasteur_{secrets.token_hex(4)}"
    root = Server(uri, folder)
    if held is not None:
        root.sql("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    root.sql(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    yield Server(root.at(dbname=name), folder)
    with suppress(psycopg.Error):
        root.sql(f"DROP DATABASE {name} WITH (FORCE)")
    if held is not None:
        held.cleanup()  # the last worker stops the server and removes its folder


@pytest.fixture
def connected(server, monkeypatch):
    """The server, named by the variable that data sets read."""
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PASTEUR_POSTGRES", server.uri)
    return server


@pytest.fixture
def schema(server):
    """An empty schema with a name that must be quoted."""
    name = f"Klinik {secrets.token_hex(3)}"
    server.sql(f'CREATE SCHEMA "{name}"')
    yield name
    server.sql(f'DROP SCHEMA "{name}" CASCADE')
