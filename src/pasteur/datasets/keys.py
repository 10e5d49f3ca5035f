"""keys: every privacy unit in one of four splits, once per data set.

The split of a unit follows from its id and the data set's salt alone:

    position = the first 15 hexadecimal digits of sha256(salt + id), as an integer      in [0, 2^60)
    wrk where position < floor(2^60 * wrk), then ref, val and dev: each up to the floor of 2^60 times the sum of the
    shares so far

with salt and id as text in UTF-8. So a unit keeps its split whatever the view, the machine, the order of rows or who
else is there, and a database computes it too:

    DuckDB      ('0x' || sha256(salt || id)[:15])::BIGINT
    PostgreSQL  ('x0' || left(encode(sha256(convert_to(salt || id, 'UTF8')), 'hex'), 15))::bit(64)::bigint
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.datasets.config import SPLITS
from pasteur.errors import DataError
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pasteur.datasets.config import DatasetConfig, RatiosConfig

BITS = 60
_HEX = BITS // 4


def split_keys(dataset: DatasetConfig, primary: Mapping[str, Table]) -> dict[str, Table]:
    """The ids of each split's units, sorted: tables with the one text column `_unit`.

    Raises:
        DataError: a row whose unit is missing, a unit column that is neither text nor whole numbers, or so few units
            that a split gets none.
    """
    units = unit_ids(dataset, primary)
    codes = assign(units.to_pylist(), salt=dataset.salt, ratios=dataset.ratios)
    splits = {}
    for code, split in enumerate(SPLITS):
        chosen = units.filter(pa.array(codes == code))
        if not len(chosen) and getattr(dataset.ratios, split) > 0:
            raise DataError(
                f"data set '{dataset.name}': split '{split}' has no {dataset.unit.name}, as there are {len(units)} in "
                "all; add data or change its ratios"
            )
        splits[split] = Table.of(pa.table({UNIT: chosen}))
    return splits


def unit_ids(dataset: DatasetConfig, primary: Mapping[str, Table]) -> pa.Array:
    """The ids of all units as text, each once, sorted by code point."""
    table, column = dataset.unit_table, dataset.unit.column or UNIT
    values = primary[table].arrow([column]).column(column)
    if not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        raise DataError(f"table '{table}': unit column '{column}' must be text or whole numbers, but is {values.type}")
    if values.null_count:
        row = pc.index(values.is_null(), True).as_py() + 1
        raise DataError(f"table '{table}', row {row}: unit column '{column}' must not be missing")
    distinct = pc.unique(values.cast(pa.string()))
    return distinct.take(pc.sort_indices(distinct))


def halve(table: Table, *, salt: str) -> tuple[Table, Table]:
    """The rows of a split in two, by a keyed hash of the unit's id that says nothing of its split.

    Args:
        table: rows with the text column `_unit`; read when a half is read.
        salt: the data set's.

    Returns:
        the rows of the units whose sha256(salt + "/half/" + id) begins with an even byte, and the others.
    """
    start = hashlib.sha256(f"{salt}/half/".encode())

    def odd(unit: str) -> bool:
        digest = start.copy()
        digest.update(unit.encode())
        return bool(digest.digest()[0] % 2)

    def half(side: bool) -> Table:  # noqa: FBT001 - one of two
        def make() -> Iterator[pa.RecordBatch]:
            for batch in table.batches():
                units = batch.column(table.columns.index(UNIT)).to_pylist()
                yield batch.filter(pa.array([odd(unit) == side for unit in units], pa.bool_()))

        return Table.stream(table.schema, make)

    return half(side=False), half(side=True)


def assign(units: Sequence[str], *, salt: str, ratios: RatiosConfig) -> np.ndarray:
    """The split of each unit, as its place in `SPLITS`. (units,) int8."""
    start = hashlib.sha256(salt.encode())
    positions = np.empty(len(units), dtype=np.int64)
    for index, unit in enumerate(units):
        digest = start.copy()
        digest.update(unit.encode())
        positions[index] = int(digest.hexdigest()[:_HEX], 16)
    return np.searchsorted(np.array(thresholds(ratios)), positions, side="right").astype(np.int8)


def thresholds(ratios: RatiosConfig) -> tuple[int, int, int]:
    """Where wrk, ref and val end; dev goes on to 2^60. Exact in the decimals of the shares as written."""
    shares = [Fraction(str(getattr(ratios, split))) for split in SPLITS]
    total = sum(shares)
    first, second, third = (int(sum(shares[: n + 1]) / total * 2**BITS) for n in range(3))
    return first, second, third
