"""Discrete Gaussian and discrete Laplace noise on int64, sampled exactly: integers and random bits, never a float.

Floating-point noise leaks through its low bits (Mironov 2012), so no probability here is ever computed: each is
reached by accepting and rejecting uniform integers (`kernels`). One sampler serves calls of every size: opendp's, with
which tests compare it, is exact as well but takes 0.3 s to import, which is more than all the noise of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pasteur.privacy import grid
from pasteur.privacy.entropy import Entropy, drawn

if TYPE_CHECKING:
    from pasteur.privacy.budget import Scale, Sigma

Integers = npt.NDArray[np.int64]


def gaussian(size: int, sigma: Sigma, entropy: Entropy) -> Integers:
    """Draw `size` independent discrete Gaussians of scale `sigma`: P[X = x] proportional to exp(-x^2 / (2 sigma^2)).

    The scale is rounded up to 30 bits (`grid.up`), so the noise is never less than asked.

    Returns:
        (size,) int64.
    """
    from pasteur.privacy import kernels  # numba loads in half a second, which --help need not pay

    top, bottom = grid.fraction(sigma)
    return drawn(entropy, size, 24, lambda words, at, out: kernels.gaussian(words, at, out, top, bottom))


def laplace(size: int, scale: Scale, entropy: Entropy) -> Integers:
    """Draw `size` independent discrete Laplace values: P[X = x] proportional to exp(-|x| / scale).

    The scale is rounded up to 30 bits (`grid.up`), so the noise is never less than asked.

    Returns:
        (size,) int64.
    """
    from pasteur.privacy import kernels

    top, bottom = grid.fraction(scale)
    return drawn(entropy, size, 12, lambda words, at, out: kernels.laplace(words, at, out, top, bottom))
