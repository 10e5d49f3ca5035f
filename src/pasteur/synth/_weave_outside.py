"""Pairs that are measured but not put into the tree: only the rows are fitted to them.

A junction tree grows with every pair that closes a cycle; rows do not. So the last share of the budget goes to the
pairs that the finished model answers worst, and `_refining` moves the rows towards what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.synth._spending import NOISE

if TYPE_CHECKING:
    from pasteur.marginals import GraphicalModel, Levels, Measurement
    from pasteur.privacy import PrivateTable
    from pasteur.synth._weave_tree import Candidates

CHOOSING = 0.1
"""Share of the outside budget that chooses the pairs; the rest measures them."""


def measure(
    private: PrivateTable, model: GraphicalModel, levels: Levels, candidates: Candidates, *, count: int
) -> list[Measurement]:
    """Choose the pairs that `model` answers worst, without replacement, and measure them with all that is left.

    A pair's levels compete through their penalties for noise; once one is chosen, the others are out.

    Args:
        private: over the levels' domain.
        model: the finished one.
        levels: of the attributes.
        candidates: to choose from; those inside a clique of the model stay out.
        count: pairs, at most.
    """
    inside = {frozenset(levels.origin(name) for name in clique) for clique in model.cliques}
    origins = {clique: frozenset(levels.origin(name) for name in clique) for clique in candidates.cliques}
    open_ = [index for index, clique in enumerate(candidates.cliques) if origins[clique] not in inside]
    count = min(count, len({origins[candidates.cliques[index]] for index in open_}))
    left = private.ledger.remaining
    if not count or left <= 0:
        return []
    sigma = private.sigma(left * (1 - CHOOSING) / count)
    epsilon = private.choice_epsilon(left * CHOOSING / count)
    answers = dict(zip(open_, model.marginals([candidates.cliques[index] for index in open_]), strict=True))
    chosen = []
    for _ in range(count):
        cliques = [candidates.cliques[index] for index in open_]
        place = private.choose(
            cliques,
            answers=[answers[index] for index in open_],
            epsilon=epsilon,
            label="pair outside of the tree",
            bias=NOISE * sigma * candidates.cells[open_],
        )
        chosen.append(cliques[place])
        open_ = [index for index in open_ if origins[candidates.cliques[index]] != origins[cliques[place]]]
    return private.measure(chosen, sigmas=[sigma] * count, label="pair outside of the tree")
