"""Rows from a calibrated junction tree, root to leaves, with low variance: counts follow the model, not chance.

Inside each group of rows that agree on a node's separator, rows *in random order* take systematic quantiles of
P(residual | separator). The random order is what keeps two children of one parent independent: rows of a group that
took their quantiles in one and the same order would tie the children to each other, which no measured marginal shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pasteur.marginals.inference import Array, Calibrated

CHUNK = 1 << 18
"""Rows drawn together. Part of what a seed means, and so no setting."""

Codes = NDArray[np.intp]


def rows(calibrated: Calibrated, count: int, *, rng: np.random.Generator) -> Iterator[dict[str, Codes]]:
    """Yield `count` rows of codes in chunks of at most `CHUNK`, attributes in the domain's order.

    The chunks depend on `rng` and `count` alone; only one is in memory at a time.
    """
    for start in range(0, count, CHUNK):
        yield _chunk(calibrated, min(CHUNK, count - start), rng)


def _chunk(calibrated: Calibrated, count: int, rng: np.random.Generator) -> dict[str, Codes]:
    tree = calibrated.tree
    sizes = tree.domain.as_dict()
    drawn: dict[str, Codes] = {}
    for node, conditional in zip(tree.nodes, calibrated.conditionals, strict=True):
        groups = np.zeros(count, dtype=np.intp)
        for name in node.separator:
            groups = groups * sizes[name] + drawn[name]
        cells = systematic(conditional, groups, rng=rng)
        if len(node.residual) == 1:
            drawn[node.residual[0]] = cells
            continue
        shape = tree.domain.shape(node.residual)
        for name, code in zip(node.residual, np.indices(shape).reshape(len(shape), -1), strict=True):
            drawn[name] = code[cells]
    return {name: drawn[name] for name in tree.domain.attributes}


def systematic(conditional: Array, groups: Codes, *, rng: np.random.Generator) -> Codes:
    """Draw a column for each row from its group's distribution, by systematic quantiles over rows in random order.

    Args:
        conditional: (groups, cells), rows that sum to 1; a row without mass counts as uniform.
        groups: (rows,) the group of each row.
        rng: draws the order and each group's first quantile.

    Returns:
        (rows,) cells. In a group of n rows, any run of cells holds its expected number of rows to within 1.
    """
    tables = np.ascontiguousarray(conditional, dtype=np.float64)
    return _dealt(tables, np.ascontiguousarray(groups, dtype=np.intp), rng.integers(2**64, dtype=np.uint64))


@compiled
def _dealt(conditional: Array, groups: Codes, seed: np.uint64) -> Codes:
    """Lay out the cells of each group's quantiles in order, shuffle each group's, and deal them to its rows."""
    number, state = len(groups), seed
    starts = np.zeros(len(conditional) + 1, np.intp)
    for row in range(number):
        starts[groups[row] + 1] += 1
    for group in range(len(conditional)):
        starts[group + 1] += starts[group]
    hand, cells = np.empty(number, np.intp), np.empty(number, np.intp)
    for group in range(len(conditional)):
        first, last = starts[group], starts[group + 1]
        if first == last:
            continue
        state, drawn = _random(state)
        _lay_out(conditional[group], float(drawn >> np.uint64(11)) * 2.0**-53, hand[first:last])
        for place in range(last - 1, first, -1):  # Fisher and Yates
            state, drawn = _random(state)
            other = first + np.intp(((drawn >> np.uint64(32)) * np.uint64(place - first + 1)) >> np.uint64(32))
            hand[place], hand[other] = hand[other], hand[place]
    for row in range(number):
        cells[row] = hand[starts[groups[row]]]
        starts[groups[row]] += 1
    return cells


@compiled
def _lay_out(weights: Array, first: float, hand: Codes) -> None:
    """Write the cells of the quantiles (k + first)/n, k = 0 .. n - 1, into `hand`: (n,)."""
    number, width, total = len(hand), len(weights), 0.0
    for cell in range(width):
        total += weights[cell]
    place, mass, last = 0, -first, 0
    for cell in range(width):
        share = weights[cell] / total if total > 0 else 1 / width
        last = cell if share > 0 else last
        mass += share * number
        while place < number and place < mass:
            hand[place] = cell
            place += 1
    for rest in range(place, number):  # what rounding left
        hand[rest] = last


@compiled
def _random(state: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Draw 64 bits: SplitMix64 (Steele, Lea, Flood 2014, section 4)."""
    state += np.uint64(0x9E3779B97F4A7C15)
    mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, mixed ^ (mixed >> np.uint64(31))
