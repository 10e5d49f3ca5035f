"""Run a pipeline's stale nodes, in order, with Kedro's runner."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

if TYPE_CHECKING:
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
        runner.run(Pipeline([node]), catalog)
        trace.ran[node.name] = time.perf_counter() - start
        if tracked:
            manifests.record(node, catalog)
        else:
            manifests.forget(node, catalog)
