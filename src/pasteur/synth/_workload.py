"""What a synthetic table should answer well: cliques with weights, the candidates they make, and what those weigh.

McKenna, Mullins, Sheldon, Miklau (2022), https://arxiv.org/abs/2201.12677, sections 2.2 and 4.2. Everything here is
public: it comes from settings and the domain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.synth._spending import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Clique, Domain

MOST_CLIQUES = 200_000
"""Cliques of a workload at most: every one of them is scored in every round."""

MOST_CELLS = 1 << 27
"""Cells of all candidates at most: their exact counts stay in memory, 1 GiB of them."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Settings that say what should be answered well: all cliques of a size, those around a target, or a list."""

    ways: int = 2
    """Attributes of a clique: 1, 2 or 3. The workload is every clique of so many, each of weight 1."""
    target: str | None = None
    """An attribute: only cliques that hold it are in the workload. None: all are."""
    cliques: tuple[tuple[str, ...], ...] = ()
    """The workload itself, as lists of attributes, instead of `ways` and `target`; empty: as those say."""
    weights: tuple[float, ...] = ()
    """How much each of `cliques` counts, finite and above 0; empty: each 1."""

    def __post_init__(self) -> None:
        """Check what can be without a domain."""
        if self.ways not in {1, 2, 3}:
            raise ConfigError(rule("ways", self.ways, "1, 2 or 3"))
        if self.cliques and self.target is not None:
            raise ConfigError(rule("target", self.target, "null where cliques are listed"))
        for clique in self.cliques:
            if not clique or len(set(clique)) != len(clique):
                raise ConfigError(rule("cliques", list(clique), "lists of one or more different attributes"))
        if self.weights and len(self.weights) != len(self.cliques):
            raise ConfigError(rule("number of weights", len(self.weights), f"{len(self.cliques)}, one a clique"))
        for weight in self.weights:
            if not (math.isfinite(weight) and weight > 0):
                raise ConfigError(rule("weights", weight, "finite and above 0"))
        if not math.isfinite(sum(self.weights)):
            raise ConfigError(rule("sum of weights", sum(self.weights), "finite"))


def goals(workload: Workload, domain: Domain) -> dict[Clique, float]:
    """Cliques of the workload over `domain`, axes in its order, and the weight of each.

    A domain of fewer attributes than `ways` has one clique, of all of them. A clique that is listed twice weighs both.

    Raises:
        ConfigError: an attribute that the domain lacks, or more cliques than can be looked at.
    """
    names = domain.attributes
    for name in {name for clique in workload.cliques for name in clique} | ({workload.target} - {None}):
        if name not in names:
            setting = "cliques" if workload.cliques else "target"
            raise ConfigError(rule(setting, name, "an attribute of the table") + near_miss(str(name), names))
    if workload.cliques:
        found: dict[Clique, float] = {}
        for clique, weight in zip(workload.cliques, workload.weights or [1.0] * len(workload.cliques), strict=True):
            ordered = domain.ordered(clique)
            found[ordered] = found.get(ordered, 0.0) + weight
        return found
    ways, target = min(workload.ways, len(names)), workload.target
    number = math.comb(len(names), ways) if target is None else math.comb(len(names) - 1, ways - 1)
    if number > MOST_CLIQUES:
        limit = f"less for {len(names)} attributes, which have {number:,} cliques of so many ({MOST_CLIQUES:,} at most)"
        raise ConfigError(rule("ways", ways, f"{limit}; a target or a list of cliques helps too"))
    return {clique: 1.0 for clique in combinations(names, ways) if target is None or target in clique}


def closure(cliques: Iterable[Clique]) -> list[Clique]:
    """Every non-empty subset of every clique, each once, small ones first: the candidates."""
    subsets = {
        subset for clique in cliques for size in range(1, len(clique) + 1) for subset in combinations(clique, size)
    }
    return sorted(subsets, key=lambda subset: (len(subset), subset))


def importance(candidates: Sequence[Clique], goals: Mapping[Clique, float]) -> NDArray[np.float64]:
    """w_r of each candidate r: the sum over workload s of weight_s |r intersect s|, as shares of the largest.

    That sum is one over the attributes of r, of the weights of all workload cliques that hold each.

    Returns:
        (candidates,), in (0, 1].
    """
    held: dict[str, float] = {}
    heaviest = max(goals.values())
    for clique, weight in goals.items():
        for name in clique:
            held[name] = held.get(name, 0.0) + weight / heaviest
    weighed = np.array([sum(held[name] for name in candidate) for candidate in candidates])
    shares: NDArray[np.float64] = weighed / weighed.max()
    return shares


def affordable(domain: Domain, candidates: Sequence[Clique], *, max_size: float) -> list[Clique]:
    """The candidates whose own table is no larger than a model may be.

    Args:
        domain: of the codes.
        candidates: what might be measured.
        max_size: of the model, in MB.

    Raises:
        ConfigError: all their exact counts together are too many to keep.
    """
    sizes = domain.as_dict()
    cells = {candidate: math.prod(sizes[name] for name in candidate) for candidate in candidates}
    kept = [candidate for candidate in candidates if cells[candidate] <= max_size * MEGABYTE]
    whole = sum(cells[candidate] for candidate in kept)
    if whole > MOST_CELLS:
        message = f"the counts of {len(kept):,} candidates take {whole / MEGABYTE:,.0f} MB"
        raise ConfigError(
            f"{message}; they must be at most {MOST_CELLS // MEGABYTE:,} MB: a smaller max_size ({max_size:g} MB) "
            "leaves out the largest, and fewer ways, a target, a list of cliques or fewer bins help too"
        )
    return kept
