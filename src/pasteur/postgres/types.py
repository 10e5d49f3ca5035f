"""The server's types as ours: whole numbers, numbers, texts, truth values, dates and times of UTC."""

# ruff: noqa: S608 - names are quoted

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pasteur.errors import SchemaError
from pasteur.postgres.session import checked, qualified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.postgres.session import Session

ARROW = {
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
"""The types that rows travel in."""

KINDS = {
    **dict.fromkeys(("int2", "int4", "int8"), "bigint"),
    **dict.fromkeys(("float4", "float8", "numeric"), "double precision"),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "uuid", "unknown", "citext"), "text"),
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
}
"""The server's name of a type -> the type that its values travel in. Enums are texts, domains what they are made of."""

BASES = """WITH RECURSIVE made(oid, base) AS (
 SELECT oid, oid FROM pg_type UNION ALL
 SELECT m.oid, t.typbasetype FROM made m JOIN pg_type t ON t.oid = m.base WHERE t.typtype = 'd')
SELECT m.oid::bigint AS oid, format_type(m.oid, NULL) AS shown, t.typtype::text AS sort, t.typname::text AS base
FROM made m JOIN pg_type t ON t.oid = m.base WHERE t.typtype <> 'd' AND m.oid = ANY({oids})"""
"""What each type is made of."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column of a table or a query."""

    name: str
    kind: str | None
    """One of `ARROW`; None for a type that is not flat."""
    base: str
    """The server's name of the type, of a domain's what it is made of: `timestamptz`."""
    shown: str
    """What the server calls it in messages: `timestamp with time zone`."""


def described(session: Session, types: Sequence[tuple[str, int]], where: str) -> list[Field]:
    """Fields of (name, the type's oid)."""
    oids = f"ARRAY[{', '.join(str(oid) for _, oid in types)}]::oid[]"
    known = {row["oid"]: row for row in session.rows(BASES.format(oids=oids), where=where)} if types else {}
    made = []
    for name, oid in types:
        row: Mapping[str, str] = known[oid]
        kind = "text" if row["sort"] == "e" else KINDS.get(row["base"])
        made.append(Field(name=name, kind=kind, base=row["base"], shown=row["shown"]))
    return made


def fields(session: Session, text: str, *, where: str) -> list[Field]:
    """The columns of a query, which is prepared and not run.

    Raises:
        SqlError: the server does not take it.
        DataError: two columns have one name.
    """
    names = checked(session.names(text, where=where), where)
    if not names:
        return []
    asked = ", ".join(f"pg_typeof(q.{qualified(name)})::oid::bigint AS t{i}" for i, name in enumerate(names))
    row = session.one(f"SELECT {asked} FROM (SELECT) AS one LEFT JOIN ({text}\n) AS q ON false", where=where)
    return described(session, [(name, row[f"t{i}"]) for i, name in enumerate(names)], where)


def normal(field: Field, value: str, *, where: str) -> str:
    """SQL of a value in the type that it travels in.

    Raises:
        SchemaError: it is of a type that is not flat.
    """
    if field.kind is None:
        raise SchemaError(
            f"{where}: column '{field.name}' ({field.shown}) must be a number, text, truth value, date or time: cast "
            "it (types, in the YAML), drop it, or leave it out of the query"
        )
    return f"({value} AT TIME ZONE 'UTC')" if field.base == "timestamptz" else f"{value}::{field.kind}"


def finite(field: Field, value: str) -> str | None:
    """SQL of whether a date or time is one; None for other types."""
    return f"isfinite({value})" if field.kind in ("date", "timestamp") else None
