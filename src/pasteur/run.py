"""`run(experiment) -> Result`: one run from raw bytes to scores. Works without Hydra, from a notebook or a test."""

from __future__ import annotations

import json
import resource
import shutil
import time
from typing import TYPE_CHECKING, Any

from pasteur.catalog import catalog
from pasteur.files import write_text
from pasteur.manifest import Manifests, digest
from pasteur.metrics.score import Score
from pasteur.pipelines.benchmark import pipeline as benchmark
from pasteur.pipelines.execute import Trace, execute
from pasteur.pipelines.processing import pipeline as processing
from pasteur.pipelines.synthesize import pipeline as synthesize
from pasteur.plan import Plan, prepare
from pasteur.privacy import LedgerBook
from pasteur.result import Result

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from pasteur.experiment import Experiment

__all__ = ["run"]


def run(experiment: Experiment) -> Result:
    """Run every step that is not current, synthesise, score and record.

    Raises:
        PasteurError: a setting, a file, a schema or a query is wrong; nothing is half-written.
    """
    started = time.perf_counter()
    plan = prepare(experiment)
    manifests, trace = Manifests(plan.paths), Trace()
    entries = catalog(plan)
    execute(processing.create(experiment.dataset, experiment.view), entries, manifests, trace)
    releases = _synthesise(plan, entries, manifests, trace)
    scores = _score(plan, entries, manifests, trace)
    result = _result(plan, manifests, trace, scores, releases, started)
    _keep(plan, result)
    return result
