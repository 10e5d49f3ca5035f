"""Which rows of each privacy unit count: at most m of them, chosen by a keyed hash of the row alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pasteur.table import UNIT, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.table import Table

Words = npt.NDArray[np.uint64]

GROUP = 1 << 20
"""Rows that are sorted at a time, about."""


def kept(codes: Table, attributes: Sequence[str], max_rows: int, salt: str) -> npt.NDArray[np.bool_]:
    """Keep at most `max_rows` rows of every unit of column `_unit`.

    Which ones depends on nothing but the unit's own rows: on the keyed hash of (unit, codes). So removing a unit
    removes its kept rows and changes no others, and the order of rows in the file does not matter. Units are told
    apart by 128 keyed bits: at 30 million units two share them with probability 10^-24.

    Returns:
        (rows,) bool, in the order of the table.
    """
    return _fewest(*words(codes, attributes, salt), max_rows=max_rows)


def words(codes: Table, attributes: Sequence[str], salt: str) -> Words:
    """Two keyed words of each row's unit and one of (unit, codes): (3, rows) uint64, in the order of the table."""
    keys = [hashlib.blake2b(salt.encode(), digest_size=8, person=name).hexdigest() for name in (b"unit-a", b"unit-b")]
    rows = sum(batch.num_rows for batch in codes.batches([UNIT])) if codes.rows is None else codes.rows
    # 720 MB of 30 million rows, so nothing of their length comes beside it
    found = np.empty((3, rows), dtype=np.uint64)
    start = 0
    for batch in codes.batches([UNIT, *attributes]):
        some = slice(start, start + batch.num_rows)
        found[0, some], found[1, some] = (_hash(batch.column(0), key) for key in keys)
        row: Words = found[0, some].copy()
        for column in batch.columns[1:]:
            row = _mix(row ^ integers(column).astype(np.uint64))
        found[2, some] = row
        start = some.stop
    return found


def _fewest(first: Words, second: Words, row: Words, *, max_rows: int) -> npt.NDArray[np.bool_]:
    """Of the rows of each unit (first, second) those with the `max_rows` smallest words `row`.

    Units are dealt to groups by their first word, so that no more than about a million rows are sorted at a time.
    """
    groups = 1 + len(first) // GROUP
    group = np.empty(len(first), dtype=np.uint16)
    for start in range(0, len(first), GROUP):
        some = slice(start, start + GROUP)
        group[some] = (first[some] >> np.uint64(32)) * np.uint64(groups) >> np.uint64(32)
    keep = np.zeros(len(first), dtype=bool)
    for number in range(groups):
        rows = np.flatnonzero(group == number)
        one, other = first[rows], second[rows]
        order = np.lexsort((row[rows], other, one))
        one, other = one[order], other[order]
        starts = np.ones(len(order), dtype=bool)
        starts[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
        places = np.arange(len(order))
        rank = places - np.maximum.accumulate(np.where(starts, places, 0))
        keep[rows[order]] = rank < max_rows
    return keep


def integers(column: pa.Array) -> npt.NDArray[np.integer]:
    """The whole numbers of an Arrow column; a null, which encoding never makes, is 0."""
    filled = column.fill_null(0) if column.null_count else column
    found: npt.NDArray[np.integer] = numbers(filled)
    return found


def _hash(ids: pa.Array, key: str) -> Words:
    # SipHash-2-4 of the id's text, keyed: (rows,) uint64. Rows without an id are one unit, which is the safe side.
    from pandas.util import hash_array  # half a second that --help need not pay

    text = ids.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False).astype(object)
    hashed: Words = hash_array(text, hash_key=key, categorize=False)
    return hashed


def _mix(word: Words) -> Words:
    # The finaliser of splitmix64 (Steele, Lea, Flood 2014), after one step of its counter.
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
