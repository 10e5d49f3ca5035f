"""Products of which each row is the same, to the last bit, whatever rows stand beside it."""

from __future__ import annotations

import numpy as np
import pytest

from pasteur.compressors._rows import each_times, times

RNG = np.random.default_rng(0)
ROWS, MATRIX = RNG.random((37, 40)), RNG.random((40, 9))
LEFT, RIGHT = RNG.random((37, 6, 5)), RNG.random((37, 5, 3))


def test_they_are_the_products():
    np.testing.assert_allclose(times(ROWS, MATRIX), ROWS @ MATRIX)
    np.testing.assert_allclose(each_times(LEFT, RIGHT), LEFT @ RIGHT)
    np.testing.assert_allclose(each_times(LEFT[:1], RIGHT), LEFT[:1] @ RIGHT)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 16, 33])
def test_a_row_does_not_depend_on_the_others(count):
    some = RNG.permutation(37)[:count]
    assert (times(ROWS[some], MATRIX) == times(ROWS, MATRIX)[some]).all()
    assert (each_times(LEFT[some], RIGHT[some]) == each_times(LEFT, RIGHT)[some]).all()
