"""How a view's tables hang together: one tree under one root, read off the schema and checked before any data is.

Every table but the root belongs to rows of one other table, its owner. It may name rows of more tables (SDV calls them
parents as well), which then are rows of the same root's tree, or of a public table (`pasteur.naming`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.embeddings.table import TableEncoder
from pasteur.errors import SchemaError, near_miss, rule
from pasteur.privacy.columns import Relation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.schema import Relationship, Schema, TableSchema


def tree(schema: Schema) -> tuple[str, tuple[Relation, ...]]:
    """Give the root table, and the relations: those that own rows, parents first, then those that only name rows.

    Raises:
        SchemaError: a composite key, two relations between the same tables, a circle, tables under several roots, a
            table of two parents that does not say which one owns it, a maximum that is not declared, or an order that
            is none.
    """
    for each in schema.relationships:
        _check_keys(each, schema)
    owners = {name: found for name in schema.tables if (found := _owner(schema, name))}
    _check_circles(owners)
    roots = [name for name in schema.tables if name not in owners]
    if len(roots) != 1:
        must_be = (
            "one: relationships in the metadata must lead from it to every other table, or the view must name it as "
            "public"
        )
        raise SchemaError(rule("tables without a parent", ", ".join(roots) or "none", must_be))
    owning: list[Relation] = []
    waiting = list(schema.tables)
    while waiting:
        name = waiting.pop(0)
        if name in owners:
            if owners[name].parent_table in waiting:
                waiting.append(name)
                continue
            owning.append(_owning(schema.tables[name], owners[name]))
    order = [roots[0], *(each.child for each in owning)]
    naming = [_naming(each, order) for each in schema.relationships if owners.get(each.child_table) is not each]
    return roots[0], (*owning, *naming)


def _check_keys(link: Relationship, schema: Schema) -> None:
    where = f"relationship {link.parent_table} -> {link.child_table}"
    for table, column in ((link.parent_table, link.parent_key), (link.child_table, link.child_key)):
        if not isinstance(column, str):
            raise SchemaError(
                rule(f"{where}: key", ", ".join(map(str, column)), "one column: composite keys are not known")
            )
        found = schema.table(table).column(column)
        if found.sdtype != "id":
            raise SchemaError(rule(f"{where}: column {found.where}", found.sdtype, "of sdtype id"))
    key = schema.table(link.parent_table).primary_key
    if key != link.parent_key:
        raise SchemaError(rule(f"{where}: {link.parent_key}", f"primary key {key}", "the parent's primary key"))
    same = [
        each
        for each in schema.relationships
        if (each.parent_table, each.child_table) == (link.parent_table, link.child_table)
    ]
    if len(same) > 1:
        columns = ", ".join(str(each.child_key) for each in same)
        raise SchemaError(
            rule(f"{where}: columns {columns}", len(same), "one: a table may be related to a parent once")
        )


def _owner(schema: Schema, name: str) -> Relationship | None:
    """The relation under whose parent the table's rows are drawn."""
    links = [each for each in schema.relationships if each.child_table == name]
    wanted = schema.tables[name].owner
    parents = [each.parent_table for each in links]
    if wanted is not None and wanted not in parents:
        raise SchemaError(rule(f"{name}.owner", wanted, "one of its parents") + near_miss(wanted, parents))
    if len(links) > 1 and wanted is None:
        listed = ", ".join(parents)
        raise SchemaError(f"table '{name}' has several parents ({listed}): pasteur.tables.{name}.owner must name one")
    return next((each for each in links if wanted is None or each.parent_table == wanted), None)


def _check_circles(owners: Mapping[str, Relationship]) -> None:
    for name in owners:
        seen = [name]
        while seen[-1] in owners:
            above = owners[seen[-1]].parent_table
            if above in seen:
                raise SchemaError(rule(f"parents of table '{name}'", " <- ".join([*seen, above]), "no circle"))
            seen.append(above)


def _owning(table: TableSchema, link: Relationship) -> Relation:
    if table.max_rows is None:
        must_be = f"declared: how many rows of one row of '{link.parent_table}' count, at most"
        raise SchemaError(f"pasteur.tables.{table.name}.max_rows must be {must_be}")
    return Relation(
        parent=link.parent_table,
        parent_key=link.parent_key,
        child=table.name,
        child_key=link.child_key,
        order=_order(table),
        max_rows=table.max_rows,
    )


def _naming(link: Relationship, order: Sequence[str]) -> Relation:
    if order.index(link.parent_table) > order.index(link.child_table):
        must_be = f"drawn before it: '{link.child_table}' must hang below a table that comes after its second parent"
        raise SchemaError(rule(f"second parent of '{link.child_table}'", f"'{link.parent_table}'", must_be))
    return Relation(
        parent=link.parent_table,
        parent_key=link.parent_key,
        child=link.child_table,
        child_key=link.child_key,
        owns=False,
    )


def _order(table: TableSchema) -> tuple[str, ...]:
    """The attributes that rows of one parent stand by."""
    if table.order is None:
        return ()
    embedding = TableEncoder.declare(table).embeddings.get(table.order)
    if embedding is None or not all(part.ordered for part in embedding.parts):
        raise SchemaError(rule(f"{table.name}: sequence_index", table.order, "a column of numbers or times"))
    return tuple(part.name for part in embedding.parts)
