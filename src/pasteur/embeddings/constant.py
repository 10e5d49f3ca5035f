"""One declared value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.embeddings import Part
from pasteur.embeddings._declared import REPRESENTATIONS, Declared, flag, need, read
from pasteur.embeddings._values import first, flat, nulls, numbers, text
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pasteur.schema import Column

BY_SDTYPE = {"numerical": "double", "boolean": "bool", "datetime": "timestamp[us]"}
"""The type of a column that is null throughout; text where SDV's type is another."""


@dataclass(frozen=True, kw_only=True)
class Constant(Declared):
    """`{"type": "constant"}` over `{"value", "null"?}`: the value is code 0, null the last code where it is declared.

    `"value": null` is a column that is null throughout; it has the one code 0. `kind` names the Arrow type.
    """

    type: ClassVar[str] = "constant"

    value: Any
    kind: str

    def __post_init__(self) -> None:
        """Refuse a value that is no scalar, and a null beside a null."""
        if self.value is not None and not isinstance(self.value, str | int | float):
            must_be = "text, a number, a boolean or null"
            raise SchemaError(rule(f"{self.where} domain.value", type(self.value).__name__, must_be))
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise SchemaError(rule(f"{self.where} domain.value", self.value, "a finite number"))
        try:
            pa.array([self.value], self.arrow)
        except (pa.ArrowInvalid, OverflowError, UnicodeError) as error:
            raise SchemaError(rule(f"{self.where} domain.value", self.value, f"one that {self.kind} holds")) from error
        if self.value is None and self.null:
            raise SchemaError(f"{self.where} domain.null must be left out where value is null")

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's value."""
        _, domain = read(column, domain=("value", "null"))
        value = need(column, domain, "value")
        kind = _kind(column, value)
        return cls(name=column.name, where=column.where, null=flag(column, domain, "null"), value=value, kind=kind)

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return pa.type_for_alias(self.kind)

    @property
    def expects(self) -> str:
        """What a value must be."""
        return "the declared value"

    @property
    def parts(self) -> tuple[Part, ...]:
        """One attribute."""
        return (Part(name=self.name, size=1 + self.null, ordered=False),)

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """0 for every value, and the null code for null where it is declared."""
        if not self.null:
            return (np.zeros(len(values), dtype=np.uint8),)
        return (nulls(flat(values)).astype(np.uint8),)

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:  # noqa: ARG002  (nothing to draw)
        """The value, once a row."""
        (found,) = codes
        return pa.array([self.value, None], self.arrow).take(pa.array(found, pa.uint8()))

    def _others(self, values: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which values are neither the declared one nor missing, and which are missing."""
        column = flat(values)
        missing = nulls(column)
        if self.value is None:
            return ~missing, missing
        if isinstance(self.value, str | bool):
            spelt = str(self.value).lower() if isinstance(self.value, bool) else self.value
            found = text(column)
            same = pc.equal(pc.ascii_lower(found) if isinstance(self.value, bool) else found, spelt)
            return ~same.fill_null(False).to_numpy(zero_copy_only=False) & ~missing, missing
        return (numbers(column)[0] != self.value) & ~missing, missing

    def check(self, values: pa.Array) -> int | None:
        """The first value that is another, or is missing where no null is declared."""
        others, missing = self._others(values)
        return first(others if self.null or self.value is None else others | missing)

    def moved(self, values: pa.Array) -> dict[str, int]:
        """How many values are others."""
        return {"other": int(np.count_nonzero(self._others(values)[0]))}


def _kind(column: Column, value: Any) -> str:
    """The name of the Arrow type of `value`, or of the column's SDV type where it is null."""
    if isinstance(value, bool):
        return "bool"
    if value is None:
        text_dates = column.sdtype == "datetime" and "datetime_format" in column.sdv
        return "string" if text_dates else BY_SDTYPE.get(column.sdtype, "string")
    if isinstance(value, int | float):
        given = REPRESENTATIONS.get(column.sdv.get("computer_representation", ""))
        return str(given) if given is not None else "int64" if isinstance(value, int) else "double"
    return "string"
