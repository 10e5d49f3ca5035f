"""How tables that do not hold the unit's id reach it: joins over declared relationships."""

# ruff: noqa: S608 - names are quoted, and no text from outside is joined in

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.errors import SchemaError
from pasteur.sql import quote
from pasteur.views.config import ComponentConfig, PublicConfig, ViewConfig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pasteur.schema import Relationship


def resolve(
    view: ViewConfig,
    *,
    dataset: str,
    tables: Sequence[str],
    unit: str,
    relationships: Iterable[Relationship] = (),
    public: Collection[str] = (),
) -> ViewConfig:
    """The view itself, or, of the generic one, the view of this data set: every table as it is, under its own name.

    Args:
        view: any view. One without components is generic.
        dataset: the data set's name, which the view of it takes.
        tables: its primary tables.
        unit: the column with the unit's id; `table.UNIT` where ids are made from content.
        relationships: declared between the tables. The first to a parent is the one that leads to the unit.
        public: the tables that are nobody's. One that is named is handed out; others are left out.
    """
    if view.components:
        return view
    known = [r for r in relationships if r.child_table in tables and r.parent_table in tables]
    links = [r for r in known if not {r.child_table, r.parent_table} & set(public)]
    components = {table: ComponentConfig() for table in tables if table not in public}
    nobodys = {r.parent_table: PublicConfig(key=r.parent_key) for r in known if r.parent_table in public}
    for link in links:
        parent = components[link.parent_table]
        parent.key = parent.key or [link.parent_key]
    for link in links:
        child = components[link.child_table]
        leads = components[link.parent_table].key == [link.parent_key]  # a parent has one key: the first referred to
        if leads and child.parent is None and link.parent_table != link.child_table:
            child.parent, child.link = link.parent_table, {link.child_key: link.parent_key}
    return ViewConfig(
        name=dataset, unit=unit, datasets=[dataset], schemas=view.schemas, components=components, public=nobodys
    )


def owned(
    table: str, *, columns: Mapping[str, Sequence[str]], unit: str, relationships: Sequence[Relationship]
) -> str | None:
    """SQL for the text of the unit's id of each of a table's rows, in their order: column `owner`. None: no path.

    Args:
        table: the table.
        columns: each table's columns.
        unit: the column with the unit's id.
        relationships: declared between the tables.
    """
    path = path_to(table, columns, unit, relationships)
    if path is None:
        return None
    joins = "".join(
        f" LEFT JOIN {quote(link.parent_table)} AS t{i + 1}"
        f" ON t{i}.{quote(link.child_key)} = t{i + 1}.{quote(link.parent_key)}"
        for i, link in enumerate(path)
    )
    rows = f'SELECT *, row_number() OVER () AS "_place of it" FROM {quote(table)}'
    owner = f"CAST(t{len(path)}.{quote(unit)} AS VARCHAR)"
    return f'SELECT {owner} AS owner FROM ({rows}) AS t0{joins} ORDER BY t0."_place of it"'


def path_to(
    table: str, columns: Mapping[str, Sequence[str]], unit: str, relationships: Sequence[Relationship]
) -> tuple[Relationship, ...] | None:
    """The shortest chain of parents from the table to one with the unit's column; None if there is none."""
    reached: list[tuple[str, tuple[Relationship, ...]]] = [(table, ())]
    seen = {table}
    for name, path in reached:
        if unit in columns.get(name, ()):
            return path
        for link in relationships:
            if link.child_table == name and link.parent_table not in seen and link.parent_table in columns:
                seen.add(link.parent_table)
                reached.append((link.parent_table, (*path, link)))
    return None


def no_path(where: str, unit: str) -> SchemaError:
    """The error of a table whose rows belong to nobody."""
    return SchemaError(f"{where}: must have the unit's column '{unit}', or a parent that leads to it")
