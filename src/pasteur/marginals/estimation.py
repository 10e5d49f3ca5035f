"""Mirror descent: the potentials whose distribution fits noisy marginals (McKenna, Sheldon, Miklau 2019, algorithm 2).

Minimises L(p) = 1/2 sum over measurements |N p_m - y|^2 / sigma^2, weights squared, as the likelihood of Gaussian
noise has them. Started from no potentials it ends at the distribution of most entropy among those that fit as well.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals.inference import Array, Calibrated, Propagation
    from pasteur.marginals.measurement import Measurement

GROWTH, SHRINK = 1.25, 0.5
"""The step after one that was accepted, and after one that was not."""

RESTART = 4.0
"""The step that a new fit begins with, in steps that the last one ended with: new measurements bend the loss anew."""

FLOOR = 1 / 64
"""Sigmas that a cell counts for at least where potentials begin at the noisy counts' own logarithms."""

SMALL = 1e-9
"""A step this much under the one that theory allows no longer moves anything: the fit is exact."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When fitting ends. Noise is fitted last, so that going on makes a model worse, not only slower.

    Raises:
        ValueError: a number out of its range.
    """

    iterations: int = 300
    """At most this many propagations; 1 or more. 300 for a last fit and 100 for those between lose nothing."""
    progress: float = 3e-4
    """A step is slow when it lowers the loss by less than this share of cells/2, what noise alone leaves; 0 or more."""
    patience: int = 8
    """Fitting ends after this many slow steps in a row; 1 or more."""

    def __post_init__(self) -> None:
        """Check."""
        if self.iterations < 1:
            raise ValueError(rule("iterations", self.iterations, "1 or more"))
        if not self.progress >= 0:
            raise ValueError(rule("progress", self.progress, "0 or more"))
        if self.patience < 1:
            raise ValueError(rule("patience", self.patience, "1 or more"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """Where mirror descent ended: potentials a measurement, their distribution, the loss, and the last step size."""

    potentials: tuple[Array, ...]
    calibrated: Calibrated
    loss: float
    step: float


def fit(
    propagation: Propagation,
    measurements: Sequence[Measurement],
    *,
    total: float,
    potentials: Sequence[Array],
    step: float | None,
    stop: Stop,
) -> Fit:
    """Fit potentials to `measurements`, one each, in the order of the propagation's cliques.

    A step is accepted when the loss falls by half of what its slope promised; it then grows by a quarter, else it
    halves. So each accepted step lowers the loss, and the step size needs no constant of the problem.

    Args:
        propagation: of the measurements' cliques.
        measurements: what to fit.
        total: N, above 0.
        potentials: to start from; zeros, or those of an earlier fit.
        step: the last of an earlier fit, to begin near; None: begin with the one that is safe for any distribution.
        stop: when to end.
    """
    precise = np.array([1 / measured.sigma**2 for measured in measurements])
    targets = [np.asarray(measured.values, dtype=np.float64) for measured in measurements]
    safe = 1.0 / (total**2 * float(precise.sum())) if measurements else 1.0
    size = safe if step is None else max(safe, RESTART * step)
    current = [np.array(table, dtype=np.float64) for table in potentials]
    calibrated = propagation.calibrate(current)
    answers = propagation.project(calibrated)
    loss, slopes = _loss(answers, targets, precise, total)
    slow, noise = 0, 0.5 * sum(target.size for target in targets)
    for _ in range(stop.iterations - 1):
        if slow >= stop.patience or size < safe * SMALL:
            break
        proposed = [table - size * slope for table, slope in zip(current, slopes, strict=True)]
        there = propagation.calibrate(proposed)
        reached = propagation.project(there)
        lower, next_slopes = _loss(reached, targets, precise, total)
        promised = sum(float(np.vdot(s, a - b)) for s, a, b in zip(slopes, answers, reached, strict=True))
        if loss - lower < 0.5 * promised or not lower <= loss:
            size *= SHRINK
            continue
        slow = slow + 1 if loss - lower <= stop.progress * noise else 0
        current, calibrated, answers, loss, slopes = proposed, there, reached, lower, next_slopes
        size *= GROWTH
    return Fit(potentials=tuple(current), calibrated=calibrated, loss=loss, step=size)


def _loss(
    answers: Sequence[Array], targets: Sequence[Array], precise: Array, total: float
) -> tuple[float, list[Array]]:
    """L, and its slope by each measured probability."""
    gaps = [total * answer - target for answer, target in zip(answers, targets, strict=True)]
    loss = 0.5 * sum(weight * float(np.vdot(gap, gap)) for weight, gap in zip(precise, gaps, strict=True))
    return loss, [total * weight * gap for weight, gap in zip(precise, gaps, strict=True)]


def beginnings(measurements: Sequence[Measurement], total: float) -> list[Array]:
    """Give potentials to begin with: zeros; but where no other measurement shares an attribute, log of the shares.

    For those, that is next to the answer, which mirror descent would take hundreds of steps to reach.
    """
    uses = Counter(name for measured in measurements for name in measured.clique)
    begun: list[Array] = []
    for measured in measurements:
        apart = all(uses[name] == 1 for name in measured.clique)
        floored = np.maximum(measured.values, FLOOR * measured.sigma) / total
        begun.append(np.log(floored) if apart else np.zeros(np.shape(measured.values)))
    return begun


def total_of(measurements: Sequence[Measurement]) -> float:
    """Give the number of rows: the mean of each measurement's sum, weighted by its inverse variance cells * sigma^2.

    At least 1, so that a model of a table without rows is as good as any other; 1 where nothing was measured.
    """
    if not measurements:
        return 1.0
    weights = np.array([1 / (np.size(measured.values) * measured.sigma**2) for measured in measurements])
    sums = np.array([float(np.sum(measured.values)) for measured in measurements])
    return max(1.0, float(weights @ sums / weights.sum()))
