"""Products in which no row's last bits depend on how many other rows there are.

A matrix product deals its last few rows to another kernel, which rounds otherwise. A code at a level's edge hangs on
the last bit: one person less, and many others' codes would move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pasteur.compressors import Floats


def times(rows: Floats, matrix: Floats) -> Floats:
    """`rows @ matrix`, each row by itself, summed in the order of its columns.

    Args:
        rows: (rows, columns).
        matrix: (columns, results).

    Returns:
        (rows, results).
    """
    found = np.zeros((len(rows), matrix.shape[1]))
    for column, weights in zip(rows.T, matrix, strict=True):
        found += column[:, None] * weights
    return found


def each_times(matrices: Floats, others: Floats) -> Floats:
    """`matrices @ others`, pair by pair: (rows, a, b) by (rows, b, c) is (rows, a, c)."""
    found = np.zeros((len(others), matrices.shape[1], others.shape[2]))
    for place in range(others.shape[1]):
        found += matrices[:, :, place, None] * others[:, place, None, :]
    return found
