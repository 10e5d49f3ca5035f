"""What a query in Postgres' dialect may be: one SELECT over the given tables, with pure functions and a settled order.

It is run in a transaction that cannot write, between the parentheses of a statement of ours, and prepared first by the
extended protocol, which takes one statement. What is checked here is what the server would let through: names of its
own tables, functions that draw, read a clock or another table, and answers that the order of rows decides.
"""

# ruff: noqa: S608 - names are handed on as texts, quoted

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pasteur.errors import SqlError
from pasteur.postgres.tokens import Token, cut, inside, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pasteur.postgres.session import Session

STABLE = frozenset(
    {"array_to_json", "array_to_string", "concat", "concat_ws", "convert", "convert_from", "convert_to", "date"}
    | {"date_add", "date_part", "date_subtract", "date_trunc", "enum_first", "enum_last", "enum_range", "extract"}
    | {"format", "generate_series", "json_agg", "json_build_array", "json_build_object", "json_object_agg"}
    | {"jsonb_agg", "jsonb_build_array", "jsonb_build_object", "jsonb_object_agg", "length", "make_timestamptz"}
    | {"numeric", "overlaps", "quote_literal", "quote_nullable", "row_to_json", "string_to_array", "text", "time"}
    | {"timestamp", "timestamptz", "timetz", "timezone", "to_char", "to_date", "to_json", "to_jsonb", "to_number"}
    | {"to_timestamp"}
)
"""Functions with a form that is not immutable, which are so under the session's settings: zone, language, formats."""

CLOCKS = frozenset(
    {"current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp"}
    | {"current_user", "localtime", "localtimestamp", "session_user", "system_user", "user"}
)
"""Written without parentheses, so that they look like columns."""

TODAY = re.compile(r"(?:now|today|tomorrow|yesterday|utc|[zap]m?|[\s\d:.+-])+", re.IGNORECASE)
"""A string that becomes a date or time, wherever the server takes it for one, of which a clock says which."""

ORDERED = frozenset(
    {"any_value", "array_agg", "json_agg", "json_arrayagg", "json_object_agg", "json_objectagg", "jsonb_agg"}
    | {"jsonb_object_agg", "string_agg", "xmlagg"}
)
"""Aggregates whose answer is one of several when rows come in another order: they need an ORDER BY inside."""

WINDOWS = frozenset(
    {"cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "percent_rank"}
    | {"rank", "row_number"}
)

NOT_TAKEN = {
    "recursive": "WITH RECURSIVE",
    "tablesample": "TABLESAMPLE",
    "operator": "OPERATOR()",
    "insert": "INSERT",
    "update": "UPDATE",
    "delete": "DELETE",
    "merge": "MERGE",
    "into": "INTO",
}
"""Keyword -> what is not allowed; as columns these words may be quoted."""

OPEN, CLOSE, DOT = Token("symbol", "("), Token("symbol", ")"), Token("symbol", ".")


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What of the server's own names a query mentions."""

    impure: frozenset[str]
    """Functions, of those mentioned, of which a form is volatile, or stable and not in `STABLE`."""
    system: frozenset[str]
    """The server's own tables, of those mentioned."""
    members: frozenset[tuple[str, str]]
    """Pairs (schema, name of a table, type, function or operator class in it), of those mentioned."""


def check(text: str, *, session: Session, where: str) -> str:
    """Read a query and refuse what could reach past its tables, draw, read a clock or answer by the order of rows.

    Args:
        text: the query; one SELECT.
        session: whose catalogue says what names are.
        where: which query this is, for messages.

    Returns:
        The query itself.

    Raises:
        SqlError: a part of it is not allowed.
    """
    found = tokens(text, where)
    if not found or not (found[0].word("select", "with", "values") or found[0] == OPEN):
        raise SqlError(f"{where}: must be one SELECT")
    _forms(found, where)
    _names(found, _catalogue(found, session, where), where)
    _orders(found, where)
    return text


def mentioned(text: str, tables: Iterable[str], where: str) -> list[str]:
    """Those of `tables` whose name stands in the query and is not that of a column behind a dot, sorted."""
    found = tokens(text, where)
    names = {token.text for at, token in enumerate(found) if token.named and not (at and found[at - 1] == DOT)}
    return sorted(table for table in set(tables) if cut(table) in names)


def _forms(found: Sequence[Token], where: str) -> None:
    for at, token in enumerate(found):
        if token == Token("symbol", ";"):
            raise SqlError(f"{where}: must be one SELECT, without a semicolon")
        label = at and (found[at - 1] == DOT or found[at - 1].word("as"))
        if token.kind == "string" and TODAY.fullmatch(token.text) and re.search("now|day", token.text.lower()):
            raise SqlError(f"{where}: '{token.text}' is not allowed: as a date or time it reads a clock")
        if token.kind == "name" and token.text in NOT_TAKEN and not label:
            raise SqlError(f"{where}: {NOT_TAKEN[token.text]} is not allowed; a column of that name must be quoted")


def _names(found: Sequence[Token], catalogue: Catalogue, where: str) -> None:
    for at, token in enumerate(found):
        if not token.named:
            continue
        before, after = found[at - 1 : at], found[at + 1 : at + 2]
        behind = bool(before) and before[0] == DOT
        if token.kind == "name" and token.text in CLOCKS and not behind:
            raise SqlError(f"{where}: {token.text} is not allowed; a column of that name must be quoted")
        if after == [OPEN] and token.text in catalogue.impure:
            raise SqlError(f"{where}: function '{token.text}' is not allowed: it is not a function of its arguments")
        if after == [DOT] and at + 2 < len(found) and (token.text, found[at + 2].text) in catalogue.members:
            raise SqlError(
                f"{where}: '{token.text}.{found[at + 2].text}' is not allowed: a query names the data set's tables, "
                "without a schema"
            )
        if token.text in catalogue.system and not behind:
            raise SqlError(f"{where}: table '{token.text}' is not allowed: it is the server's own")


def _orders(found: Sequence[Token], where: str) -> None:
    """Refuse what the order of rows would decide."""
    _level(_top(found), where)
    for at, token in enumerate(found):
        if token != OPEN:
            continue
        direct, close = inside(found, at)
        _level(direct, where)
        before = found[at - 1] if at else token
        collected = before.word("array", "json_array") and direct and direct[0].word("select", "with")
        if collected and not _ordered(direct):
            raise SqlError(f"{where}: {before.text}(SELECT ...) must have an ORDER BY: else the order of rows decides")
        if before.named and before.text in ORDERED | WINDOWS:
            _aggregate(before.text, direct, found, close, where)


def _aggregate(name: str, direct: Sequence[Token], found: Sequence[Token], close: int, where: str) -> None:
    """An aggregate or a window function whose arguments end at `close`."""
    at = close + 1
    if at + 1 < len(found) and found[at].word("filter"):
        at = inside(found, at + 1)[1] + 1
    window: list[Token] | None = None
    if at < len(found) and found[at].word("over"):
        if at + 1 < len(found) and found[at + 1] != OPEN:
            raise SqlError(f"{where}: {name} must have its window in OVER (...) itself")
        window = inside(found, at + 1)[0]
    if name in WINDOWS and window is not None and not _ordered(window):
        raise SqlError(f"{where}: {name} must have an ORDER BY in its OVER: else the order of rows decides")
    if name in ORDERED and not _ordered(direct) and not (window is not None and _ordered(window)):
        raise SqlError(f"{where}: {name} must be {name}(x ORDER BY y): else the order of rows decides")


def _top(found: Sequence[Token]) -> list[Token]:
    depth, direct = 0, []
    for token in found:
        depth += token == OPEN
        if not depth:
            direct.append(token)
        depth -= token == CLOSE
    return direct


def _level(direct: Sequence[Token], where: str) -> None:
    """One SELECT, without those inside it."""
    if _ordered(direct):
        return
    for at, token in enumerate(direct):
        if at and (direct[at - 1] == DOT or direct[at - 1].word("as")):
            continue
        if token.word("limit", "offset", "fetch"):
            raise SqlError(f"{where}: LIMIT, OFFSET and FETCH must come with ORDER BY: else the order of rows decides")
        framed = direct[at + 1] if at + 1 < len(direct) else token
        if token.word("rows", "groups") and (framed.word("between", "unbounded", "current") or framed.kind == "number"):
            raise SqlError(f"{where}: a window of ROWS or GROUPS must have an ORDER BY: else the order of rows decides")
        if token.word("distinct") and at + 1 < len(direct) and direct[at + 1].word("on"):
            raise SqlError(f"{where}: DISTINCT ON must come with ORDER BY: else the order of rows decides")


def _ordered(direct: Sequence[Token]) -> bool:
    return any(a.word("order") and b.word("by") for a, b in pairwise(direct))


def _catalogue(found: Sequence[Token], session: Session, where: str) -> Catalogue:
    """Ask the server what the query's names are."""
    names = sorted({token.text for token in found if token.named})
    listed = session.texts(names)
    ours = "'pg_catalog'::regnamespace"
    pure = session.texts(sorted(STABLE))
    impure = session.rows(
        f"SELECT DISTINCT proname::text AS name FROM pg_proc WHERE pronamespace = {ours} AND proname = ANY({listed}) "
        f"AND (provolatile = 'v' OR (provolatile = 's' AND proname <> ALL({pure})))",
        where=where,
    )
    system = session.rows(
        f"SELECT relname::text AS name FROM pg_class WHERE relnamespace = {ours} AND relname = ANY({listed})",
        where=where,
    )
    members = session.rows(
        "SELECT n.nspname::text AS schema, m.name FROM pg_namespace n JOIN ("
        "SELECT relnamespace AS space, relname::text AS name FROM pg_class "
        "UNION SELECT pronamespace, proname::text FROM pg_proc UNION SELECT typnamespace, typname::text FROM pg_type "
        f") m ON m.space = n.oid WHERE n.nspname = ANY({listed}) AND m.name = ANY({listed})",
        where=where,
    )
    return Catalogue(
        impure=frozenset(row["name"] for row in impure),
        system=frozenset(row["name"] for row in system),
        members=frozenset((row["schema"], row["name"]) for row in members),
    )
