"""Plain values become checked dataclasses: every key known, every value of its field's type, near misses named."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, cast

from pasteur.errors import ConfigError, did_you_mean, near_miss, rule

T = TypeVar("T")

NAMES: Mapping[str, object] = {"Mapping": Mapping, "Sequence": Sequence, "Path": Path, "Any": Any}
"""What a dataclass may have imported for type checkers only."""

WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}


def build(cls: type[T], value: object, where: str) -> T:
    """An instance of the dataclass `cls` from a mapping.

    Args:
        cls: the dataclass; it checks ranges on construction.
        value: the composed settings; `_target_` is not a setting.
        where: dotted path of `value`, for messages.

    Raises:
        ConfigError: an unknown or a missing key, a wrong type, a value out of range.
    """
    if not isinstance(value, Mapping):
        raise ConfigError(rule(where, _shown(value), "a mapping of settings"))
    hints = typing.get_type_hints(cls, localns=dict(NAMES))
    fields = {f.name: f for f in dataclasses.fields(cast("Any", cls)) if f.init}
    given: dict[str, Any] = {}
    for key, entry in value.items():
        if key == "_target_":
            continue
        if key not in fields:
            raise ConfigError(f"{where}.{key} is not a known setting{near_miss(str(key), fields)}")
        given[str(key)] = convert(hints[str(key)], entry, f"{where}.{key}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in given:
            raise ConfigError(f"{where}.{name} must be given")
    try:
        return cls(**given)
    except ConfigError as error:
        raise ConfigError(_placed(str(error), where)) from error


def _placed(message: str, where: str) -> str:
    """The message with the path of what it is about, unless it begins with it."""
    return message if message.startswith(where.split(".", 1)[0] + ".") else f"{where}: {message}"


def convert(hint: Any, value: Any, where: str) -> Any:  # noqa: PLR0911 - one return a kind of type
    """`value` as the type `hint`: dataclasses, mappings, sequences, unions, literals, paths and plain values.

    Raises:
        ConfigError: it is of another type.
    """
    origin = typing.get_origin(hint)
    if hint in (Any, object):
        return value
    if origin in (Union, types.UnionType):
        return _union(typing.get_args(hint), value, where)
    if origin is typing.Literal:
        return _literal(typing.get_args(hint), value, where)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return build(hint, value, where)
    kind = origin or hint
    if kind in (dict, Mapping):
        return _mapping(typing.get_args(hint), value, where)
    if kind in (list, tuple, Sequence, frozenset, set):
        return _sequence(kind, typing.get_args(hint), value, where)
    return _plain(kind, value, where)


def _union(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    last: ConfigError | None = None
    for option in (o for o in options if o is not type(None)):
        try:
            return convert(option, value, where)
        except ConfigError as error:
            last = error
    plain = [WORDS[o] for o in options if o in WORDS]
    if last and len(plain) < len(options):
        raise last
    raise ConfigError(rule(where, _shown(value), " or ".join(plain)))


def _literal(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value not in options:
        names = [str(option) for option in options]
        raise ConfigError(rule(where, _shown(value), f"one of {', '.join(names)}") + did_you_mean(str(value), names))
    return value


def _mapping(inner: tuple[Any, ...], value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(rule(where, _shown(value), "a mapping"))
    entry = inner[1] if inner else Any
    return {key: convert(entry, item, f"{where}.{key}") for key, item in value.items()}


def _sequence(kind: Any, inner: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise ConfigError(rule(where, _shown(value), "a list"))
    fixed = kind is tuple and inner and inner[-1] is not Ellipsis
    if fixed and len(inner) != len(value):
        raise ConfigError(rule(where, _shown(value), f"a list of {len(inner)} values"))
    hints = inner if fixed else (inner[:1] or (Any,)) * len(value)
    items = [convert(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(zip(hints, value, strict=True))]
    return items if kind in (list, Sequence) else kind(items)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(rule(where, "too large", "a number below 1.8e308 in size")) from None
    if kind is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(rule(where, _shown(value), WORDS.get(kind, kind.__name__)))
    return value


def _shown(value: object) -> object:
    return (
        {None: "null", True: "true", False: "false"}.get(value, value)
        if value is None or value is True or value is False
        else value
    )
