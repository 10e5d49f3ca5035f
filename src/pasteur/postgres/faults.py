"""What a server says when something fails, in our words: what to do about it, never a password and never a cell.

libpq repeats what it cannot read of a connection string, and a failed conversion shows the value. So a message is told
apart by its kind, and none is handed on but what the server says of a query's own text.
"""

from __future__ import annotations

import re

from pasteur.errors import DataError, PasteurError, SqlError

CONNECTING: tuple[tuple[str, str], ...] = (
    (
        r'password authentication failed for user "([^"]*)"',
        "the server refuses the password of role '{0}'; mend it in {where}, PGPASSWORD or ~/.pgpass",
    ),
    (
        r"no password supplied|password retrieved from file",
        "the server asks for a password and got none that is right; give one in {where}, PGPASSWORD or ~/.pgpass",
    ),
    (r'role "([^"]*)" does not exist', "role '{0}' must be one of the server's: CREATE ROLE, or another in {where}"),
    (
        r'database "([^"]*)" does not exist',
        "database '{0}' must be one of the server's: createdb, or another in {where}",
    ),
    (
        r"permission denied for database",
        "the role must have the right to connect: GRANT CONNECT ON DATABASE ... TO ...",
    ),
    (
        r"no pg_hba\.conf entry|rejects connection",
        "the server admits no such host, role and database, or only over TLS (sslmode=require); see its pg_hba.conf",
    ),
    (r'definition of service "([^"]*)" not found', "service '{0}' must be in ~/.pg_service.conf or PGSERVICEFILE"),
    (r"remaining connection slots|too many (?:connections|clients)", "the server has no connection left; try again"),
    (
        r"SSL|certificate|TLS",
        "TLS could not be set up; see sslmode, sslrootcert, sslcert and sslkey in {where} or PGSSL* variables",
    ),
    (
        r"could not translate host name",
        "the host's name is not known; mend it in {where} (in a url, `@` and `%` of a password are %40 and %25)",
    ),
    (r"starting up|shutting down|in recovery", "the server is starting or shutting down; try again"),
    (r"timeout expired|timed out", "the server does not answer; is the host right, and no firewall between?"),
    (
        r"Connection refused|No such file|No route|unreachable|connection to server .* failed",
        "no server answers there; is it running, and are host and port in {where} (or PGHOST, PGPORT) right?",
    ),
    (r"invalid|missing|unterminated", "is no connection string that libpq reads: postgresql://role@host:5432/database"),
)
"""Pattern of libpq's message -> what to say; the first that fits."""

GONE = ("57P01", "57P02", "57P03", "57P05", "08000", "08001", "08003", "08004", "08006", "25P03")

RUNNING = {
    "57014": "took longer than source.seconds allows, or was cancelled on the server",
    "42501": "the role lacks a right: GRANT USAGE ON SCHEMA ... and SELECT ON ... TO the role",
    "25006": "must only read: the transaction cannot write",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory",
    "53400": "the server's limit on temporary files is reached",
    "22003": "a number is out of range of its type",
    "22007": "a text is no date or time",
    "22008": "a date or time is out of range",
    "22012": "a division by zero",
    "22P02": "a text cannot be converted to the type asked for",
    "40001": "rows changed on the server while they were read; try again",
    "72000": "the server has dropped the snapshot; try again",
}
"""SQLSTATE -> what to say, of a statement that runs: the server's message may hold a value."""

TOLD = {
    r"statement timeout|user request": "57014",
    r"permission denied": "42501",
    r"read-only transaction": "25006",
    r"No space left|could not extend file": "53100",
    r"out of memory": "53200",
    r"invalid input syntax for type (?:date|time)": "22007",
    r"invalid input syntax": "22P02",
    r"date/time field value out of range|(?:timestamp|date) out of range": "22008",
    r"out of range|field overflow": "22003",
    r"division by zero": "22012",
    r"terminating connection|server closed|no connection|connection (?:to|was|not|lost|reset)|SSL|EOF": "57P01",
}
"""Pattern of a message -> its SQLSTATE, of errors that come between rows: then the driver hands on the text alone."""


def connecting(error: BaseException, where: str) -> DataError:
    """The error of a connection that cannot be made.

    Args:
        error: what the driver raised.
        where: the variable that holds the connection string, or what stands in for it.
    """
    return DataError(f"Postgres ({where}): {unreachable(str(error), where) or 'no connection could be made'}")


def unreachable(text: str, where: str) -> str | None:
    """What to do about libpq's message that no connection can be made; None where it is not known.

    Args:
        text: the message.
        where: what says where the server is.
    """
    for pattern, said in CONNECTING:
        if (found := re.search(pattern, text)) is not None:
            return said.format(*map(_plain, found.groups()), where=where)
    return None


def _plain(name: str) -> str:
    """A role, database or service; of a url that was read wrongly it may be all the rest, with the password."""
    return "..." if re.search(r"[:@/=?]", name) else name


def running(error: BaseException, where: str, *, reading: bool) -> PasteurError:
    """The error of a statement.

    Args:
        error: what the driver raised.
        where: which query, for the message.
        reading: whether rows may have been read. Before that the server's message is about the query's text alone.
    """
    text = str(error)
    told = (known for pattern, known in TOLD.items() if re.search(pattern, text))
    state = getattr(error, "sqlstate", None) or next(told, None)
    if state in GONE:
        return DataError(f"{where}: the server went away; what was made before is whole, run again when it is back")
    if state in RUNNING:
        return SqlError(f"{where}: {RUNNING[state]}")
    if not reading and state is not None:
        found = re.search(r"ERROR:\s+(.*)", text)
        hint = re.search(r"HINT:\s+(.*)", text)
        said = found[1].strip() if found else f"cannot be prepared (SQLSTATE {state})"
        return SqlError(f"{where}: {said}{f' ({hint[1].strip()})' if hint else ''}")
    return SqlError(f"{where}: failed while rows were read ({f'SQLSTATE {state}' if state else type(error).__name__})")
