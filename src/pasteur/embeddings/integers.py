"""Whole numbers between declared bounds, each its own code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from pasteur.embeddings._declared import MAX_SIZE, flag, read
from pasteur.embeddings._grid import Grid
from pasteur.embeddings._values import first, flat, numbers
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pasteur.schema import Column


@dataclass(frozen=True, kw_only=True)
class Integers(Grid):
    """`{"type": "integers"}` over `{"min", "max", "null"?}`: code 0 is min, null is the last code."""

    type: ClassVar[str] = "integers"

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's bounds."""
        _, domain = read(column, domain=("min", "max", "null"))
        fields = cls.bounds(column, domain, 0)
        values = fields["high"] - fields["low"] + 1
        if values > MAX_SIZE:
            raise SchemaError(
                rule(f"{column.where} domain", f"{values} values", f"at most {MAX_SIZE} of them; use bins")
            )
        return cls(**fields, bins=max(values, 0), null=flag(column, domain, "null"))

    @property
    def expects(self) -> str:
        """What a value must be."""
        return "a whole number"

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Every step."""
        return np.arange(self.steps + 1, dtype=np.int64)

    def check(self, values: pa.Array) -> int | None:
        """The first value that is no whole number, or is missing where no null is declared."""
        found, _ = numbers(flat(values))
        broken = first(np.isfinite(found) & (np.rint(found) != found))
        refused = super().check(values)
        return min((index for index in (broken, refused) if index is not None), default=None)
