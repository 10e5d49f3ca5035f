"""Queries that score: SQL files whose statements each carry a comment head.

    -- name: income by education and sex
    -- kind: groups            groups | share | scalar | topk | dist
    -- keys: education, sex
    -- values: n=count, rate=ratio, hours=mean
    -- support: n   min_support: 20   weight: 1   order: rate desc   k: 10
    SELECT education, sex, count(*) AS n, avg((income = '>50K')::int) AS rate, avg(hours) AS hours
    FROM core GROUP BY ALL

A head is the run of comment lines before a statement; several entries may share a line, three spaces apart. Words after
the entry's value and three spaces that hold no `key:` are a remark. Tables have the names of the view's components.

    name         what the query is called; unique in its file
    kind         how two results are compared
    keys         columns that name a group (groups, share, topk)
    values       columns that are compared, with their types: count, ratio, mean or mean(column): the column of the
                 component it is a mean of, where the result's column has another name
    support      the count column that says how many rows stand behind a group (groups)
    min_support  groups with fewer rows of T than this on both sides are left out (groups; default 0)
    weight       weight of the query in the family's mean (default 1)
    order, k     the ranking and its length (topk)
    per          the component by whose rows counts are divided (default: the first that the query names)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from pasteur.errors import SqlError, did_you_mean, near_miss, rule
from pasteur.metrics.sql_split import Statement, statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["groups", "share", "scalar", "topk", "dist"]
ValueType = Literal["count", "ratio", "mean", "number"]

KINDS: tuple[Kind, ...] = ("groups", "share", "scalar", "topk", "dist")
TYPES: Mapping[Kind, tuple[ValueType, ...]] = {
    "groups": ("count", "ratio", "mean"),
    "share": ("count",),
    "scalar": ("count", "ratio", "mean"),
    "topk": ("count", "ratio", "mean"),
    "dist": ("number",),
}
"""Which types of value each kind compares. `number` is a column of single measurements, one a row."""

NEEDS: Mapping[Kind, tuple[str, ...]] = {
    "groups": ("keys", "values"),
    "share": ("keys", "values"),
    "scalar": ("values",),
    "topk": ("keys", "values", "order", "k"),
    "dist": ("values",),
}
TAKES: Mapping[Kind, tuple[str, ...]] = {
    "groups": ("support", "min_support", "per"),
    "share": (),
    "scalar": ("per",),
    "topk": ("per",),
    "dist": (),
}
ALWAYS = ("name", "kind", "weight")
ENTRIES = ("name", "kind", "keys", "values", "support", "min_support", "weight", "order", "k", "per")

RESERVED = ("sql/", "sql/mean")

_ENTRY = re.compile(r"^([A-Za-z_]+)\s*:\s*(.*)$")
_VALUE = re.compile(r"^(\w+)\s*=\s*(\w+)(?:\(([\w.]+)\))?$")


@dataclass(frozen=True, kw_only=True)
class Value:
    """A column of the result that is compared."""

    column: str
    type: ValueType
    of: str | None = None
    """For a mean: the component's column whose standard deviation bounds it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A statement and how its results are compared."""

    name: str
    kind: Kind
    sql: str
    file: str
    line: int
    """Where the head begins."""
    keys: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    support: str | None = None
    min_support: float = 0.0
    weight: float = 1.0
    order: str | None = None
    descending: bool = True
    k: int = 10
    per: str | None = None

    @property
    def where(self) -> str:
        """File, line and name, for messages."""
        return f"{self.file}:{self.line}: query '{self.name}'"

    @property
    def metric(self) -> str:
        """The metric's name: letters, digits and dashes, as tracking stores allow them."""
        return "sql/" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def read(path: Path) -> tuple[Query, ...]:
    """The queries of a file.

    Raises:
        SqlError: naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlError(f"{path.name}: is not a readable text file") from error
    return parse(text, file="/".join(path.parts[-2:]))


def parse(text: str, *, file: str) -> tuple[Query, ...]:
    """The queries of a text. `file` is what errors name.

    Raises:
        SqlError: a statement without a head, a head that contradicts itself, two queries of one name, no statement.
    """
    queries = [_query(statement, file) for statement in statements(text, file)]
    seen: dict[str, Query] = {}
    for query in queries:
        if query.metric in RESERVED:
            raise SqlError(f"{query.where}: the name is that of the queries' mean; choose another")
        if query.metric in seen:
            raise SqlError(f"{query.where}: has the name of the query in line {seen[query.metric].line}")
        seen[query.metric] = query
    if not queries:
        raise SqlError(f"{file}: holds no query")
    return tuple(queries)


def _query(statement: Statement, file: str) -> Query:
    entries: dict[str, tuple[str, int]] = {}
    for line, comment in statement.head:
        for key, value in _entries(comment.removeprefix("--").strip(), f"{file}:{line}"):
            if key in entries:
                raise SqlError(f"{file}:{line}: '{key}' is given twice, first in line {entries[key][1]}")
            entries[key] = (value, line)
    if not entries:
        raise SqlError(f"{file}:{statement.line}: a statement must have a comment head with its name and kind")
    line = min(line for _, line in entries.values())
    return _Head(entries=entries, file=file, line=line).query(statement.sql)


def _entries(comment: str, where: str) -> list[tuple[str, str]]:
    """The `key: value` entries of one comment line; the pieces that are none are remarks."""
    found = []
    for piece in re.split(r"\s{3,}", comment):
        match = _ENTRY.match(piece)
        if not match:
            continue
        key, value = match.group(1).lower(), match.group(2).strip()
        if key not in ENTRIES:
            raise SqlError(f"{where}: '{key}' is not an entry of a head{near_miss(key, ENTRIES)}")
        if not value:
            raise SqlError(f"{where}: '{key}' must have a value")
        found.append((key, value))
    return found


@dataclass(frozen=True, kw_only=True)
class _Head:
    """The entries of a head, each with its line."""

    entries: Mapping[str, tuple[str, int]]
    file: str
    line: int

    def query(self, sql: str) -> Query:
        """The query, checked."""
        name, kind = self._text("name"), self._text("kind")
        if kind not in KINDS:
            raise self._error("kind", rule("kind", kind, f"one of {', '.join(KINDS)}") + did_you_mean(kind, KINDS))
        checked = kind
        for key in NEEDS[checked]:
            if key not in self.entries:
                raise SqlError(f"{self.file}:{self.line}: query '{name}' of kind {kind} must have '{key}:'")
        for key in self.entries:
            if key not in (*ALWAYS, *NEEDS[checked], *TAKES[checked]):
                raise self._error(key, f"'{key}' means nothing to a query of kind {kind}")
        keys = self._list("keys")
        values = tuple(self._value(word, checked) for word in self._values())
        self._distinct("values", [value.column for value in values] + list(keys))
        if checked in ("share", "dist") and len(values) != 1:
            raise self._error("values", f"a query of kind {kind} must have exactly one value")
        order, descending = self._order([value.column for value in values])
        return Query(
            name=name,
            kind=checked,
            sql=sql,
            file=self.file,
            line=self.line,
            keys=keys,
            values=values,
            support=self.entries["support"][0] if "support" in self.entries else None,
            min_support=self._number("min_support", 0.0, least=0.0),
            weight=self._number("weight", 1.0, least=0.0),
            order=order,
            descending=descending,
            k=int(self._number("k", 10, least=1, whole=True)),
            per=self.entries["per"][0] if "per" in self.entries else None,
        )

    def _error(self, key: str, message: str) -> SqlError:
        return SqlError(f"{self.file}:{self.entries[key][1]}: {message}")

    def _text(self, key: str) -> str:
        if key not in self.entries:
            raise SqlError(f"{self.file}:{self.line}: a head must have '{key}:'")
        return self.entries[key][0]

    def _list(self, key: str) -> tuple[str, ...]:
        if key not in self.entries:
            return ()
        words = tuple(word.strip() for word in self.entries[key][0].split(","))
        for word in words:
            if not re.fullmatch(r"\w+", word):
                raise self._error(key, rule(key, word, "names of columns, separated by commas"))
        return words

    def _values(self) -> list[str]:
        return [word.strip() for word in self.entries["values"][0].split(",")] if "values" in self.entries else []

    def _value(self, word: str, kind: Kind) -> Value:
        match = _VALUE.match(word)
        if not match:
            raise self._error("values", rule("values", word, "column=type, separated by commas"))
        column, kind_of_value, of = match.groups()
        if kind_of_value not in TYPES[kind]:
            allowed = ", ".join(TYPES[kind])
            message = rule(f"values: type of {column}", kind_of_value, f"one of {allowed} in a query of kind {kind}")
            raise self._error("values", message)
        if of and kind_of_value != "mean":
            raise self._error("values", f"only a mean is of a column: write {column}={kind_of_value}")
        return Value(column=column, type=cast("ValueType", kind_of_value), of=of)

    def _distinct(self, key: str, names: list[str]) -> None:
        if len(set(names)) < len(names):
            raise self._error(key, "a column must be named once among keys and values")

    def _order(self, columns: list[str]) -> tuple[str | None, bool]:
        if "order" not in self.entries:
            return None, True
        words = self.entries["order"][0].split()
        if len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise self._error("order", rule("order", self.entries["order"][0], "a column, then asc or desc"))
        if words[0] not in columns:
            raise self._error("order", f"order ({words[0]}) must be one of the values{near_miss(words[0], columns)}")
        return words[0], len(words) == 1 or words[1].lower() == "desc"

    def _number(self, key: str, default: float, *, least: float, whole: bool = False) -> float:
        if key not in self.entries:
            return default
        text, words = self.entries[key][0], "a whole number" if whole else "a number"
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number < float("inf") or (whole and number != int(number)):
            raise self._error(key, rule(key, text, f"{words} of at least {least:g}"))
        return number
