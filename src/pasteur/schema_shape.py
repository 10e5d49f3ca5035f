"""The shape of a metadata file: what is a mapping, a list or a text. Where something is another, its path is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.errors import SchemaError, did_you_mean, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "*"
"""Stands for every name of a mapping."""

NEEDED = "!"
"""Ends a name that must be there."""

TEXT = "text"
KEY = "the name of a column, or a list of them"
MAPPING = "a mapping of names"
MAYBE = "a mapping of names, or null"

SHAPE: Mapping[str, Any] = {
    "sdv": {
        "tables": {
            ANY: {
                "columns!": {ANY: {"sdtype!": TEXT, "regex_format": TEXT, "datetime_format": TEXT}},
                "primary_key": KEY,
                "sequence_index": TEXT,
            }
        },
        "relationships": [
            {
                "parent_table_name!": TEXT,
                "parent_primary_key!": KEY,
                "child_table_name!": TEXT,
                "child_foreign_key!": KEY,
            }
        ],
    },
    "pasteur": {
        "tables": {
            ANY: {"columns": {ANY: {"embedding": MAYBE, "domain": MAYBE}}, "drop": [TEXT], "owner": TEXT},
        },
        "targets": [{"table!": TEXT, "column!": TEXT, "kind!": TEXT}],
        "unit": {},
        "compressors": {ANY: {}},
    },
}
"""Names and what stands under them: a mapping, a list of one kind, or a rule. Other names are for others to judge."""


def check(document: object, *, file: str, part: bool = False) -> None:
    """Refuse a document of another shape.

    Args:
        document: the JSON.
        file: it is from, for the message.
        part: whether it lies over another file, or under one: then null removes, and nothing must be there.

    Raises:
        SchemaError: something is no mapping, list or text, or is missing; names the path to it.
    """
    if not isinstance(document, dict):
        raise SchemaError(rule(file, type(document).__name__, MAPPING))
    _names(document, SHAPE, f"{file}: ", part=part)


def _check(found: object, shape: Any, where: str, *, part: bool) -> None:
    if part and found is None:
        return
    if isinstance(shape, str):
        if not _fits(found, shape):
            raise SchemaError(rule(where, found, shape))
    elif isinstance(shape, list):
        if not isinstance(found, list):
            raise SchemaError(rule(where, found, "a list"))
        for number, each in enumerate(found, start=1):
            _check(each, shape[0], f"{where}, entry {number}", part=False)
    elif not isinstance(found, dict):
        raise SchemaError(rule(where, found, MAPPING))
    else:
        _names(found, shape, f"{where}.", part=part)


def _names(found: Mapping[str, Any], shape: Mapping[str, Any], inside: str, *, part: bool) -> None:
    known = {name.removesuffix(NEEDED): each for name, each in shape.items()}
    for name in shape:
        plain = name.removesuffix(NEEDED)
        if name != plain and plain not in found and not part:
            raise SchemaError(f"{inside}{plain} must be there{did_you_mean(plain, found)}")
    for name, value in found.items():
        if name in known or ANY in known:
            _check(value, known.get(name, known.get(ANY)), f"{inside}{name}", part=part)


def _fits(found: object, must_be: str) -> bool:
    if must_be == TEXT:
        return isinstance(found, str)
    if must_be == MAYBE:
        return found is None or isinstance(found, dict)
    texts = isinstance(found, list) and bool(found) and all(isinstance(each, str) for each in found)
    return isinstance(found, str) or texts
