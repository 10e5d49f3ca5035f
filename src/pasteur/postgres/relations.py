"""The data set's tables as they are in the server, and as they stand before each query: a `WITH` each."""

# ruff: noqa: S608 - names are quoted

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pasteur.errors import DataError, near_miss
from pasteur.postgres.session import literal, qualified
from pasteur.postgres.types import Field, described, normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.postgres.session import Session

CASTS = {
    "string": {"text": "{}::text"},
    "int64": {"bigint": "{}::bigint", "text": "btrim({})::bigint", "boolean": "{}::int::bigint"},
    "float64": dict.fromkeys(("bigint", "double precision", "text"), "{}::double precision"),
    "bool": dict.fromkeys(("boolean", "text"), "{}::boolean"),
    "date": dict.fromkeys(("date", "text"), "{}::date"),
    "timestamp": {
        "timestamp": "{}",
        "date": "{}::timestamp",
        "text": "({}::timestamptz AT TIME ZONE 'UTC')",  # without a zone it is one of UTC: the session's
    },
}
"""Type of the YAML -> the kind that a column may have -> its cast. None rounds or cuts off."""

TYPES = {
    "string": "text",
    "int64": "bigint",
    "float64": "double precision",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


VALUE = "\0"
"""No SQL and no name has it."""


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """What a YAML says of a table in the server."""

    schema: str
    name: str
    types: Mapping[str, str] = field(default_factory=dict)
    """Column, as it ends -> one of `TYPES`."""
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table: where it is, and its columns as queries see them."""

    table: str
    """Its name in queries."""
    source: str
    """Its name in the server, quoted."""
    fields: Mapping[str, Field]
    """Column -> what it is, as queries see it."""
    forms: Mapping[str, tuple[str, str]]
    """Column -> its name in the server, quoted, and SQL of its value, in which `VALUE` stands for it."""

    def value(self, column: str, alias: str = "t") -> str:
        """SQL of a column's value, over the server's own table under a name."""
        original, form = self.forms[column]
        return form.replace(VALUE, f"{alias}.{original}")

    def select(self, where: str = "") -> str:
        """SQL of its rows, or of those for which a condition over `t` holds."""
        listed = ", ".join(f"{self.value(name)} AS {qualified(name)}" for name in self.forms)
        return f"SELECT {listed} FROM {self.source} AS t" + (f" WHERE {where}" if where else "")


def shadows(
    relations: Mapping[str, Relation], conditions: Mapping[str, str] | None = None, *, shuffled: int | None = None
) -> str:
    """The `WITH` that stands before a query: each table.

    Args:
        relations: the tables.
        conditions: table -> SQL over `t` of which of its rows there are; of others all.
        shuffled: rows come in the order of a hash that this seeds; None: as the server likes.
    """
    kept = conditions or {}
    order = "" if shuffled is None else f" ORDER BY hashtextextended(t::text, {shuffled:d})"
    return ", ".join(
        f"{qualified(name)} AS NOT MATERIALIZED ({relation.select(kept.get(name, ''))}{order})"
        for name, relation in relations.items()
    )


def relations_of(session: Session, tables: Mapping[str, TableSpec], *, where: str) -> dict[str, Relation]:
    """Look up each table.

    Args:
        session: the server.
        tables: name in queries -> where it is and what is declared of it.
        where: the data set, for messages.

    Raises:
        DataError: a table or column is not there, or the role may not read it.
        SchemaError: a column is of a type that is not flat, or that its declared type cannot be made of.
    """
    return {name: _relation(session, name, spec, where) for name, spec in tables.items()}


def _relation(session: Session, table: str, spec: TableSpec, dataset: str) -> Relation:
    where = f"{dataset}, table '{table}'"
    source = qualified(spec.schema, spec.name)
    found = session.rows(
        "SELECT c.oid::bigint AS oid, has_table_privilege(c.oid, 'SELECT') AS readable, "
        "has_schema_privilege(n.oid, 'USAGE') AS reachable FROM pg_class c JOIN pg_namespace n "
        f"ON n.oid = c.relnamespace WHERE n.nspname = {literal(spec.schema)} AND c.relname = {literal(spec.name)} "
        "AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        where=where,
    )
    if not found:
        raise _missing(session, where, spec)
    if not found[0]["reachable"]:
        raise DataError(f"{where}: the role may not look into schema '{spec.schema}': GRANT USAGE ON SCHEMA to it")
    columns = session.rows(
        "SELECT a.attname::text AS name, a.atttypid::bigint AS oid, "
        "has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable FROM pg_attribute a "
        f"WHERE a.attrelid = {found[0]['oid']:d} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        where=where,
    )
    names = [row["name"] for row in columns]
    for name in (*spec.drop, *spec.rename):
        if name not in names:
            raise DataError(f"{where}: column '{name}' is not there{near_miss(name, names)}")
    kept = [row for row in columns if row["name"] not in spec.drop]
    if denied := [row["name"] for row in kept if not row["readable"]]:
        shown = ", ".join(f"'{name}'" for name in denied[:3])
        raise DataError(f"{where}: the role may not read {shown} of {source}: GRANT SELECT ON {source} to it")
    held = dict(zip((row["name"] for row in kept), described(session, _types(kept), where), strict=True))
    return _typed(table, source, spec, held, where)


def _types(rows: Sequence[Mapping[str, int]]) -> list[tuple[str, int]]:
    return [(str(row["name"]), row["oid"]) for row in rows]


def _missing(session: Session, where: str, spec: TableSpec) -> DataError:
    beside = session.rows(
        "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {literal(spec.schema)} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        where=where,
    )
    if not beside:
        schemas = session.rows("SELECT nspname::text AS name FROM pg_namespace", where=where)
        return DataError(
            f"{where}: schema '{spec.schema}' has no tables in the server"
            f"{near_miss(spec.schema, (row['name'] for row in schemas if not row['name'].startswith('pg_')))}"
        )
    hint = near_miss(spec.name, (row["name"] for row in beside))
    return DataError(f"{where}: table '{spec.name}' is not in schema '{spec.schema}'{hint}")


def _typed(table: str, source: str, spec: TableSpec, held: Mapping[str, Field], where: str) -> Relation:
    final = {spec.rename.get(name, name): name for name in held}
    if len(final) != len(held):
        raise DataError(f"{where}: a column is renamed to the name of another")
    for name in spec.types:
        if name not in final:
            raise DataError(f"{where}: column '{name}' is not there{near_miss(name, final)}")
    fields, forms = {}, {}
    for name, original in final.items():
        own, declared = held[original], spec.types.get(name)
        form = normal(own, VALUE, where=where) if declared is None else _cast(own, VALUE, declared, where)
        forms[name] = qualified(original), form
        kind = own.kind if declared is None else TYPES[declared]
        fields[name] = Field(name=name, kind=kind, base=own.base if declared is None else "", shown=kind or own.shown)
    return Relation(table=table, source=source, fields=fields, forms=forms)


def _cast(own: Field, value: str, declared: str, where: str) -> str:
    """SQL of a column in its declared type. Any type has a text."""
    if declared == "string":
        return f"{value}::text"
    if own.kind is not None and (form := CASTS[declared].get(own.kind)) is not None:
        return form.format(normal(own, value, where=where))
    raise DataError(
        f"{where}: column '{own.name}' ({own.shown}) must be of a type that {declared} can be made of without a loss "
        f"({', '.join(CASTS[declared])}); cast it in the view's SQL"
    )
