"""Associations of columns, against scipy and known answers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pasteur.metrics import association
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.table import Table

ONLY = MetricsConfig(depth="standard", families=["association"])
NO_GROUPS = {"folds": 1}


def whole(n):
    return np.zeros(n, dtype=np.int64)


def cramer(a, b):
    return float(association._cramer(a, b, whole(a.size), 1)[0])


def codes(size, levels):
    return st.lists(st.integers(0, levels - 1), min_size=size, max_size=size).map(lambda x: np.array(x, dtype=np.int64))


@given(codes(30, 4), codes(30, 3))
def test_cramers_v_is_bergsmas(a, b):
    a, b = (np.unique(x, return_inverse=True)[1] for x in (a, b))
    table = np.histogram2d(a, b, bins=(a.max() + 1, b.max() + 1))[0]
    n, (k, r) = table.sum(), table.shape
    if min(k, r) < 2:
        assert np.isnan(cramer(a, b))
        return
    phi = stats.contingency.chi2_contingency(table, correction=False).statistic / n
    excess = max(0, phi - (k - 1) * (r - 1) / (n - 1))
    least = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    assert cramer(a, b) == pytest.approx(min(1, np.sqrt(excess / least)), abs=1e-9)
    assert cramer(a, b) == pytest.approx(cramer(b, a))


def test_the_correction_takes_the_bias_away():
    rng = np.random.default_rng(0)
    drawn = [cramer(rng.integers(0, 20, 400), rng.integers(0, 20, 400)) ** 2 for _ in range(50)]
    phi = 19 * 19 / 400 / 19  # what V squared is on average without correction
    assert np.mean(drawn) < phi / 10


def ratio(levels, values):
    return float(association.ratio(levels, values, whole(levels.size), 1)[0])


def test_the_correlation_ratio_of_known_groups():
    levels = np.repeat([0, 1], 500)
    rng = np.random.default_rng(0)
    values = levels * 2.0 + rng.normal(0, 1, 1000)
    assert ratio(levels, values) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert ratio(levels, levels * 1.0) == pytest.approx(1)
    assert ratio(levels, values * 1e150 + 1e150) == pytest.approx(ratio(levels, values), abs=1e-6)
    values[:10] = np.nan
    assert np.isfinite(ratio(levels, values))


@pytest.mark.parametrize("values", [np.full(10, 3.0), np.full(10, np.nan), np.zeros(0)])
def test_nothing_to_say_is_undefined(values):
    assert np.isnan(ratio(np.arange(values.size) % 2, values))
    assert np.isnan(ratio(whole(values.size), np.arange(values.size) * 1.0))


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40), st.integers(0, 99))
def test_ranks_give_spearmans_correlation(values, seed):
    a = np.array(values)
    b = np.random.default_rng(seed).permutation(a)
    found = float(association.ranks(a) @ association.ranks(b))
    if np.unique(a).size > 1:
        assert found == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
    else:
        assert found == 0


def test_leaving_a_group_out_is_measuring_without_it(flat, people):
    from dataclasses import replace

    from pasteur.metrics.families import Task
    from pasteur.metrics.sides import sides

    task = Task(schema=flat, settings=ONLY, queries=(), seed=0)
    own, held = sides(people(600, 1), {"ref": people(500, 2)}, task, {"core": 400})
    table, kinds = flat.tables["core"], association._variables(own, flat.tables["core"])[1]
    found = association.matrices(own, table, kinds)
    assert found.shape == (11, 4, 4)
    left = association.matrices(replace(own.without([3]), groups=None), table, kinds)
    assert np.allclose(found[4], left[0], equal_nan=True)
    assert held["ref"].groups is not None


def test_matrices_of_every_side_are_shown(flat, people):
    sides = {"ref": people(800, 2), "syn": people(800, 3)}
    measured = measure(people(800, 1), sides, schema=flat, settings=ONLY, seed=0)
    shown = measured.details["target"]["association"]["core"]
    assert shown["columns"] == ["age", "city", "rich", "height"]
    assert shown["kinds"] == ["number", "category", "category", "number"]
    for side in ("target", "ref", "base", "syn"):
        matrix = np.array(measured.details[side]["association"]["core"]["matrix"], dtype=float)
        assert matrix.shape == (4, 4)
        assert np.array_equal(matrix, matrix.T)
        assert np.all(np.diag(matrix) == 1)
    assert shown["matrix"][0][3] > 0.9
    assert abs(measured.details["base"]["association"]["core"]["matrix"][0][3]) < 0.15


def test_a_column_that_is_constant_or_all_null(flat, people):
    rows = people(300, 1)["core"].arrow()
    for name, values in (("city", pa.nulls(300, pa.string())), ("age", pa.array(np.full(300, 4)))):
        place = rows.column_names.index(name)
        odd = {"core": Table.of(rows.set_column(place, name, values))}
        # On T the pairs are left out; on the candidate they are no association.
        left_out = measure(odd, {"syn": people(300, 2)}, schema=flat, settings=ONLY, seed=0)
        none = measure(people(300, 3), {"syn": odd}, schema=flat, settings=ONLY, seed=0)
        assert not left_out.failures
        assert not none.failures
        parts = {part for raw in left_out.raws["syn"] for part in raw.parts}
        assert parts
        assert not any(name in part.split(",") for part in parts)
        own = none.details["target"]["association"]["core"]
        parts = {part: value for raw in none.raws["syn"] for part, value in raw.parts.items()}
        place = own["columns"].index(name)
        for other in set(own["columns"]) - {name}:
            of = next(value for part, value in parts.items() if set(part.split(",")) == {name, other})
            assert of == pytest.approx(abs(own["matrix"][place][own["columns"].index(other)]), abs=1e-4)
