"""`pasteur schema show`: what is declared of a view; `pasteur schema draft`: a first JSON for a new data set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pasteur.app import groups
from pasteur.app.verbs import Parser, root_of
from pasteur.errors import ConfigError, near_miss, rule

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from pasteur.datasets.config import DatasetConfig
    from pasteur.experiment import Experiment


def main(argv: Sequence[str]) -> int:
    """Show or draft a schema.

    Raises:
        ConfigError: no such view, schema or data set.
        SchemaError: the metadata contradicts itself.
    """
    parser = Parser("schema", "Show what is declared of a view, or draft a first metadata file.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="{show,draft}", parser_class=_Action)
    show = actions.add_parser("show", help="columns, domains and their sources")
    show.add_argument("name", metavar="VIEW[.SCHEMA]", help="e.g. adult.detail; default schema: the view's own")
    show.add_argument("--sdv", action="store_true", help="print the plain SDV V2 file instead")
    draft = actions.add_parser("draft", help="a first metadata/<data set>.detail.json, to be confirmed by a person")
    draft.add_argument("dataset", metavar="DATASET")
    draft.add_argument("--force", action="store_true", help="overwrite the file")
    arguments = parser.parse_args(list(argv))
    root = root_of(arguments)
    return _show(arguments) if arguments.action == "show" else _draft(arguments, root)


class _Action(Parser):
    """A sub-parser; `--root` belongs to the verb."""

    def __init__(self, prog: str, **_: object) -> None:
        super().__init__(prog.removeprefix("pasteur "), "")


def experiment_of(name: str) -> Experiment:
    """A run of `reference` on the view and schema that `VIEW` or `VIEW.SCHEMA` names: the least that composes.

    Raises:
        ConfigError: no such view, or the view has no such schema.
    """
    from pasteur.app import compose

    view, _, schema = name.partition(".")
    known = groups.options("view")
    datasets = groups.options("dataset")
    if view not in known and view not in datasets:
        raise ConfigError(f"'{view}' is not a view{near_miss(view, {*known, *datasets})}")
    words = ["algorithm=reference"]
    if view in known:
        served = groups.read(known[view]).get("datasets") or list(datasets)
        words += [f"dataset={served[0]}", f"view={view}"]
    else:
        words += [f"dataset={view}"]
    return compose.experiment([*words, *([f"schema={schema}"] if schema else [])])


def _show(arguments: argparse.Namespace) -> int:
    from pasteur.plan import prepare

    schema = prepare(experiment_of(arguments.name)).schema
    if arguments.sdv:
        print(json.dumps(schema.sdv, indent=2))  # noqa: T201 - what a person asked for
        return 0
    lines = []
    for table in schema.tables.values():
        lines += [table.name, f"  {'column':<28}{'type':<13}{'embedding':<13}source"]
        for column in table.columns:
            kind = (column.embedding or {}).get("type", "-")
            source = column.source or ("" if column.declared else "taken from the data: not confirmed")
            lines.append(f"  {column.name:<28}{column.sdtype:<13}{kind:<13}{source}"[:120].rstrip())
    print("\n".join(lines))  # noqa: T201 - what a person asked for
    return 0


def _draft(arguments: argparse.Namespace, root: Path) -> int:
    """Write a first metadata file from the rows of a data set; every domain in it waits for a person to confirm it."""
    from pasteur import datasets, schema_draft
    from pasteur.catalog import Paths
    from pasteur.files import write_text

    path = root / "metadata" / f"{arguments.dataset}.detail.json"
    dataset = _dataset(arguments.dataset)
    if dataset.in_server:
        raise ConfigError(rule("DATASET", arguments.dataset, "one of files: write what is known of a server's tables"))
    if path.exists() and not arguments.force:
        raise ConfigError(f"{path} is there already; --force overwrites it")
    raw = datasets.fetch(dataset, Paths(root=root).raw(dataset.name), root=root)
    primary = datasets.tidy(dataset, datasets.parse(dataset, raw))
    drafted = schema_draft.draft(dataset.name, primary)
    write_text(path, json.dumps(drafted, indent=2) + "\n")
    print(  # noqa: T201 - what a person asked for
        f'{path}: each domain was taken from the data and is marked "declared": false.\n'
        "Hold it against public knowledge, write its source, remove the mark: until then no private run takes it."
    )
    for table, types in datasets.inferred(dataset, primary).items():
        listed = ", ".join(f"{column}: {kind}" for column, kind in types.items())
        print(  # noqa: T201 - what a person asked for
            f"The types of table '{table}' were taken from the data too. Declare them in the data set's YAML:\n"
            f"  tables: {{{table}: {{types: {{{listed}}}}}}}"
        )
    return 0


def _dataset(name: str) -> DatasetConfig:
    """The data set called `name`, by its own file: it needs no schema yet."""
    from pasteur.app.typed import build
    from pasteur.datasets.config import DatasetConfig

    known = groups.options("dataset")
    if name not in known:
        raise ConfigError(f"'{name}' is not a data set{near_miss(name, known)}")
    raw = groups.read(known[name])
    return build(DatasetConfig, {"name": name, **{k: v for k, v in raw.items() if k != "defaults"}}, "dataset")
