"""`Domain`: the attributes of a coded table, and how many values each may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pasteur.errors import near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Clique = tuple[str, ...]
"""Some attributes, none twice. The axes of an array of counts stand in the clique's own order."""


@dataclass(frozen=True, init=False)
class Domain:
    """Ordered attributes; attribute i takes the codes 0 to `sizes[i]` - 1.

    Public knowledge: it is declared in metadata, never read off the data.

    Attributes:
        attributes: their names.
        sizes: how many values each may take.
        ordinal: those whose codes stand in a natural order (ages, bins of a number), so that neighbours are alike. A
            hint to algorithms: two domains that differ in it alone are equal.

    Raises:
        ValueError: lengths differ, a name comes twice, a size is not a whole number above 0, or an ordinal attribute
            is not there.
    """

    attributes: tuple[str, ...]
    sizes: tuple[int, ...]
    ordinal: frozenset[str] = field(compare=False, repr=False)

    def __init__(self, attributes: Iterable[str], sizes: Iterable[int], ordinal: Iterable[str] = ()) -> None:
        """Check and keep `attributes`, their `sizes` and which are `ordinal`."""
        names, counts = tuple(attributes), tuple(int(size) for size in sizes)
        if len(names) != len(counts):
            raise ValueError(rule("sizes", len(counts), f"as many as the {len(names)} attributes"))
        if len(set(names)) != len(names):
            raise ValueError(rule("attributes", names, "different names"))
        for name, size in zip(names, counts, strict=True):
            if size < 1:
                raise ValueError(rule(f"size of attribute '{name}'", size, "1 or more"))
        object.__setattr__(self, "attributes", names)
        object.__setattr__(self, "sizes", counts)
        object.__setattr__(self, "ordinal", frozenset(ordinal))
        for name in sorted(self.ordinal.difference(names)):
            self.index(name)

    @classmethod
    def of(cls, sizes: Mapping[str, int], *, ordinal: Iterable[str] = ()) -> Domain:
        """Make the domain of the mapping attribute to size, in the mapping's order."""
        return cls(sizes.keys(), sizes.values(), ordinal)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.attributes)}

    def as_dict(self) -> dict[str, int]:
        """Give the mapping attribute to size."""
        return dict(zip(self.attributes, self.sizes, strict=True))

    def index(self, attribute: str) -> int:
        """Give the position of `attribute`.

        Raises:
            ValueError: there is no such attribute.
        """
        try:
            return self._places[attribute]
        except KeyError:
            message = f"attribute '{attribute}' is not in the domain{near_miss(attribute, self.attributes)}"
            raise ValueError(message) from None

    def project(self, attributes: Iterable[str]) -> Domain:
        """Give the domain of `attributes` alone, in the order asked for."""
        names = tuple(attributes)
        sizes = (self.sizes[self.index(name)] for name in names)
        return Domain(names, sizes, self.ordinal.intersection(names))

    def shape(self, attributes: Iterable[str]) -> tuple[int, ...]:
        """Give the sizes of `attributes`: the shape of an array of their counts."""
        return tuple(self.sizes[self.index(name)] for name in attributes)

    def size(self, attributes: Iterable[str] | None = None) -> int:
        """Give the number of cells of `attributes` (None: of the whole domain), as an exact whole number."""
        return math.prod(self.sizes if attributes is None else self.shape(attributes))

    def ordered(self, attributes: Iterable[str]) -> Clique:
        """Give `attributes`, each once, in the domain's order."""
        return tuple(sorted(set(attributes), key=self.index))

    def __contains__(self, attribute: object) -> bool:
        return attribute in self.attributes

    def __len__(self) -> int:
        return len(self.attributes)
