"""What the private algorithms decide alike, from public numbers and noisy answers alone: accountant, one-ways, rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pasteur import privacy
from pasteur.errors import ConfigError, rule
from pasteur.marginals.estimation import total_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.marginals import Domain, Measurement
    from pasteur.privacy import Budget, PrivateTable

MEGABYTE = 2**20 // 8
"""Cells of a megabyte: a cell takes 8 bytes."""

MOST_CODES = 1 << 21
"""Codes of all attributes together, at most, where no setting bounds a model: beyond, noise takes minutes to draw."""

NOISE = math.sqrt(2 / math.pi)
"""Mean size of a normal variable, in its standard deviations: what noise alone adds to an L1 distance, a cell."""


def accountant(budget: Budget, *, choices: float, events: int) -> str:
    """The accountant that buys more: by what a measurement is worth (1/sigma^2) and a choice (epsilon^2).

    Gaussian DP has less noise for the same budget but dearer choices; the worth of each counts by its share.

    Args:
        budget: what may be spent.
        choices: share of it that goes to exponential choices; inside [0, 1).
        events: how many choices share that, about.
    """

    def worth(name: str) -> float:
        prices = privacy.accountant(name)
        total = prices.total(budget)
        measured = (1 - choices) * math.log(total)
        return measured + (2 * choices * math.log(prices.choice_epsilon(total * choices / events)) if choices else 0.0)

    return max(("gdp", "zcdp"), key=worth)


def one_ways(private: PrivateTable, *, cost: float) -> list[Measurement]:
    """Measure every one-way marginal, all with the noise of one sigma, for `cost` (rho) together."""
    names = private.domain.attributes
    sigma = private.sigma(cost / len(names))
    return private.measure([(name,) for name in names], sigmas=[sigma] * len(names), label="one-way marginal")


def count(private: PrivateTable, *, share: float) -> Measurement:
    """Measure the number of rows for a share of what is left."""
    return private.measure_total(sigma=private.sigma(private.ledger.remaining * share), label="number of rows")


def rows(private: PrivateTable, measured: Sequence[Measurement]) -> float:
    """How many rows there are, 1 or more: as declared public, else as the noisy answers have it."""
    return total_of(measured) if private.public_rows is None else max(1.0, float(private.public_rows))


def check_codes(domain: Domain) -> None:
    """Refuse a domain of more codes than an algorithm without `max_size` measures one by one.

    Raises:
        ConfigError: it has.
    """
    codes = sum(domain.sizes)
    if codes > MOST_CODES:
        message = rule("codes of all attributes", f"{codes:,}", f"{MOST_CODES:,} or fewer together")
        raise ConfigError(f"{message}; fewer bins help: {_widest(domain)}")


def check_one_ways(domain: Domain, *, max_size: float) -> None:
    """Refuse a domain whose one-way marginals alone are larger than a model may be.

    Args:
        domain: of the codes.
        max_size: of the model, in MB.

    Raises:
        ConfigError: they are.
    """
    cells = sum(domain.sizes)
    if cells > max_size * MEGABYTE:
        message = rule("max_size", f"{max_size:g} MB", f"{math.ceil(cells / MEGABYTE)} MB or more: so large are the")
        raise ConfigError(f"{message} one-way marginals; fewer bins help too: {_widest(domain)}")


def _widest(domain: Domain) -> str:
    widest = max(domain.attributes, key=lambda name: domain.size((name,)))
    return f"'{widest}' has {domain.size((widest,)):,} codes"
