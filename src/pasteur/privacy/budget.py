"""Quantities of privacy, each a type of its own, and the budget of one release.

A rho passed where a sigma is meant is a leak that no test of the output notices. So each kind is a class: the type
checker refuses a mix-up, and so does `checked` at run time. Arithmetic gives plain floats, which must be named again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from pasteur.errors import ConfigError, PrivacyError, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

Relation = Literal["add_remove", "replace"]
RELATIONS: tuple[Relation, ...] = ("add_remove", "replace")
LEAST_EPSILON = 1e-8
"""Under this the curves lose more digits than their margin gives back; no data set is large enough for less."""


class Quantity(float):
    """A positive number of one kind. Units are those of the kind; plain floats are of no kind."""

    __slots__ = ()


class Epsilon(Quantity):
    """Log-ratio of probabilities: of an (epsilon, delta) claim, or of one choice."""


class Rho(Quantity):
    """The currency that adds up: rho of zCDP, or mu^2/2 of Gaussian DP (which bounds it)."""


class Mu(Quantity):
    """Distance of the two normals that are as hard to tell apart (Dong, Roth, Su 2022, definition 2.6)."""


class Sigma(Quantity):
    """Scale of a discrete Gaussian, in units of the integer grid that the noise lives on."""


class Scale(Quantity):
    """Scale of a discrete Laplace, in units of the integer grid that the noise lives on."""


class Sensitivity(Quantity):
    """How far one privacy unit can move an exact answer, in units of that answer's integer grid."""


Kind = TypeVar("Kind", bound=Quantity)


def checked(kind: type[Kind], name: str, value: object) -> Kind:
    """Give `value` as a `kind`: a finite number above 0 that is not of another kind.

    Raises:
        PrivacyError: it is None, 0, negative, NaN or infinite, or a quantity of another kind.
    """
    if isinstance(value, Quantity) and not isinstance(value, kind):
        raise PrivacyError(rule(name, repr(value), f"of kind {kind.__name__}, not {type(value).__name__}"))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise PrivacyError(rule(name, value, "finite and above 0"))
    return kind(value)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one release may spend, and on whose behalf.

    Attributes:
        epsilon: finite, 1e-8 or more.
        delta: inside (0, 1).
        relation: what neighbouring data sets are: "add_remove" one unit, or "replace" one by another.
        unit: what a unit is, in words: "person", "patient".
    """

    epsilon: float
    delta: float = 1e-9
    relation: Relation = "add_remove"
    unit: str = "person"

    def __post_init__(self) -> None:
        """Refuse what is no budget."""
        if not _number(self.epsilon) or not 0 < self.epsilon < math.inf:
            raise ConfigError(rule("epsilon", self.epsilon, "finite and above 0"))
        if self.epsilon < LEAST_EPSILON:
            raise ConfigError(rule("epsilon", self.epsilon, f"{LEAST_EPSILON:g} or more"))
        if not _number(self.delta) or not 0 < self.delta < 1:
            raise ConfigError(rule("delta", self.delta, "inside (0, 1)"))
        if self.relation not in RELATIONS:
            raise ConfigError(rule("relation", self.relation, f"one of {', '.join(RELATIONS)}"))
        if not self.unit:
            raise ConfigError(rule("unit", repr(self.unit), "a word for what a unit is, like person"))

    def to_dict(self) -> dict[str, object]:
        """Give the four fields as JSON values."""
        return {"epsilon": self.epsilon, "delta": self.delta, "relation": self.relation, "unit": self.unit}

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> Budget:
        """Read what `to_dict` gave."""
        return cls(**raw)  # type: ignore[arg-type]


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
