"""Fit, sample, decode. `fit` is the only node through which a private algorithm meets data, by a `PrivateTable`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur import synth
from pasteur.marginals import Domain
from pasteur.pipelines.processing.nodes import decode
from pasteur.pipelines.synthesize import series, tree
from pasteur.privacy import PrivateTable
from pasteur.randomness import Stage, generator
from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from pasteur.compressors._store import Compression
    from pasteur.privacy import Ledger
    from pasteur.schema import Schema
    from pasteur.synth._relational_model import RelationalModel
    from pasteur.synth.model import Model

__all__ = ["decode", "decode_series", "draw", "fit", "fit_series", "fit_tree", "hand_out", "sample", "sample_tree"]


def fit(
    algorithm: str, settings: Any, protection: dict[str, Any], ledger: Ledger, dictionary: dict[str, Any], *codes: Table
) -> Model:
    """Learn a model from the fitted splits' codes, through the private side.

    Args:
        algorithm: the module of `pasteur.synth`.
        settings: its `Settings`.
        protection: what `PrivateTable` takes besides: rows a unit, the hash's salt, the mechanisms.
        ledger: charged before each answer.
        dictionary: the component's encoder, for its domain.
        codes: the one component's table in each fitted split.
    """
    (entry,) = dictionary.values()
    parts = entry["attributes"]
    ordinal = [part["name"] for part in parts if part["ordered"]]
    domain = Domain.of({part["name"]: part["size"] for part in parts}, ordinal=ordinal)
    private = PrivateTable(codes=concatenate(codes), domain=domain, ledger=ledger, **protection)
    model: Model = synth.find(algorithm).fit(private, settings)
    return model


def fit_tree(
    algorithm: str,
    settings: Any,
    protection: dict[str, Any],
    ledger: Ledger,
    dictionary: dict[str, Any],
    schema: Schema,
    *codes: Table,
) -> RelationalModel:
    """Learn a model of several components.

    `codes` are the public tables' rows, then the components' codes of each fitted split, split by split.
    """
    public = dict(zip(schema.public, codes, strict=False))
    module, merged = synth.find(algorithm), _by_component(tuple(dictionary), codes[len(public) :])
    return tree.fit(module, settings, protection, ledger, dictionary, schema, merged, public)


def hand_out(*public: Table) -> list[Table]:
    """The tables that are nobody's, as they are: what was drawn names their rows."""
    return list(public)


def fit_series(
    algorithm: str,
    settings: Any,
    protection: dict[str, Any],
    ledger: Ledger,
    dictionary: dict[str, Any],
    compressions: dict[str, Compression],
    *tables: Table,
) -> dict[str, Any]:
    """Learn compressors, and a model of one table: the root's codes beside the latent columns of each series.

    `tables` are, split by split, the root's codes and then the rows of each component of series.
    """
    (name,) = dictionary.keys() - compressions.keys()
    merged = _by_component((name, *compressions), tables)
    root = merged.pop(name)
    model, fitted = series.fit(algorithm, settings, protection, ledger, dictionary, compressions, root, merged)
    return {"model": model, **fitted}


def decode_series(dictionary: dict[str, Any], seed: int, codes: Table, *fitted: Compression) -> dict[str, Table]:
    """Every component's values, of the codes of the root and its latent columns."""
    return series.decode(dictionary, seed, codes, {each.layout.declaration.component: each for each in fitted})


def _by_component(components: tuple[str, ...], tables: Sequence[Table]) -> dict[str, Table]:
    """Each component's rows in all splits; `tables` are the components of each split, split by split."""
    width = len(components)
    return {name: concatenate(tables[place::width]) for place, name in enumerate(components)}


def concatenate(tables: Sequence[Table]) -> Table:
    """The rows of all `tables`, one after the other."""

    def make() -> Iterator[pa.RecordBatch]:
        for table in tables:
            yield from table.batches()

    rows = [table.rows for table in tables]
    return Table.stream(tables[0].schema, make, rows=None if None in rows else sum(r or 0 for r in rows))


def sample(model: Model, rows: int | None, seed: int) -> Table:
    """Rows of codes from the model: post-processing, nothing is spent."""
    return model.sample(rows, rng=generator(seed, Stage.SAMPLE))


def sample_tree(model: RelationalModel, rows: int | None, seed: int) -> dict[str, Table]:
    """Each component's codes with their keys."""
    return dict(model.sample(rows, rng=generator(seed, Stage.SAMPLE)))


def draw(
    algorithm: str,
    settings: Any,
    components: tuple[str, ...],
    splits: tuple[str, ...],
    rows: int | None,
    seed: int,
    *codes: Table,
) -> dict[str, Table]:
    """What an algorithm without a privacy guarantee makes of the real codes.

    `codes` are the components of each split in `splits`, split by split.
    """
    width = len(components)
    data = {
        split: dict(zip(components, codes[index * width : (index + 1) * width], strict=True))
        for index, split in enumerate(splits)
    }
    drawn: dict[str, Table] = synth.find(algorithm).draw(data, settings, rows=rows, rng=generator(seed, Stage.SAMPLE))
    return drawn
