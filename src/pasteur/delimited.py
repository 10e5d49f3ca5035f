"""CSV out and back in: the form in which most people open a synthetic table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv

from pasteur.errors import DataError
from pasteur.files import atomic
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write(table: Table, path: Path) -> None:
    """Write RFC 4180 CSV with a header; a null is an empty cell, an empty string is quoted."""
    with atomic(path) as temporary, csv.CSVWriter(temporary, table.schema) as writer:
        for batch in table.batches():
            writer.write_batch(batch)


def read(path: Path, schema: pa.Schema) -> Table:
    """Rows of a CSV file that `write` made, under `schema`.

    Raises:
        DataError: the file is not CSV or its columns are not those of `schema`.
    """

    def make() -> Iterator[pa.RecordBatch]:
        options = csv.ConvertOptions(
            column_types=schema,
            include_columns=schema.names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        # A text may hold line ends, and in a file of one column an empty line is a row: a missing value.
        parsing = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(schema) > 1)
        try:
            with csv.open_csv(path, parse_options=parsing, convert_options=options) as reader:
                yield from reader
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise DataError(f"{path}: is not the CSV file that was written") from error

    return Table.stream(schema, make)
