"""Mirror descent, compiled: all steps of one fit, in probability form, over tables in one array.

A step multiplies each measured clique's probabilities by exp(-step * slope). Those factors go up the junction tree and
what they change of each separator comes down (Hugin propagation: Jensen, Lauritzen, Olesen 1990; Koller and Friedman
2009, section 10.3). Exponentials are taken of the cliques' cells only, never of the nodes', and no step allocates.

What is multiplied and summed in which order is written by `layout`, once a tree, as a list of operations: so each loop
is compiled once, whatever the tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals.compiled import compiled

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

TIMES, PROJECT, RATIO, NORMALISE, COPY, MULTIPLIER = range(6)
"""Operations: out = source * small, widened; out = source, summed; out = source / small; out / its sum; out = source;
out = exp(-step * source)."""

OPERATION, OUT, SOURCE, SMALL, CELLS, RUNS, LENGTH, STRIDE, PLACES = range(9)
"""Columns of an operation: where its tables start in memory, cells of `out` (of `source` for `TIMES`), and the link
between the larger table and the smaller one: in so many runs of such a length, whether they are runs of the smaller
table too, and where `places` says where each begins in it."""

GROWTH, SHRINK = 1.25, 0.5
"""The step after one that was accepted, and after one that was not."""

TINY = 1e-290
"""Probabilities under this are 0: no rounding shows them, and arithmetic on subnormal numbers is slow."""

LARGEST = 600.0
"""A step that changes a logarithm by more is refused as it stands: the probabilities would overflow."""

LOG2E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
SHIFTER, ONE = 6755399441055744.0, 1023 << 52
"""1.5 * 2^52, whose addition rounds a number to a whole one in the low bits; the bits of 1.0."""


class Program(NamedTuple):
    """What `descend` runs.

    Attributes:
        operations: (operations, columns); first those that project the tables of side 0, then those of a step from
            side 0 to 1, then those of one back.
        ends: of these three, (3,).
        places: of the runs.
        measured: where the shares of each measured clique start in an area, and how many they are, (cliques, 2).
        areas: where in memory the shares of side 0 and 1 start, the slopes of side 0 and 1, and the targets, (5,).
        weights: 1/sigma^2, (cliques,).
    """

    operations: Rows
    ends: Rows
    places: Rows
    measured: Rows
    areas: Rows
    weights: Floats


class Limits(NamedTuple):
    """When `descend` ends: at a step under `least`, after so many steps, or so many slow ones in a row."""

    least: float
    steps: int
    slow: float
    patience: int


@compiled
def _sum(table: Floats, start: np.uint64, length: np.uint64) -> float:
    """Sum of a run; four sums at once, as one would wait for itself."""
    first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
    whole = start + (length & ~np.uint64(3))
    for cell in range(start, whole, np.uint64(4)):
        first += table[cell]
        second += table[cell + np.uint64(1)]
        third += table[cell + np.uint64(2)]
        fourth += table[cell + np.uint64(3)]
    for cell in range(whole, start + length):
        first += table[cell]
    return (first + second) + (third + fourth)


@compiled
def _times(memory: Floats, row: Rows, places: Rows) -> None:
    length = np.uint64(row[LENGTH])
    for run in range(row[RUNS]):
        out = np.uint64(row[OUT]) + np.uint64(run) * length
        source = np.uint64(row[SOURCE]) + np.uint64(run) * length
        small = np.uint64(row[SMALL] + places[row[PLACES] + run])
        if row[STRIDE]:
            for cell in range(length):
                product = memory[source + cell] * memory[small + cell]
                memory[out + cell] = product if product > TINY else 0.0
        else:
            factor = memory[small]
            for cell in range(length):
                product = memory[source + cell] * factor
                memory[out + cell] = product if product > TINY else 0.0


@compiled
def _project(memory: Floats, row: Rows, places: Rows) -> None:
    for cell in range(np.uint64(row[OUT]), np.uint64(row[OUT] + row[CELLS])):
        memory[cell] = 0.0
    length = np.uint64(row[LENGTH])
    for run in range(row[RUNS]):
        source = np.uint64(row[SOURCE]) + np.uint64(run) * length
        out = np.uint64(row[OUT] + places[row[PLACES] + run])
        if row[STRIDE]:
            for cell in range(length):
                memory[out + cell] += memory[source + cell]
        else:
            memory[out] += _sum(memory, source, length)


@compiled
def _exponentials(memory: Floats, row: Rows, scale: float, scratch: Floats) -> None:
    """Write exp(scale * source) to `out`, to rounding; nan where the argument is past `LARGEST`.

    By hand, since a loop around the library's function is not vectorised: 2^n exp(r), n put into the exponent's bits.
    """
    bits = scratch.view(np.int64)
    cells, source, out = np.uint64(row[CELLS]), np.uint64(row[SOURCE]), np.uint64(row[OUT])
    for cell in range(cells):
        value = scale * memory[source + cell]
        shifted = value * LOG2E + SHIFTER
        whole = shifted - SHIFTER
        rest = value - whole * LN2_HIGH - whole * LN2_LOW
        series = 1.0 + rest * (1 / 13)
        series = 1.0 + series * rest * (1 / 12)
        series = 1.0 + series * rest * (1 / 11)
        series = 1.0 + series * rest * (1 / 10)
        series = 1.0 + series * rest * (1 / 9)
        series = 1.0 + series * rest * (1 / 8)
        series = 1.0 + series * rest * (1 / 7)
        series = 1.0 + series * rest * (1 / 6)
        series = 1.0 + series * rest * (1 / 5)
        series = 1.0 + series * rest * (1 / 4)
        series = 1.0 + series * rest * (1 / 3)
        series = 1.0 + series * rest * (1 / 2)
        scratch[cell] = shifted
        memory[out + cell] = 1.0 + series * rest if abs(value) < LARGEST else np.nan
    for cell in range(cells):
        bits[cell] = (bits[cell] << 52) + ONE
    for cell in range(cells):
        memory[out + cell] *= scratch[cell]


@compiled
def _run(  # noqa: C901 - a branch an operation
    program: Program, first: int, last: int, memory: Floats, step: float, scratch: Floats
) -> bool:
    """Run some of the operations; False where no probability is left, or it overflows."""
    for index in range(first, last):
        row = program.operations[index]
        kind, out, source, small = row[OPERATION], np.uint64(row[OUT]), np.uint64(row[SOURCE]), np.uint64(row[SMALL])
        cells = np.uint64(row[CELLS])
        if kind == TIMES:
            _times(memory, row, program.places)
        elif kind == PROJECT:
            _project(memory, row, program.places)
        elif kind == RATIO:
            for cell in range(cells):
                below = memory[small + cell]
                memory[out + cell] = memory[source + cell] / below if below > 0 else 0.0
        elif kind == NORMALISE:
            mass = _sum(memory, out, cells)
            if not 0 < mass < np.inf:
                return False
            for cell in range(cells):
                memory[out + cell] /= mass
        elif kind == COPY:
            for cell in range(cells):
                memory[out + cell] = memory[source + cell]
        else:
            _exponentials(memory, row, -step, scratch)
    return True


@compiled
def _slopes(program: Program, side: int, memory: Floats, total: float) -> tuple[float, float]:
    """Write the loss's slopes by the measured probabilities of a side.

    Returns:
        The loss, and how far it would have fallen from the other side along the slope there.
    """
    loss, promised = 0.0, 0.0
    shares, slopes = program.areas[side], program.areas[2 + side]
    others, old = program.areas[1 - side], program.areas[3 - side]
    for clique in range(len(program.measured)):
        weight = program.weights[clique]
        here = program.measured[clique, 0]
        for cell in range(np.uint64(here), np.uint64(here + program.measured[clique, 1])):
            share = memory[np.uint64(shares) + cell]
            gap = total * share - memory[np.uint64(program.areas[4]) + cell]
            loss += 0.5 * weight * gap * gap
            promised += memory[np.uint64(old) + cell] * (memory[np.uint64(others) + cell] - share)
            memory[np.uint64(slopes) + cell] = total * weight * gap
    return loss, promised


@compiled
def descend(
    program: Program, memory: Floats, moved: Floats, total: float, step: float, limits: Limits
) -> tuple[float, float]:
    """Take steps of mirror descent.

    A step is accepted when the loss falls by half of what its slope promised; it then grows by a quarter, else it
    halves. So each accepted step lowers the loss, and the step size needs no constant of the problem.

    Args:
        program: of the tree and the measured cliques.
        memory: all tables; those of side 0 hold the nodes' probabilities to begin with, and the targets are there.
        moved: gets the sum of step * shares over the accepted steps; as long as an area of shares.
        total: N.
        step: size of the first step.
        limits: when to end.

    Returns:
        The size of a next step, and the sum of the accepted ones.
    """
    scratch = np.empty(len(moved))
    side, slow, travelled, loss = 1, 0, 0.0, np.inf
    for attempt in range(limits.steps + 1):  # the first only finds out where it stands
        if slow >= limits.patience or step < limits.least:
            break
        first, last = 0, program.ends[0]
        if attempt:
            first, last = program.ends[side], program.ends[side + 1]
        reached, promised = np.inf, 0.0
        if _run(program, first, last, memory, step, scratch):
            reached, promised = _slopes(program, 1 - side, memory, total)
        if attempt and not (loss - reached >= 0.5 * promised and reached <= loss):
            step *= SHRINK
            continue
        if attempt:
            for cell in range(np.uint64(len(moved))):
                moved[cell] += step * memory[np.uint64(program.areas[side]) + cell]
            travelled += step
            step *= GROWTH
            slow = slow + 1 if loss - reached <= limits.slow else 0
        side, loss = 1 - side, reached
    return step, travelled
