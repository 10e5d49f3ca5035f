"""Compiled loops over the rows of one unit after the other: what each unit adds to a table of counts.

Rows lie unit after unit. A unit's own histogram h is made in a scratch table of its cells, scaled and rounded toward
zero to multiples of 2^-10 (`GRID`), and added to the sums: whole numbers, so that their order does not matter and no
norm grows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pasteur.marginals.compiled import compiled
from pasteur.privacy.sensitivity import GRID

Integers = npt.NDArray[np.int64]


@compiled
def clipped(cells: Integers, starts: Integers, clip: int, sums: Integers) -> None:
    """Add h min(1, clip / |h|_2) of each unit to `sums`, in steps.

    What is rounded is at most the real value, which integers check: v |h| <= h clip, squared. So the L2 norm of what a
    unit adds is `clip` steps at most.

    Args:
        cells: (rows,) the cell of each row.
        starts: (units + 1,) where the rows of each unit begin.
        clip: in steps of 2^-10 rows.
        sums: (cells,), added to.
    """
    scratch = np.zeros(len(sums), dtype=np.int64)
    touched = np.empty(len(sums), dtype=np.int64)
    for unit in range(len(starts) - 1):
        count = _histogram(cells, starts[unit], starts[unit + 1], scratch, touched)
        squares = 0
        for place in range(count):
            squares += scratch[touched[place]] ** 2
        norm = np.sqrt(float(squares))
        for place in range(count):
            cell = touched[place]
            rows = scratch[cell]
            scratch[cell] = 0
            steps = rows * GRID
            if squares * GRID * GRID > clip * clip:
                steps = min(steps, np.int64(rows * clip / norm))
                while steps * steps * squares > rows * rows * clip * clip:
                    steps -= 1
            sums[cell] += steps


@compiled
def averaged(cells: Integers, starts: Integers, most: int, sums: Integers) -> None:
    """Add h min(1, most / #rows) of each unit to `sums`, in steps: at most 1024 `most` of them together.

    Args:
        cells: (rows,) the cell of each row.
        starts: (units + 1,) where the rows of each unit begin.
        most: rows that those of a unit weigh together, at most.
        sums: (cells,), added to.
    """
    scratch = np.zeros(len(sums), dtype=np.int64)
    touched = np.empty(len(sums), dtype=np.int64)
    for unit in range(len(starts) - 1):
        count = _histogram(cells, starts[unit], starts[unit + 1], scratch, touched)
        rows = starts[unit + 1] - starts[unit]
        for place in range(count):
            cell = touched[place]
            sums[cell] += scratch[cell] * GRID * min(rows, most) // rows
            scratch[cell] = 0


@compiled
def _histogram(cells: Integers, start: int, stop: int, scratch: Integers, touched: Integers) -> int:
    """Count one unit's rows into `scratch`, zero before; give how many cells it touched, and which, in `touched`."""
    count = 0
    for row in range(start, stop):
        cell = cells[row]
        if scratch[cell] == 0:
            touched[count] = cell
            count += 1
        scratch[cell] += 1
    return count
