"""`sax`: a channel's mean over each of a few stretches. For comparison: `linear` loses less with as many columns.

Piecewise aggregates (Lin, Keogh, Wei, Lonardi 2007, "Experiencing SAX", section 3), on levels of the declared range
instead of those of a series that was standardised by its own mean and deviation, which would have to be kept as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pasteur.compressors.linear import Linear

if TYPE_CHECKING:
    from pasteur.compressors import Floats


@dataclass(frozen=True, kw_only=True)
class Sax(Linear):
    """`{"type": "sax", "segments": 3, "levels": 8}`: as `linear`, on stretches where each step counts the same."""

    type: ClassVar[str] = "sax"

    @staticmethod
    def basis(steps: int, knots: int) -> Floats:
        """(steps + 1 lengths, steps, stretches): 1 where a step lies in a stretch of a series of each length."""
        found = np.zeros((steps + 1, steps, knots))
        for length in range(1, steps + 1):
            step = np.arange(length)
            found[length, step, step * knots // length] = 1.0
        return found
