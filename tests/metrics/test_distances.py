from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pasteur.metrics.distances import pooled_range, scaled_wasserstein, wasserstein

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20).map(np.array)
anything = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12).map(lambda x: np.array(x, dtype=float))


@settings(max_examples=50, deadline=None)
@given(numbers, numbers)
def test_wasserstein_is_scipys(a, b):
    assert wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b), rel=1e-9, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(anything, anything)
def test_scaled_lies_in_0_to_1_is_symmetric_and_0_for_equals(a, b):
    found = scaled_wasserstein(a, b)
    assert 0 <= found <= 1
    assert found == pytest.approx(scaled_wasserstein(b, a), abs=1e-12)
    assert scaled_wasserstein(a, a) == 0


@settings(max_examples=50, deadline=None)
@given(numbers, numbers, st.integers(1, 4))
def test_repeating_the_rows_of_a_side_changes_nothing(a, b, times):
    assert scaled_wasserstein(np.repeat(a, times), b) == pytest.approx(scaled_wasserstein(a, b), abs=1e-9)
    assert pooled_range(np.repeat(a, times), b) == pooled_range(a, b)


def test_by_hand():
    a, b = np.arange(100.0), np.arange(100.0) + 10
    # All mass moves by 10. The pool of 200 values, 0 to 109: p1 is its 2nd value, 1; p99 its 198th, 107.
    assert scaled_wasserstein(a, b) == pytest.approx(10 / (107 - 1))


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ([], [], 0.0),
        ([], [1], 1.0),
        ([np.nan], [np.nan], 0.0),
        ([np.nan], [1], 1.0),
        ([3, 3], [3], 0.0),
        ([3, 3], [4], 1.0),
        ([0], [0], 0.0),
        ([np.inf], [np.inf], 0.0),
        ([np.inf], [-np.inf], 1.0),
        ([1e308, -1e308], [1e308, -1e308], 0.0),
        ([1e308], [-1e308], 1.0),
        ([0, 1, np.inf], [0, 1, np.inf], 0.0),
    ],
)
def test_corners(a, b, distance):
    assert scaled_wasserstein(np.array(a, dtype=float), np.array(b, dtype=float)) == distance
