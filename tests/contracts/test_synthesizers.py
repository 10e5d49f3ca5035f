"""Every algorithm crossed with every hard case. Algorithms are found by glob, so that a new one is tested unasked."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from pasteur import synth
from pasteur.errors import ConfigError
from pasteur.marginals import Domain
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.synth.model import Model
from pasteur.table import UNIT, Table

pytestmark = pytest.mark.usefixtures("same_noise")

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "configs/algorithm").glob("*.yaml"))
ALGORITHMS = {name: synth.find(name) for name in NAMES}
PRIVATE = [name for name in NAMES if ALGORITHMS[name].PRIVATE]
LEARNERS = [name for name in NAMES if not ALGORITHMS[name].PRIVATE and hasattr(ALGORITHMS[name], "learn")]
"""They learn from values; see test_learners.py."""
OPEN = [name for name in NAMES if not ALGORITHMS[name].PRIVATE and name not in LEARNERS]

SIZES = {"a": 5, "b": 3, "c": 2}


def random_codes(sizes, rows, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, size, rows) for name, size in sizes.items()}


CASES = {
    "usual": (SIZES, random_codes(SIZES, 400)),
    "one row": (SIZES, random_codes(SIZES, 1)),
    "empty": (SIZES, random_codes(SIZES, 0)),
    "size one": ({"a": 4, "one": 1, "b": 2}, random_codes({"a": 4, "one": 1, "b": 2}, 100)),
    "all of size one": ({"x": 1, "y": 1}, random_codes({"x": 1, "y": 1}, 50)),
    "one attribute": ({"a": 7}, random_codes({"a": 7}, 60)),
    "one attribute of size one": ({"a": 1}, random_codes({"a": 1}, 60)),
    "duplicate rows": (SIZES, {"a": [1] * 300, "b": [2] * 300, "c": [0] * 300}),
    "same column twice": ({"a": 4, "b": 4}, {"a": [0, 1, 2, 3] * 50, "b": [0, 1, 2, 3] * 50}),
    "million cells": ({"a": 1000, "b": 1000}, random_codes({"a": 1000, "b": 1000}, 200)),
    "many attributes": ({f"x{i}": 2 for i in range(25)}, random_codes({f"x{i}": 2 for i in range(25)}, 200)),
    "wide codes": ({"a": 300, "b": 2}, random_codes({"a": 300, "b": 2}, 200)),
}


def table_of(sizes, columns, tag="u"):
    rows = len(next(iter(columns.values())))
    arrays = {UNIT: pa.array([f"{tag}{row}" for row in range(rows)], pa.string())}
    for name, size in sizes.items():
        arrays[name] = pa.array(np.asarray(columns[name]).astype(np.min_scalar_type(size - 1)))
    return Table.of(pa.table(arrays))


def fitted(name, case, epsilon=1.0):
    sizes, columns = CASES[case]
    module = ALGORITHMS[name]
    budget = Budget(epsilon=epsilon)
    settings = module.Settings()
    ledger = Ledger(budget, module.accountant(budget, settings))
    private = PrivateTable(table_of(sizes, columns), Domain.of(sizes), ledger, salt="s")
    return module.fit(private, settings)


def same(one, other):
    return one.arrow().equals(other.arrow())


def test_each_module_has_a_config_and_each_config_a_module():
    assert list(synth.names()) == NAMES


def test_an_unknown_algorithm_is_named_with_its_near_miss():
    with pytest.raises(ConfigError, match="algorithm 'mts' is not known; did you mean 'mst'"):
        synth.find("mts")


@pytest.mark.parametrize("name", NAMES)
def test_the_module_keeps_the_protocol(name):
    module = ALGORITHMS[name]
    assert module.COMPONENTS in {"one", "many", "tree"}
    verb = "fit" if module.PRIVATE else "learn" if name in LEARNERS else "draw"
    assert callable(getattr(module, verb))
    if not module.PRIVATE:
        assert set(module.READS) <= {"wrk", "ref"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        module.Settings().anything = 1
    with pytest.raises(TypeError, match="misspelt"):
        module.Settings(misspelt=1)


@pytest.mark.parametrize("name", NAMES)
def test_the_config_says_each_setting_s_default_with_a_comment(name):
    path = ROOT / "configs/algorithm" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    assert config.pop("_target_") == f"pasteur.synth.{name}.Settings"
    assert config == json.loads(json.dumps(dataclasses.asdict(ALGORITHMS[name].Settings())))
    for line in text.splitlines():
        assert "#" in line or line.startswith("_target_"), f"no comment: {line}"


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_has_a_docstring(name):
    said = set()
    for kind in ALGORITHMS[name].Settings.__mro__[:-1]:
        body = ast.parse(inspect.getsource(kind)).body[0].body
        for node, after in itertools.pairwise([*body, None]):
            if isinstance(node, ast.AnnAssign):
                assert isinstance(after, ast.Expr), f"{node.target.id} has no docstring"
                assert isinstance(after.value.value, str)
                said.add(node.target.id)
    assert said == {field.name for field in dataclasses.fields(ALGORITHMS[name].Settings)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", PRIVATE)
def test_hard_cases_fit_sample_save_and_load(name, case, tmp_path):
    sizes, _ = CASES[case]
    model = fitted(name, case)
    assert model.domain.as_dict() == sizes
    assert model.ledger.spent <= model.ledger.total
    table = model.sample(97, rng=np.random.default_rng(3))
    assert table.rows == 97
    assert table.columns == tuple(sizes)
    frame = table.frame()
    assert len(frame) == 97
    for column, size in sizes.items():
        assert frame[column].dtype == np.min_scalar_type(size - 1)
        assert frame[column].max() < size
    path = tmp_path / "model.npz"
    model.save(path)
    back = Model.load(path)
    assert same(table, back.sample(97, rng=np.random.default_rng(3)))
    assert back.ledger.to_dict() == model.ledger.to_dict()
    for one, other in zip(back.measurements, model.measurements, strict=True):
        assert (one.clique, one.sigma) == (other.clique, other.sigma)
        np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("name", PRIVATE)
def test_sampling_is_by_its_rng_alone(name):
    model = fitted(name, "usual")
    table = model.sample(1000, rng=np.random.default_rng(0))
    assert same(table, table), "a second reading gives the same rows"
    assert same(table, model.sample(1000, rng=np.random.default_rng(0)))
    assert not same(table, model.sample(1000, rng=np.random.default_rng(1)))
    pieces = pa.Table.from_batches(list(table.batches(rows=7)), schema=table.schema)
    assert pieces.equals(table.arrow()), "whatever the batch size"
    assert table.arrow(["c"]).equals(table.arrow().select(["c"]))
    rng = np.random.default_rng(0)
    assert not same(model.sample(1000, rng=rng), model.sample(1000, rng=rng)), "two samples are two draws"
    with pytest.raises(ValueError, match=r"rows \(-1\) must be 0 or more"):
        model.sample(-1, rng=rng)


@pytest.mark.parametrize("name", PRIVATE)
def test_as_many_rows_as_the_model_believes(name):
    model = fitted(name, "usual", epsilon=1000.0)
    table = model.sample(None, rng=np.random.default_rng(0))
    assert table.rows == model.rows == len(table.arrow())
    assert abs(model.rows - 400) <= 5  # Gaussian DP has no sigma under 0.5


@pytest.mark.parametrize("name", PRIVATE)
def test_one_way_marginals_are_learnt(name):
    sizes, columns = CASES["duplicate rows"]
    drawn = fitted(name, "duplicate rows", epsilon=1000.0).sample(300, rng=np.random.default_rng(0)).frame()
    for column in sizes:
        assert (drawn[column] == columns[column][0]).mean() > 0.97


@pytest.mark.parametrize("name", PRIVATE)
def test_an_algorithm_spends_its_budget_once(name):
    """Nearly all of it where there is something to learn, and never more; fitting twice is two ledgers."""
    ledger = fitted(name, "usual").ledger
    assert 0.999 * ledger.total < ledger.spent <= ledger.total


@pytest.mark.parametrize("name", PRIVATE)
def test_the_accountant_is_chosen_from_public_numbers(name):
    module = ALGORITHMS[name]
    for epsilon in (0.1, 1.0, 10.0):
        assert module.accountant(Budget(epsilon=epsilon), module.Settings()) in {"gdp", "zcdp"}


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize("case", CASES)
def test_what_is_not_private_draws_real_rows(name, case):
    sizes, columns = CASES[case]
    module = ALGORITHMS[name]
    data = {split: {"core": table_of(sizes, columns, tag=split)} for split in module.READS}
    drawn = module.draw(data, module.Settings(), rows=None, rng=np.random.default_rng(0))["core"]
    assert drawn.schema == table_of(sizes, columns).schema
    real = set(zip(*(np.asarray(columns[name]).tolist() for name in sizes), strict=True))
    frame = drawn.frame(list(sizes))
    assert len(frame) == len(next(iter(columns.values())))
    assert set(frame.itertuples(index=False, name=None)) <= real
    again = module.draw(data, module.Settings(), rows=None, rng=np.random.default_rng(0))["core"]
    assert same(drawn, again)


@pytest.mark.parametrize("name", PRIVATE)
def test_the_header_is_json_and_the_arrays_are_numbers(name, tmp_path):
    fitted(name, "usual").save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        assert header["algorithm"] == name
        assert header["ledger"]["events"]
        assert all(file[array].dtype.kind in "iuf" for array in file.files)


def test_importing_algorithms_loads_nothing_heavy():
    """But numba, which the loops of `marginals` are compiled by, and which a run needs at once."""
    script = f"import sys; from pasteur import synth; [synth.find(name) for name in {NAMES}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "sklearn", "sdv", "mlflow", "optuna", "pandas", "kedro", "hydra", "duckdb"}
