"""`Levels`: coarser versions of attributes, as attributes of the model tied to the finer ones by structural zeros.

A pair of two large attributes has more cells than noise can tell apart; a pair of their levels has few, and through
the ties it still says something of the fine values. Taken from a hierarchy, or chained: fine -> 20 bins -> 6 bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.errors import near_miss, rule
from pasteur.marginals.domain import Domain
from pasteur.marginals.zeros import Zeros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.marginals.domain import Clique

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Levels:
    """Extra attributes that are functions of others.

    Attributes:
        base: the attributes that there are.
        maps: level to its source (an attribute of `base` or an earlier level) and the new code of each of the source's
            codes, (source's size,); they use all of 0 .. k - 1.

    Raises:
        ValueError: a level has the name of another attribute, a source is unknown, or codes do not fit it.
    """

    base: Domain
    maps: Mapping[str, tuple[str, Codes]]

    def __post_init__(self) -> None:
        """Check."""
        sizes = self.base.as_dict()
        for name, (source, codes) in self.maps.items():
            if name in sizes:
                raise ValueError(rule("level", f"'{name}'", "named unlike any attribute"))
            if source not in sizes:
                message = f"source '{source}' of level '{name}' must be an attribute or an earlier level"
                raise ValueError(message + near_miss(source, sizes))
            if codes.shape != (sizes[source],) or codes.dtype.kind not in "iu":
                what = f"{codes.dtype} of shape {codes.shape}"
                raise ValueError(rule(f"codes of level '{name}'", what, f"whole numbers of shape {(sizes[source],)}"))
            used = np.unique(codes)
            if not np.array_equal(used, np.arange(len(used))):
                raise ValueError(rule(f"codes of level '{name}'", used, "whole numbers that use all of 0 .. k - 1"))
            sizes[name] = len(used)

    @cached_property
    def domain(self) -> Domain:
        """The base's attributes, then the levels."""
        sizes = {name: int(codes.max()) + 1 for name, (_, codes) in self.maps.items()}
        return Domain.of({**self.base.as_dict(), **sizes})

    @cached_property
    def ties(self) -> tuple[Zeros, ...]:
        """Each level with its source: only the cells of the function itself may be."""
        tied: list[Zeros] = []
        for name, (source, codes) in self.maps.items():
            clique: Clique = (source, name)
            tied.append(Zeros(clique, codes[:, None] == np.arange(self.domain.size((name,)))))
        return tuple(tied)

    def origin(self, name: str) -> str:
        """Give the attribute of `base` that `name` is a function of: itself, where it is one.

        Raises:
            ValueError: there is no such attribute or level.
        """
        self.domain.index(name)
        while name in self.maps:
            name = self.maps[name][0]
        return name

    def codes(self, name: str) -> Codes:
        """Give the code of `name` for each code of its origin, (origin's size,).

        Raises:
            ValueError: there is no such attribute or level.
        """
        if name not in self.maps:
            return np.arange(self.base.size((name,)))
        source, codes = self.maps[name]
        return codes[self.codes(source)]
