"""The compiled loops behind scores: the exact distance between counts and rounded answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pasteur.marginals.compiled import compiled
from pasteur.privacy.sensitivity import GRID

Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]


@compiled
def magnitude(answers: Rows) -> float:
    """Sum of |answer|: NaN or infinite if one of them is."""
    total = 0.0
    for cell in range(len(answers)):
        total += abs(answers[cell])
    return total


@compiled
def are_groups(groups: Integers) -> bool:
    """Whether each is in [0, their number)."""
    good = True
    for cell in range(len(groups)):
        good = good and 0 <= groups[cell] < len(groups)
    return good


@compiled
def distance(counts: Integers, start: int, answers: Rows, steps: int) -> int:
    """Sum |count - answer| over cells, in steps of 2^-10 rows; answers are rounded to whole steps.

    Args:
        counts: exact counts of many cliques.
        start: where in them those of this one begin.
        answers: (cells,), in rows.
        steps: of 2^-10 rows in one of the counts.
    """
    total = 0
    for cell in range(len(answers)):
        total += abs(counts[start + cell] * steps - np.int64(np.rint(answers[cell] * GRID)))
    return total


@compiled
def grouped_distance(counts: Integers, start: int, answers: Rows, groups: Integers, steps: int) -> int:
    """Sum |count - answer| over groups of cells, whose counts and answers are summed first; else as `distance`.

    Args:
        counts: exact counts of many cliques.
        start: where in them those of this one begin.
        answers: (cells,), in rows.
        groups: (cells,), the group of each, in [0, cells).
        steps: of 2^-10 rows in one of the counts.
    """
    exact, answer = np.zeros(len(groups), dtype=np.int64), np.zeros(len(groups), dtype=np.float64)
    for cell in range(len(groups)):
        exact[groups[cell]] += counts[start + cell]
        answer[groups[cell]] += answers[cell]
    total = 0
    for group in range(len(groups)):
        total += abs(exact[group] * steps - np.int64(np.rint(answer[group] * GRID)))
    return total
