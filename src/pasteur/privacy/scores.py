"""Scores of candidates, as whole numbers: how far exact counts are from a model's answers, weighted and less a bias.

All that goes in but the counts is public, or comes from noisy answers, and is rounded to whole numbers first: answers
and biases to multiples of 2^-10 rows, weights to multiples of one number. So a score is exact, and so is the distance
that one unit can move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
        answers: of each candidate, in rows: (its cells,) float64.
        weights: (k,) int64 of 1 or more: whole multiples of one number.
        bias: (k,) int64, in steps of 2^-10 rows.
        groups: of each candidate None, or the group of each cell: (its cells,) int64 in [0, its cells).
    """

    answers: tuple[npt.NDArray[np.float64], ...]
    weights: Integers
    bias: Integers
    groups: tuple[Integers | None, ...]

    @property
    def weight(self) -> int:
        """The largest weight: how many times the distance's sensitivity a score has."""
        return int(self.weights.max())

    def of(self, counts: Integers, starts: Integers, *, steps: int = GRID) -> Integers:
        """Score each candidate: weight (sum over cells or groups |count - answer| - bias), in steps of 2^-10 rows.

        Args:
            counts: exact counts, cell after cell, int64.
            starts: where those of each candidate begin in it, (k,) int64.
            steps: of 2^-10 rows in one of the counts: 1 where they are such steps themselves.

        Returns:
            (k,) int64.
        """
        from pasteur.privacy.distances import (
            distance,
            grouped_distance,
        )  # numba: half a second, which --help need not pay

        far = [
            distance(counts, start, answers, steps)
            if groups is None
            else grouped_distance(counts, start, answers, groups, steps)
            for start, answers, groups in zip(starts, self.answers, self.groups, strict=True)
        ]
        return (np.array(far, dtype=np.int64) - self.bias) * self.weights


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
    from pasteur.privacy.distances import magnitude

    count = len(candidates)
    same_length("answers", answers, count)
    same_length("groups", groups or candidates, count)
    units = np.ones(count, dtype=np.int64) if weights is None else _units(_numbers("weights", weights, count))
    largest = LARGEST / int(units.max())
    must_be = f"finite and under 2^{np.log2(largest):g} rows"
    flat = []
    for candidate, shape, answer in zip(candidates, shapes, answers, strict=True):
        flat.append(_shaped("answer to", candidate, shape, np.array(answer, dtype=np.float64, order="C")))
        if not magnitude(flat[-1]) < largest:
            raise PrivacyError(rule(f"answer to {candidate}", "its sum", must_be))
    biases = np.zeros(count) if bias is None else _numbers("bias", bias, count)
    if not (np.abs(biases) < largest).all():
        raise PrivacyError(rule("bias", "of a candidate", must_be))
    cells: tuple[Integers | None, ...] = (None,) * count
    if groups is not None:
        cells = tuple(_groups(*each) for each in zip(candidates, shapes, groups, strict=True))
    steps = np.rint(biases * GRID).astype(np.int64)
    return Scoring(answers=tuple(flat), weights=units, bias=steps, groups=cells)


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


def _shaped(name: str, candidate: Clique, shape: tuple[int, ...], table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if table.shape != shape:
        raise PrivacyError(rule(f"{name} {candidate}", table.shape, f"of shape {shape}"))
    return table.reshape(-1)


def _groups(candidate: Clique, shape: tuple[int, ...], groups: npt.ArrayLike | None) -> Integers | None:
    from pasteur.privacy.distances import are_groups

    if groups is None:
        return None
    raw = np.asarray(groups)
    if raw.dtype.kind not in "iu":
        raise PrivacyError(rule(f"groups of {candidate}", raw.dtype, "whole numbers"))
    flat = _shaped("groups of", candidate, shape, np.array(raw, dtype=np.int64, order="C"))
    if not are_groups(flat):
        raise PrivacyError(rule(f"groups of {candidate}", "one of them", "0 or more and under the number of cells"))
    return flat
