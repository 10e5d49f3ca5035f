"""What all trials of a sweep share: encoded and decoded real data, and the scores of the anchors. Made once, before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.catalog import catalog
from pasteur.errors import ConfigError
from pasteur.manifest import Manifests
from pasteur.pipelines.benchmark import pipeline as benchmark
from pasteur.pipelines.execute import Trace, execute
from pasteur.pipelines.processing import pipeline as processing
from pasteur.plan import prepare

if TYPE_CHECKING:
    from pasteur.experiment import Experiment


def make(experiment: Experiment) -> tuple[str, ...]:
    """Make what is not current of all that runs of `experiment` share; nothing is fitted and nothing spent.

    Returns:
        The names of the scores that such a run has.

    Raises:
        PasteurError: a setting, a file, a schema or a query is wrong.
    """
    plan = prepare(experiment)
    manifests, trace, entries = Manifests(plan.paths), Trace(), catalog(plan)
    process = processing.create(experiment.dataset, plan.experiment.view, halved=plan.on_ref)
    execute(process, entries, manifests, trace)
    if plan.target is None:
        raise ConfigError(f"fit_on ({experiment.fit_on}) must be wrk in a sweep: its trials are chosen by their scores")
    judge = benchmark.create(tuple(plan.schema.tables), plan.target, reference=plan.anchored)
    execute(judge.filter(node_names=["measure_anchors"]), entries, manifests, trace)
    found = entries["anchors"].load()["raws"]
    return tuple(dict.fromkeys(raw["metric"] for raws in found.values() for raw in raws))
