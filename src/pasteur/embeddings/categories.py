"""Declared levels, and what stands for the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.embeddings import Part
from pasteur.embeddings._declared import MAX_SIZE, Declared, flag, need, read, whole
from pasteur.embeddings._values import first, flat, is_number, is_text, smallest, text
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.schema import Column

Level = str | int | bool


@dataclass(frozen=True, kw_only=True)
class Categories(Declared):
    """`{"type": "categories", "height"?, "ordered"?}` over `{"levels", "other"?, "null"?, "hierarchy"?}`.

    Codes follow the order of `levels`. `other` names the level that undeclared values become: one of `levels`, or a
    further one, which then comes after them. Null is the last code.

    With `"height": 1` the codes are the groups of `hierarchy` (`{level: group}`) in order of first appearance, a level
    without a group being a group of its own, and decoding draws a level of the group uniformly.

    Levels are text, whole numbers or booleans, all of one kind, which is the type of decoded values. A column of
    another Arrow type is compared by its text, numbers by their value.
    """

    type: ClassVar[str] = "categories"

    levels: tuple[Level, ...]
    other: Level | None
    groups: tuple[int, ...]
    ordered: bool

    def __post_init__(self) -> None:
        """Refuse no level at all, one twice, or levels of several kinds."""
        kinds = {type(level) for level in self.levels}
        if not kinds or len(kinds) > 1 or not kinds <= {str, int, bool}:
            listed = ", ".join(sorted(kind.__name__ for kind in kinds)) or "none"
            must_be = "at least one level, all text, all whole numbers or all booleans"
            raise SchemaError(rule(f"{self.where} domain.levels", listed, must_be))
        seen: set[Level] = set()
        for level in self.levels:
            if level in seen:
                raise SchemaError(f"{self.where} domain.levels ({level}) must be there once")
            seen.add(level)
        try:
            pa.array(self.levels, self.arrow)
        except (OverflowError, UnicodeError, pa.ArrowInvalid) as error:
            raise SchemaError(f"{self.where} domain.levels must be valid Unicode or 64-bit whole numbers") from error
        if len(self.levels) > MAX_SIZE:
            raise SchemaError(rule(f"{self.where} domain.levels", len(self.levels), f"at most {MAX_SIZE} of them"))

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's levels, `other` and hierarchy."""
        chosen, domain = read(column, embedding=("height", "ordered"), domain=("levels", "other", "null", "hierarchy"))
        given = need(column, domain, "levels")
        if not isinstance(given, list | tuple):
            raise SchemaError(rule(f"{column.where} domain.levels", type(given).__name__, "a list"))
        levels, other = tuple(given), domain.get("other")
        if other is not None and other not in levels:
            levels = (*levels, other)
        height = whole(f"{column.where} embedding.height", chosen.get("height", 0), 0, 1)
        hierarchy = _hierarchy(column, domain, levels, height)
        return cls(
            name=column.name,
            where=column.where,
            null=flag(column, domain, "null"),
            levels=levels,
            other=other,
            groups=_numbered([(key in hierarchy, hierarchy.get(key, key)) for key in map(_key, levels)]),
            ordered=flag(column, chosen, "ordered"),
        )

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return {str: pa.string(), int: pa.int64(), bool: pa.bool_()}[type(self.levels[0])]

    @property
    def expects(self) -> str:
        """What a value must be."""
        return "one of the declared levels, or its domain must name an 'other'"

    @property
    def size(self) -> int:
        """Codes: levels or groups, and null where it is declared."""
        return max(self.groups) + 1 + self.null

    @property
    def parts(self) -> tuple[Part, ...]:
        """One attribute."""
        return (Part(name=self.name, size=self.size, ordered=self.ordered),)

    @cached_property
    def _codes(self) -> NDArray[Any]:
        """The code of each level's index, then of an undeclared value, then of null."""
        groups = np.array(self.groups)
        undeclared = 0 if self.other is None else self.groups[self.levels.index(self.other)]
        null = self.size - 1 if self.null else undeclared
        return np.concatenate([groups, [undeclared, null]]).astype(smallest(self.size))

    @cached_property
    def _members(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Level indices sorted by group, each group's first position among them, and its number of levels."""
        groups = np.array(self.groups)
        counts = np.bincount(groups)
        return np.argsort(groups, kind="stable"), np.cumsum(counts) - counts, counts

    def _index(self, values: pa.Array) -> NDArray[np.int64]:
        """Each value's level index; `len(levels)` where it is undeclared, one more where it is missing: (rows,)."""
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if pa.types.is_dictionary(values.type) and len(values.dictionary) < len(values):
            held = self._index(values.dictionary)
            codes = values.indices.fill_null(0).to_numpy(zero_copy_only=False)
            found = held[codes] if len(held) else np.zeros(len(codes), dtype=np.int64)
            found[values.indices.is_null().to_numpy(zero_copy_only=False)] = len(self.levels) + 1
            return found
        spelt, levels = _comparable(flat(values), self.levels)
        index = pc.index_in(spelt, value_set=levels).fill_null(len(self.levels))
        found = np.array(index.to_numpy(), dtype=np.int64)
        if spelt.null_count:
            found[spelt.is_null().to_numpy(zero_copy_only=False)] = len(self.levels) + 1
        return found

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """Codes; undeclared values go to `other`, and to code 0 where there is none."""
        return (self._codes[self._index(values)],)

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:
        """Levels; of a group, one drawn uniformly."""
        (found,) = codes
        order, start, counts = self._members
        groups = np.minimum(found, len(counts) - 1)
        index = start[groups]
        if len(counts) < len(self.levels):
            index = index + (rng.random(len(found)) * counts[groups]).astype(np.int64)
        missing = found == len(counts) if self.null else None
        return pa.array(self.levels, self.arrow).take(pa.array(order[index], pa.int64(), mask=missing))

    def check(self, values: pa.Array) -> int | None:
        """The first undeclared value where there is no `other`, or missing one where no null is declared."""
        index, levels = self._index(values), len(self.levels)
        refused = np.zeros(len(index), dtype=np.bool_)
        if self.other is None:
            refused |= index == levels
        if not self.null:
            refused |= index == levels + 1
        return first(refused)

    def moved(self, values: pa.Array) -> dict[str, int]:
        """How many values are not declared."""
        return {"other": int(np.count_nonzero(self._index(values) == len(self.levels)))}


def _key(level: Level) -> str:
    """A level as a JSON object's key."""
    return str(level).lower() if isinstance(level, bool) else str(level)


def _hierarchy(column: Column, domain: Mapping[str, Any], levels: tuple[Level, ...], height: int) -> Mapping[str, str]:
    """The groups that are used: none at height 0."""
    given = domain.get("hierarchy", {})
    if not isinstance(given, dict):
        raise SchemaError(rule(f"{column.where} domain.hierarchy", type(given).__name__, "an object {level: group}"))
    keys = [_key(level) for level in levels]
    for level, group in given.items():
        if level not in keys:
            raise SchemaError(f"{column.where} domain.hierarchy: '{level}' is not a level{near_miss(level, keys)}")
        if not isinstance(group, str):
            raise SchemaError(rule(f"{column.where} domain.hierarchy['{level}']", group, "the name of a group"))
    if height and not given:
        raise SchemaError(f"{column.where} domain must have a 'hierarchy' where embedding.height is 1")
    return given if height else {}


def _numbered(names: Sequence[tuple[bool, str]]) -> tuple[int, ...]:
    """Each name's number, in order of first appearance."""
    numbers = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return tuple(numbers[name] for name in names)


def _comparable(values: pa.Array, levels: tuple[Level, ...]) -> tuple[pa.Array, pa.Array]:
    """The flat `values` and the `levels` as text that is equal where they are meant to be."""
    spelt, names = text(values), [_key(level) for level in levels]
    if pa.types.is_boolean(values.type) or isinstance(levels[0], bool):
        spelt, names = pc.ascii_lower(spelt), [name.lower() for name in names]
    elif is_number(values.type) and is_text(pa.array(levels).type):
        names = [_number(name) for name in names]
    return spelt, pa.array(names, pa.string())


def _number(name: str) -> str:
    """A level's text as a number is spelt: `1.0` and `01` are `1`. Other text stays."""
    try:
        value = float(name)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    except ValueError:
        return name
