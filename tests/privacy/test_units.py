"""Which rows of a unit count, however many rows there are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.privacy import units
from pasteur.table import UNIT, Table


def visits(people=400, seed=0):
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(people), rng.integers(1, 9, people))
    rng.shuffle(owners)
    return pa.table({UNIT: [f"u{one}" for one in owners], "x": rng.integers(0, 200, len(owners)).astype(np.uint8)})


@pytest.mark.parametrize("group", [1, 37, 1 << 20])
@pytest.mark.parametrize("most", [1, 3])
def test_d18_each_unit_keeps_its_rows_however_many_are_sorted_at_a_time(monkeypatch, group, most):
    table = visits()
    whole = units.kept(Table.of(table), ["x"], most, "s")
    monkeypatch.setattr(units, "GROUP", group)
    keep = units.kept(Table.of(table), ["x"], most, "s")
    assert np.array_equal(keep, whole)
    owners = table[UNIT].to_pandas()
    had, has = owners.value_counts(), owners[keep].value_counts()
    assert (has.sort_index() == had.clip(upper=most).sort_index()).all()


def test_d18_batches_change_nothing(monkeypatch):
    monkeypatch.setattr(units, "GROUP", 50)
    table = visits()
    stream = Table.stream(table.schema, lambda: table.to_batches(max_chunksize=7))
    whole = units.kept(Table.of(table), ["x"], 2, "s")
    assert np.array_equal(units.kept(stream, ["x"], 2, "s"), whole)
    assert not np.array_equal(units.kept(stream, ["x"], 2, "another salt"), whole)


def test_no_rows_are_none():
    assert units.kept(Table.of(visits().slice(0, 0)), ["x"], 1, "s").shape == (0,)
