"""The one seam through which every noisy answer leaves: an exact answer and the event that was charged for it.

Nothing else in Pasteur may look at an exact answer. A test puts a recorder here to see every question, its shape, its
charge and its exact answer, and to give the frozen answers of another run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.privacy import noise, selection
from pasteur.privacy.entropy import Entropy, SeededEntropy, SystemEntropy, words
from pasteur.privacy.ledger import NOT_PRIVATE

if TYPE_CHECKING:
    import numpy.typing as npt

    from pasteur.privacy.events import DiscreteGaussian, DiscreteLaplace, ExponentialChoice, SubsampledGaussian
    from pasteur.privacy.noise import Integers

    Floats = npt.NDArray[np.float64]


class Mechanisms(Protocol):
    """Answers an event that has been charged."""

    @property
    def stamps(self) -> tuple[str, ...]:
        """Warnings that every claim on these answers must carry."""

    def gaussian(self, exact: Integers, event: DiscreteGaussian) -> Integers:
        """`exact` (any shape, int64) plus discrete Gaussian noise of the event's sigma: same shape, int64."""

    def laplace(self, exact: Integers, event: DiscreteLaplace) -> Integers:
        """`exact` (any shape, int64) plus discrete Laplace noise of the event's scale: same shape, int64."""

    def choose(self, scores: Integers, event: ExponentialChoice) -> int:
        """An index into `scores` ((candidates,) int64), by the exponential mechanism."""

    def taking_part(self, units: int, event: SubsampledGaussian) -> npt.NDArray[np.bool_]:
        """Which of the units take part in a step, each independently with the event's q: (units,) bool."""

    def step(self, exact: Floats, event: SubsampledGaussian) -> Floats:
        """`exact` ((k,) float64) plus Gaussian noise of the event's sigma, in floating point: same shape."""


class ExactMechanisms:
    """The real ones, on bits of the operating system.

    Args:
        debug_seed: makes the noise repeatable, and every claim void.
    """

    def __init__(self, *, debug_seed: int | None = None) -> None:
        self._entropy: Entropy = SystemEntropy() if debug_seed is None else SeededEntropy(debug_seed)
        self._stamps = () if debug_seed is None else (f"{NOT_PRIVATE}: noise from debug_seed {debug_seed}",)

    @property
    def stamps(self) -> tuple[str, ...]:
        """NOT PRIVATE where the noise has a seed."""
        return self._stamps

    def gaussian(self, exact: Integers, event: DiscreteGaussian) -> Integers:
        """`exact` plus exact discrete Gaussian noise.

        Raises:
            PrivacyError: `exact` is not int64.
        """
        return _counts(exact) + noise.gaussian(exact.size, event.sigma, self._entropy).reshape(exact.shape)

    def laplace(self, exact: Integers, event: DiscreteLaplace) -> Integers:
        """`exact` plus exact discrete Laplace noise.

        Raises:
            PrivacyError: `exact` is not int64.
        """
        return _counts(exact) + noise.laplace(exact.size, event.scale, self._entropy).reshape(exact.shape)

    def choose(self, scores: Integers, event: ExponentialChoice) -> int:
        """Exact exponential mechanism."""
        return selection.choose(scores, event, self._entropy)

    def taking_part(self, units: int, event: SubsampledGaussian) -> npt.NDArray[np.bool_]:
        """Poisson sampling with q rounded down to multiples of 2^-64: the number of units is binomial (D13)."""
        if event.q == 1:
            return np.ones(units, dtype=bool)
        chosen: npt.NDArray[np.bool_] = words(self._entropy, units) < np.uint64(int(event.q * 2.0**64))
        return chosen

    def step(self, exact: Floats, event: SubsampledGaussian) -> Floats:
        """`exact` plus normal quantiles of the middles of 2^53 equal intervals.

        Raises:
            PrivacyError: `exact` is not float64.
        """
        if exact.dtype != np.float64:
            raise PrivacyError(rule("exact sum", exact.dtype, "float64"))
        from scipy.special import ndtri  # 0.1 s that --help need not pay

        uniform = ((words(self._entropy, exact.size) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
        noisy: Floats = exact + float(event.sigma) * ndtri(uniform).reshape(exact.shape)
        return noisy


def _counts(exact: Integers) -> Integers:
    if exact.dtype != np.int64:
        raise PrivacyError(rule("exact answer", exact.dtype, "int64: noise goes on whole counts only"))
    return exact
