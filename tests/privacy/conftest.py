"""What the tests of the private room share: `replay.py` by its name, and a table in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pasteur.marginals import Domain
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.table import UNIT, Table

sys.path.insert(0, str(Path(__file__).parent))


def codes_of(columns, units=None, chunk=None):
    """A table of codes: column to list of codes, and whose row each is."""
    arrays = {UNIT: pa.array([str(unit) for unit in units], pa.string())} if units is not None else {}
    arrays |= {name: pa.array(np.asarray(values, dtype=np.uint8)) for name, values in columns.items()}
    table = pa.table(arrays)
    if chunk:
        table = pa.Table.from_batches(table.to_batches(max_chunksize=chunk), schema=table.schema)
    return Table.of(table)


@pytest.fixture
def make_codes():
    return codes_of


@pytest.fixture
def make_private():
    """A fresh `PrivateTable` with a fresh ledger over columns a (4 codes), b (3), c (2), or those of `sizes`."""

    def make(columns, units=None, *, sizes=None, epsilon=1.0, relation="add_remove", accountant="gdp", m=1, **more):
        sizes = sizes or {"a": 4, "b": 3, "c": 2}
        ledger = more.pop("ledger", None) or Ledger(Budget(epsilon=epsilon, relation=relation), accountant)
        return PrivateTable(codes_of(columns, units), Domain.of(sizes), ledger, max_rows_per_unit=m, salt="s", **more)

    return make


@pytest.fixture
def rows():
    """Random rows of the default domain."""

    def make(count, seed=0):
        rng = np.random.default_rng(seed)
        return {"a": rng.integers(0, 4, count), "b": rng.integers(0, 3, count), "c": rng.integers(0, 2, count)}

    return make
