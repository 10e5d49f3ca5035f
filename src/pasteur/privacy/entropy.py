"""Where random bits come from: the operating system, and nowhere else in a run that makes a claim."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class Entropy(Protocol):
    """A source of uniform random bytes."""

    def read(self, size: int) -> bytes:
        """Give `size` bytes that were never given before."""


class SystemEntropy:
    """The operating system's generator, asked each time: no state of ours that a fork could repeat (D23)."""

    def read(self, size: int) -> bytes:
        """Give `size` bytes of os.urandom."""
        return os.urandom(size)


class SeededEntropy:
    """SHAKE-256 of a seed and a counter. Whoever knows the seed can take the noise off: for debugging only."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._calls = 0

    def read(self, size: int) -> bytes:
        """Give the next `size` bytes of the stream."""
        self._calls += 1
        return hashlib.shake_256(f"{self._seed}/{self._calls}".encode()).digest(size)


def words(entropy: Entropy, size: int) -> npt.NDArray[np.uint64]:
    """Uniform 64-bit words: (size,) uint64."""
    return np.frombuffer(entropy.read(8 * size), dtype=np.uint64)


def below(entropy: Entropy, bounds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Uniform integers in [0, bounds[i]), exactly: words past the last whole multiple of the bound are drawn again.

    Args:
        entropy: source of bits.
        bounds: (n,) uint64, each at least 1.

    Returns:
        (n,) uint64.
    """
    drawn = words(entropy, len(bounds))
    remainder = drawn % bounds
    # A word is good if its whole block [w - r, w - r + bound) lies under 2^64.
    bad = np.flatnonzero(drawn - remainder > np.uint64(0xFFFFFFFFFFFFFFFF) - bounds + np.uint64(1))
    if len(bad):
        remainder[bad] = below(entropy, bounds[bad])
    return remainder


def integer_below(entropy: Entropy, bound: int) -> int:
    """Uniform integer in [0, bound), of any size, exactly."""
    bits = (bound - 1).bit_length()
    while True:
        drawn = int.from_bytes(entropy.read((bits + 7) // 8)) >> (-bits % 8)
        if drawn < bound:
            return drawn
