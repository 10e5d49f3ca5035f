"""Rows fitted to more tables than a junction tree can hold, by swapping values between rows. Post-processing.

A swap takes two rows and one attribute, and is made if it lowers the summed |count - target| over all pairs: the
one-way counts of every attribute stay exactly as they were, and the sum never rises. Two rows at random seldom give
such a swap, so the pair is sought: a row is looked at once a pass, its best other value found from all the tables at
once, and its partner among the rows that have that value, mostly those that their own cells have too many of. On Adult
(all 91 pairs) one pass so reaches what 20 passes of random pairs do, in a fifth of the time.

Counts less targets are whole numbers of a fixed small fraction of a row, so that no error piles up and the same
generator gives the same rows on every machine. Each attribute has its tables in one block, a column a value, so that a
sweep of one attribute stays in cache; the other attributes' copies of these tables are brought up to date after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import near_miss, rule
from pasteur.marginals.compiled import compiled
from pasteur.marginals.counts import count
from pasteur.marginals.domain import Domain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique
    from pasteur.marginals.inference import Array

FINEST = 1 << 14
"""Parts of a row in which targets are held, where there are few enough rows: 1/16,384."""

PARTNERS = 8
"""Rows looked at for a swap with a given one; twice as many find a little more for twice the time."""

NEVER = 1 << 29
"""More than any change, in parts of a row: the price of a value that no row has."""


def refine(
    codes: Mapping[str, NDArray[np.unsignedinteger]],
    targets: Mapping[Clique, Array],
    *,
    passes: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.unsignedinteger]]:
    """Swap values between rows until their pair tables lie nearer to `targets`.

    Args:
        codes: attribute to codes: (rows,); attributes in no target are handed back as they are.
        targets: pairs of attributes to expected counts, shape = their sizes, each summing to about the number of rows.
        passes: each seeks one swap for every row and attribute that is in a target; 1 does most, 8 all but the last.
        rng: draws the proposals.

    Returns:
        New columns of the same types in the same order: each a permutation of the old one. The sum over the targets of
        |count - target| is no larger than before (to 1/16,384 of a row a cell below 65,536 rows).

    Raises:
        ValueError: a target that is not of two different attributes of `codes`, the same pair twice, sizes that differ
            between targets or are over 65,536, a target that is not finite, codes outside the targets' range, or passes
            below 0.
    """
    if passes < 0:
        raise ValueError(rule("passes", passes, "0 or more"))
    domain = _domain(codes, targets)
    refined = {name: np.array(column) for name, column in codes.items()}
    counts = count([codes], domain, list(targets))
    if not targets or not len(refined[domain.attributes[0]]):
        return refined
    state = _State.of(refined, domain, dict(zip(targets, counts, strict=True)), targets)
    for _ in range(passes):
        for attribute in rng.permutation(len(domain)).tolist():
            state.sweep(attribute, int(rng.integers(2**64, dtype=np.uint64)))
    for place, name in enumerate(domain.attributes):
        refined[name] = state.rows[:, place].astype(refined[name].dtype)
    return refined


def _domain(codes: Mapping[str, object], targets: Mapping[Clique, Array]) -> Domain:
    """Sizes of the targets' attributes, in the order of `codes`; checks the targets."""
    sizes: dict[str, int] = {}
    for pair, target in targets.items():
        if len(pair) != 2 or pair[0] == pair[1] or target.ndim != 2:
            raise ValueError(rule("target", pair, "a table of two different attributes"))
        if pair[::-1] in targets:
            raise ValueError(rule("target", pair, "given once, in one order of its attributes"))
        if not np.isfinite(target).all():
            raise ValueError(rule("cells of target", pair, "finite"))
        for name, size in zip(pair, target.shape, strict=True):
            if name not in codes:
                message = f"attribute '{name}' of a target is not in the codes{near_miss(name, codes)}"
                raise ValueError(message)
            if size > 1 << 16:
                raise ValueError(rule(f"size of '{name}'", size, "at most 65,536 for rows to be refined"))
            if sizes.setdefault(name, size) != size:
                raise ValueError(rule(f"size of '{name}' in {pair}", size, f"{sizes[name]} as in another target"))
    return Domain.of({name: sizes[name] for name in codes if name in sizes})


@dataclass(frozen=True, kw_only=True)
class _State:
    """Rows, and for each attribute its tables of count - target one above the other.

    Attributes:
        rows: (rows, attributes).
        neighbours: of each attribute, those that it shares a target with, (neighbours,).
        offsets: of each attribute, the first row of each neighbour's table in its block, (neighbours,).
        blocks: of each attribute, (sum of its neighbours' sizes, its size): twice count - target, in units of 1/one.
        one: a row.
    """

    rows: NDArray[np.uint16]
    neighbours: list[NDArray[np.int64]]
    offsets: list[NDArray[np.int64]]
    blocks: list[NDArray[np.int32]]
    one: int

    @classmethod
    def of(
        cls,
        codes: Mapping[str, NDArray[np.unsignedinteger]],
        domain: Domain,
        counts: Mapping[Clique, NDArray[np.int64]],
        targets: Mapping[Clique, Array],
    ) -> _State:
        """Lay out the tables."""
        rows = np.column_stack([codes[name].astype(np.uint16) for name in domain.attributes])
        one = FINEST
        while one > 1 and 2 * (len(rows) + 1) * one > 2**31:  # what a cell holds and a row more fit into 32 bits
            one //= 2
        gaps: list[dict[int, NDArray[np.int32]]] = [{} for _ in domain.attributes]
        for pair, target in targets.items():
            first, second = (domain.index(name) for name in pair)
            # A count lies in [0, rows]: a target beyond that asks for the same swaps as one at the end.
            wanted = np.rint(np.clip(target, 0, len(rows)) * one)
            gap = (2 * (counts[pair] * one - wanted.astype(np.int64))).astype(np.int32)
            gaps[first][second], gaps[second][first] = gap.T, gap
        neighbours = [np.array(sorted(tables), dtype=np.int64) for tables in gaps]
        heights = [np.array([domain.sizes[other] for other in others]) for others in neighbours]
        return cls(
            rows=rows,
            neighbours=neighbours,
            offsets=[np.cumsum(height) - height for height in heights],
            blocks=[np.ascontiguousarray(np.vstack([tables[other] for other in sorted(tables)])) for tables in gaps],
            one=one,
        )

    def sweep(self, attribute: int, seed: int) -> None:
        """Seek a swap of `attribute` for every row."""
        block, others, starts = self.blocks[attribute], self.neighbours[attribute], self.offsets[attribute]
        if not _sweep(self.rows, attribute, block, others, starts, self.one, np.uint64(seed)):
            return
        size = block.shape[1]
        for other, start in zip(others.tolist(), starts.tolist(), strict=True):
            theirs = self.blocks[other]
            column = self.offsets[other][np.searchsorted(self.neighbours[other], attribute)]
            theirs[column : column + size] = block[start : start + theirs.shape[1]].T


@compiled
def _sweep(
    rows: NDArray[np.uint16],
    attribute: int,
    block: NDArray[np.int32],
    neighbours: NDArray[np.int64],
    offsets: NDArray[np.int64],
    one: int,
    seed: np.uint64,
) -> int:
    """Seek a swap for every row and make those found. Returns how many were made."""
    near, size, swaps, state = len(neighbours), block.shape[1], 0, seed
    unit = np.int32(one)
    # A swap moves two rows, and one of them may cost something: about the spread of a price over the tables.
    dearest = np.int32(one * np.sqrt(near))
    order, starts, prices = _shelved(rows, attribute, block, neighbours, offsets, unit)
    cells, others, entering = np.empty(near, np.int64), np.empty(near, np.int64), np.empty(size, np.int32)
    for row in range(len(rows)):
        if prices[row] > dearest:
            continue
        x = np.intp(rows[row, attribute])
        leaving = np.int32(0)
        for value in range(size):
            entering[value] = 0 if starts[value] < starts[value + 1] else NEVER
        _locate(rows[row], neighbours, offsets, cells)
        for j in range(near):
            cell = cells[j]  # a local: the compiler cannot know that `entering` does not lie over `cells`
            leaving += _less(block[cell, x], unit)
            for value in range(size):
                entering[value] += _more(block[cell, value], unit)
        entering[x] = NEVER
        y = _least(entering)
        if entering[y] + leaving > dearest:
            continue
        best, found = np.int32(0), -1
        for _ in range(PARTNERS):
            state, place = _drawn(state, starts[y], starts[y + 1])
            _locate(rows[order[place]], neighbours, offsets, others)
            change = _change(block, cells, others, x, y, unit)
            if change < best and rows[order[place], attribute] == y:
                best, found = change, place
        if found < 0:
            continue
        swaps += 1
        _locate(rows[order[found]], neighbours, offsets, others)
        _move(block, cells, x, y, unit)
        _move(block, others, y, x, unit)
        rows[row, attribute], rows[order[found], attribute] = y, x
        order[found] = row
    return swaps


@compiled
def _less(gap: np.int32, unit: np.int32) -> np.int32:
    """|g - 1| - |g| of g = gap/2, in parts of a row: the price of a row less."""
    return max(-unit, min(unit, unit - gap))


@compiled
def _more(gap: np.int32, unit: np.int32) -> np.int32:
    """|g + 1| - |g| of g = gap/2, in parts of a row: the price of a row more."""
    return max(-unit, min(unit, unit + gap))


@compiled
def _locate(
    row: NDArray[np.uint16], neighbours: NDArray[np.int64], offsets: NDArray[np.int64], cells: NDArray[np.int64]
) -> None:
    """Write into `cells` where in a block the row's values of the other attributes stand."""
    for j in range(len(cells)):
        cells[j] = offsets[j] + row[neighbours[j]]


@compiled
def _change(
    block: NDArray[np.int32],
    cells: NDArray[np.int64],
    others: NDArray[np.int64],
    x: np.intp,
    y: np.intp,
    unit: np.int32,
) -> np.int32:
    """Give the price of swapping x, of the row with the other values `cells`, for y, of the one with `others`."""
    change = np.int32(0)
    for j in range(len(cells)):
        u, v = cells[j], others[j]
        less = _less(block[u, x], unit) + _less(block[v, y], unit)
        more = _more(block[u, y], unit) + _more(block[v, x], unit)
        change += less + more if u != v else np.int32(0)
    return change


@compiled
def _least(prices: NDArray[np.int32]) -> np.intp:
    """The first place of the least price."""
    least = np.intp(0)
    for place in range(1, len(prices)):
        if prices[place] < prices[least]:
            least = np.intp(place)
    return least


@compiled
def _move(block: NDArray[np.int32], cells: NDArray[np.int64], old: np.intp, new: np.intp, unit: np.int32) -> None:
    """Count a row with the other values `cells` under `new`, no longer under `old`."""
    for cell in cells:
        block[cell, old] -= 2 * unit
        block[cell, new] += 2 * unit


@compiled
def _drawn(state: np.uint64, start: int, stop: int) -> tuple[np.uint64, int]:
    """Draw a place from start to stop - 1, mostly near the start: at the square of a uniform number.

    A linear congruential step, its upper half stirred in: enough to choose rows.
    """
    state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    uniform = ((state ^ (state >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    share = (uniform * uniform) >> np.uint64(32)
    return state, start + int((share * np.uint64(stop - start)) >> np.uint64(32))


@compiled
def _shelved(
    rows: NDArray[np.uint16],
    attribute: int,
    block: NDArray[np.int32],
    neighbours: NDArray[np.int64],
    offsets: NDArray[np.int64],
    unit: np.int32,
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Sort rows by value, and in a value by the price of leaving it to within a row, cheapest first.

    Returns:
        Rows in that order, (rows,); where each value's rows start, (size + 1,); the price of each row, (rows,).
    """
    number, near, size = len(rows), len(neighbours), block.shape[1]
    shelves = 2 * near + 1
    ends, starts = np.zeros(size * shelves + 1, np.int64), np.empty(size + 1, np.int64)
    order, shelf, prices = np.empty(number, np.int32), np.empty(number, np.int32), np.empty(number, np.int32)
    for row in range(number):
        value, price = rows[row, attribute], np.int32(0)
        for j in range(near):
            price += _less(block[offsets[j] + rows[row, neighbours[j]], value], unit)
        prices[row] = price
        shelf[row] = value * shelves + price // unit + near
        ends[shelf[row] + 1] += 1
    for place in range(size * shelves):
        ends[place + 1] += ends[place]
    for value in range(size + 1):
        starts[value] = ends[value * shelves]
    for row in range(number):
        order[ends[shelf[row]]] = row
        ends[shelf[row]] += 1
    return order, starts, prices
