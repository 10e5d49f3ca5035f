from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.synth import bootstrap
from pasteur.table import UNIT, Table

UNITS = 40


def clinic():
    """Patients with one or two stays, and hours of each stay; one patient has no stay."""
    patients, stays, hours = [], [], []
    for unit in range(UNITS):
        patients.append((f"p{unit}", 1000 + unit, unit % 5))
        for stay in range(unit % 3):
            stays.append((f"p{unit}", 1000 + unit, f"stay-{unit}-{stay}", unit % 7))
            hours += [(f"p{unit}", f"stay-{unit}-{stay}", hour, (unit + hour) % 9) for hour in range(3)]
    return {
        "patients": made(patients, {UNIT: pa.string(), "patient": pa.int64(), "x": pa.uint8()}),
        "stays": made(stays, {UNIT: pa.string(), "patient": pa.int64(), "stay": pa.string(), "y": pa.uint8()}),
        "hours": made(hours, {UNIT: pa.string(), "of_stay": pa.string(), "hour": pa.uint8(), "z": pa.uint8()}),
    }


def made(rows, kinds):
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds.values(), strict=True)]
    return Table.of(pa.table(dict(zip(kinds, arrays, strict=True))))


def draw(data, *, rows=None, seed=0):
    drawn = bootstrap.draw({"wrk": data}, bootstrap.Settings(), rows=rows, rng=np.random.default_rng(seed))
    return {name: table.frame() for name, table in drawn.items()}


def test_keys_stay_unique_and_references_hold():
    drawn = draw(clinic())
    patients, stays, hours = drawn["patients"], drawn["stays"], drawn["hours"]
    assert len(patients) == UNITS
    assert patients["patient"].is_unique
    assert patients[UNIT].is_unique
    assert stays["stay"].is_unique
    assert set(stays["patient"]) <= set(patients["patient"])
    assert set(hours["of_stay"]) == set(stays["stay"])
    assert (hours.groupby("of_stay").size() == 3).all()


def test_a_unit_comes_with_all_of_its_rows_and_their_values():
    drawn = draw(clinic())
    joined = drawn["stays"].merge(drawn["patients"], on="patient", suffixes=("", "_patient"))
    assert (joined[UNIT] == joined[f"{UNIT}_patient"]).all()
    stays = drawn["stays"].groupby("patient").size()
    for patient, x in zip(drawn["patients"]["patient"], drawn["patients"]["x"], strict=True):
        mine = joined[joined["patient"] == patient]
        assert len(mine) == stays.get(patient, 0)
        assert (mine["x"] == x).all()
        assert mine["y"].nunique() <= 1


def test_units_are_drawn_with_replacement():
    drawn = draw({"patients": clinic()["patients"]}, seed=1)
    repeats = drawn["patients"]["x"].value_counts()
    assert repeats.sum() == UNITS
    many = draw({"core": made([(f"p{i}", i % 200) for i in range(200)], {UNIT: pa.string(), "v": pa.uint8()})})
    distinct = many["core"]["v"].nunique()
    assert 100 < distinct < 150  # 200 (1 - 1/e) = 126


def test_the_number_of_rows_can_be_asked_for():
    assert len(draw({"patients": clinic()["patients"]}, rows=137)["patients"]) == 137


def test_the_rng_alone_decides():
    one, same, other = (draw(clinic(), seed=seed)["hours"] for seed in (3, 3, 4))
    assert one.equals(same)
    assert not one.equals(other)


def test_types_and_null_ids_are_kept():
    data = {"t": made([("u1", None, 1), ("u2", 5, 2)], {UNIT: pa.string(), "id": pa.int64(), "v": pa.uint8()})}
    for seed in range(5):
        table = bootstrap.draw({"wrk": data}, bootstrap.Settings(), rows=None, rng=np.random.default_rng(seed))["t"]
        assert table.schema == data["t"].schema
        for row in table.arrow().to_pylist():
            assert (row["id"] is None) == (row["v"] == 1)


def test_without_a_unit_column_each_row_is_its_own():
    data = {"t": made([(i,) for i in range(50)], {"v": pa.uint8()})}
    assert len(draw(data)["t"]) == 50


@pytest.mark.parametrize("rows", [None, 10])
def test_nothing_to_draw_from(rows):
    empty = {name: Table.of(table.arrow().slice(0, 0)) for name, table in clinic().items()}
    assert all(len(frame) == 0 for frame in draw(empty, rows=rows).values())
