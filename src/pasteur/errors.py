"""What Pasteur says when something is wrong: one clear line, the near miss, and no traceback for a user's mistake."""

from __future__ import annotations

import difflib
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PasteurError(Exception):
    """A mistake that the user can mend. The command line prints its one line and leaves with `exit_code`."""

    exit_code = 2


class ConfigError(PasteurError):
    """A setting, a name or a combination of them is wrong."""


class DataError(PasteurError):
    """A file or a table cannot be ingested. Names file, table, column and row number, never a value."""


class SchemaError(PasteurError):
    """A metadata file contradicts itself, the data's columns or the law of declared domains."""


class SqlError(PasteurError):
    """A view's or a metric's query is not one that may run."""


class PrivacyError(PasteurError):
    """A question that the private side does not answer."""


class BudgetError(PrivacyError):
    """A charge would pass what the budget allows."""


def place(error: BaseException) -> str:
    """Where a fault of our own happened, by its last frame in Pasteur: what a library says may hold a cell of data."""
    places = [(frame.filename.split("/"), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(parts, line) for parts, line in places if "pasteur" in parts] or places
    last = f" at {ours[-1][0][-1]}:{ours[-1][1]}" if ours else ""
    return type(error).__name__ + last


def rule(name: str, value: object, must_be: str) -> str:
    """The sentence of every check: `name (value) must be <rule>`. Never call it with a cell of somebody's data."""
    return f"{name} ({value}) must be {must_be}"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """What to append to an error that lists the choices already: the nearest of them to `word`, if one is near."""
    close = difflib.get_close_matches(word, sorted(choices), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def near_miss(word: str, choices: Iterable[str]) -> str:
    """What to append to an error about an unknown `word`: the nearest of `choices`, else all of them."""
    names = sorted(choices)
    listed = f"; choose from: {', '.join(names)}" if names else ""
    return did_you_mean(word, names) or listed
