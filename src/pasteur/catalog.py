"""Where everything lies: the only place where a path is written, and the catalog of one run over those paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kedro.io import DataCatalog, MemoryDataset

from pasteur.artefacts import CompressorFile, DecodedFile, JsonFile, LearnedFile, ModelFile, TableFile
from pasteur.datasets import raw_names
from pasteur.embeddings.table import TableEncoder
from pasteur.privacy import ExactMechanisms

if TYPE_CHECKING:
    from pasteur.plan import Plan

SPLITS = ("wrk", "ref", "val", "dev")
HALVED = ("wrk", "ref")
"""What halves of ref stand for in a sweep on ref."""
Format = Literal["csv", "pq"]


@dataclass(frozen=True, kw_only=True)
class Paths:
    """The folder tree of `data/` and `outputs/` under one root."""

    root: Path

    @property
    def data(self) -> Path:
        """Everything made from data; not in git."""
        return self.root / "data"

    @property
    def outputs(self) -> Path:
        """Everything that tells of runs: tracking store, ledger book, run folders; not in git."""
        return self.root / "outputs"

    def folders(self, kind: Literal["configs", "metadata", "metrics"]) -> tuple[Path, ...]:
        """Where files of a kind are looked for: the user's own folder over the packaged one."""
        packaged = {"configs": "configs", "metadata": "metadata", "metrics": "sql"}[kind]
        return (self.root / kind, resource(packaged))

    def raw(self, dataset: str) -> Path:
        """The folder of a data set's immutable bytes."""
        return self.data / "orig" / "raw" / dataset

    def intermediate(self, dataset: str, table: str) -> Path:
        """A raw file as parquet, values untouched."""
        return self.data / "orig" / "intermediate" / dataset / f"{table}.pq"

    def primary(self, dataset: str, table: str) -> Path:
        """A typed, tidy table."""
        return self.data / "orig" / "primary" / dataset / f"{table}.pq"

    def keys(self, dataset: str, split: str) -> Path:
        """The privacy units of a split."""
        return self.data / "orig" / "keys" / f"{dataset}.{split}.pq"

    def view(self, view: str, component: str, split: str) -> Path:
        """A component's rows of one split."""
        return self.data / "views" / "orig" / view / f"{component}.{split}.pq"

    def public(self, view: str, table: str) -> Path:
        """A table of a view that is nobody's, in no split."""
        return self.data / "views" / "orig" / view / f"{table}.pq"

    def encoded(self, view: str, schema: str, component: str, split: str) -> Path:
        """A component's codes."""
        return self.data / "views" / "encoded" / f"{view}.{schema}.pq" / f"{component}.{split}.pq"

    def dictionary(self, view: str, schema: str) -> Path:
        """How codes are read back."""
        return self.data / "views" / "encoded" / f"{view}.{schema}.dict.json"

    def decoded(self, view: str, schema: str, component: str, split: str, form: Format) -> Path:
        """Codes turned back: the encoding's ceiling."""
        return self.data / "views" / "decoded" / f"{view}.{schema}" / f"{component}.{split}.{form}"

    def model(self, view: str, version: str) -> Path:
        """A fitted model, at Kedro's versioned path."""
        return _versioned(self.data / "synth" / "models" / f"{view}.npz", version)

    def learned(self, view: str, version: str) -> Path:
        """A model of SDV's, which is a pickle: read only where its manifest tells of these very bytes."""
        return _versioned(self.data / "synth" / "models" / f"{view}.pkl", version)

    def compressor(self, component: str, version: str) -> Path:
        """How a component became latent columns, with what was learned for it, at Kedro's versioned path."""
        return _versioned(self.data / "synth" / "compressors" / f"{component}.pq", version)

    def synthetic_codes(self, view: str, version: str, component: str) -> Path:
        """Synthetic codes, at Kedro's versioned path (a folder)."""
        return _versioned(self.data / "synth" / "encoded" / f"{view}.pq", version) / f"{component}.pq"

    def synthetic(self, component: str, version: str, form: Format) -> Path:
        """Synthetic data as a user opens it, at Kedro's versioned path."""
        return _versioned(self.data / "synth" / "decoded" / f"{component}.wrk.{form}", version)

    def inspection(self, view: str, schema: str) -> Path:
        """For the curator: how many values the encoding moves to `other` or an edge."""
        return self.outputs / "inspections" / f"{view}.{schema}.json"

    def units(self, view: str) -> Path:
        """How the view mixes privacy units; an empty list where it does not."""
        return self.outputs / "inspections" / f"{view}.units.json"

    def anchors(self, view: str, name: str) -> Path:
        """Scores of the anchors dec, ref and base."""
        return self.outputs / "anchors" / view / f"{name}.json"

    def run(self, version: str) -> Path:
        """A run's folder: result, claim, ledger, dictionary, resolved settings."""
        return self.outputs / "runs" / version

    def report(self, version: str) -> Path:
        """The page that a person reads."""
        return self.run(version) / "report.html"

    def sweep(self, sweep: str) -> Path:
        """A sweep's folder: its trials, what they spent, its pages."""
        return self.outputs / "sweeps" / sweep

    @property
    def book(self) -> Path:
        """The ledger book: every fit on real data, with the splits it read."""
        return self.outputs / "ledger_book.jsonl"

    def manifest(self, path: Path) -> Path:
        """The record of what an artefact was made from."""
        home = self.data if path.is_relative_to(self.data) else self.outputs
        return home / ".manifests" / path.relative_to(home).with_name(path.name + ".json")


def resource(name: str) -> Path:
    """The packaged folder `configs`, `metadata`, `sql` or `data`."""
    from importlib.resources import files

    if name == "data":
        return Path(str(files("pasteur.resources") / "data"))
    return Path(str(files(f"pasteur.resources.{name}")))


def _versioned(path: Path, version: str) -> Path:
    """Kedro's layout for `versioned: true`: `<path>/<version>/<name>`."""
    return path / version / path.name


def catalog(plan: Plan) -> DataCatalog:
    """Every artefact and parameter of one run, by the names that the pipelines use."""
    e, paths, version = plan.experiment, plan.paths, plan.version
    dataset, view, place, schema = e.dataset, e.view.name, plan.place, e.coding
    entries: dict[str, Any] = {
        "raw": MemoryDataset(copy_mode="assign"),
        "server": MemoryDataset(copy_mode="assign"),
        "let_go": MemoryDataset(copy_mode="assign"),
        "inspection": JsonFile(paths.inspection(place, schema)),
        "units": JsonFile(paths.units(view)),
        "dictionary": JsonFile(paths.dictionary(place, schema)),
        "model": _model(plan),
        "ledger": MemoryDataset(plan.ledger, copy_mode="assign"),
        "anchors": JsonFile(paths.anchors(place, f"{schema}.{e.metrics.depth}.{plan.target}.{e.seed}")),
        "scores": JsonFile(paths.run(version) / "scores.json"),
    }
    entries |= {
        f"intermediate__{name}": TableFile(paths.intermediate(dataset.name, name)) for name in raw_names(dataset)
    }
    entries |= {f"primary__{table}": TableFile(paths.primary(dataset.name, table)) for table in dataset.tables}
    entries |= {f"keys__{split}": TableFile(paths.keys(dataset.name, split)) for split in SPLITS}
    for component, table in plan.schema.tables.items():
        values = TableEncoder.declare(table).decoded_schema
        for split in SPLITS:
            whole = TableFile(paths.view(view, component, split))
            entries[f"view__{component}__{split}"] = whole
            if plan.on_ref and split in HALVED:  # halves of ref stand for these two
                entries[f"whole__{component}__{split}"] = whole
                entries[f"view__{component}__{split}"] = TableFile(paths.view(place, component, split))
            entries[f"encoded__{component}__{split}"] = TableFile(paths.encoded(place, schema, component, split))
        decoded = paths.decoded(place, schema, component, "wrk", e.format)
        entries[f"decoded__{component}__wrk"] = DecodedFile(decoded, values)
        entries[f"codes__{component}"] = TableFile(paths.synthetic_codes(view, version, component))
        entries[f"synthetic__{component}"] = DecodedFile(paths.synthetic(component, version, e.format), values)
    for name, table in plan.schema.public.items():
        values = TableEncoder.declare(table).decoded_schema
        entries[f"public__{name}"] = TableFile(paths.public(view, name))
        entries[f"synthetic__{name}"] = DecodedFile(paths.synthetic(name, version, e.format), values)
    for component, compression in plan.compressions.items():
        kept = paths.compressor(component, version)
        entries[f"compressor__{component}"] = CompressorFile(kept, compression.layout)
    parameters = {
        "dataset": dataset,
        "root": paths.root,
        "raw": paths.raw(dataset.name),
        "accept": e.accept,
        "refresh": e.refresh,
        "view": e.view,
        "schema": plan.schema,
        "seed": e.seed,
        "rows": e.rows,
        "algorithm": e.algorithm,
        "settings": e.settings,
        "components": tuple(plan.schema.tables),
        "splits": plan.splits,
        "protection": {
            "max_rows_per_unit": plan.schema.unit.max_rows,
            "rows_public": plan.schema.unit.rows_public,
            "salt": dataset.salt,
            "mechanisms": ExactMechanisms(debug_seed=e.privacy.debug_seed),
        },
        "bench": plan.bench,
        "compressions": plan.compressions,
    }
    entries |= {f"params__{name}": MemoryDataset(value, copy_mode="assign") for name, value in parameters.items()}
    return DataCatalog(entries)


def _model(plan: Plan) -> ModelFile | LearnedFile:
    paths, view, version = plan.paths, plan.experiment.view.name, plan.version
    if not plan.learns:
        return ModelFile(paths.model(view, version))
    path = paths.learned(view, version)
    return LearnedFile(path, paths.manifest(path))
