from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.datasets import SPLITS, split_keys
from pasteur.datasets.config import RatiosConfig
from pasteur.datasets.keys import assign, thresholds
from pasteur.errors import DataError
from pasteur.table import UNIT, Table

UNITS = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=60, unique=True)
RATIOS = RatiosConfig()


def splits(units, salt="salt", ratios=RATIOS):
    return dict(zip(units, assign(units, salt=salt, ratios=ratios).tolist(), strict=True))


@settings(max_examples=50, deadline=None)
@given(UNITS, st.randoms(use_true_random=False))
def test_a_units_split_depends_on_nobody_else(units, random):
    whole = splits(units)
    assert set(whole.values()) <= set(range(len(SPLITS)))
    assert splits(random.sample(units, len(units))) == whole
    assert all(splits([unit]) == {unit: split} for unit, split in whole.items())


def test_duckdb_computes_the_same_splits():
    """The formula of the module's docstring, in DuckDB's SQL."""
    units = [*map(str, range(500)), "", "Zoë", "北京", "a'b", "two words", "🙂"]
    first, second, third = thresholds(RATIOS)
    asked = f"""
        select case when p < {first} then 0 when p < {second} then 1 when p < {third} then 2 else 3 end
        from (select ('0x' || sha256('salt' || id)[:15])::bigint as p from units)
    """
    units_table = pa.table({"id": pa.array(units, pa.string())})
    with duckdb.connect() as connection:
        connection.register("units", units_table)
        found = [row[0] for row in connection.sql(asked).fetchall()]
    assert found == assign(units, salt="salt", ratios=RATIOS).tolist()


def test_a_known_id():
    """Origin: `printf saltperson-1 | sha256sum` is 7d995bd18dd192f..., 0.4906 of 2^60, between 0.4 and 0.8."""
    assert splits(["person-1"]) == {"person-1": SPLITS.index("ref")}


def test_the_shares_are_the_ratios():
    units = [str(i) for i in range(100_000)]
    counts = np.bincount(assign(units, salt="x", ratios=RATIOS), minlength=4) / len(units)
    np.testing.assert_allclose(counts, [0.4, 0.4, 0.1, 0.1], atol=5 * np.sqrt(0.24 / len(units)))
    halves = assign(units, salt="x", ratios=RatiosConfig(wrk=0.5, ref=0.5, val=0.0, dev=0.0))
    assert set(halves.tolist()) == {0, 1}


def test_thresholds_are_exact():
    assert thresholds(RATIOS) == (2**60 * 4 // 10, 2**60 * 8 // 10, 2**60 * 9 // 10)
    assert thresholds(RatiosConfig(wrk=1.0, ref=0.0, val=0.0, dev=0.0)) == (2**60, 2**60, 2**60)


def test_another_salt_is_another_split():
    units = [str(i) for i in range(1000)]
    one, other = splits(units), splits(units, salt="other")
    moved = sum(one[unit] != other[unit] for unit in units)
    assert 550 < moved < 770  # 1 - (0.4^2 + 0.4^2 + 0.1^2 + 0.1^2) = 0.66 of them


def test_pythons_hash_seed_does_not_matter():
    code = (
        "from pasteur.datasets.keys import assign; from pasteur.datasets.config import RatiosConfig;"
        "print(assign([str(i) for i in range(50)], salt='s', ratios=RatiosConfig()).tolist())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def keys(project, values, **given):
    config = project.config(unit={"column": "id", "name": "patient"}, **given)
    made = split_keys(config, {"core": Table.of(pa.table({"id": values}))})
    return {split: table.arrow()[UNIT].to_pylist() for split, table in made.items()}


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_keys_are_disjoint_total_and_sorted(project, kind):
    values = pa.array([*range(200), *range(100)]).cast(kind)  # a unit may have several rows
    made = keys(project, values)
    assert list(made) == list(SPLITS)
    assert Counter(unit for units in made.values() for unit in units) == Counter(str(i) for i in range(200))
    assert all(units == sorted(units) for units in made.values())
    assert keys(project, values.take(pa.array(range(299, -1, -1)))) == made


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([1.5, 2.0]), "table 'core': unit column 'id' must be text or whole numbers, but is double"),
        (pa.array(["a", None]), "table 'core', row 2: unit column 'id' must not be missing"),
        (pa.array(["a"]), "data set 'mine': split 'wrk' has no patient, as there are 1 in all"),
    ],
    ids=["a float", "missing", "one row"],
)
def test_units_that_cannot_be_split(project, values, message):
    with pytest.raises(DataError) as error:
        keys(project, values)
    assert str(error.value).startswith(message)


def test_one_row_less_moves_no_other_row(project):
    lines = [f"{i % 40},{i % 3}\n" for i in range(120)]
    whole = made_splits(project, lines)
    for gone in (0, 57, 119):
        rest = made_splits(project, lines[:gone] + lines[gone + 1 :])
        assert set(rest.items()) <= set(whole.items())
        assert len(whole) - len(rest) == 1


def made_splits(project, lines):
    project.write("core.csv", "a,b\n" + "".join(lines))
    config = project.config("tables: {core: {types: {a: int64, b: int64}}}")
    project.fetch(config, accept=True)
    made = split_keys(config, project.tidy(config))
    return {unit: split for split, table in made.items() for unit in table.arrow()[UNIT].to_pylist()}
