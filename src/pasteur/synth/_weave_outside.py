"""Pairs that are measured but not put into the tree: only the rows are fitted to them.

A junction tree grows with every pair that closes a cycle; rows do not. So the last share of the budget goes to the
pairs that the finished model answers worst, and `_refining` moves the rows towards what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.synth._spending import NOISE
from pasteur.synth._weave_candidates import PENALTY, turn

if TYPE_CHECKING:
    from pasteur.marginals import Clique, GraphicalModel, Measurement
    from pasteur.privacy import PrivateTable
    from pasteur.synth._weave_candidates import Array, Candidates

CHOOSING = 0.1
"""Share of the outside budget that chooses the pairs; the rest measures them."""


def measure(private: PrivateTable, model: GraphicalModel, candidates: Candidates, *, count: int) -> list[Measurement]:
    """Choose the pairs that `model` answers worst, without replacement, and measure them with all that is left.

    A pair's levels compete through their penalties for noise; once one is chosen, the others are out.

    Args:
        private: over the levels' domain.
        model: the finished one.
        candidates: to choose from; those that the model was fitted to stay out, other levels of theirs do not.
        count: pairs, at most.
    """
    inside = set(model.cliques)
    open_ = [number for number, pair in enumerate(candidates.cliques) if len(pair) == 2 and pair not in inside]
    count = min(count, len({candidates.pairs[number] for number in open_}))
    left = private.ledger.remaining
    if not count or left <= 0:
        return []
    sigma = private.sigma(left * (1 - CHOOSING) / count)
    epsilon = private.choice_epsilon(left * CHOOSING / count)
    answers: dict[int, Array] = {}
    chosen: list[Clique] = []
    for number in range(count):
        now = turn(open_, number)
        new = [each for each in now if each not in answers]
        answers |= zip(new, candidates.answers(model, new), strict=True)
        place = private.choose(
            [candidates.cliques[each] for each in now],
            answers=[answers[each] for each in now],
            epsilon=epsilon,
            label="pair outside of the tree",
            bias=PENALTY * NOISE * sigma * candidates.cells[now],
        )
        taken = now[place]
        chosen.append(candidates.cliques[taken])
        open_ = [each for each in open_ if candidates.pairs[each] != candidates.pairs[taken]]
    # The larger the pair, the less noise: parts as cells^(2/3) make the summed L1 error least, as for one-ways.
    left = private.ledger.remaining
    parts = [candidates.levels.domain.size(clique) ** (2 / 3) for clique in chosen]
    sigmas = [private.sigma(left * part / sum(parts)) for part in parts]
    return private.measure(chosen, sigmas=sigmas, label="pair outside of the tree")
