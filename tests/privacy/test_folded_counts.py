"""Coarser tables are the same whether a finer one is summed or the rows are counted anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.marginals import Domain, Levels
from pasteur.privacy import Budget, Ledger, PrivateTable, counts
from pasteur.table import Table

SIZES = {"a": 40, "b": 30, "c": 20, "d": 2}


def folded_of(columns, levels, **more):
    import pyarrow as pa

    table = Table.of(pa.table({name: pa.array(np.asarray(codes, dtype=np.uint8)) for name, codes in columns.items()}))
    ledger = Ledger(Budget(epsilon=1.0))
    return PrivateTable(table, levels.base, ledger, salt="s", **more).with_levels(levels)._counts


def levels_of(base):
    return Levels(
        base, {"A": ("a", np.arange(40) // 9), "AA": ("A", np.array([1, 0, 0, 1, 1])), "B": ("b", np.arange(30) % 4)}
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([("A", "B", "c"), ("d", "AA", "c", "b"), ("B", "a"), ("AA",)]))
def test_summing_and_counting_agree(seed, clique):
    rng = np.random.default_rng(seed)
    base = Domain.of(SIZES)
    rows = {name: rng.integers(0, size, 50) for name, size in SIZES.items()}
    levels = levels_of(base)
    codes = [levels.codes(name)[rows[levels.origin(name)]] for name in clique]
    wanted = np.zeros(levels.domain.shape(clique), dtype=np.int64)
    np.add.at(wanted, tuple(codes), 1)
    for limit in (0, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counts, "FOLDED", limit)
            (found,) = folded_of(rows, levels).exact([clique])
        np.testing.assert_array_equal(found, wanted)


def test_a_coarse_table_of_large_attributes_makes_no_fine_one():
    base = Domain.of({"a": 250, "b": 250, "c": 250, "d": 250})
    rows = {name: np.arange(100) for name in base.attributes}
    levels = Levels(base, {name.upper(): (name, np.arange(250) // 125) for name in base.attributes})
    folded = folded_of(rows, levels)
    (found,) = folded.exact([("A", "B", "C", "D")])
    assert found.sum() == found[0, 0, 0, 0] == 100
    assert folded._buffer.size + folded._parent._buffer.size < 1000
