"""Series beside a row, for algorithms of one table: each component of series is latent columns of its parent's row.

One table, one ledger, one claim for a unit with all its rows: what compressors learn, what lies off their curves, the
pairs of latent columns that belong together, and then the algorithm itself, on what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur import synth
from pasteur.compressors._private import PrivateFit
from pasteur.embeddings import Part
from pasteur.embeddings.table import BLOCK, TableEncoder
from pasteur.marginals import Domain
from pasteur.pipelines.synthesize import segments
from pasteur.privacy import PrivateRows, PrivateTable
from pasteur.randomness import Stage, generator
from pasteur.table import UNIT, Table, column_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pasteur.compressors import Series
    from pasteur.compressors._store import Compression
    from pasteur.privacy import Ledger
    from pasteur.synth.model import Model


@dataclass(frozen=True, kw_only=True)
class Private:
    """What every question of a run is asked with."""

    ledger: Ledger
    protection: Mapping[str, Any]

    @property
    def max_rows(self) -> int:
        """Rows of a unit that count, at most."""
        return int(self.protection["max_rows_per_unit"])

    @property
    def common(self) -> dict[str, Any]:
        """The hash's salt and the mechanisms."""
        return {name: self.protection[name] for name in ("salt", "mechanisms")}


def fit(
    algorithm: str,
    settings: Any,
    protection: Mapping[str, Any],
    ledger: Ledger,
    dictionary: Mapping[str, Any],
    compressions: Mapping[str, Compression],
    root: Table,
    rows: Mapping[str, Table],
) -> tuple[Model, dict[str, Compression]]:
    """Learn the compressors, then a model of the root's attributes and all latent columns.

    Args:
        algorithm: the module of `pasteur.synth`.
        settings: its `Settings`.
        protection: what `PrivateTable` takes besides.
        ledger: charged before each answer.
        dictionary: each component's encoder.
        compressions: of each component of series, as declared.
        root: codes of the component that they all belong to, with its keys and units.
        rows: each component of series, as the view has it.
    """
    private, budget = Private(ledger=ledger, protection=protection), ledger.remaining
    (name,) = dictionary.keys() - compressions.keys()
    held = root.arrow()
    parts = [Part(**part) for part in dictionary[name]["attributes"]]
    known = UNIT in held.column_names
    units = held[UNIT].combine_chunks() if known else pa.array(range(held.num_rows)).cast("string")
    columns = {UNIT: units, **{part.name: held[part.name] for part in parts}}
    fitted: dict[str, Compression] = {}
    for component, declared in compressions.items():
        keys = held[declared.layout.parent_key].combine_chunks()
        series = declared.layout.series(rows[component], keys, units if known else None)
        fitted[component], latents = _learned(declared, series, units, private, budget)
        columns |= latents
        parts += fitted[component].codec.compressor.parts
    domain = Domain.of({part.name: part.size for part in parts}, ordinal=[part.name for part in parts if part.ordered])
    table = PrivateTable(codes=Table.of(pa.table(columns)), domain=domain, ledger=ledger, **protection)
    pairs = [pair for each in fitted.values() for pair in segments.pairs(each.codec.compressor.segments)]
    measured = segments.measure(table, pairs, budget=budget)
    model: Model = synth.find(algorithm).fit(table, settings)
    return segments.forced(model, measured), fitted


def _learned(
    declared: Compression, series: Series, units: pa.Array, private: Private, budget: float
) -> tuple[Compression, dict[str, pa.Array]]:
    """The compression with all it learns, and the latent columns of each series, whose units are `units`."""
    codec = declared.codec
    compressor, most = codec.compressor, private.max_rows
    for text in getattr(compressor, "stamps", ()):
        private.ledger.stamp(text)
    if compressor.PRIVATE_FIT and compressor.share:
        asked = PrivateFit(series, units, private.ledger, max_rows_per_unit=most, **private.common)
        compressor = compressor.fit(asked, cost=budget * compressor.share)
    codes = compressor.encode(series)
    residual = codec.residual
    if codec.share:
        curves = compressor.curves(codes, series.lengths)
        steps = residual.rows(series, curves, compressor.outside.levels(codec.outside(codes)), units)
        asked_rows = PrivateRows(
            Table.of(steps),
            residual.domain,
            private.ledger,
            max_rows_per_unit=most * declared.layout.declaration.steps,
            **private.common,
        )
        residual = residual.fit(asked_rows, cost=budget * codec.share)
    latents = {
        part.name: column_of(codes[:, place].astype(np.min_scalar_type(part.size - 1)))
        for place, part in enumerate(compressor.parts)
    }
    return replace(declared, codec=replace(codec, compressor=compressor, residual=residual)), latents


def decode(
    dictionary: Mapping[str, Any], seed: int, codes: Table, compressions: Mapping[str, Compression]
) -> dict[str, Table]:
    """Every component's values, lazily: the root's, and the rows of each of its series, which name it.

    The same whatever the batches: a generator draws a fixed number of the root's rows.
    """
    (name,) = dictionary.keys() - compressions.keys()
    decoded = {}
    for index, component in enumerate(dictionary):
        rng = generator(seed, Stage.DECODE, index)
        if component == name:
            decoded[component] = TableEncoder.from_dict(dictionary[name]).decode(codes, rng=rng)
        else:
            decoded[component] = _rows(compressions[component], codes, rng=rng)
    return decoded


def _rows(compression: Compression, codes: Table, *, rng: np.random.Generator) -> Table:
    layout, codec = compression.layout, compression.codec
    names = [part.name for part in codec.compressor.parts]
    seed = rng.integers(2**63, size=2).tolist()

    def make() -> Iterator[pa.RecordBatch]:
        for index, block in enumerate(codes.blocks(names, BLOCK)):
            latents = np.stack([block.column(name).to_numpy().astype(np.int64) for name in names], axis=1)
            series = codec.decode(latents, rng=np.random.default_rng([*seed, index]))
            start = index * BLOCK + 1  # keys are those that the root's rows are given, 1, 2, 3 and so on
            keys = pa.array(np.arange(start, start + block.num_rows)).cast(layout.key_type)
            yield layout.rows(series, keys)

    return Table.stream(layout.schema, make)
