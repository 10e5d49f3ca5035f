"""Record and replay of the algorithms themselves over neighbours that have broken others (D06, D09, D15, D17, D19)."""

from __future__ import annotations

import json
import logging
import math

import numpy as np
import pyarrow as pa
import pytest
from algorithms import ALGORITHMS, accountant_of, fit_of
from replay import record, replay

from pasteur.errors import BudgetError
from pasteur.marginals import Domain
from pasteur.privacy import Budget, DiscreteGaussian, ExponentialChoice, Ledger, PrivateTable
from pasteur.table import UNIT, Table

SIZES = {"a": 6, "b": 3, "c": 2}
CANARY = "CANARY-7f3a"


def rows_of(sizes, rows, seed=0):
    rng = np.random.default_rng(seed)
    return [tuple(int(rng.integers(size)) for size in sizes.values()) for _ in range(rows)]


def usual(rows=60):
    return [(row % 3, row % 3, row % 2) for row in range(rows)]


def units_of(rows, each=1):
    return [(f"u{index // each}", row) for index, row in enumerate(rows)]


BIG = {"a": 1000, "b": 1000}
WIDE = {f"x{i}": 2 + i % 3 for i in range(12)}
HEAVY = [("greedy", (5, 2, 1))] * 40

PAIRS = {
    # name: sizes, rows a unit, units and rows of D, of D'
    "one row more": (SIZES, 1, units_of(usual()), [*units_of(usual()), ("new", (0, 0, 0))]),
    "one row less": (SIZES, 1, units_of(usual()), units_of(usual())[:-1]),
    "new category": (SIZES, 1, units_of(usual()), [*units_of(usual()), ("new", (5, 2, 1))]),
    "empty and one row": (SIZES, 1, [], [("new", (1, 1, 1))]),
    "one row and none": (SIZES, 1, [("only", (1, 1, 1))], []),
    "duplicate rows": (SIZES, 1, units_of([(1, 1, 1)] * 50), [*units_of([(1, 1, 1)] * 50), ("new", (1, 1, 1))]),
    "duplicates and an outlier": (
        SIZES,
        1,
        units_of([(1, 1, 1)] * 50),
        [*units_of([(1, 1, 1)] * 50), ("new", (5, 0, 0))],
    ),
    "one column": ({"a": 6}, 1, units_of([(i % 5,) for i in range(40)]), units_of([(i % 5,) for i in range(39)])),
    "one level": (
        {"a": 1, "b": 1},
        1,
        units_of([(0, 0)] * 30),
        units_of([(0, 0)] * 31),
    ),
    "one level beside others": (
        {"one": 1, "b": 3, "c": 2},
        1,
        units_of([(0, i % 3, 0) for i in range(40)]),
        units_of([(0, i % 3, 0) for i in range(41)]),
    ),
    "null code": (SIZES, 1, units_of(usual()), [*units_of(usual()), ("new", (None, None, None))]),
    "code out of range": (SIZES, 1, units_of(usual()), [*units_of(usual()), ("new", (200, 200, 200))]),
    "huge domain": (BIG, 1, units_of(rows_of(BIG, 40)), [*units_of(rows_of(BIG, 40)), ("new", (999, 999))]),
    "many columns": (WIDE, 1, units_of(rows_of(WIDE, 80)), units_of(rows_of(WIDE, 80))[1:]),
    "unit of two rows": (SIZES, 2, units_of(usual(), 2), units_of(usual(), 2)[2:]),
    "unit with many rows": (SIZES, 2, units_of(usual(), 2), [*units_of(usual(), 2), *HEAVY]),
    "unit with many rows, one kept": (SIZES, 1, units_of(usual()), [*units_of(usual()), *HEAVY]),
}


def table_of(sizes, rows, *, tag=""):
    arrays = {UNIT: pa.array([tag + unit for unit, _ in rows], pa.string())}
    for place, name in enumerate(sizes):
        kind = pa.uint16() if sizes[name] > 256 else pa.uint8()
        arrays[name] = pa.array([row[place] for _, row in rows], kind)
    return Table.of(pa.table(arrays))


def private_of(algorithm, sizes, rows, m, *, tag="", relation="add_remove"):
    budget = Budget(epsilon=2.0, relation=relation)
    ledger = Ledger(budget, accountant_of(algorithm, budget))
    return PrivateTable(table_of(sizes, rows, tag=tag), Domain.of(sizes), ledger, salt="s", max_rows_per_unit=m)


OTHERS = {
    # name: rows a unit, units and rows of D, of D' in which one unit has become another
    "one person for another": (1, units_of(usual()), [*units_of(usual())[:-1], ("u59", (5, 0, 1))]),
    "the only person": (1, [("only", (1, 1, 1))], [("only", (5, 2, 0))]),
    "a person of many rows for one of two": (3, units_of(usual(), 2), [*units_of(usual(), 2)[2:], *HEAVY]),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_neighbours_are_asked_the_same_questions(algorithm, pair, tmp_path, caplog):
    """D06, D09, D17, D18, D19, D20: a unit has ten times the rows that count, or a value that nobody else has."""
    sizes, m, here, there = PAIRS[pair]
    compared(algorithm, sizes, m, here, there, tmp_path, caplog)


@pytest.mark.parametrize("pair", OTHERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d24_so_are_neighbours_under_replacement(algorithm, pair, tmp_path, caplog):
    m, here, there = OTHERS[pair]
    compared(algorithm, SIZES, m, here, there, tmp_path, caplog, relation="replace")


def compared(algorithm, sizes, m, here, there, folder, caplog, relation="add_remove"):
    """Record on D, replay on D': given the same answers, what is released and what is told is the same."""
    caplog.set_level(logging.DEBUG, logger="pasteur")
    tape = record(fit_of(algorithm), private_of(algorithm, sizes, here, m, relation=relation))
    told = [entry.getMessage() for entry in caplog.records]
    caplog.clear()
    again = replay(fit_of(algorithm), private_of(algorithm, sizes, there, m, relation=relation), tape)
    assert [entry.getMessage() for entry in caplog.records] == told
    for model, name in ((tape.result, "one"), (again, "other")):
        model.save(folder / f"{name}.npz")
    with np.load(folder / "one.npz") as one, np.load(folder / "other.npz") as other:
        assert one.files == other.files
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name])
    rows, others = (model.sample(None, rng=np.random.default_rng(0)) for model in (tape.result, again))
    assert rows.rows == others.rows
    assert rows.arrow().equals(others.arrow())


def test_replay_catches_an_algorithm_that_looks_at_exact_counts():
    """D06: the test itself must be able to fail."""

    def leaky(private):
        exact = private._counts.exact([("a",)])[0]
        first = ("a",) if exact[5] == 0 else ("b",)
        return private.measure([first], sigmas=[private.sigma(private.ledger.remaining)], label="leak")

    sizes, m, here, there = PAIRS["new category"]
    tape = record(leaky, private_of("mst", sizes, here, m))
    with pytest.raises(AssertionError, match="another shape"):
        replay(leaky, private_of("mst", sizes, there, m), tape)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d15_everything_an_algorithm_asks_is_on_its_ledger(algorithm):
    sizes, m, here, _ = PAIRS["one row more"]
    private = private_of(algorithm, sizes, here, m)
    model = fit_of(algorithm)(private)
    assert model.ledger is private.ledger
    # each noisy marginal that is released has an event of its own, in order; others (errors, totals) are not released
    charged = iter([entry for entry in private.ledger.entries if isinstance(entry.event, DiscreteGaussian)])
    for measured in model.measurements:
        asked = " x ".join(measured.clique)
        assert any(entry.label.endswith(asked) and entry.event.sigma == measured.sigma for entry in charged), asked
    spent = private.ledger.spent
    with pytest.raises(BudgetError):
        private.measure([("a",)], sigmas=[5.0], label="one more")
    assert private.ledger.spent == spent


@pytest.mark.usefixtures("same_noise")  # a noisy number of rows is the exact one by chance, now and then
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d16_a_model_holds_no_training_row(algorithm, tmp_path):
    sizes, rows = {"a": 256, "b": 251}, 997
    here = units_of(rows_of(sizes, rows, seed=4))
    path = tmp_path / "model.npz"
    fit_of(algorithm)(private_of(algorithm, sizes, here, 1, tag=CANARY)).save(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = arrays.pop("header").tobytes().decode()
    codes = np.array([row for _, row in here], dtype=np.uint8)
    for name, array in arrays.items():
        assert rows not in array.shape, f"{name} has as many entries as the data has rows"
        assert CANARY.encode() not in array.tobytes()
        for kind in (np.uint8, np.int64, np.float64):
            for order in (codes[:8], codes[:8].T):
                assert np.ascontiguousarray(order.astype(kind)).tobytes() not in array.tobytes()
    assert CANARY not in header
    assert not any(value == rows for value in _numbers(json.loads(header)))


def _numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in _numbers(each)]
    return [value] if isinstance(value, (int, float)) else []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d17_one_row_less_changes_neither_size_nor_split_of_the_budget(algorithm):
    sizes, m, here, there = PAIRS["one row less"]
    tape = record(fit_of(algorithm), private_of(algorithm, sizes, here, m))
    again = replay(fit_of(algorithm), private_of(algorithm, sizes, there, m), tape)
    assert again.rows == tape.result.rows
    assert again.ledger.to_dict() == tape.result.ledger.to_dict()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d26_no_algorithm_voids_or_weakens_a_claim_by_itself(algorithm):
    sizes, m, here, _ = PAIRS["one row more"]
    ledger = fit_of(algorithm)(private_of(algorithm, sizes, here, m)).ledger
    assert ledger.stamps == ()
    assert ledger.claim()["epsilon"] == 2.0
    assert ledger.budget.unit == "person"


@pytest.mark.parametrize("relation", ["add_remove", "replace"])
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_d18_d24_the_noise_grows_with_m_and_the_relation(algorithm, m, relation):
    """What a unit of many rows costs is paid by all marginals of every algorithm: m rows, or sqrt(2) m replaced."""
    sizes, _, here, _ = PAIRS["unit with many rows"]
    model = fit_of(algorithm)(private_of(algorithm, sizes, here, m, relation=relation))
    l2, l1 = (math.sqrt(2) * m, 2 * m) if relation == "replace" else (m, m)
    steps = 1024 * l1
    for event in model.ledger.events:
        if isinstance(event, ExponentialChoice):
            assert event.sensitivity % steps == 0
        else:
            root = (event.sensitivity / steps) ** 2  # of errors the number of candidates
            marginal = event.sensitivity == pytest.approx(l2, rel=1e-12) or event.sensitivity == m
            assert marginal or root == pytest.approx(round(root), rel=1e-9)
