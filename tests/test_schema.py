from __future__ import annotations

import json
from copy import deepcopy

import pytest

from pasteur.errors import SchemaError
from pasteur.metadata import load, merge
from pasteur.schema import Schema

AGE = {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 99}, "source": "codebook"}
SEX = {"embedding": {"type": "categories"}, "domain": {"levels": ["F", "M"]}, "source": "codebook"}
RAW = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V1",
        "tables": {
            "core": {
                "primary_key": "id",
                "columns": {"id": {"sdtype": "id"}, "age": {"sdtype": "numerical"}, "sex": {"sdtype": "categorical"}},
            },
            "visits": {"columns": {"id": {"sdtype": "id"}, "hour": {"sdtype": "numerical"}}},
        },
        "relationships": [
            {
                "parent_table_name": "core",
                "parent_primary_key": "id",
                "child_table_name": "visits",
                "child_foreign_key": "id",
            }
        ],
    },
    "pasteur": {
        "tables": {"core": {"columns": {"age": AGE, "sex": SEX}}, "visits": {"columns": {"hour": AGE}}},
        "targets": [{"table": "core", "column": "sex", "kind": "classification", "positive": "F"}],
        "unit": {"max_rows": 3},
    },
}


def parse(raw):
    return Schema.parse(raw, name="v.s", file="v.s.json")


def changed(change):
    raw = deepcopy(RAW)
    change(raw)
    return raw


def columns(raw, table="core"):
    return raw["pasteur"]["tables"][table]["columns"]


def test_both_parts_become_one_schema():
    schema = parse(RAW)
    core = schema.table("core")
    assert core.names == ("id", "age", "sex")
    assert (core.primary_key, core.column("id").embedding) == ("id", None)
    assert core.column("age").domain == {"min": 0, "max": 99}
    assert core.column("age").where == "core.age"
    assert (schema.unit.max_rows, schema.unit.rows_public) == (3, False)
    assert schema.targets[0].positive == "F"
    assert (schema.relationships[0].parent_table, schema.relationships[0].child_key) == ("core", "id")
    assert schema.undeclared() == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(pastuer={}), "'pastuer' is not a known key; did you mean 'pasteur'"),
        (lambda r: r["pasteur"].update(target=[]), "'target' is not a known key; did you mean"),
        (lambda r: columns(r).update(ages=AGE), "'ages' is not in the sdv part; did you mean 'age'"),
        (lambda r: columns(r)["age"].update(domian={}), "'domian' is not a known key; did you mean 'domain"),
        (lambda r: columns(r).pop("age"), "column core.age must have an embedding and a declared domain"),
        (lambda r: columns(r)["age"].pop("source"), "core.age must say where its domain is known from"),
        (lambda r: r["pasteur"]["tables"].update(cores={}), "'cores' is not in the sdv part; did you mean 'core'"),
        (
            lambda r: r["pasteur"]["targets"][0].update(column="sec"),
            "column 'sec' is not in table 'core'; did you mean",
        ),
        (lambda r: r["pasteur"]["targets"][0].update(table="cor"), "target table 'cor' is not in the schema"),
        (
            lambda r: r["pasteur"]["targets"][0].update(kind="rank"),
            r"kind \(rank\) must be classification",
        ),
        (
            lambda r: r["pasteur"]["unit"].update(max_rows=0),
            r"unit.max_rows \(0\) must be a whole number of at least 1",
        ),
        (lambda r: r["pasteur"]["unit"].update(max_row=1), "'max_row' is not a known key; did you mean 'max_rows'"),
    ],
)
def test_a_mistake_is_named_with_its_near_miss(change, message):
    with pytest.raises(SchemaError, match=message):
        parse(changed(change))


def test_a_draft_knows_what_nobody_has_declared():
    schema = parse(changed(lambda r: columns(r).update(age={**AGE, "declared": False})))
    assert [column.where for column in schema.undeclared()] == ["core.age"]


def test_merge_replaces_whole_columns_and_null_removes():
    over = {"pasteur": {"tables": {"core": {"columns": {"age": {"embedding": {"type": "uniform"}}, "sex": None}}}}}
    merged = merge(RAW, over)
    assert columns(merged) == {"age": {"embedding": {"type": "uniform"}}}
    assert columns(RAW)["sex"] == SEX


def test_a_views_file_lies_over_its_data_sets(tmp_path):
    (tmp_path / "d.s.json").write_text(json.dumps(RAW))
    (tmp_path / "v.s.json").write_text(json.dumps({"pasteur": {"unit": {"max_rows": 5}}}))
    schema = load(view="v", dataset="d", schema="s", components=["core"], folders=[tmp_path])
    assert list(schema.tables) == ["core"]
    assert schema.relationships == ()
    assert "relationships" not in schema.sdv or schema.sdv["relationships"] == []
    assert schema.unit.max_rows == 5


def test_the_users_folder_comes_first(tmp_path):
    for name, rows in (("mine", 7), ("packaged", 2)):
        (tmp_path / name).mkdir()
        raw = changed(lambda r, rows=rows: r["pasteur"]["unit"].update(max_rows=rows))
        (tmp_path / name / "d.s.json").write_text(json.dumps(raw))
    folders = [tmp_path / "mine", tmp_path / "packaged"]
    assert load(view="d", dataset="d", schema="s", components=["core"], folders=folders).unit.max_rows == 7


@pytest.mark.parametrize(
    ("text", "components", "message"),
    [
        (None, ["core"], r"schema 's': no metadata/d\.s\.json nor metadata/v\.s\.json"),
        ("{", ["core"], r"d\.s\.json: is not valid JSON"),
        (json.dumps(RAW), ["labs"], "component 'labs' of view 'v' is not described"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, components, message):
    if text is not None:
        (tmp_path / "d.s.json").write_text(text)
    with pytest.raises(SchemaError, match=message):
        load(view="v", dataset="d", schema="s", components=components, folders=[tmp_path])
