"""`mst`: a maximum spanning tree of pairs, measured with noise.

McKenna, Miklau, Sheldon (2021): Winning the NIST Contest, https://arxiv.org/abs/2108.04978, section 3; winner of the
NIST 2018 synthetic data contest. A third of the budget for each of its steps, which `Settings` can weigh differently.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop
from pasteur.synth import _spending
from pasteur.synth._workload import affordable
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Clique
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"
JOINS = 20
"""Edges of a tree of usual size, for which the accountant is chosen before any domain is known."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set; the paper's values by default."""

    one_way: float = 1.0
    """Parts of the budget for the one-way marginals; above 0."""
    choices: float = 1.0
    """Parts of the budget for choosing the tree's edges; above 0."""
    edges: float = 1.0
    """Parts of the budget for measuring the pairs that are its edges; above 0."""
    merge_below: float = 3.0
    """Cells of an attribute whose noisy count is under this many sigmas become one; 0 or more."""
    iterations: int = 600
    """Steps of mirror descent, at most, that fit the model; 1 or more. More fit the noise rather than the data."""
    max_size: float = 16.0
    """Size of a pair's counts in MB, at most; above 0. Larger pairs are never joined: the tree may fall apart."""

    def __post_init__(self) -> None:
        """Check."""
        for name in ("one_way", "choices", "edges"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(rule(name, value, "finite and above 0"))
        if not self.merge_below >= 0:
            raise ConfigError(rule("merge_below", self.merge_below, "0 or more"))
        if not self.max_size > 0:
            raise ConfigError(rule("max_size", self.max_size, "above 0"))
        if self.iterations < 1:
            raise ConfigError(rule("iterations", self.iterations, "1 or more"))

    def share(self, parts: float) -> float:
        """Give the share of the whole budget that so many parts are."""
        return parts / (self.one_way + self.choices + self.edges)


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares more: zCDP for the paper's thirds, a third of which is spent on choosing."""
    return _spending.accountant(budget, choices=settings.share(settings.choices), events=JOINS)


def fit(private: PrivateTable, settings: Settings) -> Model:
    """SELECT, MEASURE, GENERATE: a model whose sampled rows are the third step.

    Control flow depends on the domain and on noisy answers alone.

    Raises:
        ConfigError: the table is too large for `max_size`.
        BudgetError: the budget is too small for one measurement.
    """
    domain, budget = private.domain, private.ledger.remaining
    _spending.check_one_ways(domain, max_size=settings.max_size)
    pairs = affordable(domain, list(combinations(domain.attributes, 2)), max_size=settings.max_size)
    joins = joinable(pairs)
    one_way = settings.share(settings.one_way) if joins else 1.0

    # SELECT: one-way marginals say which cells are worth telling apart; of their model's errors, choose a tree.
    ones = _spending.one_ways(private, cost=budget * one_way)
    total = _spending.rows(private, ones)
    merging = Merging.below(domain, ones, settings.merge_below)
    folded = [merging.fold(measured, total) for measured in ones]
    stop = Stop(iterations=settings.iterations)
    model = GraphicalModel.estimate(merging.merged, folded, total=total, stop=stop)
    coarse = private.merged(merging.maps)
    edges = choose_tree(coarse, model, pairs, cost=budget * settings.share(settings.choices)) if joins else []

    # MEASURE: the pairs that the tree joins.
    measured = []
    if edges:
        sigma = private.sigma(budget * settings.share(settings.edges) / joins)
        measured = coarse.measure(edges, sigmas=[sigma] * joins, label="edge")

    # GENERATE: the distribution of most entropy that fits all of it; rows come from it, merged cells undone.
    model = GraphicalModel.estimate(merging.merged, [*folded, *measured], total=total, start=model, stop=stop)
    return Model(
        algorithm="mst",
        settings=asdict(settings),
        measurements=(*ones, *measured),
        merging=merging,
        graphical=model,
        ledger=private.ledger,
    )


def choose_tree(private: PrivateTable, model: GraphicalModel, pairs: Sequence[Clique], *, cost: float) -> list[Clique]:
    """Choose a spanning tree out of `pairs`, edge by edge (Kruskal), each by the exponential mechanism.

    An edge's score is the L1 distance between the exact counts of the pair and the model's, in rows.

    Args:
        private: the table, over the model's domain.
        model: of the one-way marginals.
        pairs: what may be an edge.
        cost: what all choices together may spend.
    """

    def remaining(chosen: Sequence[int]) -> list[int]:
        part = {name: name for pair in pairs for name in pair}
        for edge in chosen:
            part = joined(part, pairs[edge])
        return [index for index, (one, other) in enumerate(pairs) if part[one] != part[other]]

    edges = private.choose_several(
        pairs,
        answers=model.marginals(pairs),
        epsilon=private.choice_epsilon(cost / joinable(pairs)),
        count=joinable(pairs),
        label="edge of the tree",
        remaining=remaining,
    )
    return [pairs[edge] for edge in edges]


def joinable(pairs: Sequence[Clique]) -> int:
    """Give how many edges a tree of `pairs` has: names - 1, fewer where it falls apart."""
    part = {name: name for pair in pairs for name in pair}
    for pair in pairs:
        part = joined(part, pair)
    return len(part) - len(set(part.values()))


def joined(part: dict[str, str], pair: Clique) -> dict[str, str]:
    """Give which part each attribute is in once the two of `pair` are in one."""
    one, other = (part[name] for name in pair)
    return part if one == other else {name: one if each == other else each for name, each in part.items()}
