"""`bootstrap`: privacy units of `wrk` drawn with replacement (Efron 1979). Not private: these are real rows.

A unit is drawn with all of its rows in all components. Each draw gets fresh ids, so that keys stay unique and a child
row still points at its parent's copy of the same draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

PRIVATE = False
COMPONENTS = "many"
READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """There is nothing to set."""


def draw(
    data: Mapping[str, Mapping[str, Table]], settings: Settings, *, rows: int | None, rng: np.random.Generator
) -> Mapping[str, Table]:
    """Give as many units as `wrk` has, drawn from it with replacement, with all of their rows.

    Args:
        data: split to component to table of codes; only "wrk" is read. In a component, column `_unit` says whose row
            it is (absent: each row is a unit of its own), unsigned columns are codes, and all others are ids.
        settings: none.
        rows: rows that the first component should have: the number of units is scaled so that it is expected to; exact
            where a unit has one row. None: as many units as there are.
        rng: draws the units.
    """
    del settings
    held = {name: table.arrow() for name, table in data["wrk"].items()}
    owners, units = _owners(held)
    first = len(next(iter(held.values())))
    count = units if rows is None or not first else round(rows * units / first)
    drawn = rng.integers(units, size=count if units else 0)
    taken = {name: _rows_of(owners[name], drawn, units) for name in held}
    fresh = _Fresh(held, taken)
    return {name: Table.of(fresh.table(name)) for name in held}


def _owners(held: Mapping[str, pa.Table]) -> tuple[dict[str, Numbers], int]:
    """The number of each row's unit, the same in all components, and how many units there are."""
    texts = {
        name: table.column(UNIT).cast(pa.string())
        if UNIT in table.column_names
        else pa.chunked_array([pa.array([f"row {row}" for row in range(len(table))], pa.string())])
        for name, table in held.items()
    }
    whole = pa.chunked_array([chunk for column in texts.values() for chunk in column.chunks], type=pa.string())
    numbers = _numbers(whole)
    stops = np.cumsum([len(column) for column in texts.values()])
    owners = dict(zip(texts, np.split(numbers, stops[:-1]), strict=True))
    return owners, int(numbers.max(initial=-1)) + 1


def _numbers(column: pa.ChunkedArray) -> Numbers:
    """Whole numbers from 0, equal for equal values, in order of first appearance; a null is a value too."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode").indices
    numbers: Numbers = coded.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _rows_of(owners: Numbers, drawn: Numbers, units: int) -> tuple[Numbers, Numbers]:
    """The rows of each drawn unit, draw by draw, and which draw each is of."""
    order = np.argsort(owners, kind="stable")
    counts = np.bincount(owners, minlength=units)
    starts = np.cumsum(counts) - counts
    lengths = counts[drawn]
    draws = np.repeat(np.arange(len(drawn)), lengths)
    within = np.arange(len(draws)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return order[starts[drawn][draws] + within], draws


class _Fresh:
    """Fresh ids: one number for each pair (draw, old id), whatever the column, so that references hold."""

    def __init__(self, held: Mapping[str, pa.Table], taken: Mapping[str, tuple[Numbers, Numbers]]) -> None:
        self._held, self._taken = held, taken
        keys = [(name, key) for name, table in held.items() for key in table.column_names if _is_id(table, key)]
        olds = [self._old(name, key) for name, key in keys]
        if not olds:
            self._new: dict[tuple[str, str], Numbers] = {}
            return
        draws = np.concatenate([taken[name][1] for name, _ in keys])
        values = _numbers(pa.chunked_array([chunk for old in olds for chunk in old.chunks], type=pa.string()))
        _, first, inverse = np.unique(
            draws * (values.max(initial=0) + 1) + values, return_index=True, return_inverse=True
        )
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(1, len(first) + 1)
        stops = np.cumsum([len(old) for old in olds])
        self._new = dict(zip(keys, np.split(rank[inverse], stops[:-1]), strict=True))

    def _old(self, name: str, key: str) -> pa.ChunkedArray:
        return self._held[name].column(key).cast(pa.string()).take(pa.array(self._taken[name][0]))

    def table(self, name: str) -> pa.Table:
        """The drawn rows of one component, with fresh units and ids."""
        rows, draws = self._taken[name]
        table = self._held[name].take(pa.array(rows))
        for place, field in enumerate(table.schema):
            if field.name == UNIT:
                table = table.set_column(place, field, pa.array(draws + 1).cast(field.type))
            elif (name, field.name) in self._new:
                missing = table.column(place).is_null().to_numpy()
                fresh = pa.array(self._new[name, field.name], mask=missing)
                table = table.set_column(place, field, fresh.cast(field.type))
        return table


def _is_id(table: pa.Table, key: str) -> bool:
    return key != UNIT and not pa.types.is_unsigned_integer(table.schema.field(key).type)
