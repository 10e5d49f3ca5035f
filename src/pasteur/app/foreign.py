"""Files that somebody else's tool read and wrote, as tables: CSV or parquet, one component or several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from pasteur.errors import ConfigError, DataError, near_miss, rule
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pasteur.schema import Schema

SUFFIXES = (".csv", ".pq", ".parquet")


def files(option: str, given: Sequence[str], schema: Schema) -> dict[str, Path]:
    """Component -> file.

    Args:
        option: the option's name, for messages.
        given: a file; a folder with a file `<component>.csv` (or .pq, .parquet) of each component; or several
            `<component>=<file>`.
        schema: names the components.

    Raises:
        ConfigError: a component has no file or two, a file is not there or of another kind.
    """
    names = tuple(schema.tables)
    found: dict[str, Path] = {}
    for word in given:
        name, equals, path = word.partition("=")
        if equals and name in names:
            held = {name: Path(path)}
        elif _is(Path.is_dir, Path(word)):
            held = {n: file for n in names if (file := _of(Path(word), n)) is not None}
        elif len(names) == 1:
            held = {names[0]: Path(word)}
        else:
            listed = ", ".join(names)
            what = f"a folder, or <component>=<file> of each of {listed}{near_miss(name, names) if equals else ''}"
            raise ConfigError(rule(option, word, what))
        if twice := sorted(held.keys() & found):
            raise ConfigError(f"{option}: component '{twice[0]}' must be given once")
        found |= held
    for name in names:
        if name not in found:
            raise ConfigError(f"{option}: component '{name}' must have a file")
        if found[name].suffix not in SUFFIXES or not _is(Path.is_file, found[name]):
            raise ConfigError(rule(option, found[name], f"a file that ends in {', '.join(SUFFIXES)}"))
    return {name: found[name] for name in names}


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError:  # a name that no file system takes
        return False


def _of(folder: Path, name: str) -> Path | None:
    return next((folder / (name + suffix) for suffix in SUFFIXES if (folder / (name + suffix)).is_file()), None)


def read(paths: Mapping[str, Path], schema: Schema) -> dict[str, pa.Table]:
    """The rows of each component; columns of a CSV are numbers where the schema says so and all of them are, else text.

    Raises:
        DataError: a file cannot be read. Names the file, never a value.
    """
    return {name: _csv(path, schema, name) if path.suffix == ".csv" else _parquet(path) for name, path in paths.items()}


def _parquet(path: Path) -> pa.Table:
    table = Table.read(path)
    _own_names(path, table.columns)
    try:
        return table.arrow()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: is not a readable parquet file") from error


def _own_names(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise DataError(f"{path}: each column must have a name of its own")


def _csv(path: Path, schema: Schema, component: str) -> pa.Table:
    parsing = csv.ParseOptions(newlines_in_values=True)
    try:
        with csv.open_csv(path, parse_options=parsing) as reader:
            names = reader.schema.names
        _own_names(path, names)
        options = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        table = csv.read_csv(path, parse_options=parsing, convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeError) as error:
        raise DataError(f"{path}: is not CSV in UTF-8 with a header and rows of one length") from error
    numbers = {c.name for c in schema.tables[component].columns if c.sdtype == "numerical"}
    for place, name in enumerate(table.column_names):
        if name in numbers:
            table = table.set_column(place, name, _number(table.column(name)))
    return table


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers where all are, else numbers; text where one is neither."""
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(pc.utf8_trim_whitespace(column), kind)
        except pa.ArrowInvalid:
            continue
    return column
