"""What a query from outside may be: one SELECT over the given tables, with pure functions and a settled order.

The query is read from DuckDB's own parse tree (`extract_statements` and `json_serialize_sql`), never from its text.
Everything is an allow-list, node types too: DuckDB types DESCRIBE and SHOW as SELECT, and an INSERT may hide in a CTE.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pasteur.errors import SqlError, near_miss
from pasteur.sql.functions import ALLOWED, CLOCKS, ORDERED_AGGREGATES, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
SOURCES = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"})
ORDERS = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING"})
EXPRESSIONS = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"}
    | {"LAMBDA", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"}
)
FORMS = {
    "SHOW_REF": "DESCRIBE, SHOW and SUMMARIZE",
    "TABLE_FUNCTION": "a table function",
    "PIVOT": "PIVOT and UNPIVOT",
    "INSERT_QUERY_NODE": "INSERT",
    "UPDATE_QUERY_NODE": "UPDATE",
    "DELETE_QUERY_NODE": "DELETE",
    "RECURSIVE_CTE_NODE": "WITH RECURSIVE",
    "PARAMETER": "a parameter",
}
"""What the user wrote, for parts of the tree whose names mean nothing to them."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query that may run."""

    text: str
    """One SELECT, as it was written."""
    where: str
    """Which query it is, in messages: `view adult, component core`, or a file and line."""
    tables: frozenset[str]
    """Names of the given tables that it reads."""


def check(text: str, *, tables: Iterable[str], where: str) -> Query:
    """Read a query and refuse what could reach out, draw, read a clock or answer by the order of rows.

    Args:
        text: the query; one statement.
        tables: names that it may read from.
        where: which query this is, for messages.

    Raises:
        SqlError: it is not one SELECT, or a part of it is not allowed.
    """
    given = {name.lower(): name for name in tables}
    tree = _parse(text, where)
    ctes = {name.lower() for name in _ctes(tree)}
    if hidden := sorted(ctes & given.keys()):
        # Which of the two a name means depends on where it stands: a table could be read unseen.
        raise SqlError(f"{where}: WITH {hidden[0]} must have a name that no table has")
    reader = _Reader(where, given, ctes)
    reader.read(tree)
    return Query(text=text, where=where, tables=frozenset(reader.found))


def _parse(text: str, where: str) -> Any:
    """The statement's parse tree."""
    import duckdb

    with _parser().cursor() as connection:
        try:
            statements = connection.extract_statements(text)
        except (duckdb.Error, ValueError) as error:
            raise SqlError(f"{where}: {first_line(error)}") from error
        if len(statements) != 1:
            raise SqlError(f"{where}: must be one SELECT, not {len(statements)} statements")
        kind = statements[0].type.name
        if kind != "SELECT":
            said = "PIVOT and the like" if kind == "MULTI" else kind
            raise SqlError(f"{where}: must be one SELECT; {said} is not allowed")
        (serialized,) = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0]
    tree = json.loads(serialized)
    if tree.get("error"):
        raise SqlError(f"{where}: {tree.get('error_message', 'cannot be read')}")
    return tree["statements"]


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A connection that only reads queries and runs none: one for all, as opening one costs more than reading."""
    import duckdb

    return duckdb.connect(":memory:")


def first_line(error: BaseException) -> str:
    """What DuckDB says is wrong, with what it would suggest, without the excerpt of the query below it."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    hints = [line for line in lines[1:] if line.startswith(("Candidate", "Did you mean"))]
    return "; ".join([lines[0], *hints[:1]])


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _dicts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _dicts(child)


def _ctes(tree: Any) -> Iterator[str]:
    """Names that the query gives to its own parts."""
    for node in _dicts(tree):
        for entry in (node.get("cte_map") or {}).get("map", []):
            yield str(entry["key"])


@dataclass
class _Reader:
    """Walks a tree, refuses what is not allowed and notes the tables."""

    where: str
    given: dict[str, str]
    ctes: set[str]

    def __post_init__(self) -> None:
        self.found: set[str] = set()

    def refuse(self, message: str) -> SqlError:
        return SqlError(f"{self.where}: {message}")

    def read(self, tree: Any) -> None:
        for node in _dicts(tree):
            if node.get("sample"):
                raise self.refuse("SAMPLE is not allowed: it draws rows at random")
            if "class" in node:
                self._expression(node)
            elif isinstance(node.get("type"), str):
                self._form(node)
            if "modifiers" in node:
                self._modifiers(node["modifiers"])

    def _form(self, node: dict[str, Any]) -> None:
        """A query node, a source of rows or a modifier."""
        kind = node["type"]
        if kind not in NODES | SOURCES | MODIFIERS | ORDERS:
            raise self.refuse(f"{FORMS.get(kind, kind)} is not allowed{self._called(node)}")
        if kind == "BASE_TABLE":
            self._table(node)
        if kind == "JOIN" and node.get("ref_type") == "POSITIONAL":
            raise self.refuse("POSITIONAL JOIN is not allowed: it depends on the order of rows")

    @staticmethod
    def _called(node: dict[str, Any]) -> str:
        name = (node.get("function") or {}).get("function_name")
        return f" ({name})" if name else ""

    def _table(self, node: dict[str, Any]) -> None:
        path = node.get("qualified_name", {}).get("path") or [node.get("table_name", "")]
        name = path[-1]
        if len(path) == 1 and name.lower() in self.ctes:
            return
        if len(path) > 1 or name.lower() not in self.given:
            shown = ".".join(path)
            raise self.refuse(f"table '{shown}' is not there{near_miss(name, self.given.values())}")
        if node.get("at_clause"):
            raise self.refuse("AT is not allowed")
        self.found.add(self.given[name.lower()])

    def _modifiers(self, modifiers: list[dict[str, Any]]) -> None:
        kinds = {modifier["type"] for modifier in modifiers}
        ordered = "ORDER_MODIFIER" in kinds
        if not ordered and kinds & {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"}:
            raise self.refuse("LIMIT and OFFSET must come with ORDER BY: else the order of rows decides")
        distinct_on = any(modifier.get("distinct_on_targets") for modifier in modifiers)
        if distinct_on and not ordered:
            raise self.refuse("DISTINCT ON must come with ORDER BY: else the order of rows decides")

    def _expression(self, node: dict[str, Any]) -> None:
        kind = node["class"]
        if kind not in EXPRESSIONS:
            raise self.refuse(f"{FORMS.get(kind, kind)} is not allowed")
        if kind in ("FUNCTION", "WINDOW"):
            self._function(node)
        if kind == "COLUMN_REF" and len(node["column_names"]) == 1 and node["column_names"][0].lower() in CLOCKS:
            raise self.refuse(f"function '{node['column_names'][0]}' is not allowed")

    def _function(self, node: dict[str, Any]) -> None:
        name = node["function_name"].lower()
        path = node.get("qualified_name", {}).get("path") or [name]
        if len(path) > 1 or name not in ALLOWED:
            shown = ".".join(path)
            raise self.refuse(f"function '{shown}' is not allowed{_hint(name)}")
        window = node["class"] == "WINDOW"
        orders = [*((node.get("order_bys") or {}).get("orders") or []), *(node.get("arg_orders") or [])]
        if name in ORDERED_AGGREGATES and not orders and not (window and node.get("orders")):
            raise self.refuse(f"{name} must be {name}(x ORDER BY y): else the order of rows decides")
        if window and name in WINDOWS and not node.get("orders") and not orders:
            raise self.refuse(f"{name} must have an ORDER BY in its OVER: else the order of rows decides")


def _hint(name: str) -> str:
    hint = near_miss(name, ALLOWED)
    return hint if "did you mean" in hint else ""
