"""A view's components, each a query over primary tables, cut so that all rows of a unit fall on one side."""

# ruff: noqa: S608 - names are quoted, and queries from outside are views by then, never joined into a text

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.errors import DataError, SchemaError, near_miss
from pasteur.sql import Limits, Query, Sandbox, check, quote, rows_of
from pasteur.table import UNIT, Table
from pasteur.views.relations import no_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.views.config import ViewConfig


ROWS, PLACE = quote("_rows of it"), quote("_place of it")
"""Columns of our own beside a component's; no column is called so."""


def build(
    view: ViewConfig, primary: Mapping[str, Table], keys: Mapping[str, Table], *, limits: Limits | None = None
) -> dict[str, dict[str, Table]]:
    """Each component of the view, cut by the splits of its units.

    Queries run when a table is read, in DuckDB on one thread: sums of floats over several give other bytes each time.

    Args:
        view: its queries, keys and relations.
        primary: the data set's primary tables.
        keys: split -> the ids of its units, as text in column `UNIT`.
        limits: memory and time of the queries.

    Returns:
        component -> split -> rows: the text column `UNIT`, then the component's columns, sorted by the unit, the key,
        then all columns. The same rows in any order give the same bytes.

    Raises:
        SqlError: a query may not run, or does not fit the tables.
        SchemaError: a component does not have its key's columns or does not reach the unit.
        DataError: a key comes twice, a row has no parent, or its unit is in no split.
    """
    hidden = {_keys_name(split): table for split, table in keys.items()}
    sandbox = Sandbox(tables=primary, hidden=hidden, limits=limits or Limits(threads=1))
    components = assemble(view, sandbox)
    for component in components.values():
        _check_rows(component, components, sandbox, tuple(keys))
    return {
        name: {split: component.rows(sandbox, _keys_name(split)) for split in keys}
        for name, component in components.items()
    }


def _keys_name(split: str) -> str:
    """What a split's keys are called in the sandbox; never shown to queries from outside."""
    return f"_keys {split}"


class Component:
    """A component's query, bound to its tables: what its columns are and how its rows reach the unit."""

    def __init__(
        self, view: ViewConfig, name: str, source: str, columns: Sequence[str], parent: Component | None
    ) -> None:
        config = view.components[name]
        self.view, self.name, self.where, self.source = view, name, view.where(name), source
        self.columns = tuple(columns)
        self.key, self.link, self.parent = tuple(config.key), dict(config.link), parent
        for column in (*self.key, *self.link):
            if column not in self.columns:
                raise SchemaError(f"{self.where}: column '{column}' is not there{near_miss(column, self.columns)}")
        if view.unit != UNIT and UNIT in self.columns:
            raise SchemaError(f"{self.where}: column '{UNIT}' must be left to the unit's id")
        if view.unit not in self.columns and parent is None:
            raise no_path(self.where, view.unit)

    @property
    def with_unit(self) -> str:
        """SQL: `UNIT` as text, then the component's columns. Rows without a parent have a null there."""
        own = [c for c in self.columns if c != UNIT]
        listed = "".join(f", c.{quote(column)}" for column in own)
        if self.view.unit in self.columns:
            return f"SELECT CAST(c.{quote(self.view.unit)} AS VARCHAR) AS {quote(UNIT)}{listed} FROM {self.source} AS c"
        above = self._above()
        match = " AND ".join(f"c.{quote(mine)} = p.{quote(theirs)}" for mine, theirs in self.link.items())
        return f"SELECT p.{quote(UNIT)}{listed} FROM {self.source} AS c LEFT JOIN ({above.with_unit}) AS p ON {match}"

    def _above(self) -> Component:
        if self.parent is None:
            raise no_path(self.where, self.view.unit)
        return self.parent

    @property
    def order(self) -> str:
        """Sorting columns: the unit, the key, then all. A key that was checked settles the order by itself."""
        rest = [] if self.key else [column for column in self.columns if column != UNIT]
        return ", ".join(quote(column) for column in dict.fromkeys([UNIT, *self.key, *rest]))

    def rows(self, sandbox: Sandbox, keys: str | None) -> Table:
        """Rows of the units in `keys` (None: of all), sorted, lazily."""
        cut = f" SEMI JOIN {quote(keys)} AS k USING ({quote(UNIT)})" if keys else ""
        return sandbox.select(f"SELECT * FROM ({self.with_unit}) AS u{cut} ORDER BY {self.order}", where=self.where)


def assemble(view: ViewConfig, sandbox: Sandbox) -> dict[str, Component]:
    """The view's components over the sandbox's tables, parents first."""
    made: dict[str, Component] = {}
    waiting = list(view.components)
    while waiting:
        name = waiting.pop(0)
        parent = view.components[name].parent
        if parent is not None and parent not in made:
            waiting.append(name)
            continue
        source = sandbox.define(query_of(view, name, sandbox.tables))
        columns = sandbox.select(f"SELECT * FROM {source}", where=view.where(name)).columns
        made[name] = Component(view, name, source, columns, made[parent] if parent else None)
    return {name: made[name] for name in view.components}


def query_of(view: ViewConfig, name: str, primary: Mapping[str, Table]) -> Query:
    """A component's query, checked."""
    config = view.components.get(name) or view.public[name]
    text = config.sql or f"SELECT * FROM {quote(name)}"
    return check(text, tables=primary, where=view.where(name))


def read_by(view: ViewConfig, primary: Mapping[str, Table]) -> list[str]:
    """The primary tables that the view's queries read, sorted."""
    return sorted({table for name in view.components for table in query_of(view, name, primary).tables})


def _check_rows(
    component: Component, components: Mapping[str, Component], sandbox: Sandbox, splits: Sequence[str]
) -> None:
    """Refuse keys that come twice, rows without a parent and rows of nobody."""
    if component.key:
        check_key(component.key, component.source, component.where, sandbox)
    parent = component.view.components[component.name].parent
    if parent is not None:
        _check_parent(component, components[parent], sandbox)
    known = " UNION ALL ".join(f"SELECT {quote(UNIT)} FROM {quote(_keys_name(split))}" for split in splits)
    lost = f"({component.with_unit}) ANTI JOIN ({known}) USING ({quote(UNIT)})"
    count = _first(f"SELECT count(*) AS many FROM {lost}", component.where, sandbox)["many"]
    if count:
        raise DataError(f"{component.where}: {count:,} rows have a unit ('{component.view.unit}') that is in no split")


def check_key(key: Sequence[str], source: str, where: str, sandbox: Sandbox) -> None:
    """Refuse a key that is missing somewhere or comes twice."""
    listed, shown = ", ".join(quote(column) for column in key), ", ".join(key)
    missing = " OR ".join(f"{quote(column)} IS NULL" for column in key)
    groups = f"SELECT {listed}, count(*) AS {ROWS} FROM {source} GROUP BY {listed}"
    counts = f"SELECT coalesce(sum({ROWS}) FILTER (WHERE {missing}), 0) AS missing, max({ROWS}) AS most FROM ({groups})"
    found = _first(counts, where, sandbox)
    if found["missing"]:
        raise DataError(f"{where}: key ({shown}) must be there: {found['missing']:,} rows lack it")
    if (found["most"] or 0) > 1:
        numbered = f"SELECT {listed}, row_number() OVER () AS {PLACE} FROM {source}"
        repeats = (
            f"SELECT {PLACE}, row_number() OVER (PARTITION BY {listed} ORDER BY {PLACE}) AS {ROWS} FROM ({numbered})"
        )
        row = _first(f"SELECT min({PLACE}) AS row FROM ({repeats}) WHERE {ROWS} > 1", where, sandbox)["row"]
        raise DataError(f"{where}: key ({shown}) must be unique: row {row:,} repeats one")


def _check_parent(component: Component, parent: Component, sandbox: Sandbox) -> None:
    match = " AND ".join(f"c.{quote(mine)} = p.{quote(theirs)}" for mine, theirs in component.link.items())
    numbered = f"SELECT *, row_number() OVER () AS {PLACE} FROM {component.source}"
    orphans = f"({numbered}) AS c ANTI JOIN {parent.source} AS p ON {match}"
    found = _first(f"SELECT count(*) AS many, min({PLACE}) AS row FROM {orphans}", component.where, sandbox)
    if found["many"]:
        raise DataError(
            f"{component.where}: column {', '.join(component.link)} must name a row of '{parent.name}': "
            f"row {found['row']:,} does not ({found['many']:,} rows in all)"
        )


def _first(text: str, where: str, sandbox: Sandbox) -> dict[str, Any]:
    return rows_of(sandbox.select(text, where=where))[0]
