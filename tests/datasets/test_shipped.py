"""The shipped data sets, from their real bytes. Those that are not in the package are downloaded once a machine."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pasteur import datasets
from pasteur.datasets import split_keys
from pasteur.table import UNIT, Table

CACHE = Path(tempfile.gettempdir()) / "pasteur-test-data"
registry = pytest.mark.skipif("PASTEUR_OFFLINE" in os.environ, reason="PASTEUR_OFFLINE: no package index to ask")


def primary(config, folder):
    parsed = datasets.parse(config, datasets.fetch(config, folder))
    parsed = {name: Table.of(table.arrow()) for name, table in parsed.items()}
    return {name: Table.of(table.arrow()) for name, table in datasets.tidy(config, parsed).items()}


def test_adult(project, shipped):
    config = shipped("adult")
    tables = primary(config, project.raw("adult"))
    core = tables["core"].arrow()
    assert (core.num_rows, core.num_columns) == (48_842, 15 + 1)
    missing = {name: core[name].null_count for name in core.column_names if core[name].null_count}
    assert missing == {"workclass": 2799, "occupation": 2809, "native_country": 857}
    assert sum(missing.values()) == 6465
    assert core["income"].value_counts().to_pylist() == [
        {"values": "<=50K", "counts": 37_155},
        {"values": ">50K", "counts": 11_687},
    ]
    keys = split_keys(config, tables)
    assert {split: table.rows for split, table in keys.items()} == {
        "wrk": 19_623,
        "ref": 19_616,
        "val": 4865,
        "dev": 4738,
    }
    assert core.slice(0, 1)[UNIT].to_pylist()[0].endswith("-0")
    twins = pc.sum(pc.invert(pc.ends_with(core[UNIT], "-0"))).as_py()
    assert twins == 52  # rows that an earlier row equals, as pandas' duplicated() counts them


@pytest.mark.slow
@registry
def test_kdd_census(shipped):
    config = shipped("kdd_census")
    half = replace(config, tables={"core": replace(config.tables["core"], files=["test"])})
    core = primary(half, CACHE / "data" / "orig" / "raw" / "kdd_census")["core"].arrow()
    assert (core.num_rows, core.num_columns) == (99_762, 42 + 1)
    assert pc.sum(pc.equal(core["hispanic_origin"], "NA")).as_py() > 0  # a level, not a missing value
    assert core["migration_code_change_in_msa"].null_count > 0
    assert set(pc.unique(core["income_gt_50k"]).to_pylist()) == {"- 50000.", "50000+."}
    train = CACHE / "data" / "orig" / "raw" / "kdd_census" / config.files["train"].filename
    assert train.read_bytes().count(b"\n") == 199_523


@pytest.mark.slow
@registry
def test_mimic_demo(shipped):
    config = shipped("mimic_demo")
    tables = primary(config, CACHE / "data" / "orig" / "raw" / "mimic_demo")
    rows = {name: table.rows for name, table in tables.items()}
    assert len(rows) == 14
    assert (rows["patient"], rows["hospitalization"], rows["adt"]) == (100, 310, 964)
    assert (rows["labs"], rows["vitals"], rows["patient_assessments"]) == (51_433, 94_261, 32_697)
    assert tables["patient"].schema.field("patient_id").type == "string"
    assert not any("index" in name for table in tables.values() for name in table.columns)
    keys = split_keys(config, tables)
    assert sum(table.rows for table in keys.values()) == 100


@pytest.mark.slow
@registry
def test_lahman_people(shipped):
    config = shipped("lahman_people")
    tables = primary(config, CACHE / "data" / "orig" / "raw" / "lahman_people")
    people = tables["people"].arrow()
    assert (people.num_rows, people.num_columns) == (20_093, 16 + 1)
    names = {name.lower().replace("_", "") for name in people.column_names}
    assert not {name for name in names if "name" in name or "city" in name or name.endswith("id")}
    assert people.schema.field("debut").type == "date32[day]"
    assert pc.unique(people["throws"]).to_pylist() == ["R", "L", None, "S"]
    assert sum(table.rows for table in split_keys(config, tables).values()) == 20_093


@pytest.mark.slow
@registry
def test_nycflights(shipped):
    config = shipped("nycflights")
    assert config.unit.name == "flight"
    folder = CACHE / "data" / "orig" / "raw" / "nycflights"
    flights = datasets.tidy(config, datasets.parse(config, datasets.fetch(config, folder)))["flights"].arrow()
    assert (flights.num_rows, flights.num_columns) == (336_776, 19 + 1)
    assert flights["dep_time"].null_count == 8255
    assert pc.count_distinct(flights[UNIT]).as_py() == 336_776
    assert set(pc.unique(flights["origin"]).to_pylist()) == {"EWR", "JFK", "LGA"}
    assert pc.min_max(flights["year"]).as_py() == {"min": 2013, "max": 2013}


@pytest.mark.slow
@registry
def test_nycplanes_has_no_orphan_left(shipped):
    tables = primary(shipped("nycplanes"), CACHE / "data" / "orig" / "raw" / "nycplanes")
    flights = tables["flights"].arrow(["tailnum", "dest"])
    assert flights.num_rows == 336_776 - 50_094
    assert flights["tailnum"].null_count == 2512
    assert 0 < flights["dest"].null_count < 7602  # of those that are left
    assert tables["planes"].rows == 3322


@pytest.mark.slow
@registry
def test_lahman(shipped):
    tables = primary(shipped("lahman"), CACHE / "data" / "orig" / "raw" / "lahman")
    assert tables["people"].rows == 20_093
    batting = tables["batting"].arrow(["player_id", "at_bats"])
    assert (batting.num_rows, pc.count_distinct(batting["player_id"]).as_py()) == (108_789, 19_898)
    assert batting["at_bats"].null_count == 0
