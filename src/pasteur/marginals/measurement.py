"""`Measurement`: noisy counts of one clique, the only form in which data reaches a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """Counts of `clique` with noise.

    Attributes:
        clique: the attributes counted.
        values: expected rows a cell, shape = the clique's sizes; noise may have made some negative.
        sigma: standard deviation of the noise of a cell, in rows.

    Raises:
        ValueError: an attribute comes twice, axes do not match the clique, or sigma is not finite and above 0.
    """

    clique: Clique
    values: NDArray[np.generic]
    sigma: float

    def __post_init__(self) -> None:
        """Check."""
        if len(set(self.clique)) != len(self.clique):
            raise ValueError(rule("clique", self.clique, "different attributes"))
        axes = np.ndim(self.values)
        if axes != len(self.clique):
            raise ValueError(rule("axes of values", axes, f"as many as the clique's {len(self.clique)}"))
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise ValueError(rule("sigma", self.sigma, "finite and above 0"))
