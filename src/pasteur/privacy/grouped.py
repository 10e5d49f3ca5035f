"""Rows that lie unit after unit, cut to what each unit may have, and the exact tables that are made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pasteur.errors import PrivacyError, near_miss, rule
from pasteur.privacy import sensitivity, units
from pasteur.privacy.counts import Exact
from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pasteur.marginals import Clique, Domain
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table

HELD = 1 << 22
"""Rows up to which a column is kept once it is made: a hundred columns of as many take half a gigabyte."""

Column = npt.NDArray[np.integer]


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouped:
    """Codes of rows that lie unit after unit; it never leaves the private room.

    Attributes:
        columns: attribute to its codes, (rows,), each inside the attribute's size.
        starts: (units + 1,) where the rows of each unit begin.
    """

    columns: Mapping[str, Column]
    starts: Integers


class Picked(Mapping[str, Column]):
    """Some rows of columns, each picked when it is asked for."""

    def __init__(self, make: Callable[[str], Column], names: Sequence[str], rows: Integers) -> None:
        self._make, self._names, self._rows = make, names, rows

    def __getitem__(self, name: str) -> Column:
        return self._make(name)[self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def grouped(codes: Table, domain: Domain, *, order: str | None, max_rows: int, salt: str) -> Grouped:
    """Lay the rows of each unit together, in order, and keep its first `max_rows`.

    Which ones they are, and how they stand, depends on nothing but the unit's own rows: on column `order` where there
    is one, and where that says nothing on the keyed hash of (unit, codes). Codes outside move to the nearest inside.

    Raises:
        PrivacyError: a column is missing or not of integers, or there is no column `_unit`.
    """
    wanted = [*domain.attributes, *([order] if order and order not in domain else [])]
    check_columns(codes, wanted)
    if UNIT not in codes.columns:
        raise PrivacyError(rule("codes", "no column _unit", f"a table with column '{UNIT}': whose row is each?"))
    found = units.words(codes, domain.attributes, salt)
    columns = held(codes, wanted)
    rank = columns[order] if order else np.zeros(found.shape[1], dtype=np.int8)
    sort = np.lexsort((found[2], rank, found[1], found[0]))
    one, other = found[0][sort], found[1][sort]
    begins = np.ones(len(sort), dtype=bool)
    begins[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    keep = first_of(begins, max_rows)
    return Grouped(
        columns={name: inside(columns[name][sort[keep]], domain.size((name,))) for name in domain.attributes},
        starts=starts_of(begins[keep]),
    )


def check_columns(codes: Table, names: Sequence[str]) -> None:
    """Refuse a table that lacks one of `names`, or has it of another type than integers.

    Raises:
        PrivacyError: it does.
    """
    for name in names:
        if name not in codes.columns:
            message = f"attribute '{name}' is not a column of the codes{near_miss(name, codes.columns)}"
            raise PrivacyError(message)
        kind = codes.schema.field(name).type
        if not pa.types.is_integer(kind):
            raise PrivacyError(rule(f"column '{name}'", kind, "of integer codes"))


def held(codes: Table, names: Sequence[str]) -> dict[str, Column]:
    """The columns of integers, in memory, in the order of the table; a null is 0."""
    if not names:
        return {}
    parts = [[units.integers(column) for column in batch.columns] for batch in codes.batches(list(names))]
    kinds = [codes.schema.field(name).type.to_pandas_dtype() for name in names]
    return {
        name: np.concatenate([np.zeros(0, dtype=kinds[place]), *(part[place] for part in parts)])
        for place, name in enumerate(names)
    }


def inside(column: Column, size: int) -> Column:
    """The codes of an attribute of `size`, those outside moved to the nearest inside, in the smallest type."""
    clipped = np.clip(column, 0, min(size - 1, np.iinfo(column.dtype).max))
    small: Column = clipped.astype(np.min_scalar_type(size - 1))
    return small


def first_of(begins: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.bool_]:
    """Of runs of rows that begin where `begins` says, the first `most` rows of each: (rows,) bool."""
    kept: npt.NDArray[np.bool_] = place_in(begins) < most
    return kept


def place_in(begins: npt.NDArray[np.bool_]) -> Integers:
    """Of runs of rows that begin where `begins` says, each row's place in its run, from 0: (rows,)."""
    places = np.arange(len(begins))
    place: Integers = places - np.maximum.accumulate(np.where(begins, places, 0))
    return place


def starts_of(begins: npt.NDArray[np.bool_]) -> Integers:
    """Where runs begin, and where the last one ends: (runs + 1,)."""
    return np.append(np.flatnonzero(begins), len(begins)).astype(np.int64)


class MeanCounts(Exact):
    """Tables in which the rows of each unit weigh 1 together, in steps of 2^-10 rows; and clipped and plain ones.

    Args:
        rows: cut.
        domain: of their columns; a mapped one (`levels`) is made when it is asked for.
        levels: attribute to the column that it is a function of, and its code of every one of that one's.
    """

    def __init__(
        self, rows: Grouped, domain: Domain, levels: Mapping[str, tuple[str, npt.NDArray[np.intp]]] | None = None
    ) -> None:
        super().__init__(domain)
        self.rows, self.levels = rows, dict(levels or {})
        self._held: dict[str, Column] = {}

    def total(self) -> int:
        """Rows kept."""
        return int(self.rows.starts[-1])

    def only(self, name: str, *, first: bool) -> MeanCounts:
        """The tables of the rows of code 0 of an attribute, or of all others."""
        keep = (self._column(name) == 0) == first
        before = np.append(0, np.cumsum(keep))
        columns = Picked(self._column, self.domain.attributes, np.flatnonzero(keep))
        return MeanCounts(Grouped(columns=columns, starts=before[self.rows.starts]), self.domain)

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, Column]]:
        """The codes of all rows at once."""
        yield {name: self._column(name) for name in names}

    def plain(self, clique: Clique) -> Integers:
        """Rows in each cell."""
        shape = self.domain.shape(clique)
        counts = np.bincount(self._cells(clique), minlength=math.prod(shape))
        return counts.astype(np.int64).reshape(shape)

    def clipped(self, clique: Clique, steps: int) -> Integers:
        """What units add to each cell, the vector of each clipped to a norm of `steps`, in steps of 2^-10 rows."""
        from pasteur.privacy import contributions  # numba: half a second, which --help need not pay

        shape = self.domain.shape(clique)
        sums = np.zeros(math.prod(shape), dtype=np.int64)
        contributions.clipped(self._cells(clique), self.rows.starts, steps, sums)
        return sums.reshape(shape)

    def averaged(self, clique: Clique, most: int) -> Integers:
        """The table in which the rows of each unit weigh `most` together, at most, in steps of 2^-10 rows."""
        from pasteur.privacy import contributions

        shape = self.domain.shape(clique)
        sums = np.zeros(math.prod(shape), dtype=np.int64)
        contributions.averaged(self._cells(clique), self.rows.starts, most, sums)
        return sums.reshape(shape)

    def _make(self, cliques: Sequence[Clique]) -> list[Integers]:
        return [self.averaged(clique, 1) for clique in cliques]

    def _column(self, name: str) -> Column:
        if name not in self._held:
            if name in self.levels:
                source, codes = self.levels[name]
                made: Column = codes.astype(np.min_scalar_type(int(codes.max())))[self._column(source)]
            else:
                made = self.rows.columns[name]
            if self.total() > HELD:
                return made
            self._held[name] = made
        return self._held[name]

    def _cells(self, clique: Clique) -> Integers:
        cells = np.zeros(self.total(), dtype=np.int64)
        for name in clique:
            cells *= self.domain.size((name,))
            cells += self._column(name)
        return cells


def checked_rows(max_rows: object) -> int:
    """Give `max_rows` of a unit whose rows are clipped together.

    Raises:
        PrivacyError: it is no whole number from 1 to 65,536.
    """
    rows = sensitivity.rows_per_unit(max_rows)
    if rows > sensitivity.LARGEST_UNIT:
        raise PrivacyError(rule("max_rows_per_unit", rows, f"{sensitivity.LARGEST_UNIT} or less"))
    return rows
