"""The exponential mechanism on int64 scores, sampled exactly by rejection: whole numbers and random bits only."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.entropy import Entropy, integer_below

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pasteur.privacy.events import ExponentialChoice


def choose(scores: npt.NDArray[np.int64], event: ExponentialChoice, entropy: Entropy) -> int:
    """Choose index i with probability proportional to exp(epsilon scores[i] / (2 sensitivity)).

    McSherry, Talwar 2007. A uniform candidate is kept with probability exp(-epsilon (best - score) / (2 sensitivity)),
    else another one is drawn: at most `len(scores)` rounds are expected, and nothing is rounded.

    Args:
        scores: (candidates,) int64, on the grid of the event's sensitivity.
        event: epsilon and sensitivity, both taken as the exact fractions that these floats are.
        entropy: source of bits.

    Raises:
        PrivacyError: there is no candidate, or the scores are not int64.
    """
    if scores.ndim != 1 or len(scores) == 0 or scores.dtype.name != "int64":
        raise PrivacyError(rule("scores", f"{scores.dtype} {scores.shape}", "int64, one for each candidate, 1 or more"))
    rate = Fraction(event.epsilon) / (2 * Fraction(event.sensitivity))
    best = int(scores.max())
    while True:
        index = integer_below(entropy, len(scores))
        if bernoulli_exp(rate * (best - int(scores[index])), entropy):
            return index


def bernoulli_exp(exponent: Fraction, entropy: Entropy) -> bool:
    """Bernoulli(exp(-exponent)) for any exponent of 0 or more (Canonne, Kamath, Steinke 2020, algorithm 1)."""
    whole = exponent.numerator // exponent.denominator
    for _ in range(whole):
        if not _below_one(Fraction(1), entropy):
            return False
    return _below_one(exponent - whole, entropy)


def _below_one(exponent: Fraction, entropy: Entropy) -> bool:
    k = 1
    while integer_below(entropy, exponent.denominator * k) < exponent.numerator:
        k += 1
    return k % 2 == 1
