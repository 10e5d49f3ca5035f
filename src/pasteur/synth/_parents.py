"""Parent sets of a Bayesian network: attributes at heights of their hierarchies, as fine as a limit of cells allows.

Zhang, Cormode, Procopiuc, Srivastava, Xiao (2017): PrivBayes, https://doi.org/10.1145/3134428, sections 5.2 and 5.3.
All of it is public: it follows from the domain, from which attributes have an order, and from limits.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from pasteur.marginals import Levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Clique, Domain

    Codes = NDArray[np.intp]

FINEST = 32
"""Codes of the finest height above an attribute itself, at most: joints that noise lets be are no larger."""
HEIGHTS = 5
"""Heights above an attribute itself, at most: 32, 16, 8, 4 and 2 codes."""
VARIABLES = 150
"""Attributes and heights together, about at most: each is a variable of the model. Wide tables get fewer heights."""
SETS = 50_000
"""Sets of attributes that are looked through in a step, at most: wide tables get fewer parents."""


def hierarchies(domain: Domain, *, cells: float) -> Levels:
    """Heights of every attribute that has an order: a tree that halves, neighbours merged evenly.

    Codes without an order have no neighbours that are alike, and so no heights.

    Args:
        domain: attributes, sizes, and which have an order.
        cells: of a model, at most; an attribute whose tie to its first height would take more than its part has none.
    """
    ordered = [
        name
        for name in domain.attributes
        if name in domain.ordinal and domain.size((name,)) * FINEST <= cells / len(domain)
    ]
    heights = min(HEIGHTS, (VARIABLES - len(domain)) // max(1, len(ordered)))
    maps: dict[str, tuple[str, Codes]] = {}
    for name in ordered:
        source, size = name, domain.size((name,))
        for _ in range(heights):
            run = 1 << max(1, math.ceil(math.log2(size / FINEST)))
            if size <= run:
                break
            level = f"{name} in {-(-size // run)}"
            while level in domain or level in maps:
                level += "'"
            maps[level] = (source, np.arange(size) // run)
            source, size = level, -(-size // run)
    return Levels(domain, maps)


def parent_sets(levels: Levels, inside: Sequence[str], *, cells: float, parents: int) -> list[Clique]:
    """Sets of parents out of `inside` that are maximal: none can be finer, or have one more, under the limit.

    Args:
        levels: heights of the attributes.
        inside: attributes that the network holds already.
        cells: of a set, at most.
        parents: in a set, at most; fewer where there are too many sets to look through.

    Returns:
        Sets of one parent or more, each an attribute or one of its heights.
    """
    chains = {name: chain(levels, name) for name in inside if levels.base.size((name,)) > 1}
    sizes = {name: levels.domain.shape(heights) for name, heights in chains.items()}
    degree = min(parents, len(chains))
    while degree > 1 and math.comb(len(chains), degree) > SETS:
        degree -= 1
    found: list[Clique] = []
    for count in range(1, degree + 1):
        for names in combinations(chains, count):
            more = min((sizes[name][-1] for name in chains if name not in names), default=math.inf)
            for heights in finest(tuple(sizes[name] for name in names), cells):
                size = math.prod(sizes[name][height] for name, height in zip(names, heights, strict=True))
                if count == degree or size * more > cells:
                    found.append(tuple(chains[name][height] for name, height in zip(names, heights, strict=True)))
    return found


def chain(levels: Levels, name: str) -> Clique:
    """Give the attribute and its heights, the finest first."""
    return (name, *(level for level in levels.maps if levels.origin(level) == name))


@lru_cache(maxsize=1 << 16)
def finest(sizes: tuple[tuple[int, ...], ...], cells: float) -> tuple[tuple[int, ...], ...]:
    """Heights, one an attribute, whose joint has at most `cells`, and more than that if any were one finer.

    Args:
        sizes: of each attribute the codes at each height, the finest first.
        cells: of the joint, at most.
    """

    def fits(heights: Sequence[int]) -> bool:
        return math.prod(size[height] for size, height in zip(sizes, heights, strict=True)) <= cells

    def finer(heights: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        return ((*heights[:at], height - 1, *heights[at + 1 :]) for at, height in enumerate(heights) if height > 0)

    every = product(*(range(len(size)) for size in sizes))
    return tuple(heights for heights in every if fits(heights) and not any(map(fits, finer(heights))))
