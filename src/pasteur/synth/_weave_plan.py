"""How weave divides its budget: smooth functions of public numbers and of one noisy one, the number of rows.

All of them are functions of one number, `faintness`: the mean total variation that a one-way marginal would have from
noise alone if the whole budget went to the one-ways. It grows with the attributes and their sizes, and falls with
epsilon and the number of rows. Coded Adult has 0.057 at epsilon 0.1, 0.0057 at 1 and 0.0007 at 10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.synth._spending import NOISE

if TYPE_CHECKING:
    from pasteur.marginals import Domain
    from pasteur.synth.weave import Settings

USUAL = 0.00574
"""Faintness at which the shares below were first tuned: coded Adult at epsilon 1."""


MOST_ATTRIBUTES = 50
"""Attributes that rounds are counted by at most: what hundreds of them would add is time, not much precision."""

COUNT = 0.002
"""Share of the budget for the number of rows, which only has to be known to a few per cent."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What each step gets.

    Attributes:
        pairs_exist: two attributes or more have more than one value.
        one_way_share: share of the budget for the one-way marginals.
        outside_share: share for pairs outside of the tree.
        outside_pairs: how many those are, at most.
        rounds: T, that the tree's budget is first divided by; fewer come, as precision grows on the way.
        levels: sizes of the levels of an attribute's chain, falling.
    """

    pairs_exist: bool
    one_way_share: float
    outside_share: float
    outside_pairs: int
    rounds: int
    levels: tuple[int, ...] = (20, 6)

    @classmethod
    def of(cls, domain: Domain, *, sigma: float, rows: float, settings: Settings) -> Plan:
        """Plan for a domain; what `settings` say goes first.

        Args:
            domain: of the codes.
            sigma: of one marginal measured with the whole budget, in rows.
            rows: how many there are, about.
            settings: of the run.
        """
        faint = faintness(domain, sigma, rows)
        one_way = _or(settings.one_way_share, _between(0.05, 0.25 * (faint / USUAL) ** 0.41, 0.7))
        outside = _or(settings.outside_share, _between(0.02, 0.15 * (faint / USUAL) ** -0.7, 0.5))
        return cls(
            pairs_exist=sum(size > 1 for size in domain.sizes) > 1,
            one_way_share=one_way,
            outside_share=min(outside, 0.9 * (1 - one_way)),
            outside_pairs=round(_or(settings.outside_pairs, _between(2, 20 * USUAL / faint, 150))),
            rounds=max(1, math.ceil(_or(settings.rounds_per_attribute, 5.0) * min(len(domain), MOST_ATTRIBUTES))),
        )


def faintness(domain: Domain, sigma: float, rows: float) -> float:
    """Mean total variation that noise alone gives a one-way marginal, were the whole budget spent on the one-ways.

    Arguments as of `Plan.of`.
    """
    cells: float = sum(size ** (2 / 3) for size in domain.sizes) ** 1.5
    return NOISE / 2 * cells * sigma / (len(domain) * max(rows, 1.0))


def one_way_shares(domain: Domain) -> list[float]:
    """Shares of the one-way budget, one an attribute: as size^(2/3), which makes the summed L1 error least."""
    parts = [size ** (2 / 3) for size in domain.sizes]
    return [part / sum(parts) for part in parts]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _between(low: float, value: float, high: float) -> float:
    return min(max(value, low), high)
