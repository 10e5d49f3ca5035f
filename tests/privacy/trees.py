"""Small trees of coded tables: patients, their stays in order, and of each stay tests in no order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from replay import Recorder, Replayer, Tape

from pasteur.marginals import Domain
from pasteur.privacy import Budget, ExactMechanisms, Ledger
from pasteur.privacy.tables import Looked, PrivateTables, Relation
from pasteur.table import UNIT, Table

DOMAINS = {
    "patients": Domain.of({"sex": 2, "age": 9}, ordinal=["age"]),
    "stays": Domain.of({"day": 40, "ward": 4}, ordinal=["day", "ward"]),
    "tests": Domain.of({"kind": 3, "result": 6}, ordinal=["result"]),
    "notes": Domain.of({"tone": 3}),
}
STAYS = Relation(
    parent="patients", parent_key="patient", child="stays", child_key="patient", order=("day",), max_rows=4
)
TESTS = Relation(parent="stays", parent_key="stay", child="tests", child_key="stay", max_rows=3)
NOTES = Relation(parent="patients", parent_key="patient", child="notes", child_key="patient", max_rows=2)
NAMED = Relation(parent="stays", parent_key="stay", child="notes", child_key="stay", owns=False)
RELATIONS = (STAYS, TESTS, NOTES, NAMED)
LOOKED = {
    "patients": {"risk of age": Looked(column="age", codes=np.arange(9) // 5, size=2, ordinal=True)},
    "tests": {"tube of kind": Looked(column="kind", codes=np.array([2, 0, 2]), size=3, ordinal=False)},
}
"""Public rows that ages and kinds name."""
MISSING = {"stays": ["ward"], "tests": ["result"]}
"""Attributes whose last code says that there is no value."""


def table(kinds, rows):
    columns = zip(*rows, strict=True) if rows else [[] for _ in kinds]
    return Table.of(pa.table({n: pa.array(list(c), k) for (n, k), c in zip(kinds.items(), columns, strict=True)}))


def coded(tree):
    """Tables of `{table: rows}`, each row a tuple in the order of the columns below."""
    text, code = pa.string(), pa.uint8()
    kinds = {
        "patients": {UNIT: text, "patient": text, "sex": code, "age": code},
        "stays": {UNIT: text, "patient": text, "stay": pa.int64(), "day": code, "ward": code},
        "tests": {UNIT: text, "stay": pa.int64(), "kind": code, "result": code},
        "notes": {UNIT: text, "patient": text, "stay": pa.int64(), "tone": code},
    }
    return {name: table(kinds[name], rows) for name, rows in tree.items()}


def patient(number, rng, *, stays=None, tests=None):
    """One patient's rows: wards that stay the same, results that follow the ward, notes that name a stay."""
    unit, sex, age = f"p{number}", int(rng.integers(2)), int(rng.integers(9))
    count = int(rng.integers(0, 5)) if stays is None else stays
    tree = {"patients": [(unit, unit, sex, age)], "stays": [], "tests": [], "notes": []}
    day, ward = int(rng.integers(10)), int(rng.integers(4))
    for place in range(count):
        stay = 1000 * number + place
        tree["stays"].append((unit, unit, stay, min(day, 39), ward))
        day += 3
        for _ in range(ward if tests is None else tests):
            tree["tests"].append((unit, stay, sex, ward))
    named = tree["stays"][-1][2] if tree["stays"] else None
    tree["notes"] += [(unit, unit, named, age % 3)] * (1 + sex)
    return tree


def joined(*trees):
    return {name: [row for tree in trees for row in tree[name]] for name in DOMAINS}


def people(count, seed=0):
    rng = np.random.default_rng(seed)
    return [patient(number, rng) for number in range(count)]


def private_of(
    tree, *, relations=RELATIONS, epsilon=3.0, m=1, relation="add_remove", mechanisms=None, accountant="gdp"
):
    ledger = Ledger(Budget(epsilon=epsilon, delta=1e-6, relation=relation), accountant)
    names = dict.fromkeys(["patients", *(each.child for each in relations)])
    codes = {name: each for name, each in coded(tree).items() if name in names}
    domains = {name: DOMAINS[name] for name in names}
    return PrivateTables.of(
        codes,
        domains,
        relations,
        ledger,
        root="patients",
        salt="s",
        looked={name: LOOKED[name] for name in names if name in LOOKED},
        missing=MISSING,
        max_rows_per_unit=m,
        mechanisms=mechanisms,
    )


def record_tree(fit, tree, **how):
    """As `replay.record`, of a tree: `fit(private)` with real noise, every question kept."""
    tape = Tape()
    private = private_of(tree, mechanisms=Recorder(ExactMechanisms(), tape), **how)
    tape.result = fit(private)
    tape.entries = private.ledger.entries
    assert [entry.event for entry in tape.entries] == [question.event for question in tape.questions]
    return tape


def replay_tree(fit, tree, tape, **how):
    """As `replay.replay`, of a tree."""
    replayer = Replayer(tape)
    private = private_of(tree, mechanisms=replayer, **how)
    result = fit(private)
    assert len(replayer.asked) == len(tape.questions), "fewer questions were asked than of the neighbour"
    assert private.ledger.entries == tape.entries, "the ledgers differ"
    return result
