"""`run(experiment) -> Result`: one run from raw bytes to scores. Works without Hydra, from a notebook or a test."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pasteur import datasets, metrics, report, tuning, views
from pasteur.catalog import catalog
from pasteur.errors import PrivacyError, place
from pasteur.files import sha256, write_text
from pasteur.manifest import Manifests
from pasteur.pipelines.benchmark import pipeline as benchmark
from pasteur.pipelines.benchmark import series, story
from pasteur.pipelines.execute import Trace, execute
from pasteur.pipelines.processing import pipeline as processing
from pasteur.pipelines.synthesize import learning
from pasteur.pipelines.synthesize import pipeline as synthesize
from pasteur.plan import Plan, prepare
from pasteur.privacy import LedgerBook, Release, no_claim
from pasteur.result import Result
from pasteur.table import UNIT

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
    process = processing.create(experiment.dataset, plan.experiment.view, halved=plan.on_ref)
    execute(process, entries, manifests, trace)
    if plan.ledger:
        _protected(plan, entries)
    releases = _synthesise(plan, entries, manifests, trace)
    scores: Mapping[str, Any] = {"scores": [], "failures": {}, "notes": {}}
    if plan.target:
        components = tuple(plan.schema.tables)
        public = tuple(plan.schema.public)
        judge = benchmark.create(components, plan.target, reference=plan.anchored, public=public)
        execute(judge, entries, manifests, trace)
        scores = entries["scores"].load()
    result = _result(plan, trace, scores, releases, time.perf_counter() - started)
    if plan.experiment.report:
        result = _reported(plan, entries, result, scores)
    _keep(plan, entries, result)
    return result


def _protected(plan: Plan, entries: DataCatalog) -> None:
    """Refuse a claim on rows that depend on several people: by the view, or by a type that was inferred from all.

    Nor may the view read rows that are not known to be somebody's and not said to be nobody's.
    """
    e = plan.experiment
    if problems := entries["units"].load():
        raise PrivacyError(
            f"{problems[0]}; {e.algorithm} can make no claim on it, only an algorithm without one can run"
        )
    if e.dataset.in_server:
        return  # its columns have types, and whose its tables are was asked there
    primary = {table: entries[f"primary__{table}"].load() for table in e.dataset.tables}
    for table in views.unowned(e.view, primary, relationships=datasets.relationships(e.dataset)):
        if not e.dataset.tables[table].public:
            raise PrivacyError(
                f"data set '{e.dataset.name}', table '{table}': leads to no {e.dataset.unit.name}, so that "
                f"{e.algorithm} can make no claim; declare its foreign_keys, or public: true if its rows are nobody's"
            )
    if found := views.entangled(
        primary,
        unit=e.dataset.unit.column or UNIT,
        orphans={name: table.settled for name, table in e.dataset.tables.items()},
        public=e.dataset.nobodys,
        relationships=datasets.relationships(e.dataset),
    ):
        raise PrivacyError(
            f"data set '{e.dataset.name}', table '{found[0]}': orphans.{found[1]} must be refuse, as what becomes of "
            f"a row would follow from another {e.dataset.unit.name}'s, so that {e.algorithm} can make no claim"
        )
    for table, columns in datasets.inferred(e.dataset, primary).items():
        listed = ", ".join(f"{column}: {kind}" for column, kind in columns.items())
        raise PrivacyError(
            f"data set '{e.dataset.name}', table '{table}': a type that is inferred follows from everybody's values, "
            f"so that {e.algorithm} can make no claim; declare it in the YAML, as tables.{table}.types: {{{listed}}}"
        )


def _synthesise(plan: Plan, entries: DataCatalog, manifests: Manifests, trace: Trace) -> dict[str, Any]:
    """Fit and sample. The ledger book is charged first, so that a run that is killed has been counted."""
    components = tuple(plan.schema.tables)
    if plan.learns:
        pipeline = learning.create(components)
    else:
        pipeline = synthesize.create(
            components,
            plan.splits,
            private=plan.ledger is not None,
            tree=plan.algorithm.COMPONENTS == "tree",
            series=tuple(plan.compressions),
            public=tuple(plan.schema.public),
        )
    pipeline += synthesize.hand_out(tuple(plan.schema.public))
    if plan.ledger:
        _enter(plan)
    try:
        execute(pipeline, entries, manifests, trace)
    except BaseException:
        if plan.ledger and plan.ledger.entries:
            _enter(plan)
        elif plan.ledger:
            LedgerBook(plan.paths.book).withdraw(plan.run_id)
        raise
    return _enter(plan)


def _enter(plan: Plan) -> dict[str, Any]:
    """Enter the release in the ledger book; give what all releases of each split cost together."""
    book, e = LedgerBook(plan.paths.book), plan.experiment
    book.add(
        Release(
            run=plan.run_id,
            time=plan.version.partition("Z")[0] + "Z",
            dataset=e.dataset.name,
            salt=e.dataset.salt,
            view=e.view.name,
            algorithm=e.algorithm,
            fitted=plan.fitted,
            scored=plan.scored,
            ledger=plan.ledger.to_dict() if plan.ledger else None,
            sweep=e.tuning.sweep if e.tuning else "",
        )
    )
    who = e.dataset.name, e.dataset.salt
    return {
        "line": book.line(*who, plan.fitted[0]),
        "composed": {split: asdict(book.composed(*who, split)) for split in plan.fitted},
    }


def _result(
    plan: Plan,
    trace: Trace,
    scores: Mapping[str, Any],
    releases: Mapping[str, Any],
    seconds: float,
) -> Result:
    paths, e = plan.paths, plan.experiment
    handed = (*plan.schema.tables, *plan.schema.public)
    synthetic = {name: paths.synthetic(name, plan.version, e.format) for name in handed}
    model = plan.model
    learned = {f"compressor {name}": paths.compressor(name, plan.version) for name in plan.compressions}
    made = {**synthetic, **({"model": model} if model else {}), **learned}
    return Result(
        run_id=plan.run_id,
        version=plan.version,
        experiment=e,
        claim=_claim(plan),
        ledger=plan.ledger.to_dict() if plan.ledger else None,
        releases=releases,
        scores=metrics.read_scores(scores),
        failures=scores["failures"],
        notes={**plan.bench.notes, **scores["notes"]},
        synthetic=synthetic,
        model=model,
        folder=paths.run(plan.version),
        ran=trace.ran,
        current=tuple(trace.current),
        report=None,
        digests={name: sha256(path) for name, path in made.items()},
        seconds=seconds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _claim(plan: Plan) -> dict[str, Any]:
    """What may be said of the release, and of whom."""
    e = plan.experiment
    claim = plan.ledger.claim() if plan.ledger else no_claim(["NOT PRIVATE: no DP guarantee"], plan.fitted)
    if told := tuning.told(plan):
        claim["tuning"] = told
    if e.tuning and e.tuning.randomised:
        claim["alone"] = True  # nothing else of the sweep may be known, so no export says which release it was
    return claim | {"dataset": e.dataset.name, "view": e.view.name, "algorithm": e.algorithm, "fit_on": e.fit_on}


def _reported(plan: Plan, entries: DataCatalog, result: Result, scores: Mapping[str, Any]) -> Result:
    """The run with the page that a person reads; it shows exact numbers of real data, so that it is no release.

    A fault in making it loses none of what was made before: it is a failure like that of a metric.
    """
    path = plan.paths.report(plan.version)
    try:
        synthetic = {name: entries[f"synthetic__{name}"].load() for name in plan.schema.tables}
        rows = report.first_rows(synthetic, schema=plan.schema)
        shown = _series(plan, entries)
        told = story.of_run(result, scores=scores, moved=entries["inspection"].load(), rows=rows, series=shown)
        write_text(path, report.render(told))
        for name, text in report.tables(told).items():
            write_text(path.parent / "tables" / name, text)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, what it says may hold a value of the data
        return replace(result, failures={**result.failures, "report": place(error)})
    return replace(result, report=path)


def _series(plan: Plan, entries: DataCatalog) -> list[dict[str, Any]]:
    """Of each component that became latent columns, what a person wants to see."""
    found = []
    for name, declared in plan.compressions.items():
        parent, split = declared.layout.parent, plan.splits[0]
        rows, parents = (entries[f"view__{component}__{split}"].load() for component in (name, parent))
        codes, fitted = entries[f"codes__{parent}"].load(), entries[f"compressor__{name}"].load()
        found.append(series.told(fitted, rows, parents, codes, seed=plan.experiment.seed))
    return found


def _keep(plan: Plan, entries: DataCatalog, result: Result) -> None:
    """What `sample`, `export` and a person need later, in the run's folder."""
    documents: dict[str, Any] = {
        "dictionary.json": entries["dictionary"].load(),
        "metadata.json": plan.schema.whole_sdv,
        "claim.json": dict(result.claim),
    }
    if result.ledger:
        documents["ledger.json"] = result.ledger
    documents["result.json"] = result.document()  # last: a folder that holds it is whole
    for name, document in documents.items():
        write_text(result.folder / name, json.dumps(document, indent=1, sort_keys=True) + "\n")
