"""A first metadata file, drafted from a data set's rows, for a person to confirm.

Each domain in it is marked `"declared": false`: it was taken from the data, so that a run with a guarantee refuses it
until somebody has held it against public knowledge, named the source and removed the mark.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "taken from the data: put public knowledge and its source here"

MOST_LEVELS = 256
"""Texts of more different values are left as one level, `other`: no codebook lists them."""

MOST_INTEGERS = 128
"""Whole numbers of a wider range get bins."""

BINS = 32
DECIMALS = 6

Json = dict[str, Any]


@dataclass(kw_only=True)
class _Facts:
    """What one pass over a column tells."""

    type: pa.DataType
    id: bool
    """Whether it is named like an id: all its values are kept, as uniqueness and relations are read off them."""
    rows: int = 0
    nulls: int = 0
    values: set[Any] | None = field(default_factory=set)
    """Distinct values; None once there are too many to be levels."""
    low: Any = None
    high: Any = None
    total: float = 0.0
    decimals: int = 0

    def see(self, values: pa.Array) -> None:
        """Add a batch."""
        self.rows += len(values)
        self.nulls += values.null_count
        held = values.drop_null()
        if not len(held):
            return
        if self.values is not None:
            self.values.update(pc.unique(held).to_pylist())
            if len(self.values) > MOST_LEVELS and not self.id:
                self.values = None
        if _is_number(self.type):
            self._see_numbers(held)
        elif pa.types.is_temporal(self.type):
            self._widen(held)

    def _see_numbers(self, held: pa.Array) -> None:
        if pa.types.is_floating(self.type):
            held = held.filter(pc.is_finite(held))
            if not len(held):
                return
            numbers = held.to_numpy(zero_copy_only=False)
            while self.decimals < DECIMALS and not np.allclose(numbers, np.round(numbers, self.decimals), atol=1e-9):
                self.decimals += 1
        self._widen(held)
        self.total += pc.sum(pc.cast(held, pa.float64())).as_py()

    def _widen(self, held: pa.Array) -> None:
        ends = pc.min_max(held).as_py()
        self.low = ends["min"] if self.low is None else min(self.low, ends["min"])
        self.high = ends["max"] if self.high is None else max(self.high, ends["max"])

    @property
    def unique(self) -> bool:
        """Whether no value is missing or there twice."""
        return self.rows > 0 and self.values is not None and len(self.values) == self.rows

    @property
    def heavy(self) -> bool:
        """Whether most values lie near the smallest and few far above."""
        held = self.rows - self.nulls
        return bool(self.low >= 0 and (self.high - self.low) > 8 * (self.total / held - self.low))


def draft(dataset_name: str, primary: Mapping[str, Table]) -> Json:
    """A metadata file for `metadata/<dataset_name>.detail.json`, read off the rows.

    Args:
        dataset_name: named in the sources, so that a reader knows which data was read.
        primary: the data set's primary tables.

    Returns:
        The two-part form of `pasteur.schema`: `sdv`, which loads as SDV V2 metadata, and `pasteur`. Every domain is
        marked `"declared": false`.
    """
    facts = {name: _facts(table) for name, table in primary.items()}
    keys = {name: _primary_key(columns) for name, columns in facts.items()}
    sdv: Json = {"METADATA_SPEC_VERSION": "V2", "tables": {}}
    ours: Json = {"tables": {}, "targets": [], "unit": {"max_rows": 1, "rows_public": False}}
    for name, columns in facts.items():
        plain, described = {}, {}
        for column, seen in columns.items():
            sdtype, entry = _describe(seen)
            plain[column] = sdtype
            if entry:
                described[column] = {**entry, "source": f"{dataset_name}: {SOURCE}", "declared": False}
        key = keys[name]
        sdv["tables"][name] = {**({"primary_key": key} if key else {}), "columns": plain}
        ours["tables"][name] = {"columns": described}
    links = _relationships(facts, keys)
    if links:
        sdv["relationships"] = links
    return {"sdv": sdv, "pasteur": ours}


def _facts(table: Table) -> dict[str, _Facts]:
    types = {name: table.schema.field(name).type for name in table.columns if name != UNIT}
    found = {name: _Facts(type=kind, id=_is_id(name, kind)) for name, kind in types.items()}
    for batch in table.batches():
        for name, seen in found.items():
            seen.see(batch.column(name))
    return found


def _primary_key(columns: Mapping[str, _Facts]) -> str | None:
    """The first id that tells all rows apart."""
    return next((name for name, seen in columns.items() if seen.id and seen.unique), None)


def _relationships(facts: Mapping[str, Mapping[str, _Facts]], keys: Mapping[str, str | None]) -> list[dict[str, str]]:
    """A column that is called like another table's key and holds nothing but its values."""
    return [
        {"parent_table_name": parent, "parent_primary_key": key, "child_table_name": child, "child_foreign_key": key}
        for parent, key in keys.items()
        for child, columns in facts.items()
        if key and child != parent and key in columns and _within(columns[key], facts[parent][key])
    ]


def _within(child: _Facts, parent: _Facts) -> bool:
    return child.values is not None and parent.values is not None and child.values <= parent.values


def _describe(seen: _Facts) -> tuple[Json, Json | None]:
    """SDV's entry, and embedding with domain; None for ids."""
    null: Json = {"null": True} if seen.nulls else {}
    if seen.id:
        return {"sdtype": "id", **({"regex_format": "[A-Za-z0-9]+"} if _is_text(seen.type) else {})}, None
    if pa.types.is_boolean(seen.type):
        return {"sdtype": "boolean"}, {"embedding": {"type": "boolean"}, "domain": null}
    if seen.low is not None and _is_number(seen.type):
        return {"sdtype": "numerical"}, _number(seen, null)
    if seen.low is not None and seen.low != seen.high:
        return {"sdtype": "datetime"}, _moment(seen, null)
    return {"sdtype": "categorical"}, _levels(seen, null)


def _number(seen: _Facts, null: Json) -> Json:
    scale = 10**seen.decimals
    low, high = math.floor(seen.low * scale) / scale, math.ceil(seen.high * scale) / scale
    if seen.decimals == 0:
        low, high = int(low), int(high)
    if low == high:
        return {"embedding": {"type": "constant"}, "domain": {"value": low, **null}}
    bounds: Json = {"min": low, "max": high}
    if seen.decimals == 0 and high - low < MOST_INTEGERS:
        return {"embedding": {"type": "integers"}, "domain": {**bounds, **null}}
    decimals = {"decimals": seen.decimals} if seen.decimals else {}
    bins = min(BINS, round((high - low) * scale))
    kind = "log" if seen.heavy and bins > 1 else "uniform"
    return {"embedding": {"type": kind, "bins": bins}, "domain": {**bounds, **decimals, **null}}


def _moment(seen: _Facts, null: Json) -> Json:
    date = pa.types.is_date(seen.type)
    bounds = {
        end: (value if date else value.replace(microsecond=0)).isoformat()
        for end, value in (("min", seen.low), ("max", seen.high))
    }
    parts = ["year", "month", "day"] if date else ["year", "month", "day", "hour"]
    return {"embedding": {"type": "datetime", "parts": parts}, "domain": {**bounds, **null}}


def _levels(seen: _Facts, null: Json) -> Json:
    levels = sorted(str(value) for value in seen.values or () if isinstance(value, str))
    if not levels:
        return {"embedding": {"type": "categories"}, "domain": {"levels": ["other"], "other": "other", **null}}
    return {"embedding": {"type": "categories"}, "domain": {"levels": levels, **null}}


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_id(name: str, kind: pa.DataType) -> bool:
    """Named like an id, of a type that ids have."""
    words = name.lower().replace("-", "_").split("_")
    return words[-1] in ("id", "key", "uuid") and bool(_is_text(kind) or pa.types.is_integer(kind))
