"""`run(experiment) -> Result`: one run from raw bytes to scores. Works without Hydra, from a notebook or a test."""

from __future__ import annotations

import json
import resource
import time
from typing import TYPE_CHECKING, Any

from pasteur import metrics
from pasteur.catalog import catalog
from pasteur.files import sha256, write_text
from pasteur.manifest import Manifests
from pasteur.pipelines.benchmark import pipeline as benchmark
from pasteur.pipelines.execute import Trace, execute
from pasteur.pipelines.processing import pipeline as processing
from pasteur.pipelines.synthesize import pipeline as synthesize
from pasteur.plan import Plan, prepare
from pasteur.privacy import LedgerBook
from pasteur.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    manifests, trace, entries = Manifests(plan.paths), Trace(), catalog(plan)
    execute(processing.create(experiment.dataset, experiment.view), entries, manifests, trace)
    releases = _synthesise(plan, entries, manifests, trace)
    scores: Mapping[str, Any] = {"scores": [], "failures": {}}
    if plan.target:
        reference = "ref" not in plan.splits or not plan.ledger
        execute(
            benchmark.create(tuple(plan.schema.tables), plan.target, reference=reference), entries, manifests, trace
        )
        scores = entries.get("scores").load()
    result = _result(plan, entries, trace, scores, releases, time.perf_counter() - started)
    _keep(plan, entries, result)
    return result


def _synthesise(plan: Plan, entries: DataCatalog, manifests: Manifests, trace: Trace) -> dict[str, Any]:
    """Fit and sample; whatever was spent is entered in the ledger book, also when the fit did not finish."""
    private = plan.ledger is not None
    pipeline = synthesize.create(tuple(plan.schema.tables), plan.splits, private=private)
    book, dataset = LedgerBook(plan.paths.book), plan.experiment.dataset
    try:
        execute(pipeline, entries, manifests, trace)
    finally:
        book.add(
            run_id=plan.run_id,
            dataset=dataset.name,
            salt=dataset.salt,
            view=plan.experiment.view.name,
            algorithm=plan.experiment.algorithm,
            splits=plan.splits,
            ledger=plan.ledger,
        )
    return book.summary(dataset.name, dataset.salt, plan.splits)


def _result(
    plan: Plan,
    entries: DataCatalog,
    trace: Trace,
    scores: Mapping[str, Any],
    releases: Mapping[str, Any],
    seconds: float,
) -> Result:
    synthetic = {component: entries.get(f"synthetic__{component}").path for component in plan.schema.tables}
    model = entries.get("model").path if plan.ledger else None
    made = {**synthetic, **({"model": model} if model else {})}
    return Result(
        run_id=plan.run_id,
        version=plan.version,
        experiment=plan.experiment,
        claim=_claim(plan),
        ledger=plan.ledger.to_json() if plan.ledger else None,
        releases=releases,
        scores=tuple(metrics.Score.from_document(score) for score in scores["scores"]),
        failures=scores["failures"],
        synthetic=synthetic,
        model=model,
        folder=plan.paths.run(plan.version),
        ran=trace.ran,
        current=tuple(trace.current),
        digests={name: sha256(path) for name, path in made.items()},
        seconds=seconds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _claim(plan: Plan) -> dict[str, Any]:
    """What may be said of the release, and of whom."""
    people = {
        "dataset": plan.experiment.dataset.name,
        "splits": list(plan.splits),
        "algorithm": plan.experiment.algorithm,
    }
    if plan.ledger is None:
        return {**people, "private": False, "stamps": ["NOT PRIVATE: no DP guarantee"]}
    return {**people, **plan.ledger.claim()}


def _keep(plan: Plan, entries: DataCatalog, result: Result) -> None:
    """What `sample`, `export` and a person need later, in the run's folder."""
    documents: dict[str, Any] = {
        "dictionary.json": entries.get("dictionary").load(),
        "metadata.json": plan.schema.sdv,
        "claim.json": dict(result.claim),
    }
    if result.ledger:
        documents["ledger.json"] = result.ledger
    documents["result.json"] = result.document()  # last: a folder that holds it is whole
    for name, document in documents.items():
        write_text(result.folder / name, json.dumps(document, indent=1, sort_keys=True) + "\n")
