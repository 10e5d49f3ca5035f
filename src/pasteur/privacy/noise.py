"""Discrete Gaussian and discrete Laplace noise on int64, sampled exactly: integers and random bits, never a float.

Floating-point noise leaks through its low bits (Mironov 2012), so no probability here is ever computed: each is
reached by accepting and rejecting uniform integers. Small calls go to opendp, large ones to the vectorised sampler.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pasteur.privacy import grid
from pasteur.privacy.entropy import Entropy, SystemEntropy, below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pasteur.privacy.budget import Scale, Sigma

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SMALL = 64
"""Draws up to which opendp serves: there it takes a few milliseconds at most, above it the vectorised sampler wins."""
BLOCK = 1 << 18
"""Proposals drawn at a time at most: keeps the memory of one call under 40 MB."""


def gaussian(size: int, sigma: Sigma, entropy: Entropy) -> Integers:
    """Draw `size` independent discrete Gaussians of scale `sigma`: P[X = x] proportional to exp(-x^2 / (2 sigma^2)).

    The scale is rounded up to 30 bits (`grid.up`), so the noise is never less than asked.

    Returns:
        (size,) int64.
    """
    if size <= SMALL and isinstance(entropy, SystemEntropy):
        return _opendp("gaussian", size, grid.up(sigma))
    top, bottom = grid.fraction(sigma)
    return _collect(size, 2.6, lambda count: _gaussian_proposals(count, top, bottom, entropy))


def laplace(size: int, scale: Scale, entropy: Entropy) -> Integers:
    """Draw `size` independent discrete Laplace values: P[X = x] proportional to exp(-|x| / scale).

    The scale is rounded up to 30 bits (`grid.up`), so the noise is never less than asked.

    Returns:
        (size,) int64.
    """
    if size <= SMALL and isinstance(entropy, SystemEntropy):
        return _opendp("laplace", size, grid.up(scale))
    top, bottom = grid.fraction(scale)
    return _collect(size, 1.8, lambda count: _laplace_proposals(count, top, bottom, entropy))


def bernoulli_exp(factors: Sequence[tuple[Integers, int]], entropy: Entropy) -> Flags:
    """Bernoulli(exp(-g)) for g the product of fractions top / bottom, each in [0, 1], exactly.

    Canonne, Kamath, Steinke 2020, algorithm 1: draw Bernoulli(g / 1), Bernoulli(g / 2), ... until one fails; the
    answer is whether an odd one was the first to fail. A product's Bernoulli is the conjunction of its factors'.

    Args:
        factors: pairs of tops, (n,) int64, and one bottom.
        entropy: source of bits.

    Returns:
        (n,) bool.
    """
    odd = np.ones(len(factors[0][0]), dtype=bool)
    alive = np.arange(len(odd))
    k = 1
    while len(alive):
        for number, (tops, bottom) in enumerate(factors):
            bounds = np.full(len(alive), bottom * (k if number == 0 else 1), dtype=np.uint64)
            alive = alive[below(entropy, bounds).astype(np.int64) < tops[alive]]
        k += 1
        odd[alive] = k % 2 == 1
    return odd


def _gaussian_proposals(count: int, top: int, bottom: int, entropy: Entropy) -> Integers:
    """Those of `count` proposals that are accepted. Karney 2016, algorithm D, for mean 0 and sigma = top / bottom.

    A value is written sigma (k + x) with whole k and x in [0, 1): k has density exp(-k^2 / 2), x what is left of
    exp(-(k + x)^2 / 2). x is kept as the integer a = x top.
    """
    half = np.ones(count, dtype=np.int64)
    k = _geometric(half, 2, entropy)
    keep = _repeated(k * (k - 1), [(half, 2)], entropy)
    k = k[keep]
    first = -(-k * top // bottom)
    steps = np.full(len(k), -(-top // bottom), dtype=np.uint64)
    value = first + below(entropy, steps).astype(np.int64)
    a = value * bottom - k * top
    negative = below(entropy, np.full(len(k), 2, dtype=np.uint64)) == 1
    inside = (a < top) & ~(negative & (value == 0))
    k, a, value, negative = k[inside], a[inside], value[inside], negative[inside]
    accepted = _repeated(k, [(a, top)], entropy)
    a, value, negative = a[accepted], value[accepted], negative[accepted]
    accepted = bernoulli_exp([(a, top), (a, top), (np.ones(len(a), dtype=np.int64), 2)], entropy)
    drawn: Integers = np.where(negative, -value, value)[accepted]
    return drawn


def _laplace_proposals(count: int, top: int, bottom: int, entropy: Entropy) -> Integers:
    """Those of `count` proposals that are accepted. Canonne, Kamath, Steinke 2020, algorithm 2, t = top, s = bottom."""
    u = below(entropy, np.full(count, top, dtype=np.uint64)).astype(np.int64)
    u = u[bernoulli_exp([(u, top)], entropy)]
    v = _geometric(np.ones(len(u), dtype=np.int64), 1, entropy)
    value = (u + top * v) // bottom
    negative = below(entropy, np.full(len(u), 2, dtype=np.uint64)) == 1
    drawn: Integers = np.where(negative, -value, value)[~(negative & (value == 0))]
    return drawn


def _geometric(tops: Integers, bottom: int, entropy: Entropy) -> Integers:
    """How many Bernoulli(exp(-tops / bottom)) succeed before the first that fails: (n,) int64."""
    count = np.zeros(len(tops), dtype=np.int64)
    alive = np.arange(len(tops))
    while len(alive):
        alive = alive[bernoulli_exp([(tops[alive], bottom)], entropy)]
        count[alive] += 1
    return count


def _repeated(times: Integers, factors: Sequence[tuple[Integers, int]], entropy: Entropy) -> Flags:
    """Whether all of `times[i]` draws of Bernoulli(exp(-factors[i])) succeed: (n,) bool."""
    good = np.ones(len(times), dtype=bool)
    alive = np.flatnonzero(times > 0)
    done = 0
    while len(alive):
        success = bernoulli_exp([(tops[alive], bottom) for tops, bottom in factors], entropy)
        good[alive[~success]] = False
        done += 1
        alive = alive[success]
        alive = alive[times[alive] > done]
    return good


def _collect(size: int, proposals: float, propose: Callable[[int], Integers]) -> Integers:
    """Accepted values until there are `size`; `proposals` is about how many one accepted value takes."""
    parts: list[Integers] = [np.zeros(0, dtype=np.int64)]
    missing = size
    while missing > 0:
        part = propose(min(BLOCK, int(missing * proposals) + 16))[:missing]
        parts.append(part)
        missing -= len(part)
    return np.concatenate(parts)


def _opendp(kind: str, size: int, scale: float) -> Integers:
    if size == 0:
        return np.zeros(0, dtype=np.int64)
    return np.array(_opendp_measurement(kind, scale)([0] * size), dtype=np.int64)


@lru_cache(maxsize=256)
def _opendp_measurement(kind: str, scale: float) -> Callable[[list[int]], list[int]]:
    # Imported here: 0.3 s that a run without private noise need not pay.
    from opendp import domains, measurements, metrics, mod

    mod.enable_features("contrib")
    space = domains.vector_domain(domains.atom_domain(T="i64"))
    if kind == "gaussian":
        made = measurements.make_gaussian(space, metrics.l2_distance(T="i64"), scale)
    else:
        made = measurements.make_laplace(space, metrics.l1_distance(T="i64"), scale)
    draw: Callable[[list[int]], list[int]] = made
    return draw
