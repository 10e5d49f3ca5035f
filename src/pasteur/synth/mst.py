"""`mst`: a maximum spanning tree of pairs, measured with noise.

McKenna, Miklau, Sheldon (2021): Winning the NIST Contest, https://arxiv.org/abs/2108.04978, section 3; winner of the
NIST 2018 synthetic data contest. A third of the budget for each of its steps, which `Settings` can weigh differently.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from pasteur import privacy
from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop
from pasteur.marginals.estimation import total_of
from pasteur.synth.model import Model

if TYPE_CHECKING:
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

    def __post_init__(self) -> None:
        """Check."""
        for name in ("one_way", "choices", "edges"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(rule(name, value, "finite and above 0"))
        if not self.merge_below >= 0:
            raise ConfigError(rule("merge_below", self.merge_below, "0 or more"))
        if self.iterations < 1:
            raise ConfigError(rule("iterations", self.iterations, "1 or more"))

    def share(self, parts: float) -> float:
        """Give the share of the whole budget that so many parts are."""
        return parts / (self.one_way + self.choices + self.edges)


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares more: by what a measurement is worth (1/sigma^2) and a choice (epsilon^2).

    Gaussian DP has less noise for the same budget but dearer choices; the worth of each step counts by its share.
    """
    choices = settings.share(settings.choices)

    def worth(name: str) -> float:
        prices = privacy.accountant(name)
        total = prices.total(budget)
        return (1 - choices) * math.log(total) + choices * 2 * math.log(prices.choice_epsilon(total * choices / JOINS))

    return max(("gdp", "zcdp"), key=worth)


def fit(private: PrivateTable, settings: Settings) -> Model:
    """SELECT, MEASURE, GENERATE: a model whose sampled rows are the third step.

    Control flow depends on the domain and on noisy answers alone.
    """
    names, budget = private.domain.attributes, private.ledger.remaining
    joins = len(names) - 1
    one_way = settings.share(settings.one_way) if joins else 1.0

    # SELECT: one-way marginals say which cells are worth telling apart; of their model's errors, choose a tree.
    sigma = private.sigma(budget * one_way / len(names))
    ones = private.measure([(name,) for name in names], sigmas=[sigma] * len(names), label="one-way marginal")
    total = total_of(ones) if private.public_rows is None else max(1.0, float(private.public_rows))
    merging = Merging.below(private.domain, ones, settings.merge_below)
    folded = [merging.fold(measured, total) for measured in ones]
    model = GraphicalModel.estimate(merging.merged, folded, total=total, stop=Stop(iterations=settings.iterations))
    coarse = private.merged(merging.maps)
    edges = choose_tree(coarse, model, cost=budget * settings.share(settings.choices))

    # MEASURE: the pairs that the tree joins.
    pairs = []
    if edges:
        sigma = private.sigma(budget * settings.share(settings.edges) / joins)
        pairs = coarse.measure(edges, sigmas=[sigma] * joins, label="edge")

    # GENERATE: the distribution of most entropy that fits all of it; rows come from it, merged cells undone.
    stop = Stop(iterations=settings.iterations)
    model = GraphicalModel.estimate(merging.merged, [*folded, *pairs], total=total, start=model, stop=stop)
    return Model(
        algorithm="mst",
        settings=asdict(settings),
        measurements=(*ones, *pairs),
        merging=merging,
        graphical=model,
        ledger=private.ledger,
    )


def choose_tree(private: PrivateTable, model: GraphicalModel, *, cost: float) -> list[Clique]:
    """Choose a spanning tree, edge by edge (Kruskal), each by the exponential mechanism.

    An edge's score is the L1 distance between the exact counts of the pair and the model's, in rows.

    Args:
        private: the table, over the model's domain.
        model: of the one-way marginals.
        cost: what all choices together may spend.
    """
    names = private.domain.attributes
    part = {name: name for name in names}
    pairs = list(combinations(names, 2))
    answers = {pair: model.marginal(pair) for pair in pairs}
    tree: list[Clique] = []
    for _ in names[1:]:
        open_pairs = [(one, other) for one, other in pairs if part[one] != part[other]]
        chosen = private.choose(
            open_pairs,
            answers=[answers[pair] for pair in open_pairs],
            epsilon=private.choice_epsilon(cost / (len(names) - 1)),
            label="edge of the tree",
        )
        one, other = open_pairs[chosen]
        tree.append((one, other))
        part = {name: part[one] if root == part[other] else root for name, root in part.items()}
    return tree
