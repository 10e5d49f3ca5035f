"""Rows streamed out of a Postgres server: seconds, rows a second, and peak memory of this process.

    PASTEUR_POSTGRES=postgresql://me@localhost/play python benchmarks/postgres.py [ROWS]

The server makes the rows as it goes (generate_series), so that nothing has to be loaded; they are sorted there, hashed
into four splits and written as the view's files. Without a server named one is started by `pgserver`, if that is here.
"""

# ruff: noqa: S608 - the number of rows is one

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from pasteur import datasets
from pasteur.datasets import DatasetConfig, postgres
from pasteur.datasets.config import SourceConfig, TableConfig, UnitConfig
from pasteur.datasets.progress import Bar
from pasteur.postgres import connected
from pasteur.table import Table
from pasteur.views import ComponentConfig, ViewConfig, server

VARIABLE = "PASTEUR_POSTGRES"
ROWS = 10_000_000


def started(folder: Path) -> object:
    """A server of our own where none is named."""
    if VARIABLE in os.environ:
        return None
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pgserver

    held = pgserver.get_server(folder / "server", cleanup_mode="delete")
    os.environ[VARIABLE] = held.get_uri()
    return held


def main(rows: int) -> None:
    """Stream a view of `rows` people with eight columns into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="pasteur-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        held = started(folder)
        connection, _ = connected(VARIABLE)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE VIEW pasteur_bench AS SELECT i AS id, (i * 7919) % 90 AS age, "
                "(i * 104729) % 16 AS education, (i % 97) / 7.0::float8 AS rate, 'level ' || i % 12 AS job, "
                "i % 3 = 0 AS smokes, date '1950-01-01' + (i % 20000)::int AS born, i % 5 AS region "
                f"FROM generate_series(1::bigint, {rows}) AS i"
            )
        connection.commit()
        dataset = DatasetConfig(
            name="bench",
            source=SourceConfig(kind="postgres", snapshot="bench"),
            unit=UnitConfig(column="id"),
            tables={"people": TableConfig(relation="pasteur_bench")},
        )
        view = ViewConfig(name="bench", unit="id", components={"people": ComponentConfig(key=["id"])})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.perf_counter()
        snapshot = postgres.connect(dataset, folder)
        built = server.build(
            view,
            snapshot,
            units=postgres.units_sql(dataset, snapshot.relations),
            split=lambda unit: postgres.split_sql(dataset, unit),
            splits=datasets.SPLITS,
            progress=Bar(unit="rows"),
        )
        checked = time.perf_counter()
        for split, table in built["people"].items():
            table.write(folder / f"people.{split}.pq")
        done = time.perf_counter()
        snapshot.close()
        many = sum(Table.read(folder / f"people.{split}.pq").rows or 0 for split in datasets.SPLITS)
        with connection.cursor() as cursor:
            cursor.execute("DROP VIEW pasteur_bench")
        connection.commit()
        connection.close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"rows      {many:,} of {rows:,}, 8 columns, in 4 splits")
        print(f"checked   {checked - start:.0f} s: keys, owners and dates of all rows, in the server")
        print(f"streamed  {done - checked:.0f} s, {many / (done - checked):,.0f} rows a second, sorted and written")
        print(f"memory    {peak:.0f} MB at most, {before:.0f} MB of it before the first row")
        if held is not None:
            held.cleanup()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
