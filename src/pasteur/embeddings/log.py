"""Bins that widen geometrically, for heavy tails."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pasteur.embeddings._grid import Grid
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Log(Grid):
    """`{"type": "log", "bins"}` over `{"min", "max", "decimals"?, "null"?}`.

    Code 0 is min alone (often 0, the value of most rows). The other `bins - 1` codes cut (min, max] geometrically: in
    the value itself where min is positive, else in its distance from min. Where a geometric bin would be narrower than
    one value, it is one value wide. Null is the last code.
    """

    type: ClassVar[str] = "log"

    def __post_init__(self) -> None:
        """Refuse a single bin as well: min has one of its own."""
        super().__post_init__()
        if self.bins == 1:
            raise SchemaError(rule(f"{self.where} embedding.bins", self.bins, "at least 2: min has a bin of its own"))

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Step 0, then `start (stop / start)^(j / (bins - 1))` rounded down, each at least one step past the last."""
        shift = max(self.low, 0)
        start, stop, tail = shift + 1, shift + self.steps, self.bins - 1
        ideal = np.floor(np.geomspace(start, stop, tail + 1)).astype(np.int64)
        ideal[0], ideal[-1] = start, stop
        # Past the narrow bins by at least one step each: the running maximum of (ideal_j - j), plus j.
        rank = np.arange(tail + 1)
        return np.concatenate([[0], np.maximum.accumulate(ideal - rank) + rank - shift])
