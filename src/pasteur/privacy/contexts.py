"""`Context`: a candidate for what a target's distribution is to depend on, and its exact score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.sensitivity import GRID, SHARES

if TYPE_CHECKING:
    import numpy.typing as npt

    from pasteur.marginals import Clique
    from pasteur.privacy.noise import Integers

LARGEST = 2.0**31
"""A bias in units up to which scores are safe in int64; so they are with as many units in the data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """One candidate of `PrivateRows.choose_context`.

    Attributes:
        clique: what is counted: the known contexts, the new one, the target.
        context: group of each code of the new one, (codes,) using all of 0 .. k - 1; None: each its own.
        target: the same of the target.
        shares: what is expected of the target's groups given the known contexts: shaped by the sizes of those and the
            number of groups, 0 or more, summing to 1 at most along the last axis.
        bias: what noise alone would make of the score, in units.
    """

    clique: Clique
    context: npt.NDArray[np.intp] | None = None
    target: npt.NDArray[np.intp] | None = None
    shares: npt.NDArray[np.float64]
    bias: float = 0.0

    def checked(self, shape: tuple[int, ...]) -> Integers:
        """Give the shares as whole numbers, (known cells, groups), for a clique of `shape`.

        Raises:
            PrivacyError: they are no shares or of another shape, groups that are none, or a bias that is no number.
        """
        if len(shape) < 2:
            raise PrivacyError(rule("clique", self.clique, "of a context and a target, at least"))
        for name, codes, size in (("context", self.context, shape[-2]), ("target", self.target, shape[-1])):
            if codes is not None and (codes.shape != (size,) or codes.min() < 0 or not np.bincount(codes).all()):
                raise PrivacyError(rule(f"groups of the {name}", codes.shape, f"({size},), using all of 0 .. k - 1"))
        groups = shape[-1] if self.target is None else int(self.target.max()) + 1
        shares = np.asarray(self.shares, dtype=np.float64)
        if shares.shape != (*shape[:-2], groups):
            raise PrivacyError(rule("shares", shares.shape, f"of shape {(*shape[:-2], groups)}"))
        if not (np.isfinite(shares).all() and (shares >= 0).all()):
            raise PrivacyError(rule("shares", "one of them", "finite and 0 or more"))
        if not (math.isfinite(self.bias) and abs(self.bias) < LARGEST):
            raise PrivacyError(rule("bias", self.bias, f"finite and under {LARGEST:g}"))
        steps = np.floor(shares.reshape(-1, groups) * SHARES).astype(np.int64)
        if (steps.sum(axis=1) > SHARES).any():
            # Sums of floats may pass 1 by a little: what is above is taken off, which the bound rests on.
            steps = steps * SHARES // np.maximum(steps.sum(axis=1, keepdims=True), SHARES)
        return steps

    def score(self, means: Integers, shares: Integers) -> int:
        """Give the score, in steps of 2^-30 units.

        Args:
            means: the clique's table, in steps of 2^-10.
            shares: as `checked` gave them.
        """
        table = means.reshape(-1, *means.shape[-2:])
        table = folded(folded(table, 1, self.context), 2, self.target)
        expected = table.sum(axis=2, keepdims=True) * shares[:, None, :]
        return int(np.abs(table * SHARES - expected).sum()) - round(self.bias * GRID * SHARES)


def folded(table: Integers, axis: int, codes: npt.NDArray[np.intp] | None) -> Integers:
    """Sum the cells of each group along one axis."""
    if codes is None:
        return table
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    summed: Integers = np.add.reduceat(table.take(order, axis), starts, axis)
    return summed
