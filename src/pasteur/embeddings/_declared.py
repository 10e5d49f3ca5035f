"""What all declared embeddings share: reading metadata strictly, and a state that is nothing but the declaration."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa

from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.schema import Column

MAX_SIZE = 1 << 24
"""Codes an attribute may have: above this a column is a text, an id or wants bins."""

EXACT = 1 << 53
"""Whole numbers up to this are exact as float64."""

REPRESENTATIONS = {
    "Float": pa.float64(),
    **{f"{sign}Int{bits}": getattr(pa, f"{sign.lower()}int{bits}")() for sign in ("", "U") for bits in (8, 16, 32, 64)},
}
"""SDV's `computer_representation` of a numerical column."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An embedding whose codes follow from its declaration.

    `name` is the column's, `where` is `table.column` for messages, `null` says whether missing values have a code.
    """

    type: ClassVar[str]
    private: ClassVar[bool] = True
    name: str
    where: str
    null: bool

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The embedding that gave this `state`."""
        fields: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in state.items() if key != "type"
        }
        return cls(**fields)

    def fit(self, values: pa.Array) -> Self:  # noqa: ARG002  (the protocol's)
        """Return itself: the data is not looked at."""
        return self

    def state(self) -> dict[str, Any]:
        """The declaration, as JSON."""
        fields = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        return {"type": self.type, **fields}


def read(
    column: Column, *, embedding: Sequence[str] = (), domain: Sequence[str]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The column's embedding and domain, with no other keys than those named.

    Raises:
        SchemaError: there is no domain, or a key is unknown; names the near miss.
    """
    if column.domain is None:
        raise SchemaError(f"column {column.where} must have a declared domain")
    chosen = column.embedding or {}
    for part, entry, keys in (("embedding", chosen, ("type", *embedding)), ("domain", column.domain, domain)):
        for key in entry:
            if key not in keys:
                raise SchemaError(f"{column.where} {part}: '{key}' is not a known key{near_miss(key, keys)}")
    return chosen, column.domain


def need(column: Column, domain: Mapping[str, Any], key: str) -> Any:
    """The entry `key` of the domain.

    Raises:
        SchemaError: it is not there.
    """
    if key not in domain:
        raise SchemaError(f"{column.where} domain must have '{key}'")
    return domain[key]


def flag(column: Column, entry: Mapping[str, Any], key: str) -> bool:
    """A true or false that defaults to false.

    Raises:
        SchemaError: it is neither.
    """
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise SchemaError(rule(f"{column.where} {key}", value, "true or false"))
    return value


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in `[low, high]`.

    Raises:
        SchemaError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SchemaError(rule(name, value, f"a whole number from {low} to {high}"))
    return value


def step(name: str, value: Any, decimals: int) -> int:
    """A declared bound in steps of `10^-decimals`, exactly.

    Raises:
        SchemaError: it is no finite number, has more decimals, or is too large to be exact.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise SchemaError(rule(name, value, "a finite number"))
    steps = Decimal(str(value)).scaleb(decimals)
    if steps != steps.to_integral_value():
        raise SchemaError(rule(name, value, f"a number of at most {decimals} decimals"))
    if abs(steps) > EXACT:
        raise SchemaError(rule(name, value, f"at most 2^53 steps of 10^-{decimals} from 0"))
    return int(steps)


def number_type(column: Column, decimals: int) -> str:
    """The name of the Arrow type of a numerical column's values.

    SDV's `computer_representation` where the schema gives one, else int64 without decimals and double with some.

    Raises:
        SchemaError: SDV's representation is unknown, or an integer one for numbers with decimals.
    """
    given = column.sdv.get("computer_representation")
    if given is None:
        return "int64" if decimals == 0 else "double"
    if given not in REPRESENTATIONS:
        raise SchemaError(
            f"{column.where} computer_representation ({given}) must be one that SDV knows"
            f"{near_miss(str(given), REPRESENTATIONS)}"
        )
    if decimals and given != "Float":
        raise SchemaError(rule(f"{column.where} domain.decimals", decimals, f"0 where numbers are {given}"))
    return str(REPRESENTATIONS[given])
