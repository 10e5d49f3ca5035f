"""A view's tables that are nobody's: made of public tables alone, whole, the same beside every split."""

# ruff: noqa: S608 - names are quoted, and queries from outside are views by then, never joined into a text

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.errors import SchemaError, near_miss
from pasteur.sql import Limits, Sandbox, quote
from pasteur.views.build import check_key, query_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pasteur.table import Table
    from pasteur.views.config import ViewConfig


def build_public(
    view: ViewConfig, primary: Mapping[str, Table], *, nobodys: Collection[str], limits: Limits | None = None
) -> dict[str, Table]:
    """Each public table of the view, sorted by its key, lazily.

    Args:
        view: its queries.
        primary: the data set's primary tables.
        nobodys: those whose rows are nobody's, as the data set declares.
        limits: memory and time of the queries.

    Raises:
        SqlError: a query may not run, or does not fit the tables.
        SchemaError: a query reads a table that may be somebody's, or lacks the key's column.
        DataError: a key is missing somewhere or comes twice.
    """
    readable = {name: table for name, table in primary.items() if name in nobodys}
    sandbox = Sandbox(tables=readable, limits=limits or Limits(threads=1))
    return {name: _built(view, name, sandbox, primary) for name in view.public}


def _built(view: ViewConfig, name: str, sandbox: Sandbox, primary: Mapping[str, Table]) -> Table:
    where, key = view.where(name), view.public[name].key
    query = query_of(view, name, primary)
    for table in sorted(query.tables):
        if table not in sandbox.tables:
            raise SchemaError(
                f"{where}: must read public tables alone: '{table}' is not declared so in the data set (public: true)"
            )
    source = sandbox.define(query)
    columns = sandbox.select(f"SELECT * FROM {source}", where=where).columns
    if key not in columns:
        raise SchemaError(f"{where}: column '{key}' is not there{near_miss(key, columns)}")
    check_key([key], source, where, sandbox)
    return sandbox.select(f"SELECT * FROM {source} ORDER BY {quote(key)}", where=where)
