"""Which rows of a component are whose series, and back: from tables to arrays, by declared columns."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.compressors import Channel, Declaration, Series
from pasteur.embeddings._values import flat, numbers
from pasteur.errors import SchemaError, near_miss, rule
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.embeddings import Embedding
    from pasteur.schema import Column, Relationship, Schema, TableSchema

NUMBERS = ("integers", "uniform", "log")
"""Embeddings of numbers with a declared range."""
CHANNEL_KEYS = ("transform", "zero", "missing_with", "focus")
ABLE = "'linear', 'pca', 'sax' and 'fsq' take columns of numbers with a declared range"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One component whose rows are steps of its parent's rows.

    Attributes:
        declaration: of its channels.
        parent: the component that its rows belong to.
        parent_key: that component's primary key.
        key: the column that names the parent's row.
        key_type: its Arrow type once decoded.
        order: the column that says which step a row is; None: rows stand as they are sorted.
        first: its value at the first step.
        columns: of decoded rows with their Arrow types, in the schema's order.
    """

    declaration: Declaration
    parent: str
    parent_key: str
    key: str
    key_type: str
    order: str | None
    first: int
    columns: Mapping[str, str]

    @classmethod
    def declare(cls, schema: Schema, component: str) -> Self:
        """What the schema says of `component`.

        Raises:
            SchemaError: it says too little, or of something that no compressor covers.
        """
        table, relation = schema.table(component), _relation(schema, component)
        if table.max_rows is None:
            raise SchemaError(f"component '{component}' must declare max_rows: steps of a series, at most")
        settings = dict(schema.compressors.get(component, {}))
        described = settings.pop("channels", {})
        if not isinstance(described, dict) or not all(isinstance(each, dict) for each in described.values()):
            raise SchemaError(rule(f"compressors.{component}.channels", described, "a mapping of channels to settings"))
        ordered = table.order
        series = [c for c in table.columns if c.sdtype != "id" and c.name != ordered]
        for name in described:
            if name not in [column.name for column in series]:
                miss = near_miss(name, [column.name for column in series])
                raise SchemaError(f"compressors.{component}.channels: '{name}' is no channel of it{miss}")
        for column in table.columns:
            if column.sdtype == "id" and column.name != relation.child_key:
                only = relation.child_key
                raise SchemaError(
                    f"column {column.where} must be left out ('drop'): a compressor makes no id but '{only}'"
                )
        channels = tuple(_channel(column, dict(described.get(column.name, {}))) for column in series)
        _zeros(component, channels)
        return cls(
            declaration=Declaration(component=component, channels=channels, steps=table.max_rows, settings=settings),
            parent=relation.parent_table,
            parent_key=relation.parent_key,
            key=relation.child_key,
            key_type=_type(table.column(relation.child_key)),
            order=ordered,
            first=_first(table, ordered) if ordered else 0,
            columns={column.name: _type(column) for column in table.columns},
        )

    def series(self, table: Table, keys: pa.Array, units: pa.Array | None = None) -> Series:
        """The series of each of `keys`, (entities,). Never raises on data: what has no place in one is left out.

        Rows of another parent, past the last step or at a time that another row has already are left out; rows
        without any order stand as they come. A value outside of its range goes to the edge.

        Args:
            table: the component's rows.
            keys: of the parent's rows.
            units: of the parent's rows; the table then says of each of its own whose it is, and a row of one unit that
                names another's parent has no place. None: whose they are does not matter.
        """
        steps, channels = self.declaration.steps, self.declaration.channels
        whose = [UNIT] if units is not None else []
        names = [*whose, self.key, *([self.order] if self.order else []), *(channel.name for channel in channels)]
        held = table.arrow(names)
        theirs, mine = ([held[UNIT], held[self.key]], [units, keys]) if whose else ([held[self.key]], [keys])
        found = pc.index_in(_named(theirs), _named(mine), skip_nulls=True)
        entity = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        time = _numbers(held, self.order) - self.first if self.order else np.zeros(len(entity))
        kept = (entity >= 0) & np.isfinite(time) & (time >= 0) & (time < steps)
        order = np.flatnonzero(kept)
        order = order[np.lexsort((time[order], entity[order]))]
        entity, step = entity[order], time[order].astype(np.int64)
        if self.order is None:
            step = np.arange(len(entity)) - np.searchsorted(entity, entity, side="left")
        first = np.ones(len(entity), dtype=np.bool_)
        first[1:] = (entity[1:] != entity[:-1]) | (step[1:] != step[:-1])
        first &= step < steps
        entity, step, order = entity[first], step[first], order[first]
        lengths = np.zeros(len(keys), dtype=np.int64)
        np.maximum.at(lengths, entity, step + 1)
        values = np.full((len(keys), steps, len(channels)), np.nan)
        for place, channel in enumerate(channels):
            values[entity, step, place] = channel.shares(_numbers(held, channel.name)[order])
        return Series(values=values, lengths=lengths)

    def rows(self, series: Series, keys: pa.Array) -> pa.RecordBatch:
        """Rows of `series`, one for each step that holds a value in any channel that may be missing."""
        inside = series.inside
        if self.order and all(channel.missing for channel in self.declaration.channels):
            inside = inside & np.isfinite(series.values).any(axis=2)
        entity, step = np.nonzero(inside)
        made: dict[str, pa.Array] = {self.key: keys.take(pa.array(entity))}
        if self.order:
            made[self.order] = pa.array(step + self.first)
        for place, channel in enumerate(self.declaration.channels):
            values = channel.values(series.values[entity, step, place])
            made[channel.name] = pa.array(values, from_pandas=True)
        schema = self.schema
        columns = [made[name].cast(kind) for name, kind in zip(schema.names, schema.types, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    @property
    def schema(self) -> pa.Schema:
        """Of decoded rows."""
        return pa.schema([(name, pa.type_for_alias(kind)) for name, kind in self.columns.items()])

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        document = asdict(self)
        document["declaration"]["settings"] = dict(self.declaration.settings)
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The layout that gave this document."""
        declaration = dict(document["declaration"])
        channels = tuple(
            Channel(**{**channel, "focus": tuple(channel["focus"]) if channel["focus"] else None})
            for channel in declaration.pop("channels")
        )
        return cls(**{**document, "declaration": Declaration(channels=channels, **declaration)})


def _relation(schema: Schema, component: str) -> Relationship:
    found = [relation for relation in schema.relationships if relation.child_table == component]
    if len(found) != 1:
        raise SchemaError(f"component '{component}' must belong to one parent for a compressor, not to {len(found)}")
    keys: list[object] = [found[0].parent_key, found[0].child_key]
    for key in keys:
        if not isinstance(key, str):
            where = f"relationship {found[0].parent_table} -> {component}: key"
            listed = ", ".join(map(str, key)) if isinstance(key, list) else key
            raise SchemaError(rule(where, listed, "one column: composite keys are not known"))
    return found[0]


def _named(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """One text for each row of some columns, another for other rows; null where one of them is."""
    texts = [flat(column).cast(pa.string()) for column in columns]
    lengths = [pc.utf8_length(text).cast(pa.string()) for text in texts]
    return pc.binary_join_element_wise(*lengths, *texts, ":")


def _channel(column: Column, given: dict[str, Any]) -> Channel:
    kind, domain = dict(column.embedding or {}).get("type"), dict(column.domain or {})
    where = f"compressors.{column.where}"
    if kind not in NUMBERS:
        message = f"column {column.where} ({kind}) has no compressor: {ABLE}"
        raise SchemaError(f"{message}; algorithm 'relational' takes such a component as it is")
    for bound in ("min", "max"):
        if bound not in domain:
            raise SchemaError(
                f"column {column.where} must declare '{bound}' for its channel: a range is public or none"
            )
    _embedding(column)  # its bounds are numbers, and rise
    for name in given:
        if name not in CHANNEL_KEYS:
            raise SchemaError(f"{where}: '{name}' is not a known key{near_miss(name, CHANNEL_KEYS)}")
    zero = given.get("zero", kind == "log" and domain["min"] == 0)
    if not isinstance(zero, bool):
        raise SchemaError(rule(f"{where}.zero", zero, "true or false"))
    focus = given.get("focus")
    if focus is not None and not (isinstance(focus, list) and len(focus) == 2 and all(map(_number, focus))):
        raise SchemaError(rule(f"{where}.focus", focus, "two numbers inside of its range, rising"))
    fields: dict[str, Any] = {
        "name": column.name,
        "min": float(domain["min"]),
        "max": float(domain["max"]),
        "decimals": int(domain.get("decimals", 0)),
        "transform": given.get("transform", "sqrt" if kind == "log" else "none"),
        "missing": bool(domain.get("null", False)),
        "zero": zero,
        "missing_with": given.get("missing_with"),
        "focus": (float(focus[0]), float(focus[1])) if focus else None,
    }
    try:
        return Channel(**fields)
    except SchemaError as error:
        raise SchemaError(f"compressors.{column.table}.{error}") from None


def _number(value: object) -> bool:
    """Whether it is one, and not past all that a float holds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _zeros(component: str, channels: tuple[Channel, ...]) -> None:
    """Refuse a channel that is missing with another which comes after it or has no zero of its own."""
    zeros: list[str] = []
    for channel in channels:
        if channel.missing_with is not None and channel.missing_with not in zeros:
            must_be = "a channel before it with a zero of its own" + near_miss(str(channel.missing_with), zeros)
            raise SchemaError(
                rule(f"compressors.{component}.{channel.name}.missing_with", channel.missing_with, must_be)
            )
        if channel.zero:
            zeros.append(channel.name)


def _first(table: TableSchema, order: str) -> int:
    """The first step's value of the order column, where each step has its own."""
    column = table.column(order)
    domain = dict(column.domain or {})
    low, high = domain.get("min"), domain.get("max")
    whole = isinstance(low, int) and isinstance(high, int) and not domain.get("decimals")
    steps = int(high) - int(low) + 1 if whole and low is not None and high is not None else None
    if low is None or steps != table.max_rows:
        raise SchemaError(
            f"column {column.where} must have as many whole numbers from min to max as max_rows ({table.max_rows}), "
            "a step each, for a compressor; algorithm 'relational' takes other times"
        )
    return int(low)


def _type(column: Column) -> str:
    if column.embedding is None:
        return "string" if column.sdv.get("regex_format") else "int64"
    return str(_embedding(column).arrow)


def _embedding(column: Column) -> Embedding:
    """What the column declares.

    Raises:
        SchemaError: its embedding or its domain breaks a rule.
    """
    from pasteur.embeddings import find

    kind = dict(column.embedding or {}).get("type")
    return find(str(kind), where=f"{column.where} embedding").declare(column)


def _numbers(held: pa.Table, name: str | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    found, wrong = numbers(flat(held[name]))
    plain = found.astype(np.float64)
    plain[wrong] = np.nan
    return np.where(np.isfinite(plain), plain, np.nan)
