from __future__ import annotations

import logging
import pickle
import sys
from hashlib import sha256

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pasteur.errors import ConfigError, DataError
from pasteur.synth import _sdv_frames, ctgan, hma, par, tvae
from pasteur.synth._sdv import Learned
from pasteur.synth._sdv_progress import told


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_bar_that_is_drawn_again_and_again_is_few_lines_in_a_log(caplog):
    from tqdm import tqdm

    caplog.set_level(logging.INFO, logger="pasteur")
    with told("tvae"):
        sys.stdout.write("PerformanceAlert: many columns\n")
        for _ in tqdm(range(1000), desc="Loss: 0.1", mininterval=0):
            pass
    assert lines(caplog)[0] == "tvae: PerformanceAlert: many columns"
    assert len(lines(caplog)) <= 12  # one a tenth, however slow the machine
    assert lines(caplog)[-1].startswith("tvae: Loss: 0.1: 1000 of 1000, 00:0")
    assert sys.stderr is not None


def test_the_libraries_own_lines_are_left_out_and_their_levels_put_back(caplog):
    caplog.set_level(logging.INFO)
    logging.getLogger("sdv").setLevel(logging.INFO)
    with told("hma"):
        logging.getLogger("sdv.sampling").info("Sampling 20 rows")
    assert lines(caplog) == []
    assert logging.getLogger("sdv").level == logging.INFO
    logging.getLogger("sdv").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ctgan.Settings(epochs=0), r"epochs \(0\) must be above 0"),
        (lambda: ctgan.Settings(batch_size=55, pac=5), r"batch_size \(55\) must be even and a multiple of pac \(5\)"),
        (lambda: ctgan.Settings(generator_dim=(8, 0)), r"generator_dim \(\(8, 0\)\) must be above 0"),
        (lambda: tvae.Settings(l2scale=-1.0), r"l2scale \(-1.0\) must be above 0"),
        (lambda: par.Settings(sample_size=0), r"sample_size \(0\) must be above 0"),
    ],
)
def test_settings_are_checked(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_par_takes_a_parent_and_its_child_and_nothing_else():
    one = {"tables": {"core": {"columns": {}}}, "relationships": []}
    with pytest.raises(ConfigError, match=r"algorithm \(par\) must be given a parent and its child table, not core;"):
        par.Pair.of(one)


def test_hma_has_settings_of_its_own():
    assert hma.Settings().default_distribution == "beta"


def test_numbers_ids_and_gaps_come_back_in_their_declared_types():
    schema = pa.schema(
        [("id", pa.int64()), ("n", pa.int64()), ("x", pa.float64()), ("t", pa.string()), ("b", pa.bool_())]
    )
    schemas = {"core": schema, "child": pa.schema([("owner", pa.int64()), ("day", pa.timestamp("us"))])}
    sdv = {
        "tables": {
            "core": {"primary_key": "id", "columns": {"id": {"sdtype": "id"}, "n": {"sdtype": "numerical"}}},
            "child": {"columns": {"owner": {"sdtype": "id"}}},
        },
        "relationships": [
            {
                "parent_table_name": "core",
                "parent_primary_key": "id",
                "child_table_name": "child",
                "child_foreign_key": "owner",
            }
        ],
    }
    drawn = {
        "child": pd.DataFrame(
            {"owner": ["sdv-b", None, "sdv-a"], "day": pd.to_datetime(["2020-01-02", None, "2021-03-04"])}
        ),
        "core": pd.DataFrame(
            {
                "id": ["sdv-a", "sdv-b"],
                "n": [1.9999, np.nan],
                "x": [np.inf, 0.5],
                "t": pd.Series(["u", None], dtype="category"),
                "b": [None, True],
            }
        ),
    }
    made = {name: table.arrow().to_pydict() for name, table in _sdv_frames.tables(drawn, schemas, sdv).items()}
    assert made["core"] == {"id": [1, 2], "n": [2, None], "x": [None, 0.5], "t": ["u", None], "b": [None, True]}
    assert made["child"]["owner"] == [2, None, 1]
    assert [day and day.year for day in made["child"]["day"]] == [2020, None, 2021]


def test_a_pickle_of_something_else_is_no_model(tmp_path):
    held = pickle.dumps({"a": 1})
    (tmp_path / "model.pkl").write_bytes(held)
    with pytest.raises(DataError, match=r"model\.pkl: is not a model of SDV's"):
        Learned.load(tmp_path / "model.pkl", sha256(held).hexdigest())
    (tmp_path / "model.pkl").write_bytes(b"no pickle")
    with pytest.raises(DataError, match=r"model\.pkl: cannot be read with this version of SDV"):
        Learned.load(tmp_path / "model.pkl", sha256(b"no pickle").hexdigest())
