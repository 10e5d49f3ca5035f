"""Series that somebody declares public, from a file: what `fsq` may learn from without noise. The claim says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pasteur.compressors import Series
from pasteur.errors import DataError, SchemaError, near_miss, rule

if TYPE_CHECKING:
    from pasteur.compressors import Declaration

KEYS = ("file", "series", "source")


@dataclass(frozen=True, kw_only=True)
class Public:
    """`{"trained_on": {"file": "seasons.parquet", "series": "player", "source": "https://..."}}`.

    Attributes:
        file: parquet, a row a step, in the order of steps, with the channels' columns; a relative path is looked for
            where the run is started.
        series: the column that says which rows are of one series.
        source: where anybody can get it, in words; the claim repeats it.
    """

    file: Path
    series: str
    source: str

    @classmethod
    def declare(cls, given: object, where: str) -> Public:
        """Read the setting; not the file.

        Raises:
            SchemaError: it is no such mapping.
        """
        if not isinstance(given, dict) or any(not isinstance(value, str) or not value for value in given.values()):
            raise SchemaError(rule(where, given, f"a mapping of {', '.join(KEYS)} to words"))
        for name in given:
            if name not in KEYS:
                raise SchemaError(f"{where}: '{name}' is not a known key{near_miss(name, KEYS)}")
        for name in KEYS:
            if name not in given:
                raise SchemaError(f"{where} must say its {name}")
        return cls(file=Path(given["file"]), series=given["series"], source=given["source"])

    def check(self, declaration: Declaration) -> None:
        """Look at the file's head: early, as a run ends in its middle otherwise.

        Raises:
            DataError: it cannot be read, has no row, or lacks a column of numbers; names file and column.
        """
        try:
            head = pq.read_metadata(self.file)
            held = head.schema.to_arrow_schema()
        except (OSError, pa.ArrowException) as error:
            setting = f"compressors.{declaration.component}.trained_on.file"
            raise DataError(rule(setting, self.file, f"a parquet file ({type(error).__name__})")) from error
        channels = [channel.name for channel in declaration.channels]
        for name in (self.series, *channels):
            if name not in held.names:
                raise DataError(f"{self.file}: has no column '{name}'{near_miss(name, held.names)}")
        for name in channels:
            kind = held.field(name).type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                raise DataError(rule(f"{self.file}: column {name}", kind, "whole or floating-point numbers"))
        if not head.num_rows:
            raise DataError(f"{self.file}: must have a row")

    def read(self, declaration: Declaration) -> Series:
        """The series of the file; what is past the declared steps is left out.

        Raises:
            DataError: `check` says why, or a row names no series.
        """
        self.check(declaration)
        names = [self.series, *(channel.name for channel in declaration.channels)]
        try:
            held = pq.read_table(self.file, columns=names)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{self.file}: cannot be read as parquet ({type(error).__name__})") from error
        if held[self.series].null_count:
            raise DataError(f"{self.file}: column '{self.series}' must name a series in every row")
        owner = held[self.series].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        order = np.argsort(owner, kind="stable")
        owner = owner[order].astype(np.int64)
        step = np.arange(len(owner)) - np.searchsorted(owner, owner, side="left")
        inside = step < declaration.steps
        count = int(owner.max()) + 1
        values = np.full((count, declaration.steps, len(declaration.channels)), np.nan)
        for place, channel in enumerate(declaration.channels):
            numbers: Any = held[channel.name].to_numpy()
            shares = channel.shares(np.asarray(numbers, dtype=np.float64)[order])
            values[owner[inside], step[inside], place] = shares[inside]
        return Series(values=values, lengths=np.minimum(np.bincount(owner, minlength=count), declaration.steps))
