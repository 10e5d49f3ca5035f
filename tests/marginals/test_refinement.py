from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, count
from pasteur.marginals.refinement import refine

DOMAIN = Domain.of({"a": 4, "b": 3, "c": 6})
PAIRS = list(combinations(DOMAIN.attributes, 2))


def made(domain, rows, seed):
    """Columns that all depend on one hidden number."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(rows)
    return {
        name: np.clip((hidden + rng.normal(0, 0.2, rows)) * size, 0, size - 1).astype(np.uint8)
        for name, size in domain.as_dict().items()
    }


def shuffled(codes, seed):
    """The same columns, each in an order of its own: right one-ways, no dependence."""
    rng = np.random.default_rng(seed)
    return {name: rng.permutation(column) for name, column in codes.items()}


def objective(codes, targets, domain):
    tables = count([codes], domain, list(targets))
    return sum(np.abs(table - target).sum() for table, target in zip(tables, targets.values(), strict=True))


def tables_of(codes, domain, pairs):
    return {pair: table.astype(float) for pair, table in zip(pairs, count([codes], domain, pairs), strict=True)}


def test_rows_come_near_a_known_table_that_can_be_met():
    truth = made(DOMAIN, 2000, seed=0)
    targets, start = tables_of(truth, DOMAIN, PAIRS), shuffled(truth, seed=1)
    found = refine(start, targets, passes=8, rng=np.random.default_rng(2))
    before, after = objective(start, targets, DOMAIN), objective(found, targets, DOMAIN)
    assert before > 1500
    assert after < 0.05 * before


@settings(max_examples=40)
@given(st.data())
def test_one_ways_stay_exact_and_the_sum_never_rises(data):
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    domain = Domain([f"x{place}" for place in range(len(sizes))], sizes)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = data.draw(st.integers(0, 60))
    kind = data.draw(st.sampled_from([np.uint8, np.uint16, np.uint32]))
    codes = {name: rng.integers(0, size, rows).astype(kind) for name, size in domain.as_dict().items()}
    pairs = data.draw(st.lists(st.sampled_from(list(combinations(domain.attributes, 2))), unique=True, max_size=6))
    turned = [pair[::-1] if data.draw(st.booleans()) else pair for pair in pairs]
    targets = {pair: rng.normal(rows / 4, rows, domain.shape(pair)) for pair in turned}  # negative and too large, too
    previous, kept = objective(codes, targets, domain), {name: column.copy() for name, column in codes.items()}
    for passes in range(3):
        found = refine(codes, targets, passes=passes, rng=np.random.default_rng(7))
        assert list(found) == list(codes)
        for name, column in codes.items():
            assert found[name].dtype == column.dtype
            np.testing.assert_array_equal(np.sort(found[name]), np.sort(column))
            np.testing.assert_array_equal(column, kept[name])
        cells = sum(target.size for target in targets.values())
        now = objective(found, targets, domain)
        assert now <= previous + cells * 2**-14
        previous = now


def test_the_generator_alone_decides():
    truth = made(DOMAIN, 500, seed=0)
    targets, start = tables_of(truth, DOMAIN, PAIRS), shuffled(truth, seed=1)
    one, same, other = (refine(start, targets, passes=1, rng=np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert all(np.array_equal(one[name], same[name]) for name in start)
    assert any(not np.array_equal(one[name], other[name]) for name in start)


def test_attributes_without_a_target_are_left_alone():
    truth = made(DOMAIN, 500, seed=0)
    start = shuffled(truth, seed=1)
    found = refine(start, tables_of(truth, DOMAIN, [("a", "c")]), passes=2, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found["b"], start["b"])
    assert any(not np.array_equal(found[name], start[name]) for name in "ac")


TARGET = np.ones((4, 3))


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ({("a",): np.ones(4)}, "a table of two different attributes"),
        ({("a", "a"): np.ones((4, 4))}, "a table of two different attributes"),
        ({("a", "b"): TARGET, ("b", "a"): TARGET.T}, "given once"),
        ({("a", "b"): TARGET * np.nan}, "must be finite"),
        ({("a", "z"): TARGET}, "attribute 'z' of a target is not in the codes"),
        ({("a", "b"): TARGET, ("a", "c"): np.ones((5, 6))}, r"size of 'a' in \('a', 'c'\) \(5\) must be 4"),
        ({("a", "b"): np.ones((65_537, 1))}, r"size of 'a' \(65537\) must be at most 65,536"),
        ({("a", "c"): np.ones((4, 2))}, r"codes of attribute 'c' must be in \[0, 2\)"),
    ],
)
def test_targets_that_are_none_are_refused(targets, text):
    with pytest.raises(ValueError, match=text):
        refine(made(DOMAIN, 50, seed=0), targets, passes=1, rng=np.random.default_rng(0))


def test_passes_below_nought_are_refused():
    with pytest.raises(ValueError, match=r"passes \(-1\) must be 0 or more"):
        refine(made(DOMAIN, 5, seed=0), {}, passes=-1, rng=np.random.default_rng(0))
