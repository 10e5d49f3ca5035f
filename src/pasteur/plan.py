"""What is settled before any data is read: schema, algorithm, which splits it sees, and the budget."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pasteur import metadata, metrics, relations, synth, tuning, views
from pasteur.catalog import Paths
from pasteur.compressors._store import Compression
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import ConfigError, SchemaError, rule
from pasteur.experiment import FIT_ON, stamped
from pasteur.privacy import Budget, Ledger, LedgerBook
from pasteur.privacy.ledger import HALVES
from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from pasteur.datasets.config import DatasetConfig
    from pasteur.experiment import Experiment
    from pasteur.metrics import Bench
    from pasteur.schema import Schema
    from pasteur.views.config import ViewConfig


MOST_SHARES = 0.8
"""Of the budget, what compressors may take together: pairs of their latent columns and the model live on the rest."""

HALF = dict(zip(("wrk", "ref"), HALVES, strict=True))
"""In a sweep on ref: the half of ref that stands for each split."""

REF_IS_PUBLIC = "the people of ref are taken as public: nothing is claimed for them"

DETAIL = "detail"
"""The schema that scores are taken in unless `metrics.schema` names another."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run, checked as far as it can be without reading data."""

    experiment: Experiment
    paths: Paths
    schema: Schema
    algorithm: ModuleType
    bench: Bench
    """What is measured: the schema that fixes the binning of all scores, settings and queries."""
    ledger: Ledger | None
    """Charged by a private algorithm; None for one without a guarantee."""
    compressions: Mapping[str, Compression]
    """Of each component whose rows become latent columns, for a private algorithm of one table; else none."""
    run_id: str
    version: str

    @property
    def splits(self) -> tuple[str, ...]:
        """Which splits the algorithm reads, by the names of the catalog: wrk is what stands for it."""
        return FIT_ON[self.experiment.fit_on] if self.ledger else tuple(self.algorithm.READS)

    @property
    def on_ref(self) -> bool:
        """Whether it is a trial for which halves of ref stand for wrk and ref."""
        return bool(self.experiment.tuning and self.experiment.tuning.on_ref)

    @property
    def place(self) -> str:
        """What artefacts of the view that depend on its splits are called after."""
        return f"{self.experiment.view.name}@ref" if self.on_ref else self.experiment.view.name

    @property
    def fitted(self) -> tuple[str, ...]:
        """Whose people the algorithm learns from."""
        return tuple(HALF[split] for split in self.splits) if self.on_ref else self.splits

    @property
    def learns(self) -> bool:
        """Whether the algorithm learns from decoded values, without a guarantee."""
        return not self.algorithm.PRIVATE and hasattr(self.algorithm, "learn")

    @property
    def model(self) -> Path | None:
        """Where the model is kept; None where rows are drawn from the data itself."""
        view = self.experiment.view.name
        if self.learns:
            return self.paths.learned(view, self.version)
        return self.paths.model(view, self.version) if self.ledger else None

    @property
    def target(self) -> str | None:
        """The split that scores are measured against; None where every split was fitted."""
        return None if self.experiment.fit_on == "all" else self.bench.settings.split

    @property
    def anchored(self) -> bool:
        """Whether other real people, ref or the half that stands for it, are an anchor: not where they were fitted."""
        return self.target is not None and not (self.ledger and "ref" in self.splits)

    @property
    def scored(self) -> tuple[str, ...]:
        """Which splits the exact scores of this run read, so that a choice may rest on them."""
        if self.target is None:
            return ()
        trial = self.experiment.tuning
        anchor = ("ref",) if self.anchored else ()
        read = (*anchor, "wrk") if trial and trial.exact else anchor
        return (self.target, *(HALF[split] if self.on_ref else split for split in read))


def prepare(experiment: Experiment) -> Plan:
    """Settle a run.

    Raises:
        ConfigError: an unknown algorithm, or one that cannot take the view's components.
        SchemaError: a metadata file is wrong, or a private run meets a domain that nobody has declared.
        DataError: a compressor is to learn from a public file that cannot be read.
    """
    paths = Paths(root=experiment.root)
    view = resolved(experiment.view, dataset=experiment.dataset, schema=experiment.schema, root=experiment.root)
    experiment = replace(experiment, view=view)
    algorithm = synth.find(experiment.algorithm)
    if experiment.tuned:
        tuning.read(paths, experiment)
    schema = coded(experiment)
    compressions = _compressions(algorithm, experiment.algorithm, experiment.view.name, schema)
    if algorithm.PRIVATE:
        _declared(schema, experiment.algorithm)
    elif experiment.fit_on != "wrk":
        raise ConfigError(f"fit_on ({experiment.fit_on}) must be wrk for an algorithm without a guarantee")
    run_id = secrets.token_hex(4)
    return Plan(
        experiment=experiment,
        paths=paths,
        schema=schema,
        algorithm=algorithm,
        bench=_bench(experiment, paths, schema),
        ledger=_ledger(experiment, algorithm, compressions) if algorithm.PRIVATE else None,
        compressions=compressions,
        run_id=run_id,
        version=stamped(run_id),
    )


def resolved(view: ViewConfig, *, dataset: DatasetConfig, schema: str, root: Path) -> ViewConfig:
    """The view itself; of the generic one, the view of this data set with every table as it is.

    Raises:
        SchemaError: the metadata that relate the tables of a generic view are wrong or not there.
    """
    if view.components:
        return view
    described = metadata.load(
        view=dataset.name,
        dataset=dataset.name,
        schema=schema,
        components=dataset.tables,
        folders=Paths(root=root).folders("metadata"),
    )
    return views.resolve(
        view,
        dataset=dataset.name,
        tables=tuple(dataset.tables),
        public=dataset.nobodys,
        unit=dataset.unit.column or UNIT,
        relationships=described.relationships,
    )


def coded(experiment: Experiment) -> Schema:
    """The schema that a run is encoded by.

    Raises:
        ConfigError: a setting over the schema's embeddings is wrong.
        SchemaError: a metadata file or an embedding is wrong.
    """
    schema = _schema(experiment, Paths(root=experiment.root), experiment.schema)
    return experiment.recoding.of(schema) if experiment.recoding else schema


def _schema(experiment: Experiment, paths: Paths, name: str) -> Schema:
    return metadata.load(
        view=experiment.view.name,
        dataset=experiment.dataset.name,
        schema=name,
        components=tuple(experiment.view.components),
        folders=paths.folders("metadata"),
        public=tuple(experiment.view.public),
    )


def _bench(experiment: Experiment, paths: Paths, schema: Schema) -> Bench:
    """All runs on a view are scored in one binning: `metrics.schema`, or the view's `detail`.

    A model that has learnt from ref is a final one, and scored on val.
    A schema that drops columns cannot be scored on them: it is scored in its own bins, and queries over what it drops
    do not run.
    """
    dropped = {name for table in schema.tables.values() for name in table.drop}
    chosen = experiment.metrics.schema or (experiment.schema if dropped else DETAIL)
    scored = schema if chosen == experiment.coding else _schema(experiment, paths, chosen)
    bench = metrics.load(
        replace(experiment.metrics, final=experiment.metrics.final or experiment.fit_on == "wrk+ref"),
        schema=scored,
        dataset=experiment.dataset.name,
        view=experiment.view.name,
        folders=paths.folders("metrics"),
    )
    if not dropped:
        return bench
    word = re.compile(rf"\b({'|'.join(map(re.escape, sorted(dropped)))})\b")
    gone = {query.metric: word.search(query.sql) for query in bench.queries}
    notes = {
        metric: f"needs column '{found[0]}', which schema '{schema.name}' drops"
        for metric, found in gone.items()
        if found
    }
    kept = tuple(query for query in bench.queries if query.metric not in notes)
    return replace(bench, queries=kept, notes={**bench.notes, **notes})


def _compressions(algorithm: ModuleType, name: str, view: str, schema: Schema) -> dict[str, Compression]:
    """How components become latent columns where the algorithm is one of one table; checks that it takes the view."""
    if algorithm.COMPONENTS == "tree":
        relations.tree(schema)
    if algorithm.COMPONENTS != "one" or len(schema.tables) == 1:
        return {}
    able = ", ".join(other for other in synth.names() if synth.find(other).COMPONENTS != "one")
    refused = f"algorithm ({name}) must be one that takes several components for view '{view}'"
    if not algorithm.PRIVATE:
        raise ConfigError(f"{refused} ({', '.join(schema.tables)}): {able}")
    children = {relation.child_table for relation in schema.relationships}
    roots = [component for component in schema.tables if component not in children]
    if len(roots) != 1 or any(relation.parent_table != roots[0] for relation in schema.relationships):
        raise ConfigError(f"{refused}, whose components are no series of the rows of one: {able}")
    found = {component: Compression.declare(schema, component) for component in schema.tables if component in children}
    for each in found.values():
        each.check()
    if (spent := sum(each.codec.spends for each in found.values())) > MOST_SHARES:
        must_be = f"{MOST_SHARES:g} or less together: the model needs the rest (share and residual of each component)"
        raise SchemaError(rule(f"shares of the budget for compressors of {', '.join(found)}", f"{spent:g}", must_be))
    return found


def _declared(schema: Schema, algorithm: str) -> None:
    """A private run may know of the data only what is public."""
    for column in schema.undeclared():
        raise SchemaError(
            f"column {column.where}: its domain was taken from the data; confirm it against public knowledge, give its "
            f'source and remove "declared": false before running {algorithm}'
        )
    for table in schema.tables.values():
        for name, embedding in TableEncoder.declare(table).embeddings.items():
            if not embedding.private:
                raise SchemaError(
                    f"column {table.name}.{name}: embedding '{embedding.type}' looks at data, so that {algorithm} "
                    "could make no claim; declare another, or run an algorithm without a guarantee"
                )


def _ledger(experiment: Experiment, algorithm: ModuleType, compressions: Mapping[str, Compression]) -> Ledger:
    privacy = experiment.privacy
    budget = Budget(epsilon=privacy.epsilon, delta=privacy.delta, unit=experiment.dataset.unit.name)
    chosen = privacy.accountant
    needed = [found for each in compressions.values() if (found := each.codec.compressor.accountant(budget))]
    if chosen == "auto":
        chosen = needed[0] if needed else algorithm.accountant(budget, experiment.settings)
    elif needed:
        raise ConfigError(rule("privacy.accountant", chosen, "auto where a compressor is fine-tuned by DP-SGD"))
    dataset = experiment.dataset
    book = LedgerBook(Paths(root=experiment.root).book)
    trial, people = experiment.tuning, FIT_ON[experiment.fit_on]
    public = bool(trial and trial.on_ref and trial.ref == "public")
    if trial and trial.on_ref:
        people = () if public else tuple(HALF[split] for split in people)
    ledger = Ledger(budget, chosen, people=book.claimed(dataset.name, dataset.salt, people))
    if public:
        ledger.stamp(REF_IS_PUBLIC)
    return ledger
