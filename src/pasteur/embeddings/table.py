"""`TableEncoder`: one component to codes and back, in batches."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from pasteur.embeddings import Part, find
from pasteur.embeddings._values import flat, nulls, smallest
from pasteur.errors import DataError, SchemaError, near_miss
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pasteur.embeddings import Embedding
    from pasteur.schema import TableSchema

BLOCK = 65_536
"""Rows that one generator decodes: fixed, so that values do not depend on the batches they came in."""


@dataclass(frozen=True, kw_only=True)
class TableEncoder:
    """The embeddings of one component's columns, in the schema's order.

    `id_types` maps id columns to the names of their Arrow types: they are carried as they are. `order` is all columns,
    `drop` those of the data that the schema leaves out on purpose: they are in no code and no decoded row.
    """

    name: str
    order: tuple[str, ...]
    embeddings: Mapping[str, Embedding]
    id_types: Mapping[str, str]
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two attributes of one name."""
        taken = {UNIT, *self.id_types}
        for part in self.attributes:
            if part.name in taken:
                raise SchemaError(f"table '{self.name}': attribute '{part.name}' must have a name of its own")
            taken.add(part.name)

    @classmethod
    def declare(cls, table: TableSchema) -> Self:
        """The encoder that the schema declares.

        Raises:
            SchemaError: a column's embedding or domain breaks a rule.
        """
        embeddings: dict[str, Embedding] = {}
        ids: dict[str, str] = {}
        for column in table.columns:
            if column.embedding is None:
                if column.sdtype != "id":
                    raise SchemaError(f"column {column.where} must have an embedding and a declared domain")
                ids[column.name] = "string" if column.sdv.get("regex_format") else "int64"
                continue
            if "type" not in column.embedding:
                raise SchemaError(f"{column.where} embedding must have a 'type'")
            kind = find(column.embedding["type"], where=f"{column.where} embedding")
            embeddings[column.name] = kind.declare(column)
        return cls(name=table.name, order=table.names, embeddings=embeddings, id_types=ids, drop=table.drop)

    @property
    def attributes(self) -> tuple[Part, ...]:
        """Every part of every column, in order."""
        return tuple(part for embedding in self.embeddings.values() for part in embedding.parts)

    @property
    def sizes(self) -> dict[str, int]:
        """The domain: each attribute's number of codes."""
        return {part.name: part.size for part in self.attributes}

    @property
    def ids(self) -> tuple[str, ...]:
        """The id columns, which are carried as they are."""
        return tuple(self.id_types)

    @property
    def decoded_schema(self) -> pa.Schema:
        """The Arrow schema of decoded rows. Ids are text where SDV gives a regular expression, else int64."""
        types = {name: embedding.arrow for name, embedding in self.embeddings.items()}
        types |= {name: pa.type_for_alias(kind) for name, kind in self.id_types.items()}
        return pa.schema([(name, types[name]) for name in self.order])

    def fit(self, table: Table) -> Self:
        """The encoder whose embeddings that learn from data have done so. Of declared ones, no row is read."""
        fitted = dict(self.embeddings)
        for name, embedding in self.embeddings.items():
            if not embedding.private:
                fitted[name] = embedding.fit(table.arrow([name]).column(0).combine_chunks())
        return replace(self, embeddings=fitted)

    def check(self, table: Table, *, file: str) -> None:
        """Refuse a table that the schema does not describe: the last place that may.

        Args:
            table: the component's rows, with or without the unit's id.
            file: what the table is called in the error.

        Raises:
            DataError: a column is missing, one is neither described nor in `drop`, or a row holds what is not declared.
                Names file, table, column and row number (from 1), never the value.
        """
        for name in self.order:
            if name not in table.columns:
                miss = near_miss(name, table.columns)
                raise DataError(f"{file}: column {self.name}.{name} is in the schema and must be in the data{miss}")
        for name in table.columns:
            if name not in {*self.order, *self.drop, UNIT}:
                miss = near_miss(name, self.order)
                must_be = f"described by the schema or named in its 'drop'{miss}"
                raise DataError(f"{file}: column {self.name}.{name} is in the data and must be {must_be}")
        row = 0
        for batch in table.batches(list(self.embeddings)):
            worst: tuple[int, str] | None = None
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                index = self.embeddings[name].check(values)
                if index is not None and (worst is None or index < worst[0]):
                    worst = (index, name)
            if worst is not None:
                self._refuse(file, worst[1], row + worst[0] + 1, batch.column(worst[1])[worst[0] : worst[0] + 1])
            row += batch.num_rows

    def _refuse(self, file: str, name: str, row: int, value: pa.Array) -> None:
        must_be = self.embeddings[name].expects
        if nulls(flat(value)).all():
            must_be = "not missing, or its domain must declare null"
        raise DataError(f"{file}: column {self.name}.{name}: row {row} must be {must_be}")

    def report(self, table: Table) -> dict[str, dict[str, float]]:
        """For the curator only: the share of each column's values that encoding moves, to `other` and to an edge."""
        counts = {name: embedding.moved(pa.nulls(0)) for name, embedding in self.embeddings.items()}
        rows = 0
        for batch in table.batches(list(self.embeddings)):
            rows += batch.num_rows
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                for kind, count in self.embeddings[name].moved(values).items():
                    counts[name][kind] += count
        return {name: {kind: n / max(rows, 1) for kind, n in kinds.items()} for name, kinds in counts.items()}

    def encode(self, table: Table) -> Table:
        """Codes, lazily: the unit's id if it is there, ids as they are, one column of unsigned integers an attribute.

        Rows keep their order. Nothing is raised, logged or branched on by a value.
        """
        carried = [name for name in (UNIT, *self.ids) if name in table.columns]
        kept = [table.schema.field(name) for name in carried]
        codes = [pa.field(part.name, pa.from_numpy_dtype(smallest(part.size))) for part in self.attributes]
        schema = pa.schema([*kept, *codes])

        def encode(batch: pa.RecordBatch) -> pa.RecordBatch:
            columns = [batch.column(name) for name in carried]
            for name, embedding in self.embeddings.items():
                columns.extend(pa.array(codes) for codes in embedding.encode(batch.column(name)))
            return pa.RecordBatch.from_arrays(columns, schema=schema)

        return table.map(encode, schema)

    def decode(self, table: Table, *, rng: np.random.Generator) -> Table:
        """Values, lazily, in the schema's columns and order; the unit's id is dropped.

        Ids are the coded table's where it has them, else fresh: 1, 2, 3 and so on. `rng` is drawn from once, here: the
        table can be read again, in batches of any size, and is the same.

        Raises:
            DataError: an attribute is not in the coded table.
        """
        wanted = [part.name for part in self.attributes]
        for name in wanted:
            if name not in table.columns:
                raise DataError(f"codes of {self.name} must have column '{name}'{near_miss(name, table.columns)}")
        carried = [name for name in self.ids if name in table.columns]
        schema = self.decoded_schema
        for name in carried:
            schema = schema.set(schema.get_field_index(name), table.schema.field(name))
        seed = rng.integers(2**63, size=2).tolist()

        def make() -> Iterator[pa.RecordBatch]:
            for index, block in enumerate(table.blocks([*carried, *wanted], BLOCK)):
                yield self._block(block, schema, [*seed, index], index * BLOCK)

        return Table.stream(schema, make, rows=table.rows)

    def _block(self, block: pa.Table, schema: pa.Schema, seed: list[int], start: int) -> pa.RecordBatch:
        """Decode one block of rows, the first of them being row `start` (from 0)."""
        columns: dict[str, pa.Array] = {}
        for name in self.ids:
            if name in block.schema.names:
                columns[name] = block.column(name).combine_chunks()
            else:
                fresh = pa.array(np.arange(start + 1, start + 1 + block.num_rows))
                columns[name] = fresh.cast(schema.field(name).type)
        for position, (name, embedding) in enumerate(self.embeddings.items()):
            codes = [block.column(part.name).to_numpy() for part in embedding.parts]
            for part, found in zip(embedding.parts, codes, strict=True):
                if len(found) and not (found.min() >= 0 and found.max() < part.size):
                    raise ValueError(f"{self.name}: codes of '{part.name}' must be in [0, {part.size})")
            columns[name] = embedding.decode(codes, rng=np.random.default_rng([*seed, position]))
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def to_dict(self) -> dict[str, Any]:
        """All that turns codes back into values, as JSON."""
        return {
            "name": self.name,
            "columns": list(self.order),
            "drop": list(self.drop),
            "ids": dict(self.id_types),
            "attributes": [asdict(part) for part in self.attributes],
            "embeddings": {name: embedding.state() for name, embedding in self.embeddings.items()},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The encoder that gave this document."""
        embeddings = {name: find(state["type"]).from_state(state) for name, state in document["embeddings"].items()}
        return cls(
            name=document["name"],
            order=tuple(document["columns"]),
            embeddings=embeddings,
            id_types=dict(document["ids"]),
            drop=tuple(document["drop"]),
        )
