"""A DuckDB that can read the tables it was given and nothing else: no files, no network, no settings, no clock.

Rows stream in from `Table`s and stream out as one; what does not fit in memory is spilled to a folder of its own.
"""

# ruff: noqa: S608 - names are quoted, and queries from outside are views by then, never joined into a text

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pasteur.errors import PasteurError, SqlError, rule
from pasteur.sql.guard import Query, check, first_line
from pasteur.table import BATCH, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import duckdb


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a query may use."""

    threads: int = 1
    """1 where the result must be the same bytes each time: a float sum over several threads is not."""
    megabytes: int = 1024
    """Memory; what needs more is spilled."""
    seconds: float = 3600.0
    """Time that a query may compute for. Time spent by whoever reads its rows does not count."""
    folder: Path | None = None
    """Where rows are spilled to; the system's temporary folder when None."""

    def __post_init__(self) -> None:
        """Refuse limits under which nothing runs."""
        for name in ("threads", "megabytes", "seconds"):
            if not getattr(self, name) > 0:
                raise SqlError(rule(f"sql.{name}", getattr(self, name), "above 0"))


@dataclass(kw_only=True)
class Sandbox:
    """Tables under names, and the queries over them. A context manager: closing it stops what runs and removes spills.

    Queries over one sandbox may be read at the same time.
    """

    tables: Mapping[str, Table]
    """What queries from outside may read."""
    hidden: Mapping[str, Table] = field(default_factory=dict)
    """What only Pasteur's own SQL may read."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        import duckdb

        self._defined = 0
        self._spill = tempfile.mkdtemp(prefix="pasteur-sql-", dir=self.limits.folder)
        self._connection = duckdb.connect(":memory:")
        # Rows of a sandbox may outlive its name, so that the last of them closes it.
        self._closing = weakref.finalize(self, _close, self._connection, self._spill)
        for setting in self._settings():
            self._connection.execute(setting).fetchall()

    def _settings(self) -> Iterator[str]:
        """In this order: spilling works without external access only if the folder was named before."""
        yield "SET TimeZone = 'UTC'"
        yield "SET python_enable_replacements = false"
        yield "SET autoinstall_known_extensions = false"
        yield "SET autoload_known_extensions = false"
        yield "SET allow_community_extensions = false"
        yield f"SET threads = {self.limits.threads:d}"
        yield f"SET memory_limit = '{self.limits.megabytes:d}MB'"
        yield "SET temp_directory = '{}'".format(self._spill.replace("'", "''"))
        yield "SET enable_external_access = false"
        yield "SET lock_configuration = true"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop queries, forget the tables, remove spilled rows."""
        self._closing()

    def query(self, text: str, *, where: str) -> Table:
        """The rows of a query from outside, lazily; each reading runs it again.

        Raises:
            SqlError: the query may not run, or names a column that is not there.
        """
        name = self.define(check(text, tables=self.tables, where=where))
        return self.select(f"SELECT * FROM {name}", where=where)

    def answer(self, query: Query) -> pa.Table:
        """All rows of a checked query, run once and at once: for many small results, of which each call costs.

        Raises:
            SqlError: it does not bind, took too long, or a value could not be converted.
        """
        with self._run(query.where) as run:
            with run.step(reading=False):
                relation = run.cursor.sql(query.text)
            with run.step(reading=True):
                found: pa.Table = relation.to_arrow_reader(BATCH).read_all()
        return found.replace_schema_metadata(None)

    def define(self, query: Query) -> str:
        """Give a checked query a name that Pasteur's own SQL may read it by; returns the name, quoted.

        Raises:
            SqlError: it does not bind to the tables.
        """
        self._defined += 1
        name = quote(f"_query {self._defined}")  # the guard lets no query from outside name it
        self.execute(f"CREATE VIEW {name} AS {query.text}", where=query.where)
        return name

    def select(self, text: str, *, where: str) -> Table:
        """The rows of a SELECT that Pasteur wrote itself, lazily; each reading runs it again.

        Raises:
            SqlError: it does not bind; when read: it took too long, or a value could not be converted.
        """
        with self._run(where) as run, run.step(reading=False):
            schema = run.cursor.sql(f"SELECT * FROM ({text}) LIMIT 0").to_arrow_reader().schema

        def make(columns: Sequence[str] | None, rows: int) -> Iterator[pa.RecordBatch]:
            chosen = text if columns is None else f"SELECT {', '.join(map(quote, columns))} FROM ({text})"
            return self._stream(chosen, where, rows)

        return Table(schema=schema.remove_metadata(), rows=None, make=make)

    def _stream(self, text: str, where: str, rows: int) -> Iterator[pa.RecordBatch]:
        with self._run(where) as run:
            with run.step(reading=True):
                reader = run.cursor.sql(text).to_arrow_reader(rows)
            while True:
                with run.step(reading=True):
                    batch = next(reader, None)
                if batch is None:
                    return
                yield batch

    def execute(self, text: str, *, where: str) -> None:
        """Run a statement of Pasteur's own that reads no rows, such as CREATE VIEW."""
        with self._run(where) as run, run.step(reading=False):
            run.cursor.execute(text).fetchall()

    @contextmanager
    def _run(self, where: str) -> Iterator[_Run]:
        """A cursor of its own, which sees the tables: a locked DuckDB shows them to who registered them, no other."""
        run = _Run(cursor=self._connection.cursor(), where=where, seconds=self.limits.seconds)
        try:
            for name, table in {**self.tables, **self.hidden}.items():
                run.cursor.register(name, _Stream(table, run.failures))
            yield run
        finally:
            run.cursor.close()


def _close(connection: duckdb.DuckDBPyConnection, spill: str) -> None:
    with suppress(Exception):
        connection.interrupt()
    connection.close()
    shutil.rmtree(spill, ignore_errors=True)


def rows_of(table: Table) -> list[dict[str, Any]]:
    """All rows of a small result, as mappings."""
    rows: list[dict[str, Any]] = table.arrow().to_pylist()
    return rows


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class _Stream:
    """A table as DuckDB reads Arrow: a fresh stream for each scan, so that a query may read a table twice."""

    table: Table
    failures: list[PasteurError]
    """DuckDB hands an error on as text only, so that the error itself is kept here."""

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self.table.batches(rows=BATCH)
        except PasteurError as error:
            self.failures.append(error)
            raise

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.table.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)


class _Run:
    """One query on its way: interrupted when the time it computed for is up, its errors turned into ours."""

    def __init__(self, *, cursor: duckdb.DuckDBPyConnection, where: str, seconds: float) -> None:
        self.cursor, self.where, self.seconds = cursor, where, seconds
        self.left, self.rang = seconds, False
        self.failures: list[PasteurError] = []

    @contextmanager
    def step(self, *, reading: bool) -> Iterator[None]:
        """Around each call of DuckDB.

        Before a query is bound no row was read, and DuckDB's message is about its text alone. When `reading`, it may
        hold a value, so that only its kind is told.
        """
        import duckdb

        timer = threading.Timer(max(self.left, 0.0), self._ring)
        timer.daemon = True
        started = time.monotonic()
        timer.start()
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError, RuntimeError) as error:
            raise self._ours(error, reading=reading) from None
        finally:
            timer.cancel()
            self.left -= time.monotonic() - started

    def _ring(self) -> None:
        self.rang = True
        self.cursor.interrupt()

    def _ours(self, error: Exception, *, reading: bool) -> PasteurError:
        import duckdb

        if self.failures:
            return self.failures[0]
        if self.rang:
            return SqlError(f"{self.where}: took longer than {self.seconds:g} s")
        if reading or isinstance(error, duckdb.ConversionException):
            return SqlError(f"{self.where}: {_kind(error)}")
        return SqlError(f"{self.where}: {first_line(error)}")


KINDS = {
    "Conversion": "a value cannot be converted to the type asked for",
    "Out of Range": "a number is out of range of its type",
    "Out of Memory": "needs more memory than it may have, and could not spill it",
    "IO": "rows could not be spilled; is the disk full?",
    "Interrupt": "was interrupted",
    "INTERRUPT": "was interrupted",
}


def _kind(error: BaseException) -> str:
    text = str(error)
    found = next((said for start, said in KINDS.items() if f"{start} Error" in text), None)
    return found or f"failed while rows were read ({type(error).__name__})"
