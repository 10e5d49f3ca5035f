"""Numbers on a grid of steps of `10^-decimals`, cut into bins: exact in both directions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from pasteur.embeddings import Part
from pasteur.embeddings._declared import EXACT, MAX_SIZE, Declared, flag, number_type, read, step, whole
from pasteur.embeddings._values import first, flat, numbers, smallest
from pasteur.errors import SchemaError, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.schema import Column

LOOKUP = 1 << 16
"""Steps up to which a bin is looked up in a table and not searched for."""


@dataclass(frozen=True, kw_only=True)
class Grid(Declared, ABC):
    """Values are `low .. high` steps of `10^-decimals`, both inclusive, cut into `bins` runs of neighbouring steps.

    A value is rounded to its nearest step, and one outside the bounds goes to the edge: so a decoded value, which is a
    step, encodes to the very bin that it was drawn from. `kind` names the Arrow type of decoded values.
    """

    low: int
    high: int
    decimals: int
    bins: int
    kind: str

    def __post_init__(self) -> None:
        """Refuse bounds that are not in order and bins that outnumber the values."""
        scale = 10**self.decimals
        if self.low >= self.high:
            low, high = (value if self.decimals == 0 else value / scale for value in (self.low, self.high))
            raise SchemaError(rule(f"{self.where} domain.min", low, f"below max ({high})"))
        if self.steps > EXACT:
            raise SchemaError(rule(f"{self.where} domain.max", self.high / scale, "at most 2^53 steps above min"))
        if self.bins > min(self.steps, MAX_SIZE):
            most = f"at most {min(self.steps, MAX_SIZE)}, the values between min and max"
            raise SchemaError(rule(f"{self.where} embedding.bins", self.bins, most))
        if pa.types.is_integer(self.arrow):
            info = np.iinfo(self.arrow.to_pandas_dtype())
            for bound, name in ((self.low, "min"), (self.high, "max")):
                if not info.min <= bound <= info.max:
                    raise SchemaError(rule(f"{self.where} domain.{name}", bound, f"one that {self.kind} holds"))

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's bounds and bins."""
        embedding, domain = read(column, embedding=("bins",), domain=("min", "max", "decimals", "null"))
        fields = cls.bounds(column, domain, decimals_of(column, domain))
        return cls(**fields, bins=bins_of(column, embedding), null=flag(column, domain, "null"))

    @classmethod
    def bounds(cls, column: Column, domain: Mapping[str, Any], decimals: int) -> dict[str, Any]:
        """The fields that a numerical domain gives."""
        for key in ("min", "max"):
            if key not in domain:
                raise SchemaError(f"{column.where} domain must have '{key}'")
        return {
            "name": column.name,
            "where": column.where,
            "low": step(f"{column.where} domain.min", domain["min"], decimals),
            "high": step(f"{column.where} domain.max", domain["max"], decimals),
            "decimals": decimals,
            "kind": number_type(column, decimals),
        }

    @property
    def steps(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return pa.type_for_alias(self.kind)

    @property
    def expects(self) -> str:
        """What a value must be."""
        return "a number"

    @property
    def size(self) -> int:
        """Codes: the bins, then null where it is declared."""
        return self.bins + self.null

    @property
    def parts(self) -> tuple[Part, ...]:
        """One ordered attribute."""
        return (Part(name=self.name, size=self.size, ordered=True),)

    @property
    @abstractmethod
    def edges(self) -> NDArray[np.int64]:
        """The first step of each bin from `low`, then the number of steps: (bins + 1,), strictly increasing."""

    @cached_property
    def _lookup(self) -> NDArray[Any]:
        """The bin of each step: (steps,)."""
        return np.repeat(np.arange(self.bins, dtype=smallest(self.size)), np.diff(self.edges))

    def _steps(self, values: NDArray[Any]) -> NDArray[Any]:
        """Numbers in steps, rounded: int64 stay so where a step is 1, else float64 with NaN for what is missing."""
        if self.decimals == 0 and values.dtype == np.int64:
            return values
        with np.errstate(over="ignore", invalid="ignore"):
            steps: NDArray[np.float64] = np.rint(values * 10.0**self.decimals)
        return steps

    def locate(self, steps: NDArray[np.int64]) -> NDArray[Any]:
        """The bin of each step, counted from `low`: (rows,)."""
        if self.bins == self.steps:
            return steps
        if self.steps <= LOOKUP:
            return self._lookup[steps]
        return np.searchsorted(self.edges, steps, side="right") - 1

    def bin(self, values: NDArray[Any]) -> NDArray[Any]:
        """Codes of numbers: (rows,) int64 or float64, NaN being missing."""
        steps = np.clip(self._steps(values), self.low, self.high)
        missing = None
        if steps.dtype != np.int64:
            missing = np.isnan(steps)
            steps[missing] = self.low
            steps = steps.astype(np.int64)
        steps -= self.low
        codes = self.locate(steps).astype(smallest(self.size), copy=False)
        if missing is not None:
            codes[missing] = self.bins if self.null else 0
        return codes

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """Codes of values of any type; what is no number is code 0."""
        found, wrong = numbers(flat(values))
        codes = self.bin(found)
        codes[wrong] = 0
        return (codes,)

    def draw(self, codes: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
        """Steps drawn uniformly inside the bins of `codes`; those of the null code mean nothing."""
        bins = np.minimum(codes.astype(np.int64), self.bins - 1)
        start: NDArray[np.int64] = self.edges[bins] + self.low
        if self.bins == self.steps:
            return start
        start += (rng.random(len(codes)) * np.diff(self.edges)[bins]).astype(np.int64)
        return start

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:
        """Numbers drawn uniformly inside their bins, with the declared decimals."""
        (found,) = codes
        steps = self.draw(found, rng)
        drawn = steps / 10.0**self.decimals if self.decimals or self.kind == "double" else steps
        drawn = drawn.astype(self.arrow.to_pandas_dtype(), copy=False)
        return pa.array(drawn, self.arrow, mask=found == self.bins if self.null else None)

    def check(self, values: pa.Array) -> int | None:
        """The first value that is no number, or is missing where no null is declared."""
        found, wrong = numbers(flat(values))
        if found.dtype == np.int64:
            return None
        return first(wrong if self.null else np.isnan(found))

    def moved(self, values: pa.Array) -> dict[str, int]:
        """How many numbers lie outside the bounds."""
        found, _ = numbers(flat(values))
        steps = self._steps(found)
        return {"outside": int(np.count_nonzero((steps < self.low) | (steps > self.high)))}


def decimals_of(column: Column, domain: Mapping[str, Any]) -> int:
    """The declared number of decimals, 0 where none is."""
    return whole(f"{column.where} domain.decimals", domain.get("decimals", 0), 0, 15)


def bins_of(column: Column, embedding: Mapping[str, Any]) -> int:
    """The declared number of bins.

    Raises:
        SchemaError: it is missing or no positive whole number.
    """
    if "bins" not in embedding:
        raise SchemaError(f"{column.where} embedding must have 'bins'")
    return whole(f"{column.where} embedding.bins", embedding["bins"], 1, MAX_SIZE)
