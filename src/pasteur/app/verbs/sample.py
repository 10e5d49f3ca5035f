"""`pasteur sample`: more rows from a finished run's model. Post-processing: no data is read, nothing is spent.

A model of several components makes a file of each, in a folder: all of a new person's rows hang together by their keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
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
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file to write, .csv, .pq or .parquet; of several components, a folder of CSVs",
    )
    parser.add_argument("--seed", type=int, help="of the draws; default: a fresh one, which is printed")
    arguments = parser.parse_args(list(argv))
    out: Path = arguments.out
    if out.suffix and out.suffix not in SUFFIXES:
        raise ConfigError(rule("--out", out, f"a file that ends in {', '.join(SUFFIXES)}"))
    if arguments.rows < 1:
        raise ConfigError(rule("--rows", arguments.rows, "1 or more"))
    if arguments.seed is not None and arguments.seed < 0:
        raise ConfigError(rule("--seed", arguments.seed, "0 or more"))
    kept = records.find(root_of(arguments), arguments.run)
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    made = rows(kept, arguments.rows, seed)
    for name, file in _files(out, tuple(made)).items():
        _write(made[name], file)
    listed = " and ".join(made)
    print(f"{arguments.rows:,} rows of {listed} -> {out} (seed {seed})")  # noqa: T201 - what a person asked for
    return 0


def _files(out: Path, components: tuple[str, ...]) -> dict[str, Path]:
    """The file of each component.

    Raises:
        ConfigError: `out` is no file of a known format for one component, or one for several.
    """
    if len(components) == 1:
        if out.suffix not in SUFFIXES:
            raise ConfigError(rule("--out", out, f"a file that ends in {', '.join(SUFFIXES)}"))
        return {components[0]: out}
    if out.suffix or out.is_file():
        raise ConfigError(rule("--out", out, f"a folder, for a CSV of each component ({', '.join(components)})"))
    return {name: out / f"{name}.csv" for name in components}


def rows(kept: records.Kept, count: int, seed: int) -> dict[str, Table]:
    """`count` new rows from the model of `kept`, decoded, with all that belongs to them: each component's table.

    Raises:
        ConfigError: the run has no model.
        DataError: a file is gone, or not the one that the run made.
    """
    from pasteur.compressors._store import Compression
    from pasteur.pipelines.processing.nodes import decode
    from pasteur.pipelines.synthesize import series
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
    drawn = Model.load(kept.path(model)).sample(count, rng=generator(seed, Stage.SAMPLE))
    dictionary = kept.json("dictionary.json")
    if isinstance(drawn, Mapping):
        return decode(dictionary, seed, *(drawn[name] for name in dictionary))
    fitted = {name: Compression.load(kept.path(relative)) for name, relative in kept.compressors.items()}
    return series.decode(dictionary, seed, drawn, fitted)


def _learned(kept: records.Kept, model: str, count: int, seed: int) -> dict[str, Table]:
    """`count` rows from a model of SDV's, which makes values.

    Raises:
        DataError: the file is not the one that the run made.
    """
    from pasteur.artefacts import learned_at
    from pasteur.catalog import Paths
    from pasteur.randomness import Stage, generator

    path = kept.path(model)
    learned = learned_at(path, Paths(root=kept.root).manifest(path))
    return dict(learned.sample(count, rng=generator(seed, Stage.SAMPLE)))


def _write(table: Table, out: Path) -> None:
    from pasteur import delimited

    if SUFFIXES[out.suffix] == "csv":
        delimited.write(table, out)
    else:
        table.write(out)
