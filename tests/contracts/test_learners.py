"""Every algorithm that learns from values, crossed with hard cases. They are found by glob, like all others."""

from __future__ import annotations

import dataclasses
import pickle
import random
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pasteur import synth
from pasteur.errors import ConfigError, DataError
from pasteur.synth._sdv import Learned
from pasteur.table import UNIT, Table

NAMES = [name for name in synth.names() if not synth.find(name).PRIVATE and hasattr(synth.find(name), "learn")]
FLAT = [name for name in NAMES if synth.find(name).COMPONENTS == "one"]
SEVERAL = [name for name in NAMES if synth.find(name).COMPONENTS == "many"]

ROWS = 60


def every(period, values):
    return [None if row % period == 0 else value for row, value in enumerate(values)]


def usual():
    rng = np.random.default_rng(0)
    days = np.datetime64("2020-01-01T00:00:00", "us") + np.arange(ROWS) * np.timedelta64(1, "D")
    columns = {
        "age": ("numerical", pa.array(rng.integers(17, 91, ROWS))),
        "visits": ("numerical", pa.array(every(5, rng.integers(0, 4, ROWS).tolist()), pa.int64())),
        "town": ("categorical", pa.array(every(11, rng.choice(["North", "South"], ROWS).tolist()), pa.string())),
        "smokes": ("boolean", pa.array(every(13, (rng.random(ROWS) < 0.5).tolist()), pa.bool_())),
        "seen": ("datetime", pa.array(days)),
        "always": ("categorical", pa.array(["x"] * ROWS)),
    }
    sdv = {"tables": {"core": {"columns": {name: {"sdtype": kind} for name, (kind, _) in columns.items()}}}}
    units = {UNIT: pa.array([f"canary{row}" for row in range(ROWS)])}
    return {"core": Table.of(pa.table({**units, **{name: values for name, (_, values) in columns.items()}}))}, sdv


def family():
    """Eight parents, the last two without children; an id of text that nothing refers to beside."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(6) * 10 + 7, [1, 2, 3, 3, 2, 1])
    parents = pa.table({"id": np.arange(8) * 10 + 7, "tag": [f"t{n:03d}" for n in range(8)], "kind": list("uvuvuvuv")})
    steps = np.concatenate([np.arange(1, n + 1) for n in (1, 2, 3, 3, 2, 1)])
    children = pa.table({"owner": owners, "step": steps, "kind": rng.normal(size=len(owners)).round(2)})
    sdv = {
        "tables": {
            "core": {
                "primary_key": "id",
                "columns": {
                    "id": {"sdtype": "id"},
                    "tag": {"sdtype": "id", "regex_format": "t[0-9]{3}"},
                    "kind": {"sdtype": "categorical"},
                },
            },
            "visit": {
                "sequence_key": "owner",
                "sequence_index": "step",
                "columns": {
                    "owner": {"sdtype": "id"},
                    "step": {"sdtype": "numerical"},
                    "kind": {"sdtype": "numerical"},
                },
            },
        },
        "relationships": [
            {
                "parent_table_name": "core",
                "parent_primary_key": "id",
                "child_table_name": "visit",
                "child_foreign_key": "owner",
            }
        ],
    }
    return {"core": Table.of(parents), "visit": Table.of(children)}, sdv


def learnt(name, data, sdv, seed=1):
    module = synth.find(name)
    fields = {field.name for field in dataclasses.fields(module.Settings)}
    settings = module.Settings(**({"epochs": 1} if "epochs" in fields else {}))
    return module.learn(data, sdv, settings, rng=np.random.default_rng(seed))


@cache
def fitted(name):
    return learnt(name, *(usual() if name in FLAT else family()))


def drawn(model, rows, seed=0):
    return {name: table.arrow() for name, table in model.sample(rows, rng=np.random.default_rng(seed)).items()}


def shared():
    """The generators that a whole process shares."""
    return random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


def test_there_are_some():
    assert set(NAMES) >= {"gaussian_copula", "copula_gan", "ctgan", "tvae", "hma", "par"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FLAT)
def test_rows_are_of_the_declared_types_and_levels(name):
    (table,) = usual()[0].values()
    real, made = table.without([UNIT]).arrow(), drawn(fitted(name), None)["core"]
    assert made.schema == real.schema
    assert made.num_rows == ROWS
    assert set(made["town"].to_pylist()) <= {"North", "South", None}
    assert set(made["always"].to_pylist()) == {"x"}
    for column in ("age", "visits", "seen"):
        low, high = pc.min_max(real[column]).as_py().values()
        seen = pc.min_max(made[column]).as_py()
        assert seen["min"] is None or low <= seen["min"] <= seen["max"] <= high, column
    for column in ("age", "seen", "always"):
        assert made[column].null_count == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_children_have_parents_and_ids_count_from_one(name):
    data, _ = family()
    made = drawn(fitted(name), None)
    assert {component: table.schema for component, table in made.items()} == {c: t.schema for c, t in data.items()}
    keys = made["core"]["id"].to_pylist()
    assert keys == list(range(1, 9))
    assert set(made["visit"]["owner"].to_pylist()) <= set(keys)
    assert set(made["core"]["kind"].to_pylist()) <= {"u", "v"}
    assert len(drawn(fitted(name), 4)["core"]) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_follows_from_its_rng_and_the_model_survives_its_file(name, tmp_path):
    model = fitted(name)
    state = shared()
    rows = 3 if name in SEVERAL else 20
    one = drawn(model, rows)
    assert shared() == state, "the process's own generators are untouched"
    digest = model.save(tmp_path / "model.pkl")
    back = Learned.load(tmp_path / "model.pkl", digest)
    assert drawn(back, rows) == one
    assert drawn(model, rows, seed=5) != one
    assert b"canary" not in (tmp_path / "model.pkl").read_bytes()
    with pytest.raises(ConfigError, match=r"rows \(0\) must be 1 or more"):
        model.sample(0, rng=np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tvae"])
def test_a_fit_follows_from_its_rng(name):
    data, sdv = usual()
    assert drawn(learnt(name, data, sdv), 9) == drawn(fitted(name), 9)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_are_nothing_to_learn_from(name):
    data, sdv = usual() if name in FLAT else family()
    empty = {component: Table.of(table.arrow().slice(0, 0)) for component, table in data.items()}
    with pytest.raises(DataError, match=f"component 'core' must have rows for algorithm '{name}' to learn from"):
        learnt(name, empty, sdv)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gaussian_copula", "ctgan"])
def test_one_row_is_learnt_or_refused_in_one_line_without_a_value(name):
    data = {"core": Table.of(pa.table({"town": ["secret7"], "age": [41]}))}
    sdv = {"tables": {"core": {"columns": {"town": {"sdtype": "categorical"}, "age": {"sdtype": "numerical"}}}}}
    said = ""
    try:
        made = drawn(learnt(name, data, sdv), 3)["core"]
    except DataError as error:
        said = str(error)
    if said:
        assert "SDV could not" in said
        assert "secret7" not in said
    else:
        assert set(made["town"].to_pylist()) == {"secret7"}


def test_a_file_that_its_manifest_does_not_tell_of_is_not_unpickled(tmp_path):
    path = tmp_path / "model.pkl"

    class Bomb:
        def __reduce__(self):
            return (Path(tmp_path / "went off").touch, ())

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"model\.pkl: is not the file that its manifest tells of"):
        Learned.load(path, "0" * 64)
    assert not (tmp_path / "went off").exists()
    with pytest.raises(DataError, match=r"none\.pkl: cannot be read \(No such file"):
        Learned.load(tmp_path / "none.pkl", "0" * 64)
