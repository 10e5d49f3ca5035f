"""What happened to the data: the ledger stores these, never numbers that somebody worked out from them.

The event that is charged is the very object that the mechanism then runs on (`noise`, `selection`), so that what was
paid for and what was done cannot drift apart.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pasteur.errors import PrivacyError, near_miss, rule
from pasteur.privacy import grid
from pasteur.privacy.budget import Epsilon, Quantity, Scale, Sensitivity, Sigma, checked

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class DiscreteGaussian:
    """Discrete Gaussian noise on an integer vector (Canonne, Kamath, Steinke 2020, definition 1).

    Attributes:
        sigma: scale of the noise, in steps of the integer grid.
        sensitivity: L2 distance that one unit can move the exact vector, in the same steps.
    """

    sigma: Sigma
    sensitivity: Sensitivity

    def __post_init__(self) -> None:
        """Refuse a scale or a sensitivity that is missing, 0, negative, NaN or infinite, and a scale over 2^40."""
        object.__setattr__(self, "sigma", checked(Sigma, "sigma", self.sigma))
        grid.up(self.sigma)
        object.__setattr__(self, "sensitivity", checked(Sensitivity, "sensitivity", self.sensitivity))


@dataclass(frozen=True, kw_only=True)
class DiscreteLaplace:
    """Discrete Laplace noise on an integer vector: (sensitivity / scale)-DP.

    Attributes:
        scale: of the noise, in steps of the integer grid.
        sensitivity: L1 distance that one unit can move the exact vector, in the same steps.
    """

    scale: Scale
    sensitivity: Sensitivity

    def __post_init__(self) -> None:
        """Refuse a scale or a sensitivity that is missing, 0, negative, NaN or infinite, and a scale over 2^40."""
        object.__setattr__(self, "scale", checked(Scale, "scale", self.scale))
        grid.up(self.scale)
        object.__setattr__(self, "sensitivity", checked(Sensitivity, "sensitivity", self.sensitivity))

    @property
    def sd(self) -> float:
        """Standard deviation of the noise, in the same steps."""
        ratio = math.exp(-1 / float(self.scale))
        return math.sqrt(2 * ratio) / (1 - ratio)


@dataclass(frozen=True, kw_only=True)
class ExponentialChoice:
    """A choice with probability proportional to exp(epsilon score / (2 sensitivity)) (McSherry, Talwar 2007).

    Attributes:
        epsilon: of the choice: it is epsilon-DP.
        sensitivity: how far one unit can move any score, in steps of the scores' integer grid.
    """

    epsilon: Epsilon
    sensitivity: Sensitivity

    def __post_init__(self) -> None:
        """Refuse an epsilon or a sensitivity that is missing, 0, negative, NaN or infinite."""
        object.__setattr__(self, "epsilon", checked(Epsilon, "epsilon", self.epsilon))
        object.__setattr__(self, "sensitivity", checked(Sensitivity, "sensitivity", self.sensitivity))


@dataclass(frozen=True, kw_only=True)
class SubsampledGaussian:
    """Steps of DP-SGD: each unit takes part with probability q, and what they add up to gets Gaussian noise.

    The only noise here that is not exact: it is drawn in floating point (Abadi et al. 2016; `sgd`).

    Attributes:
        sigma: scale of the noise on each coordinate of the sum.
        sensitivity: L2 norm to which each unit's contribution is clipped, in the same unit as sigma.
        q: probability with which each unit, independently of all others, takes part in a step.
        steps: how many there are.
    """

    sigma: Sigma
    sensitivity: Sensitivity
    q: float
    steps: int

    def __post_init__(self) -> None:
        """Refuse a scale or a sensitivity that is missing, 0, negative, NaN or infinite; a q or steps out of range."""
        object.__setattr__(self, "sigma", checked(Sigma, "sigma", self.sigma))
        object.__setattr__(self, "sensitivity", checked(Sensitivity, "sensitivity", self.sensitivity))
        if isinstance(self.q, (bool, Quantity)) or not isinstance(self.q, (int, float)) or not 0 < self.q <= 1:
            raise PrivacyError(rule("q", self.q, "a probability above 0"))
        if isinstance(self.steps, bool) or not float(self.steps).is_integer() or self.steps < 1:
            raise PrivacyError(rule("steps", self.steps, "a whole number of at least 1"))
        object.__setattr__(self, "steps", int(self.steps))


Event = DiscreteGaussian | DiscreteLaplace | ExponentialChoice | SubsampledGaussian

EVENTS: dict[str, type[Event]] = {
    "discrete_gaussian": DiscreteGaussian,
    "discrete_laplace": DiscreteLaplace,
    "exponential_choice": ExponentialChoice,
    "subsampled_gaussian": SubsampledGaussian,
}
NAMES = {kind: name for name, kind in EVENTS.items()}


def to_dict(event: Event) -> dict[str, Any]:
    """Give the event as JSON values: its name under "event", then its fields."""
    return {"event": NAMES[type(event)]} | {key: float(value) for key, value in asdict(event).items()}


def from_dict(raw: Mapping[str, Any]) -> Event:
    """Read what `to_dict` gave.

    Raises:
        PrivacyError: an event of no known name.
    """
    fields = dict(raw)
    name = str(fields.pop("event", ""))
    if name not in EVENTS:
        message = f"event '{name}' is not known{near_miss(name, EVENTS)}"
        raise PrivacyError(message)
    return EVENTS[name](**fields)
