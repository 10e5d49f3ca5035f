"""Where random bits come from: the operating system, and nowhere else in a run that makes a claim."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Integers = npt.NDArray[np.int64]

BLOCK = 1 << 17
"""Words asked for at a time, at most: 1 MB."""


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


def words(entropy: Entropy, size: int) -> Words:
    """Uniform 64-bit words: (size,) uint64."""
    return np.frombuffer(entropy.read(8 * size), dtype=np.uint64)


def drawn(entropy: Entropy, size: int, each: int, sampler: Callable[[Words, Integers, Integers], None]) -> Integers:
    """Give `size` draws of a compiled `sampler` (see `kernels`), feeding it words until it is done.

    Args:
        entropy: source of bits.
        size: number of draws.
        each: about how many words a draw takes.
        sampler: of words, where in them, and the array of draws that it fills.

    Returns:
        (size,) int64.
    """
    out, left, at = np.zeros(size, dtype=np.int64), np.zeros(0, dtype=np.uint64), np.zeros(3, dtype=np.int64)
    while at[2] < size:
        # The words of an unfinished draw come first again.
        left = np.concatenate([left[at[0] :], words(entropy, min((size - int(at[2])) * each + 64, BLOCK))])
        at[:2] = 0
        sampler(left, at, out)
    return out
