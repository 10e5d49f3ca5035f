"""Settings and arguments of estimators, held against the types that are declared."""

from __future__ import annotations

import types
import typing
from numbers import Integral, Real
from typing import Any

import numpy as np

from pasteur.errors import ConfigError, rule

WORDS = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}
"""What a value of each type is called."""


def typed(hint: Any, value: Any, name: str) -> Any:
    """Give `value` as what `hint` says: numpy's numbers become Python's, lists become tuples.

    Args:
        hint: of a settings field: int, float, str, bool, a Literal, tuple[x, ...] of those, or one of them or None.
        value: what was given.
        name: of the field, for messages.

    Raises:
        ConfigError: it is of another type.
    """
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        if value is None and type(None) in options:
            return None
        (hint,) = [option for option in options if option is not type(None)]
        return typed(hint, value, name)
    if origin is typing.Literal:
        if value not in options:
            raise ConfigError(rule(name, value, f"one of {', '.join(map(str, options))}"))
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(rule(name, value, "a list"))
        return tuple(typed(options[0], one, name) for one in value)
    return _plain(hint, value, name)


def _plain(hint: type, value: Any, name: str) -> Any:
    flag = isinstance(value, bool | np.bool_)
    if hint is bool and flag:
        return bool(value)
    if hint is str and isinstance(value, str):
        return str(value)
    if hint is int and isinstance(value, Integral) and not flag:
        return int(value)
    if hint is float and isinstance(value, Real) and not flag:
        try:
            return float(value)
        except OverflowError:
            pass
    raise ConfigError(rule(name, value, WORDS[hint]))


def whole(name: str, value: object, least: int) -> int:
    """Give `value` as a whole number.

    Raises:
        ConfigError: it is none, or under `least`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ConfigError(rule(name, value, f"a whole number of {least} or more"))
    return int(value)
