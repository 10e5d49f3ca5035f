"""Run a pipeline's stale nodes, in order, with Kedro's runner."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kedro.io import DatasetError
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from pasteur.errors import PasteurError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.io import DataCatalog

    from pasteur.manifest import Manifests

ALWAYS = "always"
"""Tag of nodes that run each time, for what they make belongs to one run. Other tags name rooms whose code counts."""

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Trace:
    """What happened in a run: which nodes ran with their seconds, and which were current."""

    ran: dict[str, float] = field(default_factory=dict)
    current: list[str] = field(default_factory=list)


def execute(pipeline: Pipeline, catalog: DataCatalog, manifests: Manifests, trace: Trace) -> None:
    """Run each node of `pipeline` whose output is not current; note on `trace` what was done.

    The decision falls when a node's turn comes, so that a node whose inputs were made again, but with the same bytes,
    does not run.

    Raises:
        PasteurError: what a node, or the reading or writing of its tables, raised.
    """
    runner = SequentialRunner()
    nodes = pipeline.nodes
    for number, node in enumerate(nodes, start=1):
        tracked = ALWAYS not in node.tags
        if tracked and manifests.is_current(node, catalog):
            trace.current.append(node.name)
            continue
        logger.info("[%d/%d] %s", number, len(nodes), node.name)
        start = time.perf_counter()
        with _plain_errors():
            runner.run(Pipeline([node]), catalog)
        trace.ran[node.name] = time.perf_counter() - start
        if tracked:
            manifests.record(node, catalog)
        else:
            manifests.forget(node, catalog)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Tables are read as they are written, so that a mistake in a file is met there: Kedro wraps what it meets."""
    try:
        yield
    except DatasetError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, PasteurError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from None
