"""Columns that name rows of public tables, from the metadata to a run's files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from pasteur import metadata, naming
from pasteur.datasets.config import DatasetConfig, FileConfig, TableConfig, UnitConfig
from pasteur.errors import DataError, SchemaError
from pasteur.experiment import PrivacyConfig
from pasteur.metrics import MetricsConfig
from pasteur.relations import tree
from pasteur.run import run
from pasteur.schema import Schema
from pasteur.synth import relational
from pasteur.table import Table
from pasteur.views import ComponentConfig, PublicConfig, ViewConfig

ID, NUMBER, WORD = {"sdtype": "id", "regex_format": "[a-z0-9]+"}, {"sdtype": "numerical"}, {"sdtype": "categorical"}
WARDS = Table.of(pa.table({"ward": ["a", "b", "c", "d"], "beds": [10, 20, 30, 40], "kind": ["in", "out", "in", "out"]}))


def declared(embedding, **domain):
    return {"embedding": {"type": embedding}, "domain": domain, "source": "the clinic's rules"}


def raw():
    tables = {
        "people": {"primary_key": "person", "columns": {"person": ID, "sex": WORD}},
        "visits": {"columns": {"person": ID, "ward": ID, "cost": NUMBER}},
        "wards": {"primary_key": "ward", "columns": {"ward": ID, "beds": NUMBER, "kind": WORD}},
    }
    ours = {
        "people": {"columns": {"sex": declared("categories", levels=["f", "m"])}},
        "visits": {
            "max_rows": 3,
            "columns": {
                "ward": declared("categories", levels=["a", "b", "c"], null=True),
                "cost": declared("integers", min=0, max=9),
            },
        },
        "wards": {
            "columns": {
                "beds": declared("integers", min=0, max=30),
                "kind": declared("categories", levels=["in", "out"]),
            }
        },
    }
    ends = ("parent_table_name", "parent_primary_key", "child_table_name", "child_foreign_key")
    links = [
        dict(zip(ends, (parent, key, "visits", key), strict=True))
        for parent, key in (("people", "person"), ("wards", "ward"))
    ]
    sdv = {"METADATA_SPEC_VERSION": "V1", "tables": tables, "relationships": links}
    return {"sdv": sdv, "pasteur": {"tables": ours}}


def read(folder, document, public=("wards",)):
    (folder / "metadata").mkdir(exist_ok=True)
    (folder / "metadata" / "clinic.detail.json").write_text(json.dumps(document))
    return metadata.load(
        view="clinic",
        dataset="clinic",
        schema="detail",
        components=("people", "visits"),
        folders=[folder / "metadata"],
        public=public,
    )


def test_a_column_that_names_public_rows_is_a_category_and_the_rest_of_the_schema_does_not_know_them(tmp_path):
    schema = read(tmp_path, raw())
    assert list(schema.tables) == ["people", "visits"]
    assert list(schema.public) == ["wards"]
    assert [(r.parent_table, r.child_table, r.child_key) for r in schema.naming] == [("wards", "visits", "ward")]
    assert [r.parent_table for r in schema.relationships] == ["people"]
    assert schema.table("visits").column("ward").sdtype == "categorical"
    assert list(schema.sdv["tables"]) == ["people", "visits"]
    assert list(schema.whole_sdv["tables"]) == ["people", "visits", "wards"]
    assert schema.whole_sdv["tables"]["visits"]["columns"]["ward"] == ID
    assert len(schema.whole_sdv["relationships"]) == 2


@pytest.mark.slow
def test_what_goes_out_is_valid_metadata_of_sdv(tmp_path):
    from sdv.metadata import Metadata

    schema = read(tmp_path, raw())
    for sdv in (schema.sdv, schema.whole_sdv):
        Metadata.load_from_dict(dict(sdv)).validate()


def test_each_code_leads_to_the_attributes_of_the_row_that_it_names(tmp_path):
    schema = read(tmp_path, raw())
    naming.check(schema, {"wards": WARDS})
    found = naming.looked(schema, {"wards": WARDS})["visits"]
    assert {name: each.column for name, each in found.items()} == {"beds of ward": "ward", "kind of ward": "ward"}
    assert found["beds of ward"].codes.tolist() == [10, 20, 30, 31]  # the last: no ward
    assert found["kind of ward"].codes.tolist() == [0, 1, 0, 2]
    assert [each.size for each in found.values()] == [32, 3]
    assert [each.ordinal for each in found.values()] == [True, False]


def test_of_groups_of_keys_nothing_is_known_until_they_are_decoded(tmp_path):
    document = raw()
    ward = document["pasteur"]["tables"]["visits"]["columns"]["ward"]
    ward["embedding"]["height"] = 1
    ward["domain"]["hierarchy"] = {"a": "north", "b": "north", "c": "south"}
    assert naming.looked(read(tmp_path, document), {"wards": WARDS}) == {}


def no_key(document):
    document["pasteur"]["tables"]["visits"]["columns"]["ward"]["domain"]["levels"] = ["a", "bb"]


def another(document):
    document["pasteur"]["tables"]["visits"]["columns"]["ward"]["domain"]["other"] = "elsewhere"


def bins(document):
    document["pasteur"]["tables"]["visits"]["columns"]["ward"] = declared("integers", min=0, max=4)


def nothing(document):
    del document["pasteur"]["tables"]["visits"]["columns"]["ward"]


def no_primary_key(document):
    document["sdv"]["relationships"][1]["parent_primary_key"] = "kind"


def composite(document):
    document["sdv"]["relationships"][1]["child_foreign_key"] = ["ward", "cost"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (no_key, r"visits.ward domain.levels \(bb\) must be a key of the public table 'wards'; did you mean 'b'"),
        (another, r"visits.ward domain.levels \(elsewhere\) must be a key of the public table 'wards'"),
        (bins, r"visits.ward: embedding \(integers\) must be categories, whose levels are keys"),
        (nothing, r"visits.ward: embedding \(none\) must be categories"),
        (no_primary_key, r"parent key \(kind\) must be the primary key of 'wards' \(ward\)"),
        (composite, "must be one column where it names public rows"),
    ],
)
def test_levels_that_are_no_keys_are_refused(tmp_path, change, said):
    document = raw()
    change(document)
    with pytest.raises(SchemaError, match=said):
        naming.check(read(tmp_path, document), {"wards": WARDS})


def test_a_public_table_must_be_as_it_is_described(tmp_path):
    schema = read(tmp_path, raw())
    strange = WARDS.arrow().set_column(2, "kind", pa.array(["in", "out", "in", "attic"]))
    with pytest.raises(DataError, match=r"wards: column wards.kind: row 4 must be one of the declared levels"):
        naming.check(schema, {"wards": Table.of(strange)})


def test_a_table_that_is_not_public_makes_a_second_root():
    document = raw()
    document["pasteur"]["tables"]["visits"]["owner"] = "people"
    whole = Schema.parse(document, name="clinic.detail", file="clinic.detail.json")
    with pytest.raises(SchemaError, match=r"\(people, wards\) must be one: .* or the view must name it as public"):
        tree(whole)


@pytest.fixture
def clinic(project, tmp_path):
    """People, each with visits to wards: costs follow the ward's beds. Wards are nobody's."""
    rng = np.random.default_rng(0)
    root = tmp_path
    people = [f"p{number}" for number in range(400)]
    visits = [(who, "abc"[rng.integers(3)]) for who in people for _ in range(rng.integers(0, 4))]
    beds = {"a": 1, "b": 5, "c": 8}
    csv.write_csv(pa.table({"person": people, "sex": rng.choice(["f", "m"], 400)}), root / "people.csv")
    csv.write_csv(
        pa.table(
            {
                "person": [who for who, _ in visits],
                "ward": pa.array([None if k % 10 == 0 else ward for k, (_, ward) in enumerate(visits)], pa.string()),
                "cost": [beds[ward] for _, ward in visits],
            }
        ),
        root / "visits.csv",
    )
    csv.write_csv(WARDS.arrow(), root / "wards.csv")
    read(root, raw())
    text, number = "string", "int64"
    tables = {
        "people": TableConfig(types={"person": text, "sex": text}, unique=["person"]),
        "visits": TableConfig(
            types={"person": text, "ward": text, "cost": number},
            foreign_keys={"person": "people.person", "ward": "wards.ward"},
            nulls=[""],
        ),
        "wards": TableConfig(types={"ward": text, "beds": number, "kind": text}, public=True, unique=["ward"]),
    }
    dataset = DatasetConfig(
        name="clinic",
        salt="clinic",
        files={name: FileConfig(path=f"{name}.csv") for name in tables},
        unit=UnitConfig(name="patient", table="people", column="person"),
        tables=tables,
    )
    view = ViewConfig(
        name="clinic",
        unit="person",
        datasets=["clinic"],
        components={
            "people": ComponentConfig(key=["person"]),
            "visits": ComponentConfig(parent="people", link={"person": "person"}),
        },
        public={"wards": PublicConfig(key="ward")},
    )
    (root / "metrics" / "clinic").mkdir(parents=True)
    (root / "metrics" / "clinic" / "bench.wards.sql").write_text(
        "-- name: visits by kind of ward\n-- kind: share\n-- keys: kind\n-- values: n=count\n"
        "SELECT kind, count(*) AS n FROM visits JOIN wards USING (ward) GROUP BY kind\n"
    )
    return project(
        "relational",
        dataset=dataset,
        view=view,
        settings=relational.Settings(root="independent"),
        privacy=PrivacyConfig(epsilon=20.0, delta=1e-6),
        metrics=MetricsConfig(depth="standard", families=["marginals", "relational", "sql", "validity"]),
    )


def frames(result):
    holes = csv.ConvertOptions(strings_can_be_null=True)
    return {name: csv.read_csv(path, convert_options=holes).to_pandas() for name, path in result.synthetic.items()}


@pytest.mark.slow
def test_a_run_draws_rows_that_name_public_ones_and_hands_those_out(clinic):
    result = run(clinic)
    assert list(result.synthetic) == ["people", "visits", "wards"]
    made = frames(result)
    assert made["wards"].to_dict("list") == WARDS.arrow().to_pandas().to_dict("list")
    assert made["visits"]["ward"].dropna().isin(["a", "b", "c"]).all()
    assert 0.02 < made["visits"]["ward"].isna().mean() < 0.25
    beds = made["visits"].dropna(subset="ward").merge(made["wards"], on="ward")
    assert (beds["cost"] == beds["beds"].map({10: 1, 20: 5, 30: 8})).mean() > 0.7
    assert not result.failures
    assert {score.metric for score in result.scores} >= {"sql/visits-by-kind-of-ward", "relational/children"}
    kept = json.loads((result.folder / "metadata.json").read_text())
    assert list(kept["tables"]) == ["people", "visits", "wards"]
    assert Path(result.synthetic["wards"]).parent.name == result.version


@pytest.mark.slow
def test_other_people_name_the_same_public_rows(clinic):
    from pasteur.synth import bootstrap

    result = run(replace(clinic, algorithm="bootstrap", settings=bootstrap.Settings()))
    made = frames(result)
    assert made["visits"]["ward"].dropna().isin(["a", "b", "c"]).all()
    assert len(made["wards"]) == len(WARDS.arrow())


def test_a_public_table_made_of_people_is_refused_before_anything_is_drawn(clinic):
    view = replace(
        clinic.view,
        public={
            "wards": PublicConfig(key="ward", sql="SELECT w.* FROM wards AS w JOIN visits AS v USING (ward)"),
        },
    )
    with pytest.raises(SchemaError, match="must read public tables alone: 'visits' is not declared so"):
        run(replace(clinic, view=view))
    assert not (clinic.root / "data" / "synth").exists()
