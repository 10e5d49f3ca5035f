"""Contingency tables: how many rows fall into each cell of some cliques. Exact, so int64; private, so never logged.

A block of rows at a time: its columns are checked and copied once into the smallest type; then for each table the cells
of a run of rows are computed, all rows alike, and only then counted. Four rows are counted into four tables of their
own, summed at the end: rows that follow each other often fall into the same cell, and would wait for one another.

Where there are many rows, attributes of few values are first joined into one column, and a table of two such columns
is summed to those of all the pairs across them: 105 pairs of 15 attributes then take some 50 counts a row.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule
from pasteur.marginals.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique, Domain

BLOCK = 1 << 17
"""Rows counted at a time: the tables are then read from memory once for many rows."""

RUN = 4096
"""Rows whose cells are computed before they are counted: the cells stay in the nearest cache. A multiple of 4."""

JOINED = 1 << 17
"""Rows in the first block from which on attributes are joined: below, summing the larger tables costs more."""

SMALL = 1 << 16
"""Cells up to which a table is counted four times over, by 16-bit numbers."""

CROWDED = 16
"""A cell is crowded that has more than one of so many rows: about as many are counted at the same time."""

FULL = 1 << 31
"""Rows after which 32-bit counts are added to the 64-bit ones; they hold twice as many."""


def count(
    batches: Iterable[Mapping[str, NDArray[np.generic]]],
    domain: Domain,
    cliques: Sequence[Clique],
    *,
    threads: int = 1,
) -> list[NDArray[np.int64]]:
    """Count the rows of `batches` in every cell of every clique, in one pass over the data.

    Args:
        batches: blocks of rows, attribute to codes: (rows,) of any integer type; attributes in no clique are not read.
        domain: of the codes.
        cliques: what to count; the empty clique counts rows.
        threads: count different cliques at the same time, over the same rows; counts do not depend on it.

    Returns:
        One int64 array a clique, shape = the sizes of its attributes.

    Raises:
        ValueError: a code outside its attribute's range, codes that are not integers, columns of different lengths, or
            `threads` under 1. A wrong count is never returned.
    """
    if threads < 1:
        raise ValueError(rule("threads", threads, "1 or more"))
    names = domain.ordered(name for clique in cliques for name in clique)
    sizes = domain.as_dict()
    tables: _Tables | None = None
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        for batch in batches:
            for rows, block in _blocks(batch, names or tuple(batch)[:1]):
                codes = {name: _checked(name, block[name], sizes[name]) for name in names}
                tables = tables or _Tables(domain, cliques, names, rows)
                tables.add(codes, rows, pool, threads)
        tables = tables or _Tables(domain, cliques, names, 0)
        return tables.counts(cliques)


def _blocks(
    batch: Mapping[str, NDArray[np.generic]], names: Sequence[str]
) -> Iterator[tuple[int, dict[str, NDArray[np.generic]]]]:
    """Cut a batch into blocks of at most `BLOCK` rows."""
    columns = {name: np.asarray(batch[name]) for name in names}
    lengths = {column.shape for column in columns.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(rule("shapes of the columns", sorted(lengths), "one length for all"))
    rows = next(iter(lengths))[0] if lengths else 0
    for start, stop in pairwise([*range(0, rows, BLOCK), rows]):
        yield stop - start, {name: column[start:stop] for name, column in columns.items()}


def _checked(name: str, codes: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Codes, once they are known to be integers in [0, size)."""
    if codes.dtype.kind not in "iu":
        raise ValueError(rule(f"codes of attribute '{name}'", codes.dtype, "integers"))
    if codes.size and (codes.max() >= size or (codes.dtype.kind == "i" and codes.min() < 0)):
        message = f"codes of attribute '{name}' must be in [0, {size})"
        raise ValueError(message)
    return codes


def _joined(domain: Domain, names: Sequence[str], ways: int) -> list[Clique]:
    """Join attributes into columns, the largest first, each into the fullest column that has room for it.

    A table of as many columns as the cliques have attributes then still has no more than `SMALL` cells.
    """
    room = round(SMALL ** (1 / max(ways, 1)))
    columns: list[list[str]] = []
    for name in sorted(names, key=lambda name: -domain.size((name,))):
        fits = [column for column in columns if domain.size((*column, name)) <= room]
        if fits:
            max(fits, key=domain.size).append(name)
        else:
            columns.append([name])
    return [tuple(column) for column in columns]


def _planned(domain: Domain, cliques: Sequence[Clique], names: Sequence[str], rows: int) -> list[Clique]:
    """Columns to count by, for blocks of `rows` rows: joined where that makes for fewer tables."""
    alone: list[Clique] = [(name,) for name in names]
    if rows < JOINED:
        return alone
    joined = _joined(domain, names, max((len(clique) for clique in cliques), default=0))
    place = {name: index for index, column in enumerate(joined) for name in column}
    tables = {frozenset(place[name] for name in clique) for clique in cliques}
    return joined if len(tables) < len({frozenset(clique) for clique in cliques}) else alone


def _widest(keys: list[tuple[int, ...]], rows: int) -> list[tuple[int, ...]]:
    """For each table one that it can be summed from, where there are many rows: itself, or one of more columns."""
    if rows < JOINED:
        return keys
    wider: dict[tuple[int, ...], tuple[int, ...]] = {
        part: key for key in keys if len(key) == 2 for part in ((key[0],), (key[1],))
    }
    return [wider.get(key, key) for key in keys]


class _Tables:
    """The tables that are counted, by joined columns, and their counts so far.

    Args:
        domain: of the codes.
        cliques: that are asked for.
        names: the attributes in them.
        rows: about as many as each block will have.
    """

    def __init__(self, domain: Domain, cliques: Sequence[Clique], names: Sequence[str], rows: int) -> None:
        self.domain, self.rows, self.since, self.blocks = domain, 0, 0, 0
        self.columns = _planned(domain, cliques, names, rows)
        place = {name: index for index, column in enumerate(self.columns) for name in column}
        self.keys = _widest([tuple(sorted({place[name] for name in clique})) for clique in cliques], rows)
        self.sizes = np.array([domain.size(column) for column in self.columns], dtype=np.int64)
        self.type = np.uint16 if all(size <= SMALL for size in self.sizes) else np.uint32
        self.sums: dict[tuple[int, ...], NDArray[np.int64]] = {}
        self.quads: dict[tuple[int, ...], NDArray[np.uint32]] = {}
        self.apart: dict[tuple[int, ...], int] = {}
        for key in {key: None for key in self.keys if key}:
            cells = domain.size(chain.from_iterable(self.columns[index] for index in key))
            self.sums[key] = np.zeros(cells, dtype=np.int64)
            if cells <= SMALL and (4 * cells <= rows or rows >= JOINED):
                self.quads[key], self.apart[key] = np.zeros(4 * cells, dtype=np.uint32), cells
        self.pending: list[Future[None]] = []

    def add(
        self, codes: Mapping[str, NDArray[np.generic]], rows: int, pool: ThreadPoolExecutor | None, threads: int
    ) -> None:
        """Count a block of checked codes; with threads, while the next one is read."""
        block = np.empty((len(self.columns), rows), dtype=self.type)
        for place, column in enumerate(self.columns):
            block[place] = codes[column[0]]
            for name in column[1:]:
                block[place] *= self.type(self.domain.size((name,)))
                block[place] += codes[name].astype(self.type)
        self.settle()
        if self.blocks == 1:
            self._bring_together()
        self.blocks += 1
        self.since += rows
        self.rows += rows
        if self.since >= FULL:
            self._empty()
        if pool is None:
            self._count(block, list(self.sums))
        else:
            # One after the other goes to the next thread: neighbours are of about the same size.
            self.pending = [
                pool.submit(self._count, block, list(self.sums)[first::threads]) for first in range(threads)
            ]

    def settle(self) -> None:
        """Wait for the block that is being counted."""
        for future in self.pending:
            future.result()
        self.pending = []

    def _count(self, block: NDArray[np.unsignedinteger], keys: Sequence[tuple[int, ...]]) -> None:
        small, large = np.empty(RUN // 4, dtype=np.uint64), np.empty(RUN, dtype=np.int64)
        for key in keys:
            if key in self.quads:
                _count_small(
                    block, np.array(key), self.sizes, self.quads[key], self.apart[key], small.view(np.uint16), small
                )
            else:
                _count_large(block, np.array(key), self.sizes, self.sums[key], large)

    def _bring_together(self) -> None:
        """Lay the four tables over each other where no cell is crowded: there is less to keep near."""
        for key, quads in self.quads.items():
            if CROWDED * quads.reshape(4, -1).sum(axis=0).max() < self.rows:
                self.apart[key] = 0

    def _empty(self) -> None:
        """Add the 32-bit counts to the 64-bit ones."""
        for key, quads in self.quads.items():
            self.sums[key] += quads.reshape(4, -1).sum(axis=0, dtype=np.int64)
            quads[:] = 0
        self.since = 0

    def counts(self, cliques: Sequence[Clique]) -> list[NDArray[np.int64]]:
        """Sum the tables to those of the cliques."""
        self.settle()
        self._empty()
        found = []
        for clique, key in zip(cliques, self.keys, strict=True):
            names = [name for index in key for name in self.columns[index]]
            table = self.sums[key] if key else np.array(self.rows, dtype=np.int64)
            others = tuple(axis for axis, name in enumerate(names) if name not in clique)
            kept = [name for name in names if name in clique]
            summed = table.reshape(self.domain.shape(names)).sum(axis=others)
            found.append(np.array(summed.transpose([kept.index(name) for name in clique]), order="C"))
        return found


@compiled
def _count_small(
    block: NDArray[np.unsignedinteger],
    key: NDArray[np.int64],
    sizes: NDArray[np.int64],
    quads: NDArray[np.uint32],
    apart: int,
    cells: NDArray[np.uint16],
    fours: NDArray[np.uint64],
) -> None:
    """Count a table of at most `SMALL` cells, four over `apart` from each other; `fours` is `cells`, four in one."""
    one, low = np.uint32(1), np.uint64(0xFFFF)
    second = np.uint64(apart)
    third, fourth = second + second, second + second + second
    for start in range(0, block.shape[1], RUN):
        rows = min(RUN, block.shape[1] - start)
        _locate(block, start, rows, key, sizes, cells)
        for place in range(rows // 4):
            four = fours[place]
            quads[four & low] += one
            quads[second + ((four >> np.uint64(16)) & low)] += one
            quads[third + ((four >> np.uint64(32)) & low)] += one
            quads[fourth + (four >> np.uint64(48))] += one
        for row in range(rows // 4 * 4, rows):
            quads[cells[row]] += one


@compiled
def _count_large(
    block: NDArray[np.unsignedinteger],
    key: NDArray[np.int64],
    sizes: NDArray[np.int64],
    sums: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> None:
    """Count a table of any number of cells."""
    for start in range(0, block.shape[1], RUN):
        rows = min(RUN, block.shape[1] - start)
        _locate(block, start, rows, key, sizes, cells)
        for row in range(rows):
            sums[cells[row]] += 1


@compiled
def _locate(
    block: NDArray[np.unsignedinteger],
    start: int,
    rows: int,
    key: NDArray[np.int64],
    sizes: NDArray[np.int64],
    cells: NDArray[np.integer],
) -> None:
    """Write the cell of each of `rows` rows from `start` into `cells`: row-major over the columns of `key`."""
    codes = block[key[0]][start : start + rows]  # not `start + row` below, which might be negative to the compiler
    for row in range(rows):
        cells[row] = codes[row]
    for place in range(1, len(key)):
        size = cells.dtype.type(sizes[key[place]])
        codes = block[key[place]][start : start + rows]
        for row in range(rows):
            cells[row] = cells[row] * size + codes[row]
