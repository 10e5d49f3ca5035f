"""One connection, one transaction: it cannot write, and all it reads is of one moment."""

from __future__ import annotations

import math
import os
import re
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from pasteur.errors import ConfigError, DataError, PasteurError, rule
from pasteur.postgres import faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OLDEST = 120_000
"""Version 12: the first with sha256(), hashtextextended() and WITHs that are not made whole first."""

PATIENCE = {"connect_timeout": ("PGCONNECT_TIMEOUT", "15"), "keepalives_idle": ("", "60")}
"""Parameter of libpq -> the variable that sets it too, and our default: a dead network must not hang a run."""

MOST_SECONDS = 2_000_000
"""What one statement may take, at most: 23 days. A server counts milliseconds in 31 bits."""

SELVES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")
"""libpq's variables of which one is enough to say where a server is."""

SETTINGS = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET application_name = 'pasteur'",
    "SET search_path = pg_catalog",  # a name without a schema is one of our WITHs, or the server's own
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET lc_numeric = 'C'",
    "SET lc_time = 'C'",
    "SET standard_conforming_strings = on",
    "SET client_encoding = 'UTF8'",
    "SET max_parallel_workers_per_gather = 0",  # float sums of several workers differ from run to run
    "SET synchronize_seqscans = off",
    "SET jit = off",
)


class Session:
    """A connection to a server. A context manager: closing it ends the transaction.

    Args:
        variable: the environment variable that holds the connection string; where it is not set, libpq's own
            variables, `PGSERVICE` and `~/.pgpass` say where the server is.
        seconds: what one statement may take.

    Raises:
        ConfigError: the extra `postgres` is not installed, or nothing says where the server is.
        DataError: no connection can be made.
    """

    def __init__(self, *, variable: str, seconds: float = 3600.0) -> None:
        if not 0 < seconds <= MOST_SECONDS:
            must_be = "above 0" if seconds <= 0 else f"{MOST_SECONDS:,} or less"
            raise ConfigError(rule("source.seconds", seconds, must_be))
        self._connection, self.where = connected(variable)
        self._closing = weakref.finalize(self, _end, self._connection)
        try:
            for setting in (*SETTINGS, f"SET statement_timeout = {math.ceil(seconds * 1000):d}"):
                self._execute(setting)
            self._connection.commit()
            version = int(self.one("SELECT current_setting('server_version_num')::int AS n", where=self.where)["n"])
        except BaseException:
            self.close()
            raise
        if version < OLDEST:
            self.close()
            raise DataError(f"{self.where}: the server's version ({version // 10_000}) must be 12 or newer")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the transaction and the connection."""
        self._closing()

    def one(self, text: str, *, where: str) -> dict[str, Any]:
        """The only row of a query of Pasteur's own."""
        return self.rows(text, where=where)[0]

    def rows(self, text: str, *, where: str) -> list[dict[str, Any]]:
        """All rows of a small result."""
        batches = list(self.stream(text, where=where))
        return [row for batch in batches for row in batch.to_pylist()]

    def names(self, text: str, *, where: str) -> list[str]:
        """The names of a query's columns; the query is prepared, not run.

        Raises:
            SqlError: the server does not take it: one statement, of names and types that are there.
        """
        with self._cursor(where, reading=False) as cursor:
            schema: pa.Schema = cursor.adbc_execute_schema(text)
        return list(schema.names)

    def stream(self, text: str, *, where: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query, in batches as they come: memory does not grow with them.

        Raises:
            SqlError: the query is not one that may run, took too long, or met a value that it cannot convert.
            DataError: the server went away.
        """
        with self._cursor(where, reading=False) as cursor:
            cursor.adbc_prepare(text)
        with self._cursor(where, reading=True) as cursor:
            cursor.execute(text)
            reader = cursor.fetch_record_batch()
            yield from reader

    @contextmanager
    def _cursor(self, where: str, *, reading: bool) -> Iterator[Any]:
        import adbc_driver_manager

        if not self._closing.alive:
            raise DataError(f"{where}: the connection has ended")
        cursor, failed = self._connection.cursor(), False
        try:
            yield cursor
        except PasteurError:
            raise
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            failure = faults.running(error, where, reading=reading)
            failed = True
            raise failure from None
        finally:
            with suppress(Exception):
                cursor.close()
            if failed:
                self.close()  # another transaction would be of another moment

    def _execute(self, text: str) -> None:
        with self._cursor(self.where, reading=False) as cursor:
            cursor.execute(text)

    @staticmethod
    def texts(values: Iterable[str]) -> str:
        """SQL of an array of texts."""
        return f"ARRAY[{', '.join(map(literal, values))}]::text[]"


def _end(connection: Any) -> None:
    for step in (connection.rollback, connection.close):
        with suppress(Exception):
            step()


def literal(text: str) -> str:
    """A text as an SQL string. The session reads backslashes as they are."""
    return "'" + text.replace("'", "''") + "'"


def qualified(*names: str) -> str:
    """A table's name with its schema, quoted."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def named(variable: str) -> bool:
    """Whether the environment says where a server is."""
    return any(os.environ.get(name, "").strip() for name in (variable, *SELVES))


def target(variable: str) -> str:
    """The connection string: the variable's, or an empty one, which libpq fills from its own variables and files.

    Raises:
        ConfigError: neither says where a server is.
    """
    text = os.environ.get(variable, "").strip()
    if not named(variable):
        raise ConfigError(
            f"{variable} must be set to the server's connection string (postgresql://role@host/database), "
            "or PGSERVICE, or PGHOST and PGDATABASE"
        )
    text = text or "postgresql://"
    for name, (other, value) in PATIENCE.items():
        if name in text or os.environ.get(other) or os.environ.get("PGSERVICE") or "service=" in text:
            continue
        if re.match(r"postgres(?:ql)?://", text):
            text += f"{'&' if '?' in text else '?'}{name}={value}"
        else:
            text += f" {name}={value}"
    return text


def connected(variable: str) -> tuple[Any, str]:
    """A connection, and what messages call it.

    Raises:
        ConfigError: the extra `postgres` is not installed, or nothing says where the server is.
        DataError: it cannot be made.
    """
    said_by = variable if os.environ.get(variable) else "PG* variables"
    try:
        import adbc_driver_manager
        import adbc_driver_postgresql.dbapi as adbc
    except ImportError:
        raise ConfigError("data in Postgres need the extra 'postgres': pip install 'pasteur[postgres]'") from None
    try:
        return adbc.connect(target(variable)), f"Postgres ({said_by})"
    except adbc_driver_manager.Error as error:
        raise faults.connecting(error, said_by) from None


def checked(names: Sequence[str], where: str) -> list[str]:
    """Column names, refused where one comes twice or says nothing."""
    for name in names:
        if list(names).count(name) > 1 or name in ("", "?column?"):
            raise DataError(f"{where}: column '{name}' must have a name of its own")
    return list(names)
