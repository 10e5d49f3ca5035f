"""Eliminating attributes one by one, compiled: the cliques of a chordal graph around theirs.

A set of attributes is a row of 64-bit words, a graph such a row of neighbours for each attribute. Which order of
elimination is best is NP-hard, so that three greedy rules are tried and the one with the fewest cells wins
(Koller and Friedman 2009, section 9.4.3): fewest cells of the clique made, fewest edges added, fewest neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

Words = NDArray[np.uint64]

RULES = 3
"""Greedy rules: 0 fewest cells, 1 fewest edges added then cells, 2 fewest neighbours then cells."""

BITS = 64
BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""A de Bruijn sequence: its top six bits, shifted by the place of a word's lowest bit, tell the place."""

PLACES = np.zeros(BITS, dtype=np.int64)
for _bit in range(BITS):
    PLACES[((int(BRUIJN) << _bit) & (2**64 - 1)) >> 58] = _bit


def words(masks: Sequence[int], size: int) -> Words:
    """Give sets of numbers under `size`, each the bits of a number, as rows of words: (sets, words)."""
    width = (size + BITS - 1) // BITS or 1
    raw = b"".join(mask.to_bytes(8 * width, "little") for mask in masks)
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64).reshape(len(masks), width)


def masks(rows: Words) -> list[int]:
    """Give rows of words as the bits of a number each, as `words` took them."""
    return [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in rows]


@compiled
def _place(word: np.uint64) -> int:
    """Place of the lowest bit of a word that has one."""
    low = word & (~word + np.uint64(1))
    return int(PLACES[(low * BRUIJN) >> np.uint64(58)])


@compiled
def _bits(word: np.uint64) -> int:
    """How many bits a word has."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _cells(row: Words, sizes: NDArray[np.float64]) -> float:
    """Cells of a set of attributes; inf past what a float holds."""
    cells = 1.0
    for each in range(len(row)):
        word = row[each]
        while word:
            cells *= float(sizes[each * 64 + _place(word)])
            word &= word - np.uint64(1)
    return cells


@compiled
def _added(graph: Words, name: int) -> int:
    """Twice the edges that eliminating `name` adds."""
    width, missing = graph.shape[1], 0
    for each in range(width):
        word = graph[name, each]
        while word:
            other = each * 64 + _place(word)
            for at in range(width):
                missing += _bits(graph[name, at] & ~graph[other, at])
            missing -= 1  # a neighbour is none of its own
            word &= word - np.uint64(1)
    return missing


@compiled
def _cost(graph: Words, sizes: NDArray[np.float64], name: int, rule: int) -> tuple[float, float]:
    """What a greedy rule holds against eliminating `name` next; the second number decides between equals."""
    cells = sizes[name] * _cells(graph[name], sizes)
    if rule == 0:
        return cells, 0.0
    if rule == 1:
        return float(_added(graph, name)), cells
    degree = 0
    for each in range(graph.shape[1]):
        degree += _bits(graph[name, each])
    return float(degree), cells


@compiled
def _joined(graph: Words, name: int) -> None:
    """Take `name` out of the graph and join its neighbours to each other."""
    width = graph.shape[1]
    for each in range(width):
        word = graph[name, each]
        while word:
            low = _place(word)
            other = each * 64 + low
            for at in range(width):
                graph[other, at] |= graph[name, at]
            graph[other, each] &= ~(np.uint64(1) << np.uint64(low))
            graph[other, name // 64] &= ~(np.uint64(1) << np.uint64(name % 64))
            word &= word - np.uint64(1)


@compiled
def _cheapest(left: NDArray[np.int64], first: NDArray[np.float64], second: NDArray[np.float64]) -> int:
    """Take the attribute of least cost out of those left, the earliest of equals; the last place becomes free."""
    best = 0
    for place in range(1, len(left)):
        name, least = left[place], left[best]
        if first[name] < first[least] or (first[name] == first[least] and second[name] < second[least]):
            best = place
    chosen = int(left[best])
    for place in range(best + 1, len(left)):
        left[place - 1] = left[place]
    return chosen


@compiled
def _inside(row: Words, found: Words) -> bool:
    """Whether a set lies inside one of those found."""
    for other in range(len(found)):
        contained = True
        for each in range(len(row)):
            contained = contained and (row[each] & ~found[other, each]) == 0
        if contained:
            return True
    return False


@compiled
def _changed(graph: Words, name: int, fill: bool, touched: Words) -> None:  # noqa: FBT001 - numba passes by position
    """Write to `touched` whose cost eliminating `name` changes: its neighbours', and by new edges also theirs."""
    width = graph.shape[1]
    for each in range(width):
        touched[each] = graph[name, each]
    for each in range(width if fill else 0):
        word = graph[name, each]
        while word:
            other = each * 64 + _place(word)
            for at in range(width):
                touched[at] |= graph[other, at]
            word &= word - np.uint64(1)
    touched[name // 64] &= ~(np.uint64(1) << np.uint64(name % 64))


@compiled
def _eliminate(graph: Words, sizes: NDArray[np.float64], rule: int, found: Words) -> tuple[int, float]:
    """Eliminate all attributes, the cheapest first; `graph` is used up.

    Returns:
        How many maximal cliques were written to `found`, and their cells.
    """
    names, width = graph.shape
    first, second = np.empty(names), np.empty(names)
    for name in range(names):
        first[name], second[name] = _cost(graph, sizes, name, rule)
    left = np.arange(names)
    touched = np.empty(width, dtype=np.uint64)
    count, total = 0, 0.0
    for step in range(names):
        name = _cheapest(left[: names - step], first, second)
        _changed(graph, name, rule == 1 and first[name] > 0, touched)
        _joined(graph, name)
        graph[name, name // 64] |= np.uint64(1) << np.uint64(name % 64)
        if not _inside(graph[name], found[:count]):
            for each in range(width):
                found[count, each] = graph[name, each]
            count += 1
            total += _cells(graph[name], sizes)
        for each in range(width):
            word = touched[each]
            while word:
                other = each * 64 + _place(word)
                first[other], second[other] = _cost(graph, sizes, other, rule)
                word &= word - np.uint64(1)
    return count, total


@compiled
def joined_cells(
    graph: Words, sizes: NDArray[np.float64], extras: Words, changed: Words, found: Words
) -> NDArray[np.float64]:
    """Give the cells of `triangulated` after joining each one of `extras` alone: (extras,).

    Args:
        graph: neighbours of each attribute, (attributes, words).
        sizes: of the attributes.
        extras: cliques, (extras, words).
        changed: room for a graph.
        found: room for its cliques.
    """
    names, width = graph.shape
    cells = np.empty(len(extras))
    for index in range(len(extras)):
        cells[index] = np.inf
        for rule in range(RULES):
            for name in range(names):
                joined = (extras[index, name // 64] >> np.uint64(name % 64)) & np.uint64(1)
                for each in range(width):
                    changed[name, each] = graph[name, each] | (extras[index, each] * joined)
                changed[name, name // 64] &= ~(np.uint64(1) << np.uint64(name % 64))
            cells[index] = min(cells[index], _eliminate(changed, sizes, rule, found)[1])
    return cells


def triangulated(graph: Words, sizes: NDArray[np.float64]) -> Words:
    """Give the maximal cliques of the chordal graph of fewest cells that was found, (cliques, words).

    Args:
        graph: neighbours of each attribute, (attributes, words).
        sizes: of the attributes.
    """
    tried = []
    for greedy in range(RULES):
        found = np.empty_like(graph)
        count, cells = _eliminate(graph.copy(), sizes, greedy, found)
        tried.append((cells, found[:count]))
    return min(tried, key=lambda each: each[0])[1]
