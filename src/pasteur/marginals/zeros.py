"""`Zeros`: cells that cannot be. Public knowledge, such as a level's bin being a function of the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique


@dataclass(frozen=True, eq=False)
class Zeros:
    """Structural zeros of `clique`: a cell where `possible` is False has probability 0 exactly.

    Attributes:
        clique: the attributes.
        possible: which cells may be, shape = the clique's sizes.

    Raises:
        ValueError: an attribute comes twice, `possible` is not boolean, or its axes do not match the clique.
    """

    clique: Clique
    possible: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check."""
        if len(set(self.clique)) != len(self.clique):
            raise ValueError(rule("clique of zeros", self.clique, "different attributes"))
        if self.possible.dtype != np.bool_:
            raise ValueError(rule(f"possible cells of {self.clique}", self.possible.dtype, "booleans"))
        if self.possible.ndim != len(self.clique):
            must_be = f"as many as the clique's {len(self.clique)}"
            raise ValueError(rule(f"axes of the possible cells of {self.clique}", self.possible.ndim, must_be))

    @property
    def potential(self) -> NDArray[np.float64]:
        """Logarithms of what may be: 0, and -inf where nothing may."""
        return np.where(self.possible, 0.0, -np.inf)
