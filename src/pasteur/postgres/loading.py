"""Tables written into a server, so that what reads them there can be tried: all of them or none."""

# ruff: noqa: S608 - names are quoted

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pasteur.errors import DataError, PasteurError
from pasteur.postgres import faults
from pasteur.postgres.session import connected, literal, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def load(
    tables: Mapping[str, tuple[pa.Schema, Callable[[], Iterable[pa.RecordBatch]]]],
    *,
    variable: str,
    schema: str,
    replace: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> None:
    """Write tables into a schema of a server, made where there is none, in one transaction.

    Args:
        tables: name -> its schema, and what gives its batches.
        variable: the environment variable that holds the connection string.
        schema: where they go.
        replace: whether tables of these names are dropped first.
        progress: told of rows.

    Raises:
        ConfigError: nothing says where the server is.
        DataError: no connection, no right to write, or a table is there already.
    """
    connection, where = connected(variable)
    try:
        _written(connection, tables, schema=schema, replace=replace, progress=progress, where=where)
    finally:
        with suppress(Exception):
            connection.rollback()
        with suppress(Exception):
            connection.close()


def _written(
    connection: Any,
    tables: Mapping[str, tuple[pa.Schema, Callable[[], Iterable[pa.RecordBatch]]]],
    *,
    schema: str,
    replace: bool,
    progress: Callable[[str, int, int | None], None] | None,
    where: str,
) -> None:
    failures: list[PasteurError] = []
    import adbc_driver_manager

    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {qualified(schema)}")
            for name, (columns, make) in tables.items():
                held = f"SELECT count(*) AS n FROM pg_tables WHERE schemaname = {literal(schema)} AND tablename = "
                cursor.execute(held + literal(name))
                if cursor.fetchone()[0]:
                    if not replace:
                        raise DataError(f"{where}: table {schema}.{name} is there already; --replace drops it first")
                    cursor.execute(f"DROP TABLE {qualified(schema, name)}")
                reader = pa.RecordBatchReader.from_batches(columns, _told(name, make, progress, failures))
                cursor.adbc_ingest(name, reader, mode="create", db_schema_name=schema)
        connection.commit()
    except adbc_driver_manager.Error as error:
        if failures:  # the driver hands an error of ours on as text only
            raise failures[0] from None
        raise faults.running(error, where, reading=False) from None


def _told(
    name: str,
    make: Callable[[], Iterable[pa.RecordBatch]],
    progress: Callable[[str, int, int | None], None] | None,
    failures: list[PasteurError],
) -> Iterator[pa.RecordBatch]:
    done = 0
    try:
        for batch in make():
            done += batch.num_rows
            if progress:
                progress(name, done, None)
            yield batch
    except PasteurError as error:
        failures.append(error)
        raise
