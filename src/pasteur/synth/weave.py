"""`weave`: noisy pairs of levels, a tree that holds most of them, and rows that are woven to fit the rest. Our own.

1. COUNT: a sliver of the budget for the number of rows, which says how faint the rest will be (`_weave_plan`).
2. ONE-WAYS: every one-way marginal, the larger the attribute the less noise; ordered ones are smoothed.
3. LEVELS: a chain of coarser levels an attribute, from those alone, tied to it by structural zeros (`_weave_levels`).
4. TREE: AIM's rounds over pairs of levels, under a bound on the junction tree (`_weave_tree`).
5. OUTSIDE: pairs that the finished tree answers worst, measured but never put into it (`_weave_outside`).
6. ROWS: drawn from the tree by systematic sampling, then swapped until all pairs fit (`_refining`, by `Model.sample`).

The rounds are those of McKenna, Mullins, Sheldon, Miklau (2022), https://arxiv.org/abs/2201.12677; the estimate is that
of McKenna, Sheldon, Miklau (2019). What else was tried: docs/decisions/0011-weave.md.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.marginals import GraphicalModel, Stop
from pasteur.synth import _spending, _weave_outside
from pasteur.synth._refining import Refinement
from pasteur.synth._weave_candidates import Candidates
from pasteur.synth._weave_levels import SMALLEST, chains, merged, smoothed
from pasteur.synth._weave_plan import COUNT, Plan, one_way_shares
from pasteur.synth._weave_tree import Limits, grow
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from pasteur.marginals import Domain, Measurement
    from pasteur.privacy import Budget, PrivateTable

PRIVATE = True
COMPONENTS = "one"

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"cells": 1 << 15, "iterations": 30, "last_iterations": 80, "passes": 1},
    "best": {"cells": 1 << 17, "iterations": 80, "last_iterations": 200, "passes": 3},
}
"""What `preset` stands for; a setting that is given goes before it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set. Null: as the preset has it, or as public numbers and the noisy number of rows say."""

    preset: str = "best"
    """How much work: "best", or "fast" with a smaller tree and fewer steps."""
    one_way_share: float | None = None
    """Share of the budget for the one-way marginals; inside (0, 1)."""
    outside_share: float | None = None
    """Share of the budget for pairs outside of the tree; 0 or more, and under 1 with `one_way_share`."""
    outside_pairs: int | None = None
    """How many pairs those are, at most; 0 or more."""
    rounds_per_attribute: float | None = None
    """Rounds that the tree's budget is first divided by, for each attribute; above 0."""
    cells: int | None = None
    """Cells that the junction tree may have beyond the one-ways' own; 1 or more. Memory and time grow with it."""
    iterations: int | None = None
    """Steps of mirror descent, at most, that fit the tree in each round; 1 or more."""
    last_iterations: int | None = None
    """The same for the last fit."""
    passes: int | None = None
    """Swaps proposed for each row and attribute when rows are fitted; 0 or more: 0 leaves them as they are drawn."""
    ordered: tuple[str, ...] | None = None
    """Attributes whose codes stand in a natural order; null: those that the schema's embeddings say."""

    def __post_init__(self) -> None:
        """Check."""
        if self.preset not in PRESETS:
            raise ConfigError(rule("preset", self.preset, f"one of {', '.join(PRESETS)}"))
        for name in ("one_way_share", "outside_share"):
            share = getattr(self, name)
            if share is not None and not (0 < share < 1 or (share == 0 and name == "outside_share")):
                raise ConfigError(rule(name, share, "inside (0, 1)"))
        if (self.one_way_share or 0) + (self.outside_share or 0) >= 1:
            raise ConfigError(rule("one_way_share + outside_share", 1, "under 1"))
        leasts = {"outside_pairs": 0, "cells": 1, "iterations": 1, "last_iterations": 1, "passes": 0}
        for name, least in leasts.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(rule(name, value, f"{least} or more"))
        rounds = self.rounds_per_attribute
        if rounds is not None and not (math.isfinite(rounds) and rounds > 0):
            raise ConfigError(rule("rounds_per_attribute", rounds, "finite and above 0"))

    def worked(self, name: str) -> int:
        """Give a setting of the work: its own value, or the preset's."""
        value = getattr(self, name)
        return int(PRESETS[self.preset][name] if value is None else value)


def accountant(budget: Budget, settings: Settings) -> str:
    """Gaussian DP: nearly all is spent on Gaussians, of which it buys 8 to 12 percent more than zCDP at any budget."""
    del budget, settings
    return "gdp"


def fit(private: PrivateTable, settings: Settings) -> Model:
    """COUNT, ONE-WAYS, LEVELS, TREE, OUTSIDE; the rows come when the model is sampled.

    Control flow depends on the domain and on noisy answers alone.

    Raises:
        ConfigError: `ordered` names an attribute that the table lacks, or the table has too many codes.
        BudgetError: the budget is too small for one measurement.
    """
    domain = private.domain
    _spending.check_codes(domain)
    ordered = _ordered(domain, settings)
    budget = private.ledger.remaining

    # COUNT.
    counted = _spending.count(private, share=COUNT)
    rows = _spending.rows(private, [counted])
    plan = Plan.of(domain, sigma=private.sigma(budget), rows=rows, settings=settings)

    # ONE-WAYS.
    cost = budget * plan.one_way_share if plan.pairs_exist else private.ledger.remaining
    sigmas = [private.sigma(cost * share) for share in one_way_shares(domain)]
    ones = private.measure([(name,) for name in domain.attributes], sigmas=sigmas, label="one-way marginal")
    total = _spending.rows(private, [counted, *ones])
    known = [_smoothed(one, ordered) for one in ones]

    # LEVELS.
    merging = merged(domain, known, ordered=ordered)
    folded = [merging.fold(one, total) for one in known]
    levels = chains(merging.merged, folded, sizes=plan.levels, ordered=ordered)
    coarse = private.merged(merging.maps).with_levels(levels)
    last = Stop(iterations=settings.worked("last_iterations"))
    model = GraphicalModel.estimate(levels.domain, folded, total=total, stop=last, zeros=levels.ties)

    # TREE.
    candidates = Candidates.of(levels)
    limits = Limits(
        rounds=plan.rounds,
        cells=settings.worked("cells"),
        between=Stop(iterations=settings.worked("iterations")),
        last=last,
    )
    keep = budget * plan.outside_share if plan.outside_pairs else 0.0
    model, inside = grow(coarse, model, folded, candidates, keep=keep, limits=limits)

    # OUTSIDE.
    outside = _weave_outside.measure(coarse, model, candidates, count=plan.outside_pairs)
    measured = (counted, *ones, *inside, *outside)
    return Model(
        algorithm="weave",
        settings=asdict(settings),
        measurements=measured,
        merging=merging,
        graphical=model,
        ledger=private.ledger,
        levels=levels,
        refinement=Refinement(
            passes=settings.worked("passes"), outside=tuple(range(len(measured) - len(outside), len(measured)))
        ),
    )


def _ordered(domain: Domain, settings: Settings) -> frozenset[str]:
    if settings.ordered is None:
        return domain.ordinal
    for name in settings.ordered:
        if name not in domain:
            message = rule("ordered", name, "an attribute of the table")
            raise ConfigError(message + near_miss(name, domain.attributes))
    return frozenset(settings.ordered)


def _smoothed(measured: Measurement, ordered: frozenset[str]) -> Measurement:
    (name,) = measured.clique
    return smoothed(measured) if name in ordered and len(measured.values) >= SMALLEST else measured
