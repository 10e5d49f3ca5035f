"""What weave makes of noisy one-way marginals alone: smoother ones, and chains of levels, full -> 20 -> 6 values.

A pair of two attributes of 100 values has 10,000 cells, most of which noise hides; a pair of their levels has 400 or
36. Neither step looks at the data again, so neither costs anything.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasteur.marginals import Levels, Measurement, Merging

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pasteur.marginals import Domain

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

SMALLEST = 24
"""Values from which on an ordered attribute is smoothed: fewer have too few neighbours that are alike."""

WIDEST = 2048
"""Values of an attribute in the model at most: the rarest share one, and rows deal it out by the noisy shares."""

THRESHOLD = 2.0
"""Standard deviations of noise that a difference of neighbours must pass to be believed."""


def smoothed(measured: Measurement) -> Measurement:
    """Give an ordered attribute's one-way marginal with the differences of neighbours that noise explains taken out.

    Translation-invariant Haar wavelets with a hard threshold (Coifman and Donoho 1995), mirrored at both ends: at each
    scale a difference of two neighbouring means that is no larger than `THRESHOLD` of its own sigmas becomes 0. The sum
    stays as it is.
    """
    values = np.asarray(measured.values, dtype=np.float64)
    size = len(values)
    mean, gap = np.concatenate([values, values[::-1]]), 1
    kept: list[Array] = []
    while 2 * gap <= size:
        other = np.roll(mean, -gap)
        half = (mean - other) / 2
        kept.append(np.where(np.abs(half) <= THRESHOLD * measured.sigma / math.sqrt(2 * gap), 0.0, half))
        mean, gap = (mean + other) / 2, 2 * gap
    for half in reversed(kept):
        gap //= 2
        mean = (mean + half + np.roll(mean - half, gap)) / 2
    mirrored = (mean[:size] + mean[size:][::-1]) / 2
    values = mirrored + (values.sum() - mirrored.sum()) / size
    return Measurement(clique=measured.clique, values=values, sigma=measured.sigma)


def merged(domain: Domain, ones: Sequence[Measurement], *, ordered: Collection[str]) -> Merging:
    """Merge the rarest values of attributes that have more than `WIDEST`, until they have so many.

    Arguments as of `chains`.
    """
    merging = Merging.none(domain)
    maps, shares = dict(merging.maps), dict(merging.shares)
    for one in ones:
        (name,) = one.clique
        if one.values.size > WIDEST:
            counts = np.maximum(np.asarray(one.values, dtype=np.float64), one.sigma / 64)
            (maps[name],) = (neighbours if name in ordered else least)(counts, [WIDEST])
            shares[name] = counts / np.bincount(maps[name], weights=counts)[maps[name]]
    return Merging(domain=domain, maps=maps, shares=shares)


def chains(domain: Domain, ones: Sequence[Measurement], *, sizes: Sequence[int], ordered: Collection[str]) -> Levels:
    """Give every attribute with more values than `sizes` allow a chain of levels, each a coarser one of the last.

    Args:
        domain: of the attributes.
        ones: their noisy one-way marginals, one each.
        sizes: of the levels, falling; an attribute gets those under its own size.
        ordered: attributes of which only neighbours may share a bin.
    """
    maps: dict[str, tuple[str, Codes]] = {}
    taken = set(domain.attributes)
    for one in ones:
        (name,) = one.clique
        size = domain.size((name,))
        wanted = [each for each in sizes if each < size]
        merge = neighbours if name in ordered else least
        source, finer = name, np.arange(size)
        for each, codes in zip(
            wanted, merge(np.asarray(one.values, dtype=np.float64), wanted) if wanted else [], strict=True
        ):
            level = f"{name}~{each}"
            while level in taken:
                level += "~"
            taken.add(level)
            maps[level] = (source, codes[np.unique(finer, return_index=True)[1]])
            source, finer = level, codes
    return Levels(domain, maps)


def neighbours(counts: Array, sizes: Sequence[int]) -> list[Codes]:
    """Merge the two adjacent bins of least joint count, again and again; give the bins' numbers at each of `sizes`.

    Args:
        counts: (values,), noisy; those under 0 count as 0.
        sizes: bins to stop at, falling.

    Returns:
        For each size the bin of every value, (values,), numbered from 0 in the values' order.
    """
    mass = [max(float(count), 0.0) for count in counts]
    after = [*range(1, len(mass)), -1]
    before = list(range(-1, len(mass) - 1))
    first = np.ones(len(mass), dtype=bool)
    heap = [(mass[left] + mass[left + 1], left, left + 1) for left in range(len(mass) - 1)]
    heapq.heapify(heap)
    found: list[Codes] = []
    left_over = len(mass)
    for size in sizes:
        while left_over > size:
            joint, left, right = heapq.heappop(heap)
            if not (first[left] and first[right] and after[left] == right and joint == mass[left] + mass[right]):
                continue
            mass[left], first[right], after[left] = joint, False, after[right]
            left_over -= 1
            if after[left] >= 0:
                before[after[left]] = left
                heapq.heappush(heap, (joint + mass[after[left]], left, after[left]))
            if before[left] >= 0:
                heapq.heappush(heap, (mass[before[left]] + joint, before[left], left))
        found.append(np.cumsum(first) - 1)
    return found


def least(counts: Array, sizes: Sequence[int]) -> list[Codes]:
    """Merge the two bins of least count, again and again; arguments and result as of `neighbours`."""
    groups = [[value] for value in range(len(counts))]
    heap = [(max(float(count), 0.0), value) for value, count in enumerate(counts)]
    heapq.heapify(heap)
    found: list[Codes] = []
    for size in sizes:
        while len(heap) > size:
            one, other = heapq.heappop(heap), heapq.heappop(heap)
            groups[one[1]] += groups[other[1]]
            heapq.heappush(heap, (one[0] + other[0], one[1]))
        codes = np.empty(len(counts), dtype=np.intp)
        for number, (_, group) in enumerate(sorted(heap, key=lambda bin_: min(groups[bin_[1]]))):
            codes[groups[group]] = number
        found.append(codes)
    return found
