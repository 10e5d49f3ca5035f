from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.marginals import Domain, Measurement
from pasteur.synth._weave_levels import WIDEST, chains, least, merged, neighbours, smoothed


def one(name, values, sigma=1.0):
    return Measurement(clique=(name,), values=np.asarray(values, dtype=float), sigma=sigma)


COUNTS = st.lists(st.floats(-50, 500), min_size=2, max_size=40)


@given(COUNTS, st.integers(1, 39), st.integers(1, 39))
def test_bins_are_nested_and_number_as_many_as_asked(counts, some, others):
    sizes = sorted({min(size, len(counts)) for size in (some, others)}, reverse=True)
    for merge in (neighbours, least):
        found = merge(np.array(counts), sizes)
        for size, codes in zip(sizes, found, strict=True):
            assert sorted(set(codes.tolist())) == list(range(size))
        for fine, coarse in pairwise(found):
            assert all(len(set(coarse[fine == code].tolist())) == 1 for code in np.unique(fine))


@given(COUNTS, st.integers(1, 39))
def test_neighbours_share_bins_only_with_neighbours(counts, size):
    (codes,) = neighbours(np.array(counts), [min(size, len(counts))])
    assert np.all(np.isin(np.diff(codes), (0, 1)))


def test_the_rarest_are_merged_first():
    assert neighbours(np.array([9.0, 1, 1, 9, 9]), [4])[0].tolist() == [0, 1, 1, 2, 3]
    assert least(np.array([1.0, 9, 9, 9, 1]), [4])[0].tolist() == [0, 1, 2, 3, 0]


def test_a_chain_has_the_levels_that_are_under_the_size():
    domain = Domain.of({"age": 85, "job": 15, "job~6": 2})
    ones = [one(name, np.arange(size)) for name, size in domain.as_dict().items()]
    levels = chains(domain, ones, sizes=(20, 6), ordered={"age"})
    made = {name: size for name, size in levels.domain.as_dict().items() if name not in domain}
    assert made == {"age~20": 20, "age~6": 6, "job~6~": 6}
    assert levels.maps["age~6"][0] == "age~20"
    assert np.all(np.diff(levels.codes("age~6")) >= 0)


def test_smoothing_takes_out_noise_and_keeps_steps_and_the_sum():
    rng = np.random.default_rng(0)
    truth = np.repeat([100.0, 400.0, 50.0], 20)
    errors = []
    for _ in range(20):
        noisy = truth + rng.normal(0, 10, 60)
        found = smoothed(one("a", noisy, 10.0)).values
        assert found.sum() == pytest.approx(noisy.sum())
        errors.append((np.abs(noisy - truth).mean(), np.abs(found - truth).mean()))
    before, after = np.mean(errors, axis=0)
    assert after < 0.6 * before


def test_smoothing_leaves_what_is_far_above_noise():
    values = np.random.default_rng(1).permutation(np.arange(30) * 1000.0)
    np.testing.assert_allclose(smoothed(one("a", values, 0.01)).values, values)


@pytest.mark.parametrize("ordered", [set(), {"a"}])
def test_a_huge_attribute_is_merged_and_dealt_out_by_its_counts(ordered):
    domain = Domain.of({"a": WIDEST + 50, "b": 3})
    counts = np.full(WIDEST + 50, 10.0)
    counts[:100] = 1.0
    found = merged(domain, [one("a", counts), one("b", np.ones(3))], ordered=ordered)
    assert found.merged.as_dict() == {"a": WIDEST, "b": 3}
    np.testing.assert_allclose(np.bincount(found.maps["a"], weights=found.shares["a"]), 1.0)
    assert np.all(found.shares["a"][100:] == 1.0)
