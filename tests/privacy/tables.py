"""Tables of codes in one line, and what algorithms are set to in tests that run them many times."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pasteur.marginals import Domain
from pasteur.privacy import Budget, Ledger, PrivateRows, PrivateTable
from pasteur.table import UNIT, Table

SIZES = {"a": 4, "b": 3, "c": 2}


def codes_of(columns, units=None, chunk=None):
    """A table of codes: column to list of codes, and whose row each is."""
    arrays = {UNIT: pa.array([str(unit) for unit in units], pa.string())} if units is not None else {}
    arrays |= {name: pa.array(np.asarray(values, dtype=np.uint8)) for name, values in columns.items()}
    table = pa.table(arrays)
    if chunk:
        table = pa.Table.from_batches(table.to_batches(max_chunksize=chunk), schema=table.schema)
    return Table.of(table)


def private_of(columns, units=None, *, sizes=None, epsilon=1.0, relation="add_remove", accountant="gdp", m=1, **more):
    """A fresh `PrivateTable` with a fresh ledger over columns a (4 codes), b (3), c (2), or those of `sizes`."""
    ledger = more.pop("ledger", None) or Ledger(Budget(epsilon=epsilon, relation=relation), accountant)
    domain = Domain.of(sizes or SIZES)
    return PrivateTable(codes_of(columns, units), domain, ledger, max_rows_per_unit=m, salt="s", **more)


def private_rows_of(columns, units, *, m, sizes=None, epsilon=1.0, relation="add_remove", accountant="gdp", **more):
    """The same as `PrivateRows`."""
    ledger = Ledger(Budget(epsilon=epsilon, relation=relation), accountant)
    domain = Domain.of(sizes or SIZES)
    return PrivateRows(codes_of(columns, units), domain, ledger, max_rows_per_unit=m, salt="s", **more)


def rows_of(count, seed=0):
    """Random rows of the default domain."""
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, size, count) for name, size in SIZES.items()}
