"""intermediate: each raw file as a table of untouched values. Texts stay texts; parquet keeps its types."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from pasteur.errors import DataError, rule
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pasteur.datasets.config import DatasetConfig, ReadConfig

BLOCK = 1 << 22
"""Bytes of CSV that are parsed at a time; no row may be longer."""

_ROW = re.compile(r"Row #(\d+)")
_KEDRO = {"feather": "FeatherDataset", "json": "JSONDataset", "excel": "ExcelDataset"}
"""What reads each format that is no CSV and no parquet, in kedro_datasets.pandas."""
_COLUMN = re.compile(r"CSV column #(\d+)")


def parse(dataset: DatasetConfig, raw: Mapping[str, Path]) -> dict[str, Table]:
    """The raw files as tables, read in batches when asked for.

    Args:
        dataset: how the files are to be read.
        raw: the file of each name in `dataset.files`.

    Raises:
        DataError: a file is no CSV or parquet, in another encoding, or its header lacks a name or has one twice. What
            is wrong further down is raised when that batch is read. Rows are counted from 1, without the header.
    """
    return {name: _table(dataset.read, Path(raw[name])) for name in dataset.files}


def _table(read: ReadConfig, path: Path) -> Table:
    if not path.is_file():
        raise DataError(f"{path}: raw file is missing")
    form = read.format_of(path.name)
    if form == "parquet":
        return _parquet(path)
    return _csv(read, path) if form == "csv" else _whole(read, path, _KEDRO[form])


def _parquet(path: Path) -> Table:
    table = Table.read(path)
    _header(table.schema.names, path, "its schema")
    if not table.rows:
        raise DataError(f"{path}: must have at least one row, but has none")

    def make() -> Iterator[pa.RecordBatch]:
        try:
            with pq.ParquetFile(path) as file:
                yield from (batch.replace_schema_metadata(None) for batch in file.iter_batches())
        except (OSError, pa.ArrowException):
            raise DataError(f"{path}: is not a whole parquet file") from None

    return Table.stream(table.schema, make, rows=table.rows)


def _whole(read: ReadConfig, path: Path, kind: str) -> Table:
    """A file that only pandas reads, in memory."""
    import kedro_datasets.pandas as readers

    try:
        frame = getattr(readers, kind)(filepath=str(path), load_args=dict(read.options)).load()
        table = Table.of(pa.Table.from_pandas(frame, preserve_index=False))
    except Exception as error:  # noqa: BLE001 - every reader fails in a way of its own, and may quote the data
        message = f"{path}: cannot be read as {read.format_of(path.name)} ({type(error).__name__})"
        raise DataError(message) from None
    _header(table.schema.names, path, "its header")
    if not table.rows:
        raise DataError(f"{path}: must have at least one row, but has none")
    return table


def _csv(read: ReadConfig, path: Path) -> Table:
    names = _names(read, path)
    schema = pa.schema([(name, pa.string()) for name in names])

    def make() -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in _batches(read, path, schema):
            rows += batch.num_rows
            yield batch
        if not rows:
            raise DataError(f"{path}: must have at least one row, but has none")

    return Table.stream(schema, make)


def _names(read: ReadConfig, path: Path) -> list[str]:
    """Column names: those of the YAML, or the header's, cleaned of surrounding blanks."""
    if read.names:
        return list(read.names)
    ragged: list[csv.InvalidRow] = []
    with _plain_errors(read, path, ragged), _open(read, path, ragged) as reader:
        names = [str(name).strip() for name in reader.schema.names]
    _header(names, path, "its first line")
    for index, name in enumerate(names, start=1):
        if _is_number(name):
            raise DataError(
                f"{path}: has no header: name {index} of its first line is a number; list the names in read.names"
            )
    return names


def _header(names: Sequence[str], path: Path, where: str) -> None:
    """Refuse names that are missing or twice there. They are told by number: without a header they are values."""
    first: dict[str, int] = {}
    for index, name in enumerate(names, start=1):
        if not name:
            raise DataError(f"{path}: column {index} has no name in {where}")
        if name.lower() in first:  # SQL does not tell upper from lower case
            raise DataError(f"{path}: column {index} has the name of column {first[name.lower()]} in {where}")
        first[name.lower()] = index


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _batches(read: ReadConfig, path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    ragged: list[csv.InvalidRow] = []
    with _plain_errors(read, path, ragged), _open(read, path, ragged) as reader:
        for batch in reader:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _open(read: ReadConfig, path: Path, ragged: list[csv.InvalidRow]) -> csv.CSVStreamingReader:
    """A reader of texts, on one thread so that it knows row numbers. Rows of another width end up in `ragged`."""

    def refuse(row: csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    return csv.open_csv(
        path,
        read_options=csv.ReadOptions(
            use_threads=False, block_size=BLOCK, encoding=read.encoding, column_names=read.names or None
        ),
        parse_options=csv.ParseOptions(
            delimiter=read.delimiter, quote_char=read.quote, newlines_in_values=True, invalid_row_handler=refuse
        ),
        convert_options=csv.ConvertOptions(default_column_type=pa.string(), strings_can_be_null=False),
    )


@contextmanager
def _plain_errors(read: ReadConfig, path: Path, ragged: list[csv.InvalidRow]) -> Iterator[None]:
    """Say what is wrong with a CSV file in our words: the reader's own quote the data."""
    try:
        yield
    except UnicodeError:
        raise DataError(f"{path}: " + rule("read.encoding", read.encoding, "the file's encoding")) from None
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read to its end ({type(error).__name__}); it may be truncated") from None
    except pa.ArrowInvalid as error:
        text = str(error)
        found = _ROW.search(text)
        row = "" if found is None else f" row {int(found[1]) - (0 if read.names else 1)}:"
        if ragged:
            bad = ragged[0]
            message = f"has {bad.actual_columns} fields where there are {bad.expected_columns} columns"
        elif "UTF8" in text:
            column = _COLUMN.search(text)
            where = f"column {int(column[1]) + 1} " if column else ""
            message = f"{where}is not in the encoding {read.encoding}"
        elif "Empty CSV" in text:
            message = "is empty: not even a header"
        elif "straddl" in text:
            message = f"has a row of more than {BLOCK} bytes, or a quote that is never closed"
        else:
            message = f"is not CSV with delimiter {read.delimiter!r} in the encoding {read.encoding}"
        raise DataError(f"{path}:{row} {message}") from None
