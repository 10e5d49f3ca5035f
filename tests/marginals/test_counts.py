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


@settings(max_examples=60)
@given(st.data())
def test_joined_columns_and_threads_do_not_change_counts(data):
    sizes = data.draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    domain = Domain([f"x{place}" for place in range(len(sizes))], sizes)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows, power = data.draw(st.integers(0, 200)), data.draw(st.sampled_from([1, 8]))
    columns = {n: (rng.random(rows) ** power * size).astype(np.uint8) for n, size in domain.as_dict().items()}
    clique = st.lists(st.sampled_from(domain.attributes), min_size=1, max_size=3, unique=True).map(tuple)
    cliques = data.draw(st.lists(clique, min_size=1, max_size=8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "JOINED", data.draw(st.sampled_from([1, 50, 1000])))
        patch.setattr(counts, "BLOCK", data.draw(st.sampled_from([16, 64, 1000])))
        patch.setattr(counts, "FULL", data.draw(st.sampled_from([1, 100, 1 << 31])))
        found = count([columns], domain, cliques, threads=data.draw(st.integers(1, 3)))
    for clique, table in zip(cliques, found, strict=True):
        np.testing.assert_array_equal(table, by_hand(columns, clique, domain.shape(clique)))
        assert table.shape == domain.shape(clique)


def test_many_rows_are_counted_by_fewer_tables_to_the_same_counts():
    sizes = {"a": 100, "b": 9, "c": 2, "d": 5, "e": 30, "f": 300}
    domain, rng = Domain.of(sizes), np.random.default_rng(0)
    rows = counts.JOINED + counts.RUN + 3
    codes = {name: (rng.random(rows) ** 3 * size).astype(np.uint16) for name, size in sizes.items()}
    pairs = list(combinations(domain.attributes, 2))
    assert len(counts._Tables(domain, pairs, domain.attributes, rows).sums) < len(pairs) / 2
    for (one, other), table in zip(pairs, count([codes], domain, pairs), strict=True):
        cells = codes[one].astype(np.intp) * sizes[other] + codes[other]
        expected = np.bincount(cells, minlength=table.size).reshape(table.shape)
        np.testing.assert_array_equal(table, expected)


def test_an_attribute_of_more_codes_than_16_bits_hold():
    domain = Domain.of({"x": 70_000, "y": 3})
    codes = {"x": np.array([69_999, 0, 69_999], dtype=np.uint32), "y": np.array([2, 0, 2])}
    table = count([codes], domain, [("y", "x")])[0]
    assert table[2, 69_999] == 2
    assert table[0, 0] == 1
    assert table.sum() == 3


def test_a_wrong_code_in_a_later_batch_is_refused_with_threads_too():
    good, bad = {"a": np.zeros(100, dtype=np.uint8)}, {"a": np.full(100, 4, dtype=np.uint8)}
    with pytest.raises(ValueError, match=r"codes of attribute 'a' must be in \[0, 4\)"):
        count([good, good, bad], DOMAIN, [("a",)], threads=2)
    with pytest.raises(ValueError, match=r"threads \(0\) must be 1 or more"):
        count([good], DOMAIN, [("a",)], threads=0)


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
        (np.array([0.0, np.nan]), r"codes of attribute 'a' \(float64\) must be integers"),
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
