from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, count, counts

DOMAIN = Domain.of({"a": 4, "b": 3, "c": 1, "d": 2})


def by_hand(columns, clique, shape):
    table = np.zeros(shape, dtype=np.int64)
    for row in zip(*(columns[name] for name in clique), strict=True):
        table[row] += 1
    return table


@settings(max_examples=40)
@given(st.data())
def test_counts_are_those_made_by_hand_however_rows_are_cut(data):
    rows = data.draw(st.integers(0, 30))
    kind = data.draw(st.sampled_from([np.uint8, np.int16, np.int64, np.uint64]))
    columns = {
        name: np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=rows, max_size=rows)), dtype=kind)
        for name, size in DOMAIN.as_dict().items()
    }
    cut = data.draw(st.integers(0, rows))
    batches = [{n: c[:cut] for n, c in columns.items()}, {n: c[cut:] for n, c in columns.items()}]
    cliques = [("b", "a"), ("a", "b", "d"), ("c",), ("d", "c"), ("b", "a")]
    found = count(batches, DOMAIN, cliques)
    for clique, table in zip(cliques, found, strict=True):
        assert table.dtype == np.int64
        np.testing.assert_array_equal(table, by_hand(columns, clique, DOMAIN.shape(clique)))
    assert count(batches, DOMAIN, [()])[0] == rows


def test_blocks_do_not_change_counts(monkeypatch):
    codes = {"a": np.arange(1000) % 4, "b": np.arange(1000) % 3}
    whole = count([codes], DOMAIN, [("a", "b")])[0]
    monkeypatch.setattr(counts, "BLOCK", 7)
    np.testing.assert_array_equal(count([codes], DOMAIN, [("a", "b")])[0], whole)


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (np.array([0, 4]), r"codes of attribute 'a' must be in \[0, 4\)"),
        (np.array([0, -1]), r"codes of attribute 'a' must be in \[0, 4\)"),
        (np.array([0.0, 1.0]), r"codes of attribute 'a' \(float64\) must be integers"),
        (np.array([1]), "one length for all"),
    ],
)
def test_a_wrong_count_is_never_returned(codes, text):
    with pytest.raises(ValueError, match=text):
        count([{"a": codes, "b": np.array([0, 1])}], DOMAIN, [("a", "b")])


def test_no_rows_and_no_batches_count_as_nothing():
    empty = {"a": np.zeros(0, dtype=np.uint8)}
    assert count([], DOMAIN, [("a",)])[0].tolist() == [0, 0, 0, 0]
    assert count([empty], DOMAIN, [("a",)])[0].tolist() == [0, 0, 0, 0]


def test_a_pair_of_a_million_cells():
    domain = Domain.of({"x": 1000, "y": 1000})
    table = count([{"x": np.array([999, 3]), "y": np.array([999, 0])}], domain, [("x", "y")])[0]
    assert table.shape == (1000, 1000)
    assert table[999, 999] == table[3, 0] == 1
    assert table.sum() == 2


def test_all_pairs_of_a_table_like_adult_take_well_under_a_second():
    domain = Domain([f"x{i}" for i in range(14)], [85, 9, 100, 16, 7, 15, 6, 5, 2, 100, 100, 99, 42, 2])
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, size, 20_000).astype(np.uint8) for name, size in domain.as_dict().items()}
    start = time.process_time()
    count([codes], domain, list(combinations(domain.attributes, 2)))
    assert time.process_time() - start < 1
