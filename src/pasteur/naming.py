"""Columns that name rows of public tables: levels of which each is a key, and what is known of a row once it is named.

A public table is nobody's, so what follows from a key alone costs nothing: a row that names an airport has the
airport's attributes beside its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.embeddings.categories import Categories
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import SchemaError, near_miss, rule
from pasteur.privacy.columns import Looked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.schema import Relationship, Schema
    from pasteur.table import Table


def check(schema: Schema, public: Mapping[str, Table]) -> None:
    """Refuse public tables that the schema does not describe, and levels that name none of their rows.

    Raises:
        DataError: a column or a value of a public table is not declared.
        SchemaError: a level is no key.
    """
    for name, described in schema.public.items():
        TableEncoder.declare(described).check(public[name].without(described.drop), file=name)
    for link in schema.naming:
        keys = set(_keys(public[link.parent_table], link).to_pylist())
        where = schema.table(link.child_table).column(link.child_key).where
        for level in _named(schema, link).levels:
            if str(level) not in keys:
                must_be = f"a key of the public table '{link.parent_table}'"
                raise SchemaError(rule(f"{where} domain.levels", level, must_be) + near_miss(str(level), keys))


def looked(schema: Schema, public: Mapping[str, Table]) -> dict[str, dict[str, Looked]]:
    """Table -> column -> what it is a function of: the attributes of the public rows that each table's rows name."""
    found: dict[str, dict[str, Looked]] = {}
    for link in schema.naming:
        embedding = _named(schema, link)
        if len(embedding.levels) + embedding.null != embedding.size:
            continue  # a code is a group of levels: which row it names is known when it is decoded
        described = schema.public[link.parent_table]
        table = public[link.parent_table].without(described.drop)
        encoder = TableEncoder.declare(described).fit(table)
        codes = encoder.encode(table).arrow()
        levels = pa.array([*embedding.levels, *([None] if embedding.null else [])]).cast(pa.string())
        rows = pc.index_in(levels, value_set=_keys(table, link), skip_nulls=True)
        at = pc.fill_null(rows, len(codes)).to_numpy(zero_copy_only=False).astype(np.int64)
        for part in encoder.attributes:
            column = np.append(codes[part.name].to_numpy().astype(np.int64), part.size)
            found.setdefault(link.child_table, {})[f"{part.name} of {link.child_key}"] = Looked(
                column=link.child_key, codes=column[at], size=part.size + 1, ordinal=part.ordered
            )
    return found


def _keys(table: Table, link: Relationship) -> pa.Array:
    """The public rows' keys as text."""
    return table.arrow([link.parent_key])[link.parent_key].cast(pa.string()).combine_chunks()


def _named(schema: Schema, link: Relationship) -> Categories:
    """How the column that names public rows becomes codes."""
    return Categories.declare(schema.table(link.child_table).column(link.child_key))
