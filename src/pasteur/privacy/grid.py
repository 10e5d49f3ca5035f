"""Scales as exact fractions: what a sampler in integers can run on, and what the ledger then says."""

from __future__ import annotations

import math
from fractions import Fraction

from pasteur.errors import PrivacyError, rule

BITS = 30
"""Significant bits of a scale: rounding up costs less than 2 parts in 10^9 of it, and products stay inside int64."""
LARGEST = 2.0**40
"""Above this, counts plus noise would no longer be safe in int64."""


def up(scale: float) -> float:
    """Round `scale` up to the next number of 30 significant bits, a multiple of 2^-30 and exact as a float.

    Raises:
        PrivacyError: it is above 2^40.
    """
    if not 0 < scale <= LARGEST:
        raise PrivacyError(rule("scale of the noise", scale, "above 0 and at most 2^40"))
    step = 2.0 ** max(math.frexp(scale)[1] - BITS, -BITS)
    return math.ceil(scale / step) * step


def fraction(scale: float) -> tuple[int, int]:
    """Numerator (at most 2^41) and denominator (at most 2^30, a power of 2) of `up(scale)`."""
    exact = Fraction(up(scale))
    return exact.numerator, exact.denominator
