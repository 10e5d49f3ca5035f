"""The compiled loop behind scores: exact distances between counts and rounded answers, many in one call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pasteur.marginals.compiled import compiled
from pasteur.privacy.sensitivity import GRID

Integers = npt.NDArray[np.int64]


@compiled
def distances(
    counts: Integers,
    places: Integers,
    answers: npt.NDArray[np.float64],
    starts: Integers,
    groups: Integers,
    group_starts: Integers,
    out: Integers,
) -> None:
    """Sum |count - answer| over the cells, or the groups of cells, of each candidate, in steps of 2^-10 rows.

    Answers are rounded to whole steps, a group's once summed. Arguments as of `scores.Scoring`; `places` says where
    each candidate's cells begin in `counts`.
    """
    for index in range(len(out)):
        start, cells = starts[index], starts[index + 1] - starts[index]
        place, group = places[index], group_starts[index]
        distance = 0
        if group < 0:
            for cell in range(cells):
                distance += abs(counts[place + cell] * GRID - np.int64(np.rint(answers[start + cell] * GRID)))
        else:
            exact, answer = np.zeros(cells, dtype=np.int64), np.zeros(cells, dtype=np.float64)
            for cell in range(cells):
                exact[groups[group + cell]] += counts[place + cell]
                answer[groups[group + cell]] += answers[start + cell]
            for cell in range(cells):
                distance += abs(exact[cell] * GRID - np.int64(np.rint(answer[cell] * GRID)))
        out[index] = distance
