"""`pasteur check`: every config composes, every metadata file is valid, every view respects units."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pasteur.app import groups
from pasteur.app.verbs import Parser, root_of
from pasteur.errors import ConfigError, PasteurError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pasteur.experiment import Experiment
    from pasteur.table import Table

FOUND = 3
"""Exit code when something is wrong."""


@dataclass
class Findings:
    """What was looked at, line by line."""

    failed: int = 0
    lines: list[str] = field(default_factory=list)

    def look(self, what: str, function: Callable[[], Iterable[str]]) -> None:
        """Note whether `function` raised or found anything."""
        try:
            problems = list(function())
        except PasteurError as error:
            problems = [" ".join(str(error).split())]
        self.failed += bool(problems)
        self._say(f"{'FAILED' if problems else 'ok':<8}{what}", *(f"        {problem}" for problem in problems))

    def skip(self, what: str, why: str) -> None:
        """Note what could not be looked at."""
        self._say(f"{'skipped':<8}{what}", f"        {why}")

    def _say(self, *lines: str) -> None:
        self.lines.extend(lines)
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Check a project and what is packaged; 3 if something is wrong."""
    parser = Parser("check", "Check every config, metadata file and view.")
    parser.add_argument("--view", action="append", default=[], help="only this view; may be given again")
    parser.add_argument("--no-data", action="store_true", help="read no data: leave out what views do with rows")
    parser.add_argument("--fetch", action="store_true", help="also download data sets that are not on this machine")
    arguments = parser.parse_args(list(argv))
    root_of(arguments)
    unknown = sorted(set(arguments.view) - {view for _, view, _ in combinations()})
    if unknown:
        raise ConfigError(f"view ({unknown[0]}) must be one of {', '.join(groups.options('view'))}")
    findings = Findings()
    if not arguments.view:
        configs(findings)
    wanted = [c for c in combinations() if not arguments.view or c[1] in arguments.view]
    metadata(findings, wanted)
    if not arguments.no_data:
        for dataset, view in dict.fromkeys((dataset, view) for dataset, view, _ in wanted):
            rows(findings, dataset, view, fetch=arguments.fetch)
    print(f"{findings.failed} failed" if findings.failed else "all is well")  # noqa: T201 - what a person asked for
    return FOUND if findings.failed else 0


def combinations() -> list[tuple[str, str, str]]:
    """Every data set with its views, each with its schemas; with the generic view where that is its default.

    A data set goes by its option: two of them may be one data set by two ways, files and a server.
    """
    found = []
    views = {name: groups.read(path) for name, path in groups.options("view").items()}
    for dataset, path in groups.options("dataset").items():
        read = groups.read(path)
        default, name = _default_view(read), read.get("name") or dataset
        for view, raw in views.items():
            named = raw.get("datasets") or []
            if name in named or (not named and view == default):
                found += [(dataset, view, schema) for schema in raw.get("schemas") or ["detail"]]
    return found


def _default_view(raw: Mapping[str, Any]) -> str:
    entries = [entry for entry in raw.get("defaults") or [] if isinstance(entry, dict)]
    named = [str(value) for entry in entries for key, value in entry.items() if str(key).startswith("/view")]
    return named[0] if named else "whole"


def configs(findings: Findings) -> None:
    """Each option of each group that stands on its own composes, and each combination of data set, view and schema."""
    from pasteur.app import compose
    from pasteur.app.sweep import request

    def composes(*words: str) -> Callable[[], Iterable[str]]:
        def look() -> Iterable[str]:
            compose.experiment(words)
            return ()

        return look

    def searches(preset: str) -> Callable[[], Iterable[str]]:
        def look() -> Iterable[str]:
            request.of([f"sweep={preset}"])
            return ()

        return look

    for group in ("algorithm", "privacy", "metrics", "experiment"):
        for option in groups.options(group):
            findings.look(f"config {group}={option}", composes(f"{group}={option}"))
    for option in groups.options("sweep"):
        findings.look(f"config sweep={option}", searches(option))
    for dataset, view, schema in combinations():
        words = (f"dataset={dataset}", f"view={view}", f"schema={schema}")
        findings.look(f"config {' '.join(words)}", composes(*words, "algorithm=reference"))


def metadata(findings: Findings, wanted: Sequence[tuple[str, str, str]]) -> None:
    """Each schema is valid, also as plain SDV V2 metadata."""
    for dataset, view, schema in wanted:
        findings.look(
            f"metadata of {view}.{schema} ({dataset})",
            lambda d=dataset, v=view, s=schema: _valid(_experiment(d, v, s)),  # type: ignore[misc]
        )


def _experiment(dataset: str, view: str, schema: str = "") -> Experiment:
    from pasteur.app import compose

    words = [f"dataset={dataset}", f"view={view}", *([f"schema={schema}"] if schema else []), "algorithm=reference"]
    return compose.experiment(words)


def _valid(experiment: Experiment) -> Iterable[str]:
    from sdv.metadata import Metadata

    from pasteur.embeddings.table import TableEncoder
    from pasteur.plan import prepare

    schema = prepare(experiment).schema
    for table in schema.tables.values():
        TableEncoder.declare(table)
    try:
        Metadata.load_from_dict(dict(schema.sdv)).validate()
    except Exception as error:  # noqa: BLE001 - SDV raises classes of its own, private ones among them
        return [f"SDV refuses it: {' '.join(str(error).split())}"]
    return []


def rows(findings: Findings, dataset: str, view: str, *, fetch: bool) -> None:
    """A view respects units, and gives the same bytes whatever the order of rows."""
    what = f"view {view} ({dataset})"
    experiment = None
    try:
        experiment = _experiment(dataset, view)
    except PasteurError:
        findings.skip(what, "its configuration does not compose")
        return
    if experiment.dataset.source.kind == "pypi" and not fetch and not _here(experiment):
        findings.skip(what, "its data is not on this machine; --fetch downloads it")
        return
    if experiment.dataset.in_server and not _named(experiment):
        findings.skip(what, f"its server is not named: set {experiment.dataset.source.variable}")
        return
    findings.look(what, lambda: _sound(experiment))


def _here(experiment: Experiment) -> bool:
    from pasteur.catalog import Paths

    folder = Paths(root=experiment.root).raw(experiment.dataset.name)
    return folder.is_dir() and any(folder.iterdir())


def _named(experiment: Experiment) -> bool:
    from pasteur.postgres import named

    return named(experiment.dataset.source.variable)


def _sound_in_server(experiment: Experiment) -> Iterable[str]:
    import numpy as np

    from pasteur import datasets
    from pasteur.catalog import Paths
    from pasteur.datasets import postgres
    from pasteur.views import server_units

    view, rng = experiment.view, np.random.default_rng(experiment.seed)
    snapshot = postgres.connect(experiment.dataset, Paths(root=experiment.root).raw(experiment.dataset.name))
    try:
        links = datasets.relationships(experiment.dataset)
        yield from server_units.respects_units(view, snapshot, relationships=links, rng=rng)
        yield from server_units.same_rows(view, snapshot, rng=rng)
    finally:
        snapshot.close()


def _sound(experiment: Experiment) -> Iterable[str]:
    from pasteur.plan import resolved

    view = resolved(experiment.view, dataset=experiment.dataset, schema=experiment.schema, root=experiment.root)
    experiment = replace(experiment, view=view)
    if experiment.dataset.in_server:
        return _sound_in_server(experiment)
    return _sound_in_files(experiment)


def _sound_in_files(experiment: Experiment) -> Iterable[str]:
    import numpy as np

    from pasteur import datasets, naming, views
    from pasteur.plan import prepare

    primary, keys = primary_of(experiment)
    rng = np.random.default_rng(experiment.seed)
    # Between primary tables, not between the view's components: they tell whose each primary row is.
    links = datasets.relationships(experiment.dataset)
    yield from views.respects_units(experiment.view, primary, relationships=links, rng=rng)
    yield from views.same_bytes(experiment.view, primary, keys, rng=rng)
    public = views.build_public(experiment.view, primary, nobodys=experiment.dataset.nobodys)
    if public:
        naming.check(prepare(experiment).schema, public)


def primary_of(experiment: Experiment) -> tuple[dict[str, Table], dict[str, Table]]:
    """The data set's primary tables, and the ids of the units of each split; made where they are not current."""
    from pasteur.catalog import SPLITS, catalog
    from pasteur.manifest import Manifests
    from pasteur.pipelines.execute import Trace, execute
    from pasteur.pipelines.processing import pipeline as processing
    from pasteur.plan import prepare

    plan = prepare(experiment)
    entries = catalog(plan)
    whole = processing.create(experiment.dataset, experiment.view)
    execute(whole.to_nodes("split_keys"), entries, Manifests(plan.paths), Trace())
    tables = {name: entries[f"primary__{name}"].load() for name in experiment.dataset.tables}
    return tables, {split: entries[f"keys__{split}"].load() for split in SPLITS}
