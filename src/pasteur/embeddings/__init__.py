"""One column to small integers, and back.

An embedding is one module of this package, named in metadata by the module: `"embedding": {"type": "uniform", ...}`. A
user's own package offers one through the entry-point group `pasteur.embeddings`, whose name is the type and whose value
is the class. All but `rdt` are *declared*: their codes follow from public knowledge alone, and `fit` looks at nothing.

Where a column's domain declares nulls, null is the last code of every part.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pasteur.errors import SchemaError, near_miss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from pasteur.schema import Column

GROUP = "pasteur.embeddings"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One attribute that a column becomes.

    `name` is the column's, or `<column>.<part>` where there are several. Codes lie in `[0, size)`. `ordered`:
    neighbouring codes are neighbouring values (the null code, which is last, aside).
    """

    name: str
    size: int
    ordered: bool


class Embedding(Protocol):
    """What every embedding does. Frozen: `fit` returns what it learned and changes nothing."""

    type: ClassVar[str]
    """The module's name, as in metadata."""
    private: ClassVar[bool]
    """Whether codes follow from public knowledge alone, so that a private run may use them."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The attributes, in order."""
        ...

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        ...

    @property
    def expects(self) -> str:
        """What a value must be, as the end of the sentence `row 3 must be ...`."""
        ...

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the column's `embedding` and `domain`.

        Raises:
            SchemaError: a key is unknown or missing, or a value breaks its rule.
        """
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The embedding that gave this `state`."""
        ...

    def fit(self, values: pa.Array) -> Self:
        """Learn from `values`: (rows,). A declared embedding returns itself and looks at nothing."""
        ...

    def check(self, values: pa.Array) -> int | None:
        """Ingestion only: the index of the first value that is not in the domain and that nothing is declared for."""
        ...

    def moved(self, values: pa.Array) -> dict[str, int]:
        """For the curator only: how many values encoding sends to `other`, and how many to an edge of the bounds."""
        ...

    def encode(self, values: pa.Array) -> tuple[np.ndarray, ...]:
        """Codes of `values`: (rows,), one array a part: (rows,) of the smallest unsigned dtype.

        Never raises on data: each value's codes depend on that value alone.
        """
        ...

    def decode(self, codes: Sequence[np.ndarray], *, rng: np.random.Generator) -> pa.Array:
        """Values of type `arrow` drawn inside the bins of `codes`: one array (rows,) a part, codes below its size."""
        ...

    def state(self) -> dict[str, Any]:
        """All that the embedding is, as JSON. Holds no data unless the embedding is not private."""
        ...


@cache
def _own() -> frozenset[str]:
    """The modules of this package that are embeddings."""
    return frozenset(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")) - {"table"}


@cache
def _offered() -> dict[str, EntryPoint]:
    """What installed packages offer. Read once: it looks into every installed package."""
    return {point.name: point for point in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """Every embedding type: the modules of this package and the installed entry points."""
    return tuple(sorted({*_own(), *_offered()}))


def find(name: str, *, where: str = "embedding") -> type[Embedding]:
    """The class of the embedding type `name`; our own comes before an entry point of the same name.

    Args:
        name: the module's or the entry point's name.
        where: what is named in the error, such as `core.age embedding`.

    Raises:
        SchemaError: there is none; names the near miss.
    """
    if not isinstance(name, str) or name not in names():
        raise SchemaError(f"{where}.type ({name}) must be an embedding{near_miss(str(name), names())}")
    if name in _own():
        members = vars(importlib.import_module(f"{__name__}.{name}")).values()
        found: type[Embedding] = next(m for m in members if isinstance(m, type) and vars(m).get("type") == name)
        return found
    loaded: type[Embedding] = _offered()[name].load()
    return loaded
