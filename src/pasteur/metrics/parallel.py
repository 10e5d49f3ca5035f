"""Work side by side in threads, with the same result as one after the other."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Item = TypeVar("Item")
    Found = TypeVar("Found")

MOST = 4
"""Threads at most: each holds its own working arrays."""


def spread(function: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """`function` of each item, in the items' order, some at a time."""
    waiting = list(items)
    workers = min(os.cpu_count() or 1, MOST, max(len(waiting), 1))
    with ThreadPoolExecutor(max_workers=workers, initializer=_alone) as pool:
        return list(pool.map(function, waiting))


@contextmanager
def quiet() -> Iterator[None]:
    """What must be set once around all threads, for it belongs to the process: see the comments."""
    from threadpoolctl import threadpool_limits

    # One thread for each sum: OpenMP's threads spin while they wait for a busy core (10 s for a fit of 0.4 s,
    # measured), and sums of floats over several threads differ from run to run.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Where classes can be told apart without error a linear model never converges; it predicts all the same.
        warnings.filterwarnings("ignore", message=".*failed to converge", module="sklearn")
        # Columns that are constant or empty are no news: the scores say so.
        warnings.filterwarnings("ignore", module="sdmetrics|scipy|copulas")
        yield


def _alone() -> None:
    """OpenMP counts its threads for each thread that starts some; it is not undone, for the pool's threads end."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
