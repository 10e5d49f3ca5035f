"""Scores of candidates, as whole numbers: how far exact counts are from a model's answers, weighted and less a bias.

All that goes in but the counts is public, or comes from noisy answers, and is rounded to whole numbers first: answers
and biases to multiples of 2^-10 rows, weights to multiples of one number. So a score is exact, and so is the distance
that one unit can move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.sensitivity import GRID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique
    from pasteur.privacy.noise import Integers

LARGEST = 2.0**50
"""Weight times a model's answers summed, in rows, up to which scores on the 2^-10 grid are safe in int64.

With as many rows in the data, which no machine holds (2^38 at the largest weight), every score is under 2^62.
"""
WEIGHTS = 4096
"""Weights are whole multiples, at most this many, of one number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scoring:
    """What is public of the scores of k candidates, checked.

    Attributes:
        answers: of all candidates, cell after cell, in rows: (cells,) float64.
        starts: where each candidate's answers begin, and their end: (k + 1,) int64.
        weights: (k,) int64 of 1 or more: whole multiples of one number.
        bias: (k,) int64, in steps of 2^-10 rows.
        groups: of the candidates that have them, the group of each cell: (those cells,) int64 of 0 or more.
        group_starts: where each candidate's groups begin, -1 where each cell stands alone: (k,) int64.
    """

    answers: npt.NDArray[np.float64]
    starts: Integers
    weights: Integers
    bias: Integers
    groups: Integers
    group_starts: Integers

    @property
    def weight(self) -> int:
        """The largest weight: how many times the distance's sensitivity a score has."""
        return int(self.weights.max())

    def of(self, counts: Integers, starts: Integers) -> Integers:
        """Score each candidate: weight (sum over cells or groups |count - answer| - bias), in steps of 2^-10 rows.

        Args:
            counts: exact counts, cell after cell, int64.
            starts: where those of each candidate begin in it, (k,) int64.

        Returns:
            (k,) int64.
        """
        from pasteur.privacy.distances import distances  # numba loads in half a second, which --help need not pay

        out = np.empty(len(self.weights), dtype=np.int64)
        distances(counts, starts, self.answers, self.starts, self.groups, self.group_starts, out)
        return (out - self.bias) * self.weights


def scoring(
    candidates: Sequence[Clique],
    shapes: Sequence[tuple[int, ...]],
    answers: Sequence[npt.ArrayLike],
    *,
    weights: npt.ArrayLike | None = None,
    bias: npt.ArrayLike | None = None,
    groups: Sequence[npt.ArrayLike | None] | None = None,
) -> Scoring:
    """Check and round what is public of the scores of `candidates` of `shapes`; arguments as of `PrivateTable.choose`.

    Raises:
        PrivacyError: a number of answers, weights, biases or groups that is not that of the candidates, answers or
            groups of another shape, a weight that is not finite and above 0, or any other number that is not finite.
    """
    count = len(candidates)
    units = np.ones(count, dtype=np.int64) if weights is None else _units(_numbers("weights", weights, count))
    largest = LARGEST / int(units.max())
    same_length("answers", answers, count)
    flat = _flat("answer to", candidates, shapes, answers).astype(np.float64, copy=False)
    starts = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    for candidate, size in zip(candidates, np.add.reduceat(np.abs(flat), starts[:-1]), strict=True):
        if not size < largest:
            raise PrivacyError(
                rule(f"answer to {candidate}", "its sum", f"finite and under 2^{np.log2(largest):g} rows")
            )
    biases = np.zeros(count) if bias is None else _numbers("bias", bias, count)
    if not (np.abs(biases) < largest).all():
        raise PrivacyError(rule("bias", "of a candidate", f"finite and under 2^{np.log2(largest):g} rows"))
    grouped, group_starts = _groups(candidates, shapes, groups)
    return Scoring(
        answers=flat,
        starts=starts,
        weights=units,
        bias=np.rint(biases * GRID).astype(np.int64),
        groups=grouped,
        group_starts=group_starts,
    )


def same_length(name: str, values: Sequence[object], count: int) -> None:
    """Refuse another number of `values` than there are cliques.

    Raises:
        PrivacyError: it is another one.
    """
    if len(values) != count:
        raise PrivacyError(rule(f"number of {name}", len(values), f"{count}, one for each clique"))


def _numbers(name: str, values: npt.ArrayLike, count: int) -> npt.NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (count,):
        raise PrivacyError(rule(f"number of {name}", numbers.shape, f"{count}, one for each clique"))
    return numbers


def _units(weights: npt.NDArray[np.float64]) -> Integers:
    """Weights as whole multiples of one number: themselves if whole and small, else of a 4096th of the largest."""
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise PrivacyError(rule("weights", "one of them", "finite and above 0"))
    whole = np.rint(weights)
    if (whole != weights).any() or weights.max() > WEIGHTS:
        whole = np.maximum(np.rint(weights / weights.max() * WEIGHTS), 1)
    units = whole.astype(np.int64)
    return units // int(np.gcd.reduce(units))


def _groups(
    candidates: Sequence[Clique], shapes: Sequence[tuple[int, ...]], groups: Sequence[npt.ArrayLike | None] | None
) -> tuple[Integers, Integers]:
    """Groups of all candidates that have them, one after the other, and where each one's begin (-1: it has none)."""
    starts = np.full(len(candidates), -1, dtype=np.int64)
    if groups is None:
        return np.zeros(0, dtype=np.int64), starts
    same_length("groups", groups, len(candidates))
    chosen = [place for place, group in enumerate(groups) if group is not None]
    having, their = [candidates[place] for place in chosen], [shapes[place] for place in chosen]
    flat = _flat("groups of", having, their, [groups[place] for place in chosen])
    if flat.dtype.kind not in "iu":
        raise PrivacyError(rule("groups", flat.dtype, "whole numbers"))
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in their)])
    starts[chosen] = ends[:-1]
    for candidate, start, stop in zip(having, ends[:-1], ends[1:], strict=True):
        if flat[start:stop].min() < 0 or flat[start:stop].max() >= stop - start:
            must_be = f"in [0, {stop - start}), the number of its cells"
            raise PrivacyError(rule(f"groups of {candidate}", "one of them", must_be))
    return flat.astype(np.int64, copy=False), starts


def _flat(
    name: str, candidates: Sequence[Clique], shapes: Sequence[tuple[int, ...]], tables: Sequence[npt.ArrayLike | None]
) -> npt.NDArray[np.generic]:
    """All tables, cell after cell: (cells,)."""
    arrays = [np.asarray(table) for table in tables]
    for candidate, shape, array in zip(candidates, shapes, arrays, strict=True):
        if array.shape != shape:
            raise PrivacyError(rule(f"{name} {candidate}", array.shape, f"of shape {shape}"))
    return np.concatenate([np.zeros(0, dtype=np.int64), *(array.reshape(-1) for array in arrays)])
