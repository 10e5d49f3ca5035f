"""Distances between two samples, in numpy alone: importing scipy.stats takes longer than all of this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def wasserstein(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Wasserstein-1 of two samples: the area between their empirical distribution functions.

    Args:
        a: (n,) finite values, n at least 1.
        b: (m,) finite values, m at least 1.
    """
    a, b = np.sort(a), np.sort(b)
    points = np.concatenate([a, b])
    points.sort(kind="mergesort")
    left = np.searchsorted(a, points[:-1], side="right") / a.size
    right = np.searchsorted(b, points[:-1], side="right") / b.size
    return float(np.sum(np.abs(left - right) * np.diff(points)))


def pooled_range(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """p99 - p1 of the two samples pooled, each side weighing one half whatever its size.

    A quantile is the smallest value whose share of the pool is at least that much, so that repeating a side's rows
    changes nothing.
    """
    values = np.concatenate([a, b])
    weights = np.concatenate([np.full(a.size, 0.5 / a.size), np.full(b.size, 0.5 / b.size)])
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    # A sum of many weights ends a few ulps off its share.
    low, high = np.searchsorted(reached, [0.01 - 1e-9, 0.99 - 1e-9])
    return float(values[order[min(high, values.size - 1)]] - values[order[low]])


def scaled_wasserstein(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """min(1, W1 / (p99 - p1)), in [0, 1]; NaNs are left out. Where p99 = p1: 0 for equal samples, else 1.

    An infinite value counts as lying one p99 - p1 beyond the farthest finite value on its side. One empty sample: 1,
    two: 0.
    """
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not a.size or not b.size:
        return float(a.size != b.size)
    # Scaled first: the difference of two finite doubles may overflow.
    finite = np.abs(np.concatenate([a, b]))
    scale = float(np.max(finite, where=np.isfinite(finite), initial=0.0)) or 1.0
    a, b = _finite(a / scale, b / scale)
    distance, width = wasserstein(a, b), pooled_range(a, b)
    if width <= 0:
        return float(distance > 0)
    return min(1.0, distance / width)


def _finite(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The samples with infinities moved to one pooled range beyond the finite values."""
    kept, other = a[np.isfinite(a)], b[np.isfinite(b)]
    if kept.size == a.size and other.size == b.size:
        return a, b
    finite = np.concatenate([kept, other])
    if not finite.size:
        return np.sign(a), np.sign(b)
    width = pooled_range(kept, other) if kept.size and other.size else float(np.ptp(finite))
    step = width if width > 0 else 1.0
    high, low = finite.max() + step, finite.min() - step
    moved = [np.where(np.isposinf(x), high, np.where(np.isneginf(x), low, x)) for x in (a, b)]
    return moved[0], moved[1]
