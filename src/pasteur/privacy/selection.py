"""The exponential mechanism on int64 scores, sampled exactly by rejection: whole numbers and random bits only."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.entropy import Entropy, drawn

if TYPE_CHECKING:
    import numpy.typing as npt

    from pasteur.privacy.events import ExponentialChoice

BITS = 128
"""Fraction bits of a score's exponent."""
WORD = (1 << 64) - 1
CERTAIN = 1 << 62
"""Whole part of an exponent above which all are equal: nobody waits for so many coins to fall on one side."""


def choose(scores: npt.NDArray[np.int64], event: ExponentialChoice, entropy: Entropy) -> int:
    """Choose index i with probability proportional to exp(epsilon scores[i] / (2 sensitivity)).

    McSherry, Talwar 2007. A uniform candidate is kept with probability exp(-epsilon (best - score) / (2 sensitivity)),
    else another one is drawn: at most `len(scores)` rounds are expected, a few coins each, and nothing is rounded but
    epsilon / (2 sensitivity) once, down to a multiple of 2^-128.

    Args:
        scores: (candidates,) int64, on the grid of the event's sensitivity, no two 2^63 apart or more.
        event: epsilon and sensitivity, both taken as the exact fractions that these floats are.
        entropy: source of bits.

    Raises:
        PrivacyError: there is no candidate, or the scores are not int64.
    """
    from pasteur.privacy import kernels  # numba loads in half a second, which --help need not pay

    if scores.ndim != 1 or len(scores) == 0 or scores.dtype.name != "int64":
        raise PrivacyError(rule("scores", f"{scores.dtype} {scores.shape}", "int64, one for each candidate, 1 or more"))
    rate = int(Fraction(event.epsilon) / (2 * Fraction(event.sensitivity)) * 2**BITS)
    best = int(scores.max())
    exponents = [(best - score) * rate for score in scores.tolist()]
    whole = np.array([min(exponent >> BITS, CERTAIN) for exponent in exponents], dtype=np.int64)
    high = np.array([exponent >> 64 & WORD for exponent in exponents], dtype=np.uint64)
    low = np.array([exponent & WORD for exponent in exponents], dtype=np.uint64)
    index = drawn(entropy, 1, 256, lambda words, at, out: kernels.choose(words, at, out, whole, high, low))
    return int(index[0])
