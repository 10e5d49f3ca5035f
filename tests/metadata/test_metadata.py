"""Every shipped metadata file: valid for us and for SDV, every domain with its source, and the data inside it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyarrow import csv

from pasteur.embeddings.table import TableEncoder
from pasteur.metadata import load
from pasteur.schema import Schema
from pasteur.table import Table

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "metadata").glob("*.json"))
VIEWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "configs" / "view").glob("*.yaml")}

PUBLIC = {name for view in VIEWS.values() for name in view.get("public", ())}
"""Tables that are nobody's, whose keys are levels of what names them."""

PAPER = {
    "age": 85, "workclass": 9, "fnlwgt": 100, "education_num": 16, "marital_status": 7, "occupation": 15,
    "relationship": 6, "race": 5, "sex": 2, "capital_gain": 100, "capital_loss": 100, "hours_per_week": 99,
    "native_country": 42, "income": 2,
}  # fmt: skip
"""Sizes of the coded Adult of https://github.com/ryan112358/private-pgm (data/adult-domain.json), in its order."""


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def raw(request):
    return json.loads(request.param.read_text())


@pytest.fixture
def schema(request, raw):
    path = request.node.callspec.params["raw"]
    return Schema.parse(raw, name=path.stem, file=path.name)


def test_every_value_has_an_embedding_a_domain_and_a_source(schema):
    naming = {(r.child_table, r.child_key) for r in schema.relationships if r.parent_table in PUBLIC}
    for table in schema.tables.values():
        for column in table.columns:
            if column.sdtype == "id" and (table.name, column.name) not in naming:
                assert column.embedding is None
                continue
            assert column.embedding, column.where
            assert column.domain is not None, column.where
            assert len(column.source) > 10, column.where
            assert column.declared
    assert schema.undeclared() == ()
    assert schema.targets
    assert not schema.unit.rows_public


def test_every_embedding_accepts_its_declaration_and_looks_at_no_data(schema):
    for table in schema.tables.values():
        encoder = TableEncoder.declare(table)
        assert all(embedding.private for embedding in encoder.embeddings.values())
        assert all(size >= 1 for size in encoder.sizes.values())


def test_the_positive_class_of_a_target_is_a_level(schema):
    for target in schema.targets:
        column = schema.table(target.table).column(target.column)
        if target.kind == "classification":
            assert target.positive in column.domain["levels"]
        else:
            assert column.sdtype == "numerical"


@pytest.mark.slow
def test_sdv_loads_its_part_as_it_stands(raw):
    from sdv.metadata import Metadata

    assert raw["sdv"]["METADATA_SPEC_VERSION"] == "V2"
    Metadata.load_from_dict(raw["sdv"]).validate()


@pytest.mark.parametrize(
    ("view", "schema"), [(view, schema) for view, entry in sorted(VIEWS.items()) for schema in entry["schemas"]]
)
def test_every_view_has_the_schemas_that_it_names(view, schema):
    components, public = tuple(VIEWS[view]["components"]), tuple(VIEWS[view].get("public", ()))
    for dataset in VIEWS[view]["datasets"]:
        loaded = load(
            view=view,
            dataset=dataset,
            schema=schema,
            components=components,
            folders=[ROOT / "metadata"],
            public=public,
        )
        assert tuple(loaded.tables) == components
        assert tuple(loaded.public) == public


def test_paper_has_the_published_sizes():
    raw = json.loads((ROOT / "metadata" / "adult.paper.json").read_text())
    core = Schema.parse(raw, name="adult.paper", file="adult.paper.json").table("core")
    assert TableEncoder.declare(core).sizes == PAPER


def test_coarse_has_fewer_codes_and_the_same_values():
    named = [path.name.removesuffix(".coarse.json") for path in FILES if path.name.endswith(".coarse.json")]
    assert len(named) >= 4
    for name in named:
        detail, coarse = (
            Schema.parse(json.loads((ROOT / "metadata" / f"{name}.{schema}.json").read_text()), name=name, file=name)
            for schema in ("detail", "coarse")
        )
        assert list(detail.tables) == list(coarse.tables)
        for table in detail.tables.values():
            other = coarse.table(table.name)
            fine, rough = (TableEncoder.declare(t).sizes for t in (table, other))
            assert list(fine) == list(rough)
            assert all(rough[column] <= fine[column] for column in fine)
            assert max(rough.values()) <= 9
            for column in table.columns:
                if column.domain is not None and column.name != "education_num":  # integers, and grouped levels
                    same = {k: v for k, v in other.column(column.name).domain.items() if k != "hierarchy"}
                    assert same == column.domain
        assert detail.targets == coarse.targets


def test_every_level_of_adult_is_declared():
    """Straight from the bundled bytes, so that no step between can hide a level."""
    folder = ROOT / "src" / "pasteur" / "resources" / "data" / "adult"
    config = yaml.safe_load((ROOT / "configs" / "dataset" / "adult.yaml").read_text())
    renamed = config["tables"]["core"]["rename"]
    for path in sorted(folder.glob("*.csv.gz")):
        rows = csv.read_csv(
            pa.BufferReader(
                b"\n".join(
                    b",".join(f.strip() for f in line.split(b","))
                    for line in gzip.decompress(path.read_bytes()).splitlines()
                )
            ),
            convert_options=csv.ConvertOptions(null_values=["?"], strings_can_be_null=True),
        )
        rows = rows.rename_columns([renamed.get(name, name.replace("-", "_")) for name in rows.column_names])
        for schema in ("detail", "coarse", "paper"):
            raw = json.loads((ROOT / "metadata" / f"adult.{schema}.json").read_text())
            core = Schema.parse(raw, name="adult", file="adult").table("core")
            encoder = TableEncoder.declare(core)
            encoder.check(Table.of(rows), file=path.name)
            report = encoder.report(Table.of(rows))
            moved = {column: share for column, entry in report.items() for share in entry.values() if share > 0}
            assert moved == {}


def test_education_and_its_number_are_one_to_one_in_every_schema():
    for schema in ("detail", "coarse"):
        raw = json.loads((ROOT / "metadata" / f"adult.{schema}.json").read_text())
        columns = raw["pasteur"]["tables"]["core"]["columns"]
        education, number = (columns[name]["domain"] for name in ("education", "education_num"))
        assert len(education["levels"]) == 16
        if schema == "coarse":
            groups = [education["hierarchy"][level] for level in education["levels"]]
            assert groups == [number["hierarchy"][str(n)] for n in range(1, 17)]
