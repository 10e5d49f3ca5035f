"""A view whose primary tables live in Postgres: the same components and checks, by SQL in the server."""

# ruff: noqa: S608 - names are quoted; queries from outside were read by the guard before they are joined in

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pasteur.errors import DataError, SchemaError, near_miss
from pasteur.postgres import ARROW, check, fields, finite, normal, qualified, shadows
from pasteur.table import UNIT, Table
from pasteur.views.relations import no_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pasteur.postgres import Field, Snapshot
    from pasteur.views.config import ViewConfig

UNIT_ID = qualified(UNIT)


class ServerView:
    """A view's queries, checked and bound to the server's tables.

    Raises:
        SqlError: a query may not run, or does not fit the tables.
        SchemaError: a component does not have its key's columns, does not reach the unit, or has a column that is not
            flat.
    """

    def __init__(self, view: ViewConfig, snapshot: Snapshot) -> None:
        self.view, self.snapshot = view, snapshot
        self.queries = {name: _query(view, name, snapshot) for name in view.components}
        self.fields = {name: self._fields(name) for name in view.components}
        for name in view.components:
            self._check(name)

    def _fields(self, name: str) -> dict[str, Field]:
        where = self.view.where(name)
        text = f"WITH {shadows(self.snapshot.relations)} SELECT * FROM ({self.queries[name]}\n) AS q"
        found = {field.name: field for field in fields(self.snapshot.session, text, where=where)}
        for field in found.values():
            normal(field, "", where=where)
        return found

    def _check(self, name: str) -> None:
        config, where, held = self.view.components[name], self.view.where(name), self.fields[name]
        for column in (*config.key, *config.link):
            if column not in held:
                raise SchemaError(f"{where}: column '{column}' is not there{near_miss(column, held)}")
        if self.view.unit != UNIT and UNIT in held:
            raise SchemaError(f"{where}: column '{UNIT}' must be left to the unit's id")
        if self.view.unit not in held and config.parent is None:
            raise no_path(where, self.view.unit)

    def columns(self, name: str) -> list[str]:
        """A component's columns, without the unit's own."""
        return [column for column in self.fields[name] if column != UNIT]

    def schema(self, name: str) -> pa.Schema:
        """A component's columns and types, after the unit."""
        held = [(column, ARROW[str(self.fields[name][column].kind)]) for column in self.columns(name)]
        return pa.schema([(UNIT, pa.string()), *held])

    def lineage(self, name: str) -> list[str]:
        """A component's ancestors, the oldest first, and itself."""
        above = self.view.components[name].parent
        return [*(self.lineage(above) if above and self.view.unit not in self.fields[name] else []), name]

    def source(self, name: str) -> str:
        """SQL of a component's query, its columns in the types that they travel in."""
        where, held = self.view.where(name), self.fields[name].values()
        listed = ", ".join(f"{normal(f, f'q.{qualified(f.name)}', where=where)} AS {qualified(f.name)}" for f in held)
        return f"SELECT {listed} FROM ({self.queries[name]}\n) AS q"

    def text(self, name: str, conditions: Mapping[str, str] | None = None, *, shuffled: int | None = None) -> str:
        """SQL of a component's rows with their units: the text column `_unit`, then its columns.

        Args:
            name: the component.
            conditions: table -> SQL of which of its rows there are; see `pasteur.postgres.shadows`.
            shuffled: seeds the order in which the tables' rows come.
        """
        parts = [shadows(self.snapshot.relations, conditions, shuffled=shuffled)]
        parts += [f"{_called(n)} AS NOT MATERIALIZED ({self.source(n)})" for n in self.lineage(name)]
        return f"WITH {', '.join(parts)} {self.with_unit(name)}"

    def with_unit(self, name: str) -> str:
        """SQL over the component's query: `_unit`, then its columns. Rows without a parent have a null there."""
        listed = "".join(f", c.{qualified(column)}" for column in self.columns(name))
        if self.view.unit in self.fields[name]:
            return f"SELECT c.{qualified(self.view.unit)}::text AS {UNIT_ID}{listed} FROM {_called(name)} AS c"
        config = self.view.components[name]
        above = self.with_unit(str(config.parent))
        match = " AND ".join(f"c.{qualified(mine)} = p.{qualified(theirs)}" for mine, theirs in config.link.items())
        return f"SELECT p.{UNIT_ID}{listed} FROM {_called(name)} AS c LEFT JOIN ({above}) AS p ON {match}"

    def order(self, name: str) -> str:
        """Sorting columns: the unit, the key, then all, texts by code point. A checked key settles it by itself."""
        config = self.view.components[name]
        rest = [] if config.key else self.columns(name)
        kinds = {UNIT: "text", **{column: self.fields[name][column].kind for column in self.columns(name)}}
        chosen = dict.fromkeys([UNIT, *config.key, *rest])
        return ", ".join(qualified(c) + (' COLLATE "C"' if kinds[c] == "text" else "") for c in chosen)


def _called(name: str) -> str:
    """What a component's query is called in a statement."""
    return qualified(f"_query {name}")


def _query(view: ViewConfig, name: str, snapshot: Snapshot) -> str:
    component, where = view.components[name], view.where(name)
    text = component.postgres or component.sql or f"SELECT * FROM {qualified(name)}"
    return check(text, session=snapshot.session, where=where)


def build(
    view: ViewConfig,
    snapshot: Snapshot,
    *,
    units: str,
    split: Callable[[str], str],
    splits: Sequence[str],
    progress: Callable[[str, int, int | None], None] | None = None,
) -> dict[str, dict[str, Table]]:
    """Each component of the view, cut by the splits of its units, streamed out of the server when it is read.

    Args:
        view: its queries, keys and relations.
        snapshot: the server; it must stay open until all tables are read.
        units: SQL of the ids of all units, the column `_unit`.
        split: SQL of a unit's id as text -> SQL of the place of its split in `splits`.
        splits: their names.
        progress: told of the rows that have come.

    Returns:
        component -> split -> rows: as `pasteur.views.build` gives them.

    Raises:
        SqlError: a query may not run, or does not fit the tables.
        SchemaError: a component does not have its key's columns or does not reach the unit.
        DataError: a key comes twice, a row has no parent, a date is infinite, or a unit is in no split.
    """
    bound = ServerView(view, snapshot)
    counts = {}
    for name in view.components:
        _check_key(bound, name)
        _check_parent(bound, name)
        counts[name] = _counted(bound, name, units, split(f"u.{UNIT_ID}"), len(splits))

    def rows(name: str, code: int, label: str) -> Table:
        chosen = (
            f"SELECT * FROM ({bound.text(name)}) AS u WHERE {split(f'u.{UNIT_ID}')} = {code} "
            f"ORDER BY {bound.order(name)}"
        )
        schema, total = bound.schema(name), counts[name][code]

        def make() -> Iterator[pa.RecordBatch]:
            done = 0
            for batch in snapshot.session.stream(chosen, where=view.where(name)):
                done += batch.num_rows
                if progress:
                    progress(label, done, total)
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

        return Table.stream(schema, make, rows=total)

    return {
        name: {split_name: rows(name, code, f"{name}.{split_name}") for code, split_name in enumerate(splits)}
        for name in view.components
    }


def build_public(view: ViewConfig, snapshot: Snapshot, *, nobodys: Collection[str]) -> dict[str, Table]:
    """Each table of the view that is nobody's, sorted by its key: as `pasteur.views.build_public` gives it.

    A query of one sees the data set's public tables and no others.

    Raises:
        SqlError: a query may not run, or does not fit those tables.
        SchemaError: there is no column of the key's name, or one that is not flat.
        DataError: a key is missing somewhere or comes twice.
    """
    relations = {name: relation for name, relation in snapshot.relations.items() if name in nobodys}
    return {name: _public(view, name, snapshot, shadows(relations)) for name in view.public}


def _public(view: ViewConfig, name: str, snapshot: Snapshot, tables: str) -> Table:
    config, where, session = view.public[name], view.where(name), snapshot.session
    query = check(config.postgres or config.sql or f"SELECT * FROM {qualified(name)}", session=session, where=where)
    held = fields(session, f"WITH {tables} SELECT * FROM ({query}\n) AS q", where=where)
    names = [field.name for field in held]
    if config.key not in names:
        raise SchemaError(f"{where}: column '{config.key}' is not there{near_miss(config.key, names)}")
    listed = ", ".join(f"{normal(f, f'q.{qualified(f.name)}', where=where)} AS {qualified(f.name)}" for f in held)
    text = f"WITH {tables} SELECT {listed} FROM ({query}\n) AS q"
    _check_unique([config.key], text, where, snapshot)
    collated = ' COLLATE "C"' if next(f.kind for f in held if f.name == config.key) == "text" else ""
    schema = pa.schema([(field.name, ARROW[str(field.kind)]) for field in held])
    chosen = f"SELECT * FROM ({text}) AS u ORDER BY {qualified(config.key)}{collated}"

    def make() -> Iterator[pa.RecordBatch]:
        for batch in session.stream(chosen, where=where):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    return Table.stream(schema, make)


def _counted(bound: ServerView, name: str, units: str, split: str, splits: int) -> list[int]:
    """How many rows each split has; refuses rows of nobody, and dates and times that are none."""
    where, held = bound.view.where(name), bound.fields[name]
    tests = {c: finite(held[c], f"u.{qualified(c)}") for c in bound.columns(name)}
    endless = {column: f"NOT {test}" for column, test in tests.items() if test}
    asked = "".join(
        f", count(*) FILTER (WHERE {test}) AS {qualified(f'e{i}')}" for i, test in enumerate(endless.values())
    )
    rows = bound.snapshot.session.rows(
        f"SELECT CASE WHEN k.{UNIT_ID} IS NOT NULL THEN {split} END AS split, count(*) AS many{asked} "
        f"FROM ({bound.text(name)}) AS u LEFT JOIN ({units}) AS k ON k.{UNIT_ID} = u.{UNIT_ID} GROUP BY 1",
        where=where,
    )
    found: dict[int | None, dict[str, Any]] = {row["split"]: row for row in rows}
    if None in found:
        many = found[None]["many"]
        raise DataError(f"{where}: {many:,} rows have a unit ('{bound.view.unit}') that is in no split")
    for i, column in enumerate(endless):
        if many := sum(row[f"e{i}"] for row in rows):
            raise DataError(
                f"{where}: column '{column}' must be a finite date or time, but is infinite in {many:,} rows"
            )
    return [found[code]["many"] if code in found else 0 for code in range(splits)]


def _check_key(bound: ServerView, name: str) -> None:
    if key := bound.view.components[name].key:
        _check_unique(key, bound.text(name), bound.view.where(name), bound.snapshot)


def _check_unique(key: Sequence[str], text: str, where: str, snapshot: Snapshot) -> None:
    listed, shown = ", ".join(map(qualified, key)), ", ".join(key)
    missing = " OR ".join(f"{qualified(column)} IS NULL" for column in key)
    found = snapshot.session.one(
        f"SELECT coalesce(sum(n) FILTER (WHERE {missing}), 0)::bigint AS missing, "
        f"count(*) FILTER (WHERE n > 1) AS twice FROM (SELECT {listed}, count(*) AS n FROM ({text}) AS u "
        f"GROUP BY {listed}) AS g",
        where=where,
    )
    if found["missing"]:
        raise DataError(f"{where}: key ({shown}) must be there: {found['missing']:,} rows lack it")
    if found["twice"]:
        raise DataError(f"{where}: key ({shown}) must be unique: {found['twice']:,} of its values repeat")


def _check_parent(bound: ServerView, name: str) -> None:
    config, where = bound.view.components[name], bound.view.where(name)
    if config.parent is None:
        return
    match = " AND ".join(f"c.{qualified(mine)} = p.{qualified(theirs)}" for mine, theirs in config.link.items())
    with_ = shadows(bound.snapshot.relations)
    found = bound.snapshot.session.one(
        f"WITH {with_} SELECT count(*) AS many FROM ({bound.source(name)}) AS c WHERE NOT EXISTS "
        f"(SELECT FROM ({bound.source(config.parent)}) AS p WHERE {match})",
        where=where,
    )
    if found["many"]:
        raise DataError(
            f"{where}: column {', '.join(config.link)} must name a row of '{config.parent}': "
            f"{found['many']:,} rows do not"
        )
