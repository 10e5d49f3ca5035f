"""One target's distribution given at most a few contexts: each chosen, measured, and believed as far as noise lets it.

The distribution is refined step by step: p(y), p(y | c1), p(y | c1, c2) and so on. A step's noisy table is compared,
from coarse groups of context and target to fine ones, with what the last step expects of it; only what stands out of
the noise changes the expectation (James and Stein 1961, positive part, a row at a time).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pasteur.privacy.contexts import Context
from pasteur.synth._relational_columns import level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals import Measurement
    from pasteur.privacy import PrivateRows
    from pasteur.synth._relational_columns import Chain

    Codes = NDArray[np.intp]
    Floats = NDArray[np.float64]

NOISE = math.sqrt(2 / math.pi)
CELLS = 1 << 18
"""Cells of a table that is counted for a choice, at most."""
TABLE = 1 << 16
"""Cells of a table that is measured, at most."""
TINY = 1e-300
ANCHORING = 10
"""Steps in which conditionals are brought to their mean."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditional:
    """A target's distribution.

    Attributes:
        target: the column.
        contexts: the columns that it depends on.
        groups: of each the group of each of its codes, (codes,).
        shares: (groups of the first, of the second, ..., codes of the target): sums to 1 along the last axis.
    """

    target: str
    contexts: tuple[str, ...] = ()
    groups: tuple[Codes, ...] = ()
    shares: Floats

    def levels(self, chains: Mapping[str, Chain]) -> tuple[str, ...]:
        """The columns that the contexts' groups are."""
        sizes = self.shares.shape
        return tuple(level(name, chains[name], size) for name, size in zip(self.contexts, sizes, strict=False))

    def cells(self, columns: Mapping[str, NDArray[np.integer]], rows: int) -> NDArray[np.int64]:
        """The row of `shares` that each row's contexts lead to: (rows,)."""
        found = np.zeros(rows, dtype=np.int64)
        for name, groups, size in zip(self.contexts, self.groups, self.shares.shape, strict=False):
            found = found * size + groups[columns[name]]
        return found


@dataclass(frozen=True, kw_only=True)
class Spending:
    """How a conditional's part of the budget is spent.

    Attributes:
        choose: rho for each choice of a context.
        measure: rho for the tables, step after step.
        clip: norm that a unit may add to a table.
        mass: what units of norm `clip` add to a table in all, per unit, about.
        most: rows that those of a unit weigh together when contexts are scored, at most.
        weight: what they do weigh on average, about.
        doubt: sizes of the noise that a context must tell beyond, to be worth it.
    """

    choose: float
    measure: tuple[float, ...]
    clip: float
    mass: float
    most: int
    weight: float
    doubt: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """A conditional, and the noisy tables that it came of."""

    conditional: Conditional
    measurements: tuple[Measurement, ...] = ()


def learn(
    rows: PrivateRows,
    target: str,
    one: Floats,
    contexts: Sequence[str],
    chains: Mapping[str, Chain],
    spending: Spending,
    *,
    whole: bool,
) -> Learnt:
    """Choose and measure, as long as there is something worth it.

    Args:
        rows: with the levels of `chains`.
        target: a column.
        one: what is known of it alone: (codes,) shares.
        contexts: columns that it may depend on.
        chains: their levels and the target's.
        spending: of this target.
        whole: whether `one` is of these very rows, so that the conditionals must come to it on average.
    """
    known, measurements = Conditional(target=target, shares=one), []
    for cost in spending.measure:
        sigma = rows.clipped_sigma(cost, spending.clip)
        options = _options(known, contexts, chains, spending.doubt * NOISE * sigma * spending.weight / spending.mass)
        if not options:
            break
        chosen = rows.choose_context(
            [context for context, _ in options],
            epsilon=rows.choice_epsilon(spending.choose),
            label=f"what {target} depends on",
            stop=True,
            most=spending.most,
        )
        if chosen is None:
            break
        _, (name, groups, wide) = options[chosen]
        clique = (*known.levels(chains), level(name, chains[name], groups), level(target, chains[target], wide))
        (noisy,) = rows.measure_clipped([clique], sigmas=[sigma], clip=spending.clip, label="conditional")
        measurements.append(noisy)
        known = refined(known, name, groups, wide, chains, noisy)
        if whole:
            known = anchored(known, one, np.maximum(np.asarray(noisy.values, dtype=np.float64).sum(axis=-1), 0))
    return Learnt(conditional=known, measurements=tuple(measurements))


def _options(
    known: Conditional, contexts: Sequence[str], chains: Mapping[str, Chain], noise: float
) -> list[tuple[Context, tuple[str, int, int]]]:
    """Candidates: each context that is not known yet, at each of its levels, with the target at each of its.

    Args:
        known: what is expected so far.
        contexts: names.
        chains: levels.
        noise: what it adds to a score, a cell, in units.
    """
    target = chains[known.target]
    before = math.prod(known.shares.shape[:-1])
    expected = {wide: grouped(known.shares, codes) for wide, codes in target.maps.items()}
    options = []
    for name in contexts:
        chain = chains[name]
        if name in known.contexts or chain.size == 1:
            continue
        fine = chain.counted
        base = next((k for k in target.maps if before * fine * k <= CELLS), min(target.maps))
        clique = (*known.levels(chains), level(name, chain, fine), level(known.target, target, base))
        for groups in (k for k in chain.maps if k <= fine):
            for wide in (k for k in target.maps if k <= base and before * groups * k <= TABLE):
                context = Context(
                    clique=clique,
                    context=None if groups == fine else chain.between(fine, groups),
                    target=None if wide == base else target.between(base, wide),
                    shares=expected[wide],
                    bias=noise * before * groups * wide,
                )
                options.append((context, (name, groups, wide)))
    return options


def refined(
    known: Conditional, name: str, groups: int, wide: int, chains: Mapping[str, Chain], noisy: Measurement
) -> Conditional:
    """What is expected once a noisy table of known contexts, a new one in `groups` and the target in `wide` is in."""
    chain, target = chains[name], chains[known.target]
    old = known.shares.reshape(-1, known.shares.shape[-1])
    table = np.asarray(noisy.values, dtype=np.float64).reshape(len(old), groups, wide)
    shares = np.repeat(old[:, None], groups, axis=1)
    for coarse in sorted(k for k in chain.maps if k <= groups):
        fold = chain.between(groups, coarse)
        sums = _summed(table, fold)
        merged = np.bincount(fold, minlength=coarse)
        # What is expected of a group of contexts is that of its members, as often as each comes.
        weights = np.maximum(table.sum(axis=2), 0) + 1e-9
        expected = _summed(shares * weights[..., None], fold)
        expected /= np.maximum(expected.sum(axis=2, keepdims=True), TINY)
        for level_ in sorted(k for k in target.maps if k <= wide):
            bins = target.maps[level_]
            observed = grouped(sums, target.between(wide, level_))
            sigma = noisy.sigma * np.sqrt(merged[None, :] * (wide / level_))
            ratio = _believed(observed, grouped(expected, bins), sigma)
            expected = expected * ratio[..., bins]
            shares = shares * ratio[:, fold][..., bins]
        shares /= np.maximum(shares.sum(axis=2, keepdims=True), TINY)
    return Conditional(
        target=known.target,
        contexts=(*known.contexts, name),
        groups=(*known.groups, chain.maps[groups]),
        shares=shares.reshape(*known.shares.shape[:-1], groups, -1),
    )


def anchored(known: Conditional, one: Floats, weights: Floats) -> Conditional:
    """The same, but so that on average over contexts the target is distributed as `one`.

    Args:
        known: a conditional.
        one: (codes,) shares.
        weights: how often each combination of contexts comes, noisy: shaped as the contexts.
    """
    shares = known.shares
    for _ in range(ANCHORING):
        mean = np.tensordot(weights / max(weights.sum(), TINY), shares, axes=weights.ndim)
        ratio = np.where(mean > 0, one / np.where(mean > 0, mean, 1), 1)
        shares = shares * np.clip(ratio, 0.1, 10)
        shares = shares / np.maximum(shares.sum(axis=-1, keepdims=True), TINY)
    return replace(known, shares=shares) if weights.sum() > 0 else known


def _believed(observed: Floats, expected: Floats, sigma: Floats) -> Floats:
    """By how much to multiply what is expected: 1 where noise explains the gap, all of it where it does not.

    Args:
        observed: (known, contexts, groups) noisy counts.
        expected: the same, shares.
        sigma: (1, contexts) of the noise on a count.
    """
    cells = observed.shape[2]
    rows = observed.sum(axis=2)
    gap = observed - rows[..., None] * expected
    noise = sigma**2 * (cells - 1)
    squares = (gap**2).sum(axis=2)
    trust = np.clip(1 - noise / np.maximum(squares, TINY), 0, 1) * (rows > sigma * math.sqrt(cells))
    new = np.where(expected > 0, expected + trust[..., None] * gap / np.maximum(rows, 1.0)[..., None], 0)
    new = np.maximum(new, 0)
    sums = new.sum(axis=2, keepdims=True)
    new /= np.where(sums > 0, sums, 1)
    return np.where((expected > 0) & (sums > 0), new / np.where(expected > 0, expected, 1), 1.0)


def grouped(table: Floats, codes: Codes) -> Floats:
    """Sum the cells of each group along the last axis."""
    groups = int(codes.max()) + 1
    if groups == table.shape[-1]:
        return table
    order = np.argsort(codes, kind="stable")
    found: Floats = np.add.reduceat(table[..., order], np.searchsorted(codes[order], np.arange(groups)), axis=-1)
    return found


def _summed(table: Floats, codes: Codes) -> Floats:
    return np.moveaxis(grouped(np.moveaxis(table, 1, -1), codes), -1, 1)
