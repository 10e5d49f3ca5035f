"""True and false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.embeddings import Part
from pasteur.embeddings._declared import Declared, flag, read
from pasteur.embeddings._values import first, flat, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pasteur.schema import Column

WORDS = pa.array(["false", "true", "0", "1", "f", "t", "no", "yes", "n", "y"])
"""False and true in turn, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Boolean(Declared):
    """`{"type": "boolean"}` over `{"null"?}`: false is 0, true is 1, null is the last code.

    Text and numbers that say so (0, 1, t, f, yes, no, in any case) are taken too; anything else is no boolean, code 0.
    """

    type: ClassVar[str] = "boolean"

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read whether nulls are declared."""
        _, domain = read(column, domain=("null",))
        return cls(name=column.name, where=column.where, null=flag(column, domain, "null"))

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return pa.bool_()

    @property
    def expects(self) -> str:
        """What a value must be."""
        return "true or false"

    @property
    def parts(self) -> tuple[Part, ...]:
        """One attribute of two codes, and null where it is declared."""
        return (Part(name=self.name, size=2 + self.null, ordered=False),)

    def _read(self, values: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
        """Codes without null, which values are missing, and which are neither true nor false."""
        column = flat(values)
        if pa.types.is_boolean(column.type):
            spoken, missing = column, column.is_null()
            wrong = np.zeros(len(column), dtype=np.bool_)
        else:
            spelt = text(column)
            index = pc.index_in(pc.ascii_lower(spelt), value_set=WORDS)
            spoken, missing = pc.equal(pc.bit_wise_and(index, 1), 1), spelt.is_null()
            wrong = pc.and_not(index.is_null(), missing).to_numpy(zero_copy_only=False)
        codes = spoken.fill_null(False).cast(pa.uint8()).to_numpy(zero_copy_only=False).copy()
        return codes, missing.to_numpy(zero_copy_only=False), wrong

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """0, 1, or the null code."""
        codes, missing, _ = self._read(values)
        if self.null:
            codes[missing] = 2
        return (codes,)

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:  # noqa: ARG002  (nothing to draw)
        """Booleans."""
        (found,) = codes
        return pa.array(found == 1, pa.bool_(), mask=found == 2 if self.null else None)

    def check(self, values: pa.Array) -> int | None:
        """The first value that is neither true nor false, or is missing where no null is declared."""
        _, missing, wrong = self._read(values)
        return first(wrong if self.null else wrong | missing)

    def moved(self, values: pa.Array) -> dict[str, int]:  # noqa: ARG002  (a boolean has no outside)
        """None: there is no `other` and there are no bounds."""
        return {}
