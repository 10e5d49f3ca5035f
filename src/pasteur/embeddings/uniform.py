"""Bins of equal width between declared bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pasteur.embeddings._grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Uniform(Grid):
    """`{"type": "uniform", "bins"}` over `{"min", "max", "decimals"?, "null"?}`.

    `bins` runs of equally many values, give or take one; decimals default to 0; null is the last code.
    """

    type: ClassVar[str] = "uniform"

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Bin b starts at ceil(b steps / bins), in whole numbers."""
        return np.array([-(-b * self.steps // self.bins) for b in range(self.bins + 1)], dtype=np.int64)

    def locate(self, steps: NDArray[np.int64]) -> NDArray[Any]:
        """The bin of each step: floor(step bins / steps), which agrees with `edges`."""
        if self.bins * self.steps < 2**63:
            return steps * self.bins // self.steps
        return super().locate(steps)
