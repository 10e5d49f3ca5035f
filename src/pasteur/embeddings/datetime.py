"""Dates and times as parts: year, month, day, hour, minute, second."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pasteur.embeddings import Part
from pasteur.embeddings import _moments as moments
from pasteur.embeddings._declared import Declared, flag, need, read
from pasteur.embeddings._moments import CODES, UNITS
from pasteur.embeddings._values import first, smallest
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pasteur.schema import Column

    Moments = NDArray[np.datetime64]

TRIES = 16
"""Coarser units tried in turn: leap years are at most 8 apart, months of 31 days 2, and only the ends are cut short."""


@dataclass(frozen=True, kw_only=True)
class Datetime(Declared):
    """`{"type": "datetime", "units": [...]}` over `{"min", "max", "null"?, "type"?}`, bounds being ISO dates or times.

    `units`, the parts, are neighbours in year > month > day > hour > minute > second, such as year, month, day: each an
    attribute `<column>.<part>`. Null is the last code of every part; decoding, the first part says what is null. What
    the parts leave open is drawn uniformly inside the bounds. `stored` is how values are held: text in SDV's
    `datetime_format` where the schema gives one, else timestamps (microseconds, zones being taken in UTC), or what the
    domain's `type` says: timestamp, date or text. A `max` without a time means its whole day.
    """

    type: ClassVar[str] = "datetime"

    low: int
    high: int
    units: tuple[str, ...]
    stored: str
    form: str | None

    def __post_init__(self) -> None:
        """Refuse parts that are no run of neighbouring units, or finer than the values, and bounds out of order."""
        for unit in self.units:
            if unit not in UNITS:
                raise SchemaError(f"{self.where} embedding.parts ({unit}) must be a part{near_miss(str(unit), UNITS)}")
        start = UNITS.index(self.units[0]) if self.units else 0
        if not self.units or self.units != UNITS[start : start + len(self.units)]:
            must_be = f"neighbours in order: {', '.join(UNITS)}"
            raise SchemaError(rule(f"{self.where} embedding.parts", ", ".join(self.units), must_be))
        if UNITS.index(self.units[-1]) > UNITS.index(self.shown):
            must_be = f"no finer than its values, which show the {self.shown}"
            raise SchemaError(rule(f"{self.where} embedding.parts", self.units[-1], must_be))
        if self.low >= self.high:
            low, high = np.datetime64(self.low, "s"), np.datetime64(self.high, "s")
            raise SchemaError(rule(f"{self.where} domain.min", low, f"below max ({high})"))

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's parts and bounds."""
        chosen, domain = read(column, embedding=("parts",), domain=("min", "max", "null", "type"))
        units = chosen.get("parts")
        if not isinstance(units, list | tuple):
            raise SchemaError(f"{column.where} embedding must have 'parts', a list such as ['year', 'month']")
        return cls(
            name=column.name,
            where=column.where,
            null=flag(column, domain, "null"),
            low=moments.parse_bound(f"{column.where} domain.min", need(column, domain, "min"), upper=False),
            high=moments.parse_bound(f"{column.where} domain.max", need(column, domain, "max"), upper=True),
            units=tuple(units),
            stored=moments.stored_as(column, domain.get("type")),
            form=column.sdv.get("datetime_format"),
        )

    @property
    def shown(self) -> str:
        """The finest unit that values show."""
        return moments.resolution(self.stored, self.form)

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return moments.STORED[self.stored]

    @property
    def expects(self) -> str:
        """What a value must be."""
        return f"a date or time of the form {self.form}" if self.form else "a date or time"

    @cached_property
    def _bounds(self) -> Moments:
        """First and last moment, cut to what values show."""
        ends = np.array([self.low, self.high], dtype="datetime64[s]")
        return ends.astype(f"datetime64[{CODES[self.shown]}]").astype("datetime64[s]")

    @cached_property
    def _ranges(self) -> tuple[tuple[int, int], ...]:
        """The least and the greatest value of each part, counted from 0 inside its coarser unit."""
        ranges = []
        for unit in self.units:
            low, high = (int(value) for value in _part(self._bounds, unit))
            alike = len(set(_coarser(self._bounds, unit).tolist())) == 1
            full = (0, {"month": 11, "day": 30, "hour": 23, "minute": 59, "second": 59}.get(unit, 0))
            ranges.append((low, high) if alike or unit == "year" else full)
        return tuple(ranges)

    @property
    def parts(self) -> tuple[Part, ...]:
        """One ordered attribute a unit."""
        return tuple(
            Part(name=f"{self.name}.{unit}", size=high - low + 1 + self.null, ordered=True)
            for unit, (low, high) in zip(self.units, self._ranges, strict=True)
        )

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """Codes of each part; moments outside the bounds go to the edge, what is no moment to the first moment."""
        found, wrong = moments.read(values, self.form)
        missing = np.isnat(found) & ~wrong
        kept = np.clip(np.where(missing | wrong, self._bounds[0], found), self._bounds[0], self._bounds[1])
        codes = []
        for unit, part, (low, _) in zip(self.units, self.parts, self._ranges, strict=True):
            code = (_part(kept, unit) - low).astype(smallest(part.size))
            if self.null:
                code[missing] = part.size - 1
            codes.append(code)
        return tuple(codes)

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:
        """Moments drawn uniformly inside their finest part and inside the bounds, at the resolution of the original."""
        null = codes[0] == self.parts[0].size - 1 if self.null else np.zeros(len(codes[0]), dtype=np.bool_)
        shown = []
        for found, part, (low, high) in zip(codes, self.parts, self._ranges, strict=True):
            value = found.astype(np.int64) + low
            if self.null:
                value = np.where(found == part.size - 1, rng.integers(low, high + 1, len(found)), value)
            shown.append(value)
        start, stop = self._place(shown, rng)
        drawn = start + ((rng.random(len(null)) * (stop - start).astype(np.int64)).astype(np.int64)).astype("m8[s]")
        cut = drawn.astype(f"datetime64[{CODES[self.shown]}]").astype("datetime64[s]")
        return moments.write(np.where(null, np.datetime64("NaT", "s"), cut), self.stored, self.form)

    def _place(self, shown: list[NDArray[np.int64]], rng: np.random.Generator) -> tuple[Moments, Moments]:
        """First and one past the last second of each row's finest part, inside the bounds.

        The unit above the first part (the day, where the parts begin with the hour) is drawn among those between the
        bounds; where the parts do not exist in it, the following ones are tried in turn. Parts that exist nowhere, such
        as 30 February, go to the nearest day that does, and to the edge.
        """
        rows, above = len(shown[0]), UNITS.index(self.units[0]) - 1
        if above < 0:
            base, choices = np.full(rows, np.datetime64(0, "Y")), 1
        else:
            first_one, last = self._bounds.astype(f"datetime64[{CODES[UNITS[above]]}]")
            choices = int((last - first_one).astype(np.int64)) + 1
            base = first_one + rng.integers(0, choices, rows).astype(f"m8[{CODES[UNITS[above]]}]")
        start, stop, valid = self._inside(base, shown)
        for _ in range(min(choices, TRIES) - 1):
            again = np.flatnonzero(~valid)
            if not len(again):
                break
            base[again] = np.where(base[again] == last, first_one, base[again] + 1)
            start[again], stop[again], valid[again] = self._inside(base[again], [part[again] for part in shown])
        return start, stop

    def _inside(self, base: Moments, shown: list[NDArray[np.int64]]) -> tuple[Moments, Moments, NDArray[np.bool_]]:
        """Each row's interval under its `base`, cut to the bounds, and whether it exists as it is."""
        valid, found = np.ones(len(base), dtype=np.bool_), base
        for unit, value in zip(self.units, shown, strict=True):
            if unit == "year":
                found = value.astype("datetime64[Y]")
                continue
            finer = found.astype(f"datetime64[{CODES[unit]}]")
            longest = ((found + 1).astype(finer.dtype) - finer).astype(np.int64) - 1
            valid &= value <= longest
            found = finer + np.minimum(value, longest).astype(f"m8[{CODES[unit]}]")
        start, stop = found.astype("datetime64[s]"), (found + 1).astype("datetime64[s]")
        low, high = self._bounds
        valid &= (stop > low) & (start <= high)
        start = np.clip(start, low, high)
        return start, np.minimum(np.maximum(stop, start + 1), self._past(high)), valid

    def _past(self, moment: Any) -> Any:
        """The moment after one: at the resolution that values show."""
        return (moment.astype(f"datetime64[{CODES[self.shown]}]") + 1).astype("datetime64[s]")

    def check(self, values: pa.Array) -> int | None:
        """The first value that is no moment, or is missing where no null is declared."""
        found, wrong = moments.read(values, self.form)
        return first(wrong if self.null else np.isnat(found))

    def moved(self, values: pa.Array) -> dict[str, int]:
        """How many moments lie outside the bounds."""
        found, _ = moments.read(values, self.form)
        low, high = self._bounds
        return {"outside": int(np.count_nonzero((found < low) | (found >= self._past(high))))}


def _part(found: Moments, unit: str) -> NDArray[np.int64]:
    """A unit of each moment, counted from 0 inside its coarser unit; years from 1970."""
    fine = found.astype(f"datetime64[{CODES[unit]}]")
    ticks: NDArray[np.int64] = fine.astype(np.int64)
    return ticks if unit == "year" else ticks - _coarser(found, unit).astype(fine.dtype).astype(np.int64)


def _coarser(found: Moments, unit: str) -> Moments:
    """Each moment cut to the unit above `unit`."""
    above = UNITS[max(UNITS.index(unit) - 1, 0)]
    return found.astype(f"datetime64[{CODES[above]}]")
