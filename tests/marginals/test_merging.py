from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, Measurement, Merging

DOMAIN = Domain.of({"a": 5, "b": 2, "c": 1})


def ones(a=(100.0, 5.0, 90.0, -3.0, 15.0), b=(80.0, 120.0), c=(200.0,), sigma=10.0):
    pairs = zip("abc", (a, b, c), strict=True)
    return [Measurement(clique=(name,), values=np.array(values), sigma=sigma) for name, values in pairs]


def test_cells_under_three_sigma_become_one():
    merging = Merging.below(DOMAIN, ones(), 3)
    assert merging.maps["a"].tolist() == [0, 2, 1, 2, 2]
    assert merging.shares["a"].tolist() == [1, 0.25, 1, 0, 0.75]
    assert merging.merged == Domain.of({"a": 3, "b": 2, "c": 1})


def test_cells_that_are_all_under_become_one_cell_of_equal_shares():
    merging = Merging.below(DOMAIN, ones(a=(-5.0, -1.0, -2.0, -7.0, -1.0)), 3)
    assert merging.merged.size(("a",)) == 1
    assert merging.shares["a"].tolist() == [0.2] * 5


def test_folding_is_the_least_squares_estimate_given_the_total():
    merging = Merging.below(DOMAIN, ones(), 3)
    folded = merging.fold(ones()[0], total=217.0)  # the five cells sum to 207: two more in each
    assert folded.values.tolist() == [102, 92, 23]
    assert folded.values.sum() == 217


def test_rows_are_dealt_out_by_the_shares():
    merging = Merging.below(DOMAIN, ones(), 3)
    codes = {"a": np.repeat([0, 1, 2], 1000), "b": np.tile([0, 1], 1500), "c": np.zeros(3000, dtype=np.intp)}
    rows = merging.unfold(codes, rng=np.random.default_rng(0))
    assert np.bincount(rows["a"], minlength=5).tolist() == [1000, 250, 1000, 0, 750]
    np.testing.assert_array_equal(rows["b"], codes["b"])
    assert abs(np.corrcoef(np.arange(1000), rows["a"][2000:])[0, 1]) < 0.1


@settings(max_examples=40)
@given(st.lists(st.floats(-100, 1000), min_size=1, max_size=12), st.floats(0, 10), st.integers(0, 2**32))
def test_unfolding_undoes_merging(values, sigmas, seed):
    domain = Domain.of({"a": len(values)})
    merging = Merging.below(domain, [Measurement(clique=("a",), values=np.array(values), sigma=7.0)], sigmas)
    rng = np.random.default_rng(seed)
    codes = {"a": rng.integers(0, merging.merged.size(("a",)), 50)}
    np.testing.assert_array_equal(merging.maps["a"][merging.unfold(codes, rng=rng)["a"]], codes["a"])


def test_merging_nothing_changes_nothing():
    merging = Merging.none(DOMAIN)
    assert merging.merged == DOMAIN
    codes = {"a": np.arange(5), "b": np.zeros(5, dtype=np.intp), "c": np.zeros(5, dtype=np.intp)}
    rows = merging.unfold(codes, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(rows["a"], codes["a"])


def test_what_does_not_match_is_refused():
    whole = Merging.none(DOMAIN)
    with pytest.raises(ValueError, match="map of 'a'"):
        Merging(domain=DOMAIN, maps={**whole.maps, "a": np.arange(3)}, shares=whole.shares)
    with pytest.raises(ValueError, match="use all of 0"):
        Merging(domain=DOMAIN, maps={**whole.maps, "a": np.array([0, 0, 2, 2, 2])}, shares=whole.shares)
    with pytest.raises(ValueError, match=r"sigmas \(-1\) must be 0 or more"):
        Merging.below(DOMAIN, ones(), -1)


noisy = st.lists(st.floats(-200, 1000), min_size=1, max_size=12)


@settings(max_examples=80)
@given(noisy, st.floats(0, 10), st.floats(0.5, 50))
def test_what_is_merged_and_how_it_is_shared(values, sigmas, sigma):
    measured = Measurement(clique=("a",), values=np.array(values), sigma=sigma)
    merging = Merging.below(Domain.of({"a": len(values)}), [measured], sigmas)
    new, shares, small = merging.maps["a"], merging.shares["a"], np.array(values) < sigmas * sigma
    assert len(set(new[small])) <= 1, "all small cells are one"
    assert len(set(new[~small])) == np.count_nonzero(~small), "the others stand alone"
    assert not set(new[small]) & set(new[~small])
    np.testing.assert_array_equal(new[~small], np.arange(np.count_nonzero(~small)))
    np.testing.assert_allclose(np.bincount(new, weights=shares), 1.0)
    assert np.all(shares >= 0)
    if np.any(np.array(values)[small] > 0):
        assert np.all(shares[small & (np.array(values) <= 0)] == 0)


@settings(max_examples=80)
@given(noisy, st.floats(0, 10), st.floats(1, 5000))
def test_folding_keeps_the_total_and_moves_every_cell_alike(values, sigmas, total):
    measured = Measurement(clique=("a",), values=np.array(values), sigma=7.0)
    merging = Merging.below(Domain.of({"a": len(values)}), [measured], sigmas)
    folded = merging.fold(measured, total)
    assert folded.sigma == 7.0
    assert folded.values.sum() == pytest.approx(total)
    cells = np.bincount(merging.maps["a"])
    moved = folded.values - np.bincount(merging.maps["a"], weights=values)
    np.testing.assert_allclose(moved / cells, (total - sum(values)) / len(values), atol=1e-6)


def test_a_cell_at_the_threshold_stands_alone_and_none_at_zero_sigmas():
    measured = Measurement(clique=("a",), values=np.array([30.0, 29.9, 0.0, -0.1]), sigma=10.0)
    domain = Domain.of({"a": 4})
    assert Merging.below(domain, [measured], 3).maps["a"].tolist() == [0, 1, 1, 1]
    assert Merging.below(domain, [measured], 0).maps["a"].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"sigmas \(nan\) must be 0 or more"):
        Merging.below(domain, [measured], float("nan"))


def test_an_attribute_that_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="map of 'b'"):
        Merging.below(DOMAIN, ones()[:1], 3)


@settings(max_examples=40)
@given(st.integers(0, 400), st.integers(0, 2**32))
def test_dealing_out_is_within_one_row_of_the_shares(rows, seed):
    merging = Merging.below(DOMAIN, ones(), 3)
    codes = {"a": np.full(rows, 2), "b": np.zeros(rows, dtype=np.intp), "c": np.zeros(rows, dtype=np.intp)}
    dealt = np.bincount(merging.unfold(codes, rng=np.random.default_rng(seed))["a"], minlength=5)
    assert np.all(np.abs(dealt - rows * np.array([0, 0.25, 0, 0, 0.75])) < 1 + 1e-6)
    assert dealt[[0, 2, 3]].sum() == 0
