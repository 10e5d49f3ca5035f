"""Rows fitted to more tables than a junction tree can hold, by swapping values between rows. Post-processing.

Take two rows and one attribute and swap their values if that lowers the summed |count - target| over all pairs. The
one-way counts of every attribute stay exactly as they were, and the sum never rises.

Counts less targets are whole numbers of a fixed small fraction of a row, so that no error piles up and the same
generator gives the same rows on every machine. Each attribute has its tables in one block, a row a value, so that a
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
        passes: each proposes one swap for every row and attribute that is in a target; 5 do most, 20 all but the last.
        rng: draws the proposals.

    Returns:
        New columns of the same types in the same order: each a permutation of the old one. The sum over the targets of
        |count - target| is no larger than before (to 1/16,384 of a row a cell below 65,536 rows).

    Raises:
        ValueError: a target that is not of two different attributes of `codes`, the same pair twice, sizes that differ
            between targets, a target that is not finite, codes outside the targets' range, or passes below 0.
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
            if sizes.setdefault(name, size) != size:
                raise ValueError(rule(f"size of '{name}' in {pair}", size, f"{sizes[name]} as in another target"))
    return Domain.of({name: sizes[name] for name in codes if name in sizes})


@dataclass(frozen=True, kw_only=True)
class _State:
    """Rows, and for each attribute its tables of count - target side by side.

    Attributes:
        rows: (rows, attributes).
        neighbours: of each attribute, those that it shares a target with, (neighbours,).
        offsets: of each attribute, the first column of each neighbour's table in its block, (neighbours,).
        blocks: of each attribute, (its size, sum of its neighbours' sizes): twice count - target, in units of 1/one.
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
        while one > 1 and 2 * len(rows) * one >= 2**30:
            one //= 2
        gaps: list[dict[int, NDArray[np.int32]]] = [{} for _ in domain.attributes]
        for pair, target in targets.items():
            first, second = (domain.index(name) for name in pair)
            # A count lies in [0, rows]: a target beyond that asks for the same swaps as one at the end.
            wanted = np.rint(np.clip(target, 0, len(rows)) * one)
            gap = (2 * (counts[pair] * one - wanted.astype(np.int64))).astype(np.int32)
            gaps[first][second], gaps[second][first] = gap, gap.T
        neighbours = [np.array(sorted(tables), dtype=np.int64) for tables in gaps]
        widths = [np.array([domain.sizes[other] for other in others]) for others in neighbours]
        return cls(
            rows=rows,
            neighbours=neighbours,
            offsets=[np.cumsum(width) - width for width in widths],
            blocks=[np.hstack([tables[other] for other in sorted(tables)]) for tables in gaps],
            one=one,
        )

    def sweep(self, attribute: int, seed: int) -> None:
        """Propose as many swaps of `attribute` as there are rows."""
        block = self.blocks[attribute]
        done = _sweep(
            self.rows, attribute, block, self.neighbours[attribute], self.offsets[attribute], self.one, np.uint64(seed)
        )
        if not done:
            return
        for other, start in zip(self.neighbours[attribute], self.offsets[attribute], strict=True):
            place = np.searchsorted(self.neighbours[other], attribute)
            column, theirs = self.offsets[other][place], self.blocks[other]
            theirs[:, column : column + len(block)] = block[:, start : start + len(theirs)].T


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
    """Propose len(rows) swaps; make those that lower the sum. Returns how many were made."""
    number, swaps, state = np.uint64(len(rows)), 0, seed
    for _ in range(len(rows)):
        # A linear congruential step, its upper half stirred into the lower: enough to choose two rows.
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        mixed = (state ^ (state >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        first = np.intp(((mixed >> np.uint64(32)) * number) >> np.uint64(32))
        second = np.intp(((mixed & np.uint64(0xFFFFFFFF)) * number) >> np.uint64(32))
        x, y = rows[first, attribute], rows[second, attribute]
        if x == y:
            continue
        change = 0
        for near in range(len(neighbours)):
            u = offsets[near] + rows[first, neighbours[near]]
            v = offsets[near] + rows[second, neighbours[near]]
            if u != v:
                # |gap - 1| - |gap| = min(max(1 - 2 gap, -1), 1), and likewise for + 1.
                change += max(-one, min(one, one - block[x, u])) + max(-one, min(one, one + block[y, u]))
                change += max(-one, min(one, one - block[y, v])) + max(-one, min(one, one + block[x, v]))
        if change >= 0:
            continue
        swaps += 1
        for near in range(len(neighbours)):
            u = offsets[near] + rows[first, neighbours[near]]
            v = offsets[near] + rows[second, neighbours[near]]
            block[x, u] -= 2 * one
            block[y, u] += 2 * one
            block[y, v] -= 2 * one
            block[x, v] += 2 * one
        rows[first, attribute], rows[second, attribute] = y, x
    return swaps
