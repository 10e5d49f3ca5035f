"""Share of a candidate's rows that equal a row of wrk, against ref's share. A smoke test, and no measure of privacy.

It reads wrk, exactly, so that no choice between runs may rest on it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.metrics.components import joined
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.score import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import TableSchema

READS = ("wrk",)
MISSING = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The family. Name: `copies/share`; keys are no part of a row.

    Details of each candidate: component -> `rows`, `copies` and `share`.
    """

    name: str = "copies"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = False
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:  # noqa: ARG002 - it is wrk that is read
        """Look up each candidate's rows among wrk's."""
        if task.working is None:
            return Outcome(scores={}, notes={self.name: "the rows that were fitted are not known here"})
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in candidates}
        for component, table in task.schema.tables.items():
            columns = [column.name for column in table.columns if column.sdtype != "id"]
            if not columns:
                continue
            known = [digests(batch, table, columns) for batch in task.working[component].batches(columns)]
            held = np.unique(np.concatenate(known)) if known else np.zeros(0, dtype=np.uint64)
            for name, data in candidates.items():
                own = digests(data.tables[component], table, columns)
                found = int(np.isin(own, held).sum())
                share = found / max(own.size, 1)
                details[name][component] = {"rows": int(own.size), "copies": found, "share": round(share, 6)}
                scores[name].append(
                    Raw(
                        metric=f"copies/share/{component}",
                        value=share,
                        better="lower",
                        reads=READS,
                        note=f"{found} of {own.size} rows; fresh people may be alike by chance, see ref",
                    )
                )
        return Outcome(scores=joined(scores, len(task.schema.tables)), details=details)


def digests(rows: pa.Table | pa.RecordBatch, table: TableSchema, columns: Sequence[str]) -> NDArray[np.uint64]:
    """(rows,) a number for each row: equal for equal rows, whatever the types that hold them."""
    found = np.zeros(rows.num_rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in columns:
            values = _values(rows.column(name), numerical=table.column(name).sdtype == "numerical")
            # splitmix64's finaliser (Steele, Lea and Flood, OOPSLA 2014), so that no two columns undo each other.
            mixed = found * np.uint64(0xD1342543DE82EF95) + values
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            found = mixed ^ (mixed >> np.uint64(31))
    return found


def _values(column: pa.ChunkedArray | pa.Array, *, numerical: bool) -> NDArray[np.uint64]:
    if numerical:
        numbers = np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)) + 0.0
        return np.where(np.isnan(numbers), MISSING, numbers.view(np.uint64))
    chunk = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_temporal(chunk.type):
        chunk = pc.cast(chunk, pa.timestamp("us"), safe=False)
    coded = pc.cast(chunk, pa.string()).dictionary_encode()
    words = [word.encode() for word in coded.dictionary.to_pylist()]
    numbers = np.array([int.from_bytes(hashlib.blake2b(w, digest_size=8).digest(), "little") for w in words], np.uint64)
    numbers = np.append(numbers, MISSING)
    places = pc.fill_null(coded.indices, len(words)).to_numpy(zero_copy_only=False)
    return np.asarray(numbers[places])


FAMILY: Metric = Copies()
