"""Compiled samplers, exact: random bits and whole numbers alone.

A sampler is given words of 64 random bits and `at`, three numbers that it moves on: words used up by finished draws,
words used, draws finished. Where the words run out it stops in the middle of a draw, which is begun again with the
same words and more after them: what is drawn depends on the sequence of words alone, as if it had no end. (Throwing
the words of an unfinished draw away would favour draws that need few.) So each loop below ends when they have run out;
what it then gives is never looked at.

Python's rules hold for whole numbers of one type alone: here each word, bound and top is a uint64, the rest int64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pasteur.marginals.compiled import compiled

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

ONE, TWO = np.uint64(1), np.uint64(2)
LAST = np.uint64(0xFFFFFFFFFFFFFFFF)
COMMITTED, USED, DONE = 0, 1, 2


@compiled
def more(words: Words, at: Integers) -> bool:
    """Whether the words have not run out: no word was asked for past the last."""
    return bool(at[USED] <= len(words))


@compiled
def word(words: Words, at: Integers) -> np.uint64:
    """The next 64 bits."""
    place = at[USED]
    at[USED] = place + 1
    bits: np.uint64 = words[min(place, len(words) - 1)]
    return bits


@compiled
def below(words: Words, at: Integers, bound: np.uint64) -> np.uint64:
    """Uniform whole number in [0, bound): words past the last whole multiple of the bound are drawn again."""
    while True:
        drawn = word(words, at)
        rest = drawn % bound
        # A word is good if its whole block [drawn - rest, drawn - rest + bound) lies under 2^64.
        if drawn - rest <= LAST - bound + ONE or not more(words, at):
            return rest


@compiled
def bernoulli_exp(words: Words, at: Integers, top: np.uint64, bottom: np.uint64) -> bool:
    """Bernoulli(exp(-top / bottom)), the fraction in [0, 1] (Canonne, Kamath, Steinke 2020, algorithm 1).

    Draw Bernoulli(g / 1), Bernoulli(g / 2), ... until one fails; the answer is whether an odd one was the first to.
    """
    k = ONE
    while below(words, at, bottom * k) < top and more(words, at):
        k += ONE
    return bool(k % TWO == ONE)


@compiled
def bernoulli_exp_half_square(words: Words, at: Integers, top: np.uint64, bottom: np.uint64) -> bool:
    """Bernoulli(exp(-(top / bottom)^2 / 2)): as above; a product's Bernoulli is the conjunction of its factors'."""
    k = ONE
    while (
        below(words, at, bottom * k) < top
        and below(words, at, bottom) < top
        and below(words, at, TWO) == 0
        and more(words, at)
    ):
        k += ONE
    return bool(k % TWO == ONE)


@compiled
def bernoulli_exp_binary(words: Words, at: Integers, high: np.uint64, low: np.uint64) -> bool:
    """Bernoulli(exp(-g)), g = high 2^-64 + low 2^-128: as above."""
    k = ONE
    while below(words, at, k) == 0 and more(words, at):
        drawn = word(words, at)
        if drawn > high or (drawn == high and word(words, at) >= low):
            break
        k += ONE
    return bool(k % TWO == ONE)


@compiled
def geometric(words: Words, at: Integers, bottom: np.uint64) -> int:
    """How many Bernoulli(exp(-1 / bottom)) succeed before the first that fails."""
    count = 0
    while bernoulli_exp(words, at, ONE, bottom) and more(words, at):
        count += 1
    return count


@compiled
def all_succeed(words: Words, at: Integers, times: int, top: np.uint64, bottom: np.uint64) -> bool:
    """Bernoulli(exp(-times top / bottom)): whether that many Bernoulli(exp(-top / bottom)) all succeed."""
    done = 0
    while done < times and bernoulli_exp(words, at, top, bottom) and more(words, at):
        done += 1
    return done == times


@compiled
def gaussian(words: Words, at: Integers, out: Integers, top: int, bottom: int) -> None:
    """Fill the rest of `out` with discrete Gaussians of sigma = top / bottom. Karney 2016, algorithm D, for mean 0.

    A value is written sigma (k + x) with whole k and x in [0, 1): k has density exp(-k^2 / 2), x what is left of
    exp(-(k + x)^2 / 2). x is kept as the whole number a = x top.
    """
    steps = np.uint64(-(-top // bottom))
    while at[DONE] < len(out):
        k = geometric(words, at, TWO)
        accepted = all_succeed(words, at, k * (k - 1), ONE, TWO)
        if accepted:
            value = -(-k * top // bottom) + np.int64(below(words, at, steps))
            a = value * bottom - k * top
            negative = bool(below(words, at, TWO) == 1)
            accepted = bool(a < top and not (negative and value == 0))
            accepted = accepted and all_succeed(words, at, k, np.uint64(a), np.uint64(top))
            accepted = accepted and bernoulli_exp_half_square(words, at, np.uint64(a), np.uint64(top))
        if not more(words, at):
            return
        if accepted:
            out[at[DONE]] = -value if negative else value
            at[DONE] += 1
        at[COMMITTED] = at[USED]


@compiled
def laplace(words: Words, at: Integers, out: Integers, top: int, bottom: int) -> None:
    """Fill the rest of `out` with discrete Laplace values of scale top / bottom (Canonne et al. 2020, algorithm 2)."""
    while at[DONE] < len(out):
        u = below(words, at, np.uint64(top))
        accepted = bernoulli_exp(words, at, u, np.uint64(top))
        if accepted:
            value = (np.int64(u) + top * geometric(words, at, ONE)) // bottom
            negative = bool(below(words, at, TWO) == 1)
            accepted = bool(not (negative and value == 0))
        if not more(words, at):
            return
        if accepted:
            out[at[DONE]] = -value if negative else value
            at[DONE] += 1
        at[COMMITTED] = at[USED]


@compiled
def choose(words: Words, at: Integers, out: Integers, whole: Integers, high: Words, low: Words) -> None:
    """Fill the rest of `out` with indices i, each with probability proportional to exp(-x_i).

    A uniform index is kept with probability exp(-x_i), else another one is drawn.

    Args:
        words: random bits.
        at: where in them.
        out: (draws,).
        whole: (n,), the whole part of each x, 0 or more; at least one x is 0.
        high: (n,), 64 bits of its fraction.
        low: (n,), 64 bits more.
    """
    while at[DONE] < len(out):
        index = below(words, at, np.uint64(len(whole)))
        accepted = all_succeed(words, at, whole[index], ONE, ONE) and bernoulli_exp_binary(
            words, at, high[index], low[index]
        )
        if not more(words, at):
            return
        if accepted:
            out[at[DONE]] = index
            at[DONE] += 1
        at[COMMITTED] = at[USED]
