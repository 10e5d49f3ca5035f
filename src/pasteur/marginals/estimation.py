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
from pasteur.marginals.descent import Limits, descend
from pasteur.marginals.layout import TARGETS, Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals.inference import Array, Propagation
    from pasteur.marginals.measurement import Measurement

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


def fit(
    propagation: Propagation,
    measurements: Sequence[Measurement],
    *,
    total: float,
    potentials: Sequence[Array],
    step: float | None,
    stop: Stop,
) -> tuple[tuple[Array, ...], float]:
    """Fit potentials to `measurements`, one each, in the order of the propagation's cliques.

    Measurements of the same attributes count as one, of their inverse-variance mean: the loss is the same up to a
    constant, and what each one's potential moved is known from how far its clique's probabilities were followed.

    Args:
        propagation: of the measurements' cliques.
        measurements: what to fit.
        total: N, above 0.
        potentials: to start from; zeros, or those of an earlier fit.
        step: the last of an earlier fit, to begin near; None: begin with the one that is safe for any distribution.
        stop: when to end.

    Returns:
        Potentials, one a measurement, and the size of a next step.

    Raises:
        ValueError: the propagation's zeros leave no cell that can be.
    """
    precise = [1 / measured.sigma**2 for measured in measurements]
    safe = 1.0 / (total**2 * sum(precise)) if measurements else 1.0
    size = safe if step is None else max(safe, RESTART * step)
    calibrated = propagation.calibrate(potentials)
    layout = Layout(propagation.tree, propagation.cliques)
    memory = np.zeros(layout.cells)
    for node, table, start in zip(propagation.tree.nodes, calibrated.tables, layout.nodes, strict=True):
        memory[start : start + table.size] = table.transpose(layout.axes(node.clique)).ravel()
    weights = _aim(layout, measurements, memory)
    noise = 0.5 * sum(np.size(measured.values) for measured in measurements)
    limits = Limits(float(safe * SMALL), stop.iterations - 1, float(stop.progress * noise), stop.patience)
    moved = np.zeros(layout.area)
    size, travelled = descend(layout.program(weights), memory, moved, float(total), float(size), limits)
    fitted: list[Array] = []
    for begun, measured, start, weight in zip(potentials, measurements, layout.starts, precise, strict=True):
        axes, values = layout.axes(measured.clique), np.asarray(measured.values, dtype=np.float64)
        shape = tuple(values.shape[axis] for axis in axes)
        followed = moved[start : start + values.size].reshape(shape).transpose(np.argsort(axes))
        fitted.append(begun - total * weight * (total * followed - travelled * values))
    return tuple(fitted), size


def _aim(layout: Layout, measurements: Sequence[Measurement], memory: Array) -> dict[int, float]:
    """Write the targets to memory, means of what was measured of the same attributes; give the weight of each."""
    weights: dict[int, float] = {}
    targets = memory[layout.area_of(TARGETS) :]
    for measured, start in zip(measurements, layout.starts, strict=True):
        values = np.asarray(measured.values, dtype=np.float64).transpose(layout.axes(measured.clique)).ravel()
        weight = 1 / measured.sigma**2
        weights[start] = weights.get(start, 0.0) + weight
        target = targets[start : start + values.size]
        target += weight / weights[start] * (values - target)
    return weights


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
