"""`pasteur evaluate`: the report of a run, for synthetic data that somebody else's tool made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasteur.app import foreign, summary
from pasteur.app.verbs import Parser
from pasteur.errors import ConfigError, SchemaError, rule
from pasteur.files import sha256, write_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from pasteur.metrics import Evaluation, Score
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import Schema

INCOMPLETE = 3
"""Exit code when a metric failed and the others are whole."""

FILES = "a CSV or parquet file; of several components a folder, or NAME=FILE, once each"

COPYING = (
    "no test data was given, so that the real rows were cut in two: one half is the target, one the reference. The "
    "tool that made the synthetic data has seen both, and these numbers may reward copying."
)


def main(argv: Sequence[str]) -> int:
    """Judge synthetic data and write the report.

    Returns:
        0, or 3 if a metric failed.

    Raises:
        ConfigError: an option is wrong or a file missing.
        SchemaError: the schema is wrong.
        DataError: a file cannot be read.
    """
    parser = Parser(
        "evaluate", "The report on synthetic data that another tool made: computed on real data, not private."
    )
    parser.add_argument(
        "--real", action="append", required=True, metavar="FILE", help=f"what the tool learnt from: {FILES}"
    )
    parser.add_argument("--synthetic", action="append", required=True, metavar="FILE", help="what it made, likewise")
    parser.add_argument(
        "--test", action="append", default=[], metavar="FILE", help="real rows that it never saw, likewise"
    )
    parser.add_argument(
        "--schema", type=Path, required=True, metavar="S.json", help="metadata: `sdv` and `pasteur` parts"
    )
    parser.add_argument(
        "--sql", type=Path, action="append", default=[], metavar="Q.sql", help="queries with comment heads"
    )
    parser.add_argument("--depth", default="standard", help="quick, standard or full")
    parser.add_argument("--seed", type=int, default=0, help="of samples and models")
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="file to write; report.html")
    arguments = parser.parse_args(list(argv))
    out: Path = arguments.out
    if out.suffix != ".html" or out.is_dir():
        raise ConfigError(rule("--out", out, "a file that ends in .html"))
    if arguments.seed < 0:
        raise ConfigError(rule("--seed", arguments.seed, "0 or more"))
    schema = _schema(arguments.schema)
    sides = {
        side: foreign.files(f"--{side}", getattr(arguments, side), schema)
        for side in ("real", "synthetic", "test")
        if getattr(arguments, side)
    }
    found = _evaluated(sides, schema, arguments)
    _write(found, sides, schema, arguments)
    lines = [*summary.scores(_named(found), found.failures), *summary.notes(found.notes), f"report    {out}"]
    print("\n".join(lines))  # noqa: T201 - what a person asked for
    return INCOMPLETE if found.failures else 0


def _schema(path: Path) -> Schema:
    from pasteur.schema import Schema

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(rule("--schema", path, "a file that can be read")) from error
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{path}: is not valid JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("sdv"), dict):
        raise SchemaError(f"{path}: must be metadata with an `sdv` and a `pasteur` part")
    if not document["sdv"].get("tables"):
        raise SchemaError(f"{path}: must have a table")
    try:
        return Schema.parse(document, name=path.stem, file=path.name)
    except (KeyError, TypeError, AttributeError) as error:
        raise SchemaError(
            f"{path}: is not metadata that Pasteur can read; `pasteur schema draft` makes some"
        ) from error


def _evaluated(sides: Mapping[str, Mapping[str, Path]], schema: Schema, arguments: argparse.Namespace) -> Evaluation:
    from pasteur import metrics

    rows = {side: foreign.read(paths, schema) for side, paths in sides.items()}
    return metrics.evaluate(
        rows["real"],
        rows["synthetic"],
        schema,
        test=rows.get("test"),
        settings=metrics.MetricsConfig(depth=arguments.depth),
        queries=_queries(arguments.sql, schema),
        seed=arguments.seed,
    )


def _queries(paths: Sequence[Path], schema: Schema) -> list[Query]:
    from pasteur.metrics.sql import checked
    from pasteur.metrics.sql_parse import read

    queries = []
    for path in paths:
        if not path.is_file():
            raise ConfigError(rule("--sql", path, "a file that can be read"))
        for query in read(path):
            checked(query.sql, query.where, tuple(schema.tables))
            queries.append(query)
    return queries


def _split(found: Evaluation) -> str:
    return "one half of the real data" if found.rewards_copying else "one half of the test data"


def _named(found: Evaluation) -> tuple[Score, ...]:
    """The scores, their target called by what it is: there are no splits here."""
    return tuple(replace(score, split=_split(found)) for score in found.scores)


def _write(
    found: Evaluation, sides: Mapping[str, Mapping[str, Path]], schema: Schema, arguments: argparse.Namespace
) -> None:
    from pasteur import report
    from pasteur.table import Table

    named = {side: ", ".join(path.name for path in paths.values()) for side, paths in sides.items()}
    rows = {name: Table.of(table) for name, table in foreign.read(sides["synthetic"], schema).items()}
    document: Mapping[str, Any] = found.document
    story = report.Story(
        title=f"{named['synthetic']}, judged",
        subtitle=f"against {named.get('test') or named['real']}; depth {arguments.depth}",
        facts={
            "real data": named["real"],
            "synthetic data": named["synthetic"],
            "test data": named.get("test", "none"),
            "schema": arguments.schema.name,
            "depth": arguments.depth,
            "seed": str(arguments.seed),
        },
        hashes={f"{side}: {path.name}": sha256(path) for side, paths in sides.items() for path in paths.values()},
        cautions=[COPYING] if found.rewards_copying else [],
        split=_split(found),
        scores=_named(found),
        details=found.details,
        worst=document.get("worst", {}),
        failures=found.failures,
        notes=found.notes,
        seconds=document.get("seconds", {}),
        rows=report.first_rows(rows, schema=schema),
    )
    write_text(arguments.out, report.render(story))
