"""A query in Postgres' dialect, read as the server's own scanner reads it: strings, names, comments, parentheses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BLANK = re.compile(r"\s+|--[^\n\r]*")
_NAME = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_NUMBER = re.compile(r"(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN = re.compile(r"'((?:[^']|'')*)'")
_ESCAPED = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
LONGEST = 63
"""Bytes of a name that the server looks at; what comes after them it drops."""

_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")


@dataclass(frozen=True)
class Token:
    """One word of a query."""

    kind: str
    """`name`, `quoted` (a name in quotes), `string`, `number` or `symbol` (one character)."""
    text: str
    """A name as the server looks it up: in lower case unless quoted, and cut; a string's content; a symbol."""

    def word(self, *words: str) -> bool:
        """Whether it is one of these keywords."""
        return self.kind == "name" and self.text in words

    @property
    def named(self) -> bool:
        """Whether it is a name, quoted or not."""
        return self.kind in ("name", "quoted")


def tokens(text: str, where: str) -> list[Token]:
    """The words of a query.

    Raises:
        SqlError: a string, a quoted name, a comment or a parenthesis does not end, or a form that could hide a name.
    """
    found = list(_scan(text, where))
    depth = 0
    for token in found:
        if token.kind == "symbol":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0:
            break
    if depth:
        raise SqlError(f"{where}: parentheses must be closed as they were opened")
    return found


def _scan(text: str, where: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if (blank := _BLANK.match(text, at)) is not None:
            at = blank.end()
        elif text.startswith("/*", at):
            at = _comment(text, at, where)
        else:
            token, at = _token(text, at, where)
            yield token


def _comment(text: str, start: int, where: str) -> int:
    """Where a comment ends; Postgres nests them."""
    depth, at = 0, start
    while at < len(text):
        if text.startswith("/*", at):
            depth, at = depth + 1, at + 2
        elif text.startswith("*/", at):
            depth, at = depth - 1, at + 2
            if not depth:
                return at
        else:
            at += 1
    raise SqlError(f"{where}: a comment does not end")


def _token(text: str, at: int, where: str) -> tuple[Token, int]:  # noqa: PLR0911 - one return a kind of word
    first = text[at]
    if re.match(r"[uU]&[\"']", text[at : at + 3]):
        raise SqlError(f"{where}: U& names and strings are not allowed")
    if first == '"':
        quoted = _whole(_QUOTED, text, at, where, "a quoted name")
        return Token("quoted", cut(quoted[1].replace('""', '"'))), quoted.end()
    if first in "eE" and text[at + 1 : at + 2] == "'":
        string = _whole(_ESCAPED, text, at + 1, where, "a string")
        return Token("string", string[1]), string.end()
    if first == "'" or (first in "bBnNxX" and text[at + 1 : at + 2] == "'"):
        string = _whole(_PLAIN, text, at + (first != "'"), where, "a string")
        return Token("string", string[1].replace("''", "'")), string.end()
    if first == "$":
        return _dollar(text, at, where)
    if (name := _NAME.match(text, at)) is not None:
        return Token("name", cut(_folded(name[0]))), name.end()
    if (number := _NUMBER.match(text, at)) is not None:
        return Token("number", number[0]), number.end()
    return Token("symbol", first), at + 1


def _whole(pattern: re.Pattern[str], text: str, at: int, where: str, what: str) -> re.Match[str]:
    found = pattern.match(text, at)
    if found is None:
        raise SqlError(f"{where}: {what} does not end")
    return found


def _dollar(text: str, at: int, where: str) -> tuple[Token, int]:
    tag = _DOLLAR.match(text, at)
    if tag is None:
        raise SqlError(f"{where}: a parameter ($) is not allowed")
    end = text.find(tag[0], tag.end())
    if end < 0:
        raise SqlError(f"{where}: a string does not end")
    return Token("string", text[tag.end() : end]), end + len(tag[0])


def _folded(name: str) -> str:
    """A name as the server looks it up: letters of ASCII in lower case."""
    return "".join(c.lower() if c.isascii() else c for c in name)


def cut(name: str) -> str:
    """A name without what the server drops of a longer one."""
    return name.encode()[:LONGEST].decode(errors="ignore")


def inside(found: Sequence[Token], opening: int) -> tuple[list[Token], int]:
    """The words directly within the parenthesis at `opening`, not those of deeper ones, and where it closes."""
    depth = 0
    direct: list[Token] = []
    for at in range(opening, len(found)):
        token = found[at]
        if token == Token("symbol", ")"):
            depth -= 1
            if not depth:
                return direct, at
        elif depth == 1:
            direct.append(token)
        if token == Token("symbol", "("):
            depth += 1
    return direct, len(found)
