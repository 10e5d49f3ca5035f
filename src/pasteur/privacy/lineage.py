"""Which rows belong to whom in a tree of tables, and how far each table is cut, before anything is counted.

A row counts if its parent is a row that counts *of the same unit*; of the rows of one parent the first ones in order
do, up to the declared maximum; the rest are as if they were not there, and with them all that hangs on them. So what
counts of a unit depends on that unit's own rows alone, and a unit without any of its rows in the root has none at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pasteur.errors import PrivacyError, near_miss, rule
from pasteur.privacy import units
from pasteur.privacy.grouped import check_columns, first_of, held, inside, place_in, starts_of
from pasteur.privacy.sensitivity import LARGEST_UNIT
from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.marginals import Domain
    from pasteur.privacy.grouped import Column
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Lineage:
    """The rows of one table that count: unit after unit, of a unit parent after parent, of a parent in order.

    Attributes:
        columns: the attributes' codes, (rows,) each.
        keys: (rows,) what other tables call a row by, or None where none does.
        unit: (rows,) number of the unit.
        starts: (units + 1,) where the rows of each unit begin.
        parent: (rows,) number of the parent's row; of the root its own.
        place: (rows,) among the rows of one parent, from 0.
        siblings: (rows,) how many rows the parent has.
        time: (rows,) the order as one number, 0 where there is none.
        most: rows of a unit, at most; public.
    """

    columns: Mapping[str, Column]
    keys: Mapping[str, npt.NDArray[Any]]
    unit: Integers
    starts: Integers
    parent: Integers
    place: Integers
    siblings: Integers
    time: Integers
    most: int
    words: npt.NDArray[np.uint64] = field(repr=False)
    """(2, units) the keyed words of each unit, the first ones rising."""


def rooted(codes: Table, domain: Domain, *, keys: Sequence[str], max_rows: int, salt: str) -> Lineage:
    """The root's rows: of each unit the same `max_rows` that `PrivateTable` keeps.

    Raises:
        PrivacyError: a column is missing or not of integers.
    """
    check_columns(codes, domain.attributes)
    _whose(codes)
    found = units.words(codes, domain.attributes, salt)
    sort = np.lexsort((found[2], found[1], found[0]))
    one, other = found[0][sort], found[1][sort]
    begins = np.ones(len(sort), dtype=bool)
    begins[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    keep = first_of(begins, max_rows)
    rows, begins = sort[keep], begins[keep]
    unit = np.cumsum(begins) - 1
    columns = held(codes, domain.attributes)
    return Lineage(
        columns={name: inside(columns[name][rows], domain.size((name,))) for name in domain.attributes},
        keys=_keys(codes, keys, rows),
        unit=unit,
        starts=starts_of(begins),
        parent=np.arange(len(rows)),
        place=place_in(begins),
        siblings=np.bincount(unit, minlength=1)[unit],
        time=np.zeros(len(rows), dtype=np.int64),
        most=max_rows,
        words=found[:2, rows[begins]],
    )


def under(  # noqa: PLR0913 - each says another thing of one relation
    parent: Lineage,
    codes: Table,
    domain: Domain,
    *,
    parent_key: str,
    child_key: str,
    keys: Sequence[str],
    order: Sequence[str],
    max_rows: int,
    salt: str,
) -> Lineage:
    """The child's rows: of each row of the parent that counts the first `max_rows`.

    Args:
        parent: its rows that count.
        codes: the child's, with column `_unit` and its ids.
        domain: of the child's attributes.
        parent_key: the parent's column that `child_key` names a row by.
        child_key: that column.
        keys: columns that other tables call rows of this one by.
        order: attributes that rows of one parent stand by, the first before the second; where they are equal, and
            where there are none, a keyed hash of the row decides.
        max_rows: of one parent.
        salt: key of that hash.

    Raises:
        PrivacyError: a column is missing or not of integers.
    """
    check_columns(codes, domain.attributes)
    _whose(codes)
    found = units.words(codes, domain.attributes, salt)
    above = _located(parent, parent_key, found[:2], _key(codes, child_key))
    columns = held(codes, domain.attributes)
    columns = {name: inside(columns[name], domain.size((name,))) for name in domain.attributes}
    time = clock(columns, domain, order, len(above))
    known = np.flatnonzero(above >= 0)
    sort = known[np.lexsort((found[2][known], time[known], above[known]))]
    owner = above[sort]
    begins = np.ones(len(sort), dtype=bool)
    begins[1:] = owner[1:] != owner[:-1]
    keep = first_of(begins, max_rows)
    whole = parent.unit[owner[keep]]
    keep[keep] = place_in(np.append(True, whole[1:] != whole[:-1])[: len(whole)]) < LARGEST_UNIT
    rows, owner, begins = sort[keep], owner[keep], begins[keep]
    unit = parent.unit[owner]
    return Lineage(
        columns={name: column[rows] for name, column in columns.items()},
        keys=_keys(codes, keys, rows),
        unit=unit,
        starts=np.searchsorted(unit, np.arange(parent.words.shape[1] + 1)).astype(np.int64),
        parent=owner,
        place=place_in(begins),
        siblings=np.bincount(owner, minlength=len(parent.unit))[owner],
        time=time[rows],
        most=min(parent.most * max_rows, LARGEST_UNIT),
        words=parent.words,
    )


def linked(other: Lineage, other_key: str, child: Lineage, child_key: str) -> Integers:
    """Of each row of `child` the row of `other` that it names, if that is the same unit's and counts; else -1."""
    return _located(other, other_key, child.words[:, child.unit], child.keys[child_key])


def clock(columns: Mapping[str, Column], domain: Domain, order: Sequence[str], rows: int) -> Integers:
    """The attributes of `order` as one number: (rows,), 0 where there are none."""
    time = np.zeros(rows, dtype=np.int64)
    if math.prod(domain.shape(order)) >= 2**62:
        raise PrivacyError(rule("order", ", ".join(order), "of fewer than 2^62 moments"))
    for name in order:
        time = time * domain.size((name,)) + columns[name]
    return time


def _located(parent: Lineage, parent_key: str, words: npt.NDArray[np.uint64], keys: npt.NDArray[Any]) -> Integers:
    """The parent's row that each (unit, key) names, -1 where none does: (rows,)."""
    import pandas as pd  # loaded by `units` already

    unit = np.searchsorted(parent.words[0], words[0])
    unit = np.minimum(unit, max(parent.words.shape[1] - 1, 0))
    mine = parent.keys[parent_key]
    if not len(mine) or not len(keys):
        return np.full(len(keys), -1, dtype=np.int64)
    same = (parent.words[0][unit] == words[0]) & (parent.words[1][unit] == words[1])
    numbers, found = pd.factorize(np.concatenate([mine, keys]))
    # A missing key has number -1, which would be the last of the unit before: it names nobody, and nobody names it.
    ours = np.where(numbers[: len(mine)] >= 0, parent.unit * len(found) + numbers[: len(mine)], -1)
    theirs = unit * len(found) + numbers[len(mine) :]
    sort = np.argsort(ours, kind="stable")
    place = np.minimum(np.searchsorted(ours[sort], theirs), len(ours) - 1)
    at = sort[place]
    good = same & (numbers[len(mine) :] >= 0) & (ours[at] == theirs)
    return np.where(good, at, -1)


def _keys(codes: Table, names: Sequence[str], rows: Integers) -> dict[str, npt.NDArray[Any]]:
    return {name: _key(codes, name)[rows] for name in names}


def _key(codes: Table, name: str) -> npt.NDArray[Any]:
    if name not in codes.columns:
        raise PrivacyError(f"key '{name}' is not a column of the codes{near_miss(name, codes.columns)}")
    text = codes.arrow([name]).column(0).cast(pa.string())
    column: npt.NDArray[Any] = text.combine_chunks().to_numpy(zero_copy_only=False)
    return column


def _whose(codes: Table) -> None:
    if UNIT not in codes.columns:
        raise PrivacyError(rule("codes", "no column _unit", f"tables with column '{UNIT}': whose row is each?"))
