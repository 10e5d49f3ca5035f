"""Ids from content: for data sets whose rows have no id of their own.

The id of a row is `<hash>-<k>`: the first 32 hexadecimal digits of the SHA-256 of its canonical form, and how many
equal rows stand before it. Equal rows cannot be told apart, so the set of (row, id) pairs is the same for every order
of the rows, and one row more or less moves no other row's id but that of an equal one at the end of its row of twins.

The canonical form is the JSON object of the row's columns sorted by name, without blanks, every value as a string of
Arrow's text of it (whole numbers in decimals; floats in the shortest form that reads back; times as
`YYYY-MM-DD HH:MM:SS.ffffff`; `true`, `false`) and null as null, in UTF-8: what Python's
`json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))` gives for a dict of texts.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.datasets.columns import by_value
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGITS = 32
"""Hexadecimal digits of an id: 128 bits, so that two different rows never meet."""

_BATCH = 16_384
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROLS = {c: _SHORT.get(c, f"\\u{ord(c):04x}") for c in map(chr, range(32))}


def content_ids(table: Table) -> Table:
    """The table with the text column `_unit` before its own columns. Its rows are read once here, and again later."""
    digests = _digests(table)
    twins = _occurrence(digests)
    schema = pa.schema([pa.field(UNIT, pa.string()), *table.schema])

    def make() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in table.batches():
            stop = start + batch.num_rows
            pairs = zip(digests[start:stop], twins[start:stop].tolist(), strict=True)
            ids = [f"{digest.tobytes().hex()}-{twin}" for digest, twin in pairs]
            yield pa.RecordBatch.from_arrays([pa.array(ids, pa.string()), *batch.columns], schema=schema)
            start = stop

    return Table.stream(schema, make, rows=len(digests))


def canonical(batch: pa.RecordBatch) -> pa.Array:
    """The canonical form of each row."""
    pieces: list[pa.Array | str] = []
    for index, name in enumerate(sorted(batch.schema.names)):
        opening = ("{" if index == 0 else ",") + json.dumps(name, ensure_ascii=False) + ":"
        pieces += [opening, _texts(batch.column(name))]
    return pc.binary_join_element_wise(*pieces, "}", "")


def _texts(values: pa.Array) -> pa.Array:
    """Each value as a JSON string, null as `null`."""
    quoted = by_value(_quoted, values) if pa.types.is_string(values.type) else _quoted(values.cast(pa.string()))
    return pc.fill_null(quoted, "null")


def _quoted(texts: pa.Array) -> pa.Array:
    texts = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if pc.any(pc.match_substring_regex(texts, "[\\x00-\\x1f]")).as_py():
        for control, escape in _CONTROLS.items():
            texts = pc.replace_substring(texts, control, escape)
    return pc.binary_join_element_wise('"', texts, '"', "")


def _digests(table: Table) -> np.ndarray:
    """The first 16 bytes of the SHA-256 of each row's canonical form. (rows, 16) uint8."""
    blocks = [np.empty((0, DIGITS // 2), dtype=np.uint8)]
    for batch in table.batches(rows=_BATCH):
        rows = canonical(batch).cast(pa.binary()).to_pylist()
        joined = b"".join(hashlib.sha256(row).digest()[: DIGITS // 2] for row in rows)
        blocks.append(np.frombuffer(joined, dtype=np.uint8).reshape(-1, DIGITS // 2))
    return np.concatenate(blocks)


def _occurrence(digests: np.ndarray) -> np.ndarray:
    """How many equal digests stand before each one. (rows,) int64."""
    words = np.ascontiguousarray(digests).view(np.uint64)
    order = np.lexsort((words[:, 1], words[:, 0]))  # stable, so that twins stay in the order of the rows
    ordered = words[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    positions = np.arange(len(order))
    twins = np.empty(len(order), dtype=np.int64)
    twins[order] = positions - np.maximum.accumulate(np.where(fresh, positions, 0))
    return twins
