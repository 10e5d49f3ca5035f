"""Judge synthetic data that anybody's tool made: the same scores, from frames.

Of A, which the tool was given, B, which it made, and C, which it was not given: C is cut in two, T and ref, and A is
wrk. Without C, A's halves are T and ref: then a tool that copies A is rewarded, and the result says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from pasteur.errors import ConfigError, DataError, near_miss
from pasteur.metrics import candidates as cutting
from pasteur.metrics.benchmark import measure_anchors, measure_synthetic, read_scores
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.families import stream
from pasteur.schema import Schema
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from pasteur.metrics.data import Tables
    from pasteur.metrics.score import Score
    from pasteur.metrics.sql_parse import Query
    from pasteur.schema import TableSchema

    Rows: TypeAlias = Table | pa.Table | pd.DataFrame
    Given: TypeAlias = Rows | Mapping[str, Rows]

REWARDS_COPYING = (
    "T and ref are halves of the data that the tool was given: a copy of it scores well; hold some back and give it as "
    "test"
)

LEAST = 20
"""Rows of the root component that are cut in two."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was found. Computed on real data: not differentially private."""

    scores: tuple[Score, ...]
    document: Mapping[str, Any]
    """What `measure_synthetic` gives: scores, failures, notes, seconds, rows, details and worst, as JSON."""
    rewards_copying: bool
    """Whether T and ref are halves of what the tool was given."""

    @property
    def details(self) -> Mapping[str, Any]:
        """Side -> family -> what a report shows."""
        found: Mapping[str, Any] = self.document["details"]
        return found

    @property
    def notes(self) -> Mapping[str, str]:
        """What a reader of the scores must know."""
        found: Mapping[str, str] = self.document["notes"]
        return found

    @property
    def failures(self) -> Mapping[str, str]:
        """Family or metric -> why it FAILED."""
        found: Mapping[str, str] = self.document["failures"]
        return found


def evaluate(
    real: Given,
    synthetic: Given,
    schema: Schema | Mapping[str, Any],
    test: Given | None = None,
    *,
    settings: MetricsConfig | None = None,
    queries: Sequence[Query] = (),
    seed: int = 0,
) -> Evaluation:
    """Score synthetic data beside fresh real data and independent columns.

    Args:
        real: what the tool was given: a frame, or a mapping of components to frames.
        synthetic: what it made. Columns in any order, further ones are left out and said so.
        schema: columns, domains, relationships and targets: a `Schema`, or the JSON document of a metadata file.
        test: rows of the same kind that the tool was not given.
        settings: depth, families, sizes; the depth `standard` unless given.
        queries: of the SQL family.
        seed: halves, samples and models.

    Raises:
        ConfigError: a component is missing, or a bare frame is given for several.
        DataError: a column is missing or cannot be read as its type, or there are too few real rows to cut in two.
        SchemaError: the schema is wrong.
    """
    described = schema if isinstance(schema, Schema) else Schema.parse(dict(schema), name="schema", file="schema")
    chosen = settings or MetricsConfig(depth="standard")
    notes: dict[str, str] = {}
    sides = {"real": real, "synthetic": synthetic} | ({} if test is None else {"test": test})
    held = {name: _read(given, described, name, notes) for name, given in sides.items()}
    fresh = held.get("test", held["real"])
    target, reference = halves(
        fresh, described, rng=stream(seed, "halves"), name="test" if test is not None else "real"
    )
    working = held["real"] if test is not None else None
    asked: dict[str, Any] = {"schema": described, "settings": chosen, "queries": queries, "seed": seed}
    anchors = measure_anchors(target, decoded=None, reference=reference, working=working, **asked)
    document = measure_synthetic(target, held["synthetic"], anchors=anchors, working=working, **asked)
    if test is None:
        notes["evaluate"] = REWARDS_COPYING
    document["notes"] = {**document["notes"], **notes}
    return Evaluation(scores=read_scores(document), document=document, rewards_copying=test is None)


def halves(
    tables: Tables, schema: Schema, *, rng: np.random.Generator, name: str
) -> tuple[dict[str, Table], dict[str, Table]]:
    """The tables cut in two at random: rows of one unit, and children and their parent, stay together.

    Raises:
        DataError: there are too few rows; names the table.
    """
    held = {component: table.arrow() for component, table in tables.items()}
    for component in cutting.roots(schema):
        if held[component].num_rows < LEAST:
            raise DataError(f"{name}: table '{component}' must have at least {LEAST} rows to be cut in two")
    dealt = cutting.deal(held, schema=schema, groups=2, rng=rng)
    sides = [{c: Table.of(table.filter(pa.array(dealt[c] == half))) for c, table in held.items()} for half in (0, 1)]
    return sides[0], sides[1]


def _read(given: Given, schema: Schema, name: str, notes: dict[str, str]) -> dict[str, Table]:
    """The components with the schema's columns, in its order and its types."""
    from pasteur.embeddings.table import TableEncoder

    if not isinstance(given, Mapping):
        if len(schema.tables) > 1:
            raise ConfigError(f"{name} must be a mapping of components to tables: {', '.join(schema.tables)}")
        given = dict.fromkeys(schema.tables, given)
    for component in given:
        if component not in schema.tables:
            raise ConfigError(
                f"{name}: '{component}' is not a table of the schema{near_miss(component, schema.tables)}"
            )
    tables = {}
    for component, table in schema.tables.items():
        if component not in given:
            raise ConfigError(f"{name} must have the table '{component}'{near_miss(component, given)}")
        rows = given[component]
        held = rows if isinstance(rows, Table) else Table.of(rows)
        extra = [c for c in held.columns if c not in (*table.names, *table.drop, UNIT)]
        if extra:
            notes[f"columns/{name}/{component}"] = f"left out, for the schema has no such column: {_few(extra)}"
        types = TableEncoder.declare(table).decoded_schema if _declared(table) else None
        tables[component] = _typed(held, table, types, name)
    return tables


def _declared(table: TableSchema) -> bool:
    """Whether the types of values follow from the schema: an embedding that learns from data knows them later."""
    return all((column.embedding or {}).get("type") != "rdt" for column in table.columns)


def _few(names: list[str]) -> str:
    shown = [n if len(n) <= 40 else n[:39] + "…" for n in names[:5]]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _typed(held: Table, table: TableSchema, types: pa.Schema | None, name: str) -> Table:
    for column in table.names:
        if column not in held.columns:
            miss = near_miss(column, held.columns)
            raise DataError(f"{name}: column {table.name}.{column} is in the schema and must be in the data{miss}")
    kept = [*([UNIT] if UNIT in held.columns else []), *table.names]
    rows = held.arrow(kept)
    columns = []
    for column in kept:
        values = rows[column]
        if isinstance(values.type, pa.DictionaryType):
            values = values.cast(values.type.value_type)
        wanted = pa.string() if column == UNIT else values.type if types is None else types.field(column).type
        columns.append(_cast(values, wanted, f"{name}: column {table.name}.{column}"))
    return Table.of(pa.table(dict(zip(kept, columns, strict=True))))


def _cast(values: pa.ChunkedArray, wanted: pa.DataType, where: str) -> pa.ChunkedArray:
    """The values in the schema's type. Whole numbers may be given as decimals, and as text."""
    if values.type == wanted:
        return values
    numeric = pa.types.is_integer(wanted) or pa.types.is_floating(wanted)
    try:
        if pa.types.is_null(values.type):
            return pa.chunked_array([pa.nulls(len(values), wanted)])
        if pa.types.is_integer(wanted) and not pa.types.is_integer(values.type):
            return _whole(values.cast(pa.float64()), wanted)
        if numeric and pa.types.is_boolean(values.type):
            return values.cast(pa.int8()).cast(wanted)
        if pa.types.is_string(wanted) and pa.types.is_floating(values.type):
            return _text(values)
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        must_be = "numbers" if numeric else f"values of type {wanted}"
        raise DataError(f"{where} ({values.type}) must be {must_be}, as the schema says") from None


def _whole(values: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Numbers where whole ones are due: kept as decimals if any is none, for that is what is to be judged."""
    numbers = values.to_numpy()
    known = numbers[np.isfinite(numbers)]
    if known.size and (np.any(known != np.rint(known)) or np.abs(known).max() > 2**53):
        return values
    nothing = np.isnan(numbers)
    if np.isinf(numbers).any():
        return values
    whole = np.where(nothing, 0, numbers).astype(np.int64)
    return pa.chunked_array([pa.array(whole, pa.int64(), mask=nothing).cast(wanted)])


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as levels are spelt: 1.0 is 1."""
    spelt = [None if v is None or v != v else f"{v:g}" if v != int(v) else str(int(v)) for v in values.to_pylist()]  # noqa: PLR0124 - NaN
    return pa.chunked_array([pa.array(spelt, pa.string())])
