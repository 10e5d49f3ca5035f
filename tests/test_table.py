from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.errors import DataError
from pasteur.table import BATCH, Table, column_of, numbers

ROWS = pa.table({"a": [1, 2, 3, None], "b": ["x", None, "z", ""]})


def test_what_is_written_is_read_back(tmp_path):
    Table.of(ROWS).write(tmp_path / "t.pq")
    read = Table.read(tmp_path / "t.pq")
    assert read.arrow().equals(ROWS)
    assert (read.rows, read.columns) == (4, ("a", "b"))


def test_part_files_are_one_table_in_sorted_order(tmp_path):
    Table.of(ROWS.slice(2)).write(tmp_path / "t.pq" / "2.pq")
    Table.of(ROWS.slice(0, 2)).write(tmp_path / "t.pq" / "1.pq")
    assert Table.read(tmp_path / "t.pq").arrow().equals(ROWS)


@settings(max_examples=15)
@given(sizes=st.lists(st.integers(1, 70_000), max_size=6))
def test_bytes_do_not_depend_on_the_incoming_batches(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("t")
    whole = pa.table({"a": range(sum(sizes))}, schema=pa.schema({"a": pa.int64()}))

    def make():
        start = 0
        for size in sizes:
            yield from whole.slice(start, size).to_batches()
            start += size

    Table.of(whole).write(folder / "whole.pq")
    Table.stream(whole.schema, make).write(folder / "parts.pq")
    assert (folder / "whole.pq").read_bytes() == (folder / "parts.pq").read_bytes()


def test_batches_are_no_larger_than_asked():
    sizes = [batch.num_rows for batch in Table.of(pa.table({"a": range(10)})).batches(rows=4)]
    assert sizes == [4, 4, 2]
    assert BATCH > 10


def test_columns_are_chosen_in_the_order_asked():
    assert Table.of(ROWS).arrow(["b", "a"]).column_names == ["b", "a"]


def test_a_missing_column_is_named_with_its_near_miss():
    with pytest.raises(DataError, match="column 'education-num' is not in the table; did you mean 'education_num'"):
        Table.of(pa.table({"education_num": [1]})).batches(["education-num"])


def test_no_file_and_no_parquet_are_clear_errors(tmp_path):
    with pytest.raises(DataError, match="is not a readable parquet file"):
        Table.read(tmp_path / "absent.pq")
    (tmp_path / "broken.pq").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=r"broken\.pq: is not a readable parquet file"):
        Table.read(tmp_path / "broken.pq")


def test_map_is_lazy_and_keeps_rows():
    seen = []

    def double(batch):
        seen.append(batch.num_rows)
        return pa.record_batch({"a": [2 * v for v in batch["a"].to_pylist()]})

    table = Table.of(pa.table({"a": [1, 2]})).map(double, pa.schema({"a": pa.int64()}))
    assert (table.rows, seen) == (2, [])
    assert table.arrow().to_pydict() == {"a": [2, 4]}


@pytest.fixture
def small_files():
    """A limit of the system on the size of a file stands in for a full disk: the write fails in the same place."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.usefixtures("small_files")
def test_no_room_is_one_clear_line_and_nothing_half_written(tmp_path):
    rows = pa.table({"a": [hash((i, "x")) for i in range(100_000)]})
    with pytest.raises(DataError, match=r"t\.pq: cannot be written \(File too large\)"):
        Table.of(rows).write(tmp_path / "t.pq")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def somebody(tmp_path):
    """A user whom the system's permissions bind, as they do not bind root."""
    import os

    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_folder_without_right_to_write_is_one_clear_line(tmp_path, request):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o555)
    for part in (tmp_path, *(p for p in tmp_path.parents if p.name.startswith(("pytest-", "popen-")))):
        part.chmod(part.stat().st_mode | 0o055)
    request.getfixturevalue("somebody")
    with pytest.raises(DataError, match=r"t\.pq: cannot be written \(Permission denied\)"):
        Table.of(ROWS).write(folder / "t.pq")


def test_an_empty_table_survives(tmp_path):
    Table.of(ROWS.slice(0, 0)).write(tmp_path / "t.pq")
    assert Table.read(tmp_path / "t.pq").arrow().equals(ROWS.slice(0, 0))


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint32", "int64", "float32", "float64"])
def test_numbers_go_to_arrow_and_back_over_the_same_memory(kind):
    values = np.arange(20).astype(kind)
    column = column_of(values)
    assert column.equals(pa.array(values))
    for part in (column, column.slice(3, 5), column.slice(20)):
        assert np.array_equal(numbers(part), part.to_numpy())
        assert numbers(part).dtype == values.dtype
    assert np.shares_memory(numbers(column), values)
    for odd in (values[::-2], values.astype(values.dtype.newbyteorder(">"))):
        assert np.array_equal(numbers(column_of(odd)), odd)
    assert len(numbers(pa.array([], pa.uint8()))) == 0


def test_numbers_need_no_pandas():
    line = (
        "import sys, numpy as np; from pasteur.table import column_of, numbers; numbers(column_of(np.arange(3))); "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", line], check=True)


def test_a_file_is_read_in_the_memory_of_a_row_group(tmp_path):
    """However long the file: what has been read is given back."""
    values = np.random.default_rng(0).integers(0, 2**62, 1_000_000)
    pq.write_table(pa.table({"a": values}), tmp_path / "a.pq", row_group_size=20_000, use_dictionary=False)
    before, most = pa.total_allocated_bytes(), 0
    for _ in Table.read(tmp_path / "a.pq").batches(rows=10_000):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < values.nbytes / 8
