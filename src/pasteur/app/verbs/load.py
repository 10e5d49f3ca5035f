"""`pasteur load`: a data set's tables, written into a Postgres server, so that its twin there can be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.app import groups
from pasteur.app.verbs import Parser, root_of
from pasteur.errors import ConfigError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.table import Table


def main(argv: Sequence[str]) -> int:
    """Write the primary tables of a data set of files into a server, and the ids made from content with them.

    Raises:
        ConfigError: no such data set, or nothing says where the server is.
        DataError: the server refuses them; then none is there.
    """
    from pasteur import postgres
    from pasteur.datasets.progress import Bar

    parser = Parser("load", "Write a data set's tables into a Postgres server, all of them or none.")
    parser.add_argument("dataset", metavar="DATASET", help="a data set of files, such as adult")
    parser.add_argument(
        "--variable", default="PASTEUR_POSTGRES", help="environment variable with the connection string"
    )
    parser.add_argument("--schema", help="where the tables go; default: a schema of the data set's name")
    parser.add_argument("--replace", action="store_true", help="drop tables of the same names first")
    arguments = parser.parse_args(list(argv))
    root_of(arguments)
    known = groups.options("dataset")
    if arguments.dataset not in known:
        raise ConfigError(f"'{arguments.dataset}' is not a data set{near_miss(arguments.dataset, known)}")
    name, tables = _tables(arguments.dataset)
    schema, bar = arguments.schema or name, Bar(unit="rows")
    postgres.load(
        {table: (rows.schema, rows.batches) for table, rows in tables.items()},
        variable=arguments.variable,
        schema=schema,
        replace=arguments.replace,
        progress=lambda table, done, _: bar(table, done, tables[table].rows),
    )
    listed = ", ".join(f"{schema}.{table} ({rows.rows:,} rows)" for table, rows in tables.items())
    print(f"loaded {listed}")  # noqa: T201 - what a person asked for
    return 0


def _tables(dataset: str) -> tuple[str, dict[str, Table]]:
    """Name and primary tables of a data set, made where they are not current."""
    from pasteur.app import compose
    from pasteur.app.verbs.check import primary_of

    experiment = compose.experiment([f"dataset={dataset}", "algorithm=reference"])
    if experiment.dataset.in_server:
        raise ConfigError(rule("DATASET", dataset, "one of files: this one is in a server already"))
    tables, _ = primary_of(experiment)
    return experiment.dataset.name, tables
