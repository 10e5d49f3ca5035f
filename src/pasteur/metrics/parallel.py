"""Work side by side in threads, with the same result as one after the other."""

from __future__ import annotations

import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Item = TypeVar("Item")
    Found = TypeVar("Found")

MOST = 4
"""Threads at most: each holds its own working arrays."""

UNUSED = {"sdmetrics": "torch"}
"""Package -> what it imports if it is there, and what no score uses: 4 of 5 s of CPU that SDMetrics takes to import."""


def spread(function: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """`function` of each item, in the items' order, some at a time."""
    waiting = list(items)
    workers = min(os.cpu_count() or 1, MOST, max(len(waiting), 1))
    with ThreadPoolExecutor(max_workers=workers, initializer=_alone) as pool:
        return list(pool.map(function, waiting))


class _Hidden:
    """A finder before all others, to which a package is not installed. For its own thread alone."""

    def __init__(self, package: str) -> None:
        self._package, self._thread = package, get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """What Python asks of a finder; None leaves the module to the others."""
        del path, target
        if name.partition(".")[0] == self._package and get_ident() == self._thread:
            raise ModuleNotFoundError(name, name=name)


def load(modules: Iterable[str]) -> None:
    """Import modules, without what their packages do not need here. One that is not installed is passed over.

    In this process SDMetrics' likelihood of a Bayesian network then says that torch is missing; torch itself can be
    imported afterwards as ever.
    """
    for module in dict.fromkeys(modules):
        # Not by None in `sys.modules`: SciPy looks into what is there under this name.
        hidden = _Hidden(UNUSED.get(module.partition(".")[0], ""))
        sys.meta_path.insert(0, hidden)
        try:
            with suppress(ImportError):  # the family says so itself, and fails alone
                import_module(module)
        finally:
            sys.meta_path.remove(hidden)


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
