"""`privbayes`: a Bayesian network, chosen greedily, whose conditionals are measured with noise.

Zhang, Cormode, Procopiuc, Srivastava, Xiao (2017): PrivBayes, https://doi.org/10.1145/3134428: algorithms 1, 4 and 5,
parents at coarser heights of their hierarchies as in section 5.2. Three things are not the paper's. Each joint is
measured as soon as it is chosen, so that the next scores are against what is known by then: L1 between the exact joint
and the product of noisy parents and noisy child, of sensitivity 1, where mutual information has none so small. Noise is
Gaussian, under the same accountant as all. And the joints are fitted together as a graphical model instead of being
clipped and renormalised one by one: `max_size` keeps its junction tree small, whatever the network.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import ConfigError, rule
from pasteur.marginals import GraphicalModel, Merging, Stop, tree_cells
from pasteur.synth import _spending
from pasteur.synth._parents import hierarchies, parent_sets
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Clique, Levels
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"
JOINTS = 15
"""Joints of a table of usual size, for which the accountant is chosen before any domain is known."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set."""

    theta: float = 4.0
    """Rows that a joint's cell must have on average, in mean sizes of its noise; above 0. The paper's value."""
    parents: int = 3
    """Parents of one attribute, at most; 1 or more."""
    one_way: float = 1.0
    """Parts of the budget for the one-way marginals, which say what attributes are on their own; above 0."""
    choices: float = 1.0
    """Parts of the budget for choosing the network; above 0."""
    joints: float = 2.0
    """Parts of the budget for measuring each attribute with its parents; above 0."""
    candidates: int = 1000
    """Pairs of an attribute and parents that are scored in a step, at most, an even sample of all; 1 or more."""
    max_size: float = 4.0
    """Size of the junction tree of network and hierarchies in MB, at most; above 0. It grows to this child by child."""
    iterations: int = 100
    """Steps of mirror descent, at most, that fit the model after each joint; 1 or more."""
    last_iterations: int = 300
    """The same for the last fit."""

    def __post_init__(self) -> None:
        """Check."""
        for name in ("theta", "one_way", "choices", "joints", "max_size"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise ConfigError(rule(name, value, "finite and above 0"))
        for name in ("parents", "candidates", "iterations", "last_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(rule(name, getattr(self, name), "1 or more"))

    def share(self, parts: float) -> float:
        """Give the share of the whole budget that so many parts are."""
        return parts / (self.one_way + self.choices + self.joints)


def accountant(budget: Budget, settings: Settings) -> str:
    """The accountant that buys the shares of choosing and measuring more."""
    return _spending.accountant(budget, choices=settings.share(settings.choices), events=JOINTS)


def fit(private: PrivateTable, settings: Settings) -> Model:
    """GREEDY NETWORK and NOISY CONDITIONALS, joint by joint, then the model that fits them all.

    Control flow depends on the domain and on noisy answers alone.

    Raises:
        ConfigError: the table is too large for `max_size`.
        BudgetError: the budget is too small for one measurement.
    """
    domain, budget = private.domain, private.ledger.remaining
    _spending.check_one_ways(domain, max_size=settings.max_size)
    levels = hierarchies(domain, cells=settings.max_size * _spending.MEGABYTE)
    people = private.with_levels(levels)
    between, last = Stop(iterations=settings.iterations), Stop(iterations=settings.last_iterations)

    # Every attribute on its own, and how many rows there are.
    children = len(domain) - 1
    measured = _spending.one_ways(private, cost=budget * (settings.share(settings.one_way) if children else 1.0))
    total = _spending.rows(private, measured)
    model = GraphicalModel.estimate(levels.domain, measured, total=total, stop=between, zeros=levels.ties)

    # GREEDY NETWORK: from the largest attribute, which would leave parents the least room, one child at a time.
    inside = [max(domain.attributes, key=lambda name: domain.size((name,)))]
    while len(inside) <= children:
        sigma = private.sigma(budget * settings.share(settings.joints) / children)
        useful = total / (settings.theta * _spending.NOISE * sigma)
        joints = useful_joints(model, levels, inside, cells=useful, settings=settings)
        if not joints:
            break
        chosen = people.choose(
            joints,
            answers=products(model, joints),
            epsilon=private.choice_epsilon(budget * settings.share(settings.choices) / children),
            label="child and parents",
        )

        # NOISY CONDITIONALS: the child with its parents; noise on every cell, and none is cut off.
        measured += people.measure([joints[chosen]], sigmas=[sigma], label="joint")
        inside.append(joints[chosen][-1])
        model = GraphicalModel.estimate(
            levels.domain, measured, total=total, start=model, stop=between, zeros=levels.ties
        )

    # Where no more parents were useful, what is left goes to the attributes that have none.
    if len(inside) <= children:
        alone = [(name,) for name in domain.attributes if name not in inside[1:]]
        sigma = private.sigma(private.ledger.remaining / len(alone))
        measured += private.measure(alone, sigmas=[sigma] * len(alone), label="one-way marginal, again")

    model = GraphicalModel.estimate(levels.domain, measured, total=total, start=model, stop=last, zeros=levels.ties)
    return Model(
        algorithm="privbayes",
        settings=asdict(settings),
        measurements=tuple(measured),
        merging=Merging.none(domain),
        graphical=model,
        ledger=private.ledger,
        levels=levels,
    )


def useful_joints(
    model: GraphicalModel, levels: Levels, inside: Sequence[str], *, cells: float, settings: Settings
) -> list[Clique]:
    """Children that are not in the network yet, each with each maximal set of parents that is theta-useful and fits.

    Args:
        model: of what was measured so far, over attributes and heights.
        levels: the heights.
        inside: attributes that the network holds.
        cells: of a joint, at most: more, and noise would hide them (definition 4.7 there).
        settings: how many parents, how many candidates, how large a model.

    Returns:
        Cliques, the child last.
    """
    outside = [name for name in levels.base.attributes if name not in inside]
    megabytes = settings.max_size * len(inside) / (len(inside) + len(outside) - 1)
    joints: list[Clique] = []
    for parents in range(settings.parents, 0, -1):
        # Where no largest set of parents leaves the tree small, fewer parents may.
        without = [child for child in outside if child not in {joint[-1] for joint in joints}]
        found = [
            (*names, child)
            for child in without
            for names in parent_sets(levels, inside, cells=cells / levels.base.size((child,)), parents=parents)
        ]
        if len(found) > settings.candidates:
            found = [found[place] for place in np.linspace(0, len(found) - 1, settings.candidates).astype(int)]
        joints += fitting(model, levels, found, megabytes=megabytes)
    return joints


def fitting(model: GraphicalModel, levels: Levels, joints: Sequence[Clique], *, megabytes: float) -> list[Clique]:
    """Those of `joints` with which the junction tree of model and hierarchies stays under `megabytes`."""
    if not joints:
        return []
    ties = [tie.clique for tie in levels.ties]
    grown = tree_cells(levels.domain, [*model.cliques, *ties], joints)
    return [joint for joint, size in zip(joints, grown, strict=True) if size <= megabytes * _spending.MEGABYTE]


def products(model: GraphicalModel, joints: Sequence[Clique]) -> list[NDArray[np.float64]]:
    """What each joint would be, in rows, if the child did not depend on its parents: noisy parents times noisy child.

    Args:
        model: of what was measured so far.
        joints: cliques, the child last.
    """
    parents = list({joint[:-1]: None for joint in joints})
    children = list({joint[-1]: None for joint in joints})
    counts = dict(zip(parents, model.marginals(parents), strict=True))
    shares = {name: model.marginal((name,)) / model.total for name in children}
    return [np.multiply.outer(counts[joint[:-1]], shares[joint[-1]]) for joint in joints]
