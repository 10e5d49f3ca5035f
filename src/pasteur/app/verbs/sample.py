"""`pasteur sample`: more rows from a finished run's model. Post-processing: no data is read, nothing is spent."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from pasteur.app import records
from pasteur.app.verbs import RUN, Parser, root_of
from pasteur.errors import ConfigError, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.table import Table

SUFFIXES = {".csv": "csv", ".pq": "pq", ".parquet": "pq"}


def main(argv: Sequence[str]) -> int:
    """Write rows to a file.

    Raises:
        ConfigError: no such run, one without a model, or a suffix that is no format.
    """
    parser = Parser("sample", "More rows from a finished run's model: reads no data, spends nothing.")
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="file to write; .csv, .pq or .parquet")
    parser.add_argument("--seed", type=int, help="of the draws; default: a fresh one, which is printed")
    arguments = parser.parse_args(list(argv))
    out: Path = arguments.out
    if out.suffix not in SUFFIXES:
        raise ConfigError(rule("--out", out, f"a file that ends in {', '.join(SUFFIXES)}"))
    if arguments.rows < 1:
        raise ConfigError(rule("--rows", arguments.rows, "1 or more"))
    if arguments.seed is not None and arguments.seed < 0:
        raise ConfigError(rule("--seed", arguments.seed, "0 or more"))
    kept = records.find(root_of(arguments), arguments.run)
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    component, table = rows(kept, arguments.rows, seed)
    _write(table, out)
    print(f"{arguments.rows:,} rows of {component} -> {out} (seed {seed})")  # noqa: T201 - what a person asked for
    return 0


def rows(kept: records.Kept, count: int, seed: int) -> tuple[str, Table]:
    """`count` rows from the model of `kept`, decoded: the component's name and its table.

    Raises:
        ConfigError: the run has no model, or one of several components.
    """
    from pasteur.embeddings.table import TableEncoder
    from pasteur.randomness import Stage, generator
    from pasteur.synth.model import Model

    model = kept.document["model"]
    if model is None:
        raise ConfigError(
            f"run {kept.document['run_id']} has no model: "
            f"{kept.document['algorithm']} makes its rows from the data itself"
        )
    if model.endswith(".pkl"):
        return _learned(kept, model, count, seed)
    codes = Model.load(kept.path(model)).sample(count, rng=generator(seed, Stage.SAMPLE))
    ((component, entry),) = kept.json("dictionary.json").items()
    decoded = TableEncoder.from_dict(entry).decode(codes, rng=generator(seed, Stage.DECODE))
    return component, decoded


def _learned(kept: records.Kept, model: str, count: int, seed: int) -> tuple[str, Table]:
    """`count` rows from a model of SDV's, which makes values, of the one component that a file takes.

    Raises:
        ConfigError: the model makes several components.
        DataError: the file is not the one that the run made.
    """
    from pasteur.catalog import Paths, learned_at
    from pasteur.randomness import Stage, generator

    path = kept.path(model)
    learned = learned_at(path, Paths(root=kept.root).manifest(path))
    if len(learned.schemas) > 1:
        listed = ", ".join(learned.schemas)
        raise ConfigError(
            f"run {kept.document['run_id']} makes several components ({listed}), and a file takes one: run "
            f"algo={kept.document['algorithm']} with another seed= and rows= instead"
        )
    ((component, table),) = learned.sample(count, rng=generator(seed, Stage.SAMPLE)).items()
    return component, table


def _write(table: Table, out: Path) -> None:
    from pasteur import delimited

    if SUFFIXES[out.suffix] == "csv":
        delimited.write(table, out)
    else:
        table.write(out)
