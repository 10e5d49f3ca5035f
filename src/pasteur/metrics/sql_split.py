"""Text to statements and the comments before them, as DuckDB's parser and tokenizer see them: never split at `;`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pasteur.errors import SqlError


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement and the comment lines right before it."""

    sql: str
    line: int
    """Of its first word."""
    head: tuple[tuple[int, str], ...]
    """Line number and text of each comment."""


def statements(text: str, file: str) -> list[Statement]:
    """The statements of a text, without their closing semicolons.

    Raises:
        SqlError: it is not SQL; names `file` and the line.
    """
    import duckdb

    raw = text.encode()
    try:
        parsed = duckdb.extract_statements(text)
    except duckdb.Error as error:
        line = re.search(r"LINE (\d+)", str(error))
        where = f"{file}:{line.group(1)}" if line else file
        raise SqlError(f"{where}: is not SQL ({str(error).splitlines()[0]})") from error
    tokens = [(place, kind == duckdb.token_type.comment) for place, kind in duckdb.tokenize(text)]
    solid = [place for place, comment in tokens if not comment]
    found, start = [], 0
    for statement in parsed:
        # A statement's own text begins at its first word and runs on to the next one's, over the next one's comments.
        own = statement.query.encode()
        first = next(place for place in solid if place >= start and raw.startswith(own, place))
        start = first + len(own)
        after = [place for place, _ in tokens if place > first] + [len(raw)]
        ends = [place for place in solid if first <= place < start and raw[place : place + 1] != b";"]
        end = next(place for place in after if place > ends[-1])
        before = max((place for place in solid if place < first), default=-1)
        notes = [place for place, comment in tokens if comment and before < place < first]
        head = tuple((_line(raw, place), raw[place:].split(b"\n", 1)[0].decode()) for place in notes)
        found.append(Statement(sql=raw[first:end].decode().strip(), line=_line(raw, first), head=head))
    return found


def _line(raw: bytes, place: int) -> int:
    return raw[:place].count(b"\n") + 1
