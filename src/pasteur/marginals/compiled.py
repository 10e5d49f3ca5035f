"""`compiled`: the one way in which a loop is turned into machine code.

Cached on disk beside the source, so that only the first run on a machine compiles; without Python's lock, so that
threads share the data instead of copies of it; division as in NumPy, without a test for 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call; it may use numbers, NumPy arrays and other compiled functions only."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
