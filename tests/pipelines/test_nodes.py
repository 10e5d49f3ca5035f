from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur import synth
from pasteur.catalog import SPLITS
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import ConfigError, DataError
from pasteur.pipelines.benchmark import pipeline as benchmark
from pasteur.pipelines.benchmark.nodes import _components
from pasteur.pipelines.execute import ALWAYS
from pasteur.pipelines.processing import nodes
from pasteur.pipelines.processing import pipeline as processing
from pasteur.pipelines.synthesize import pipeline as synthesize
from pasteur.pipelines.synthesize import tree
from pasteur.pipelines.synthesize.nodes import concatenate, draw
from pasteur.schema import Schema
from pasteur.table import Table

TABLES = {
    "patient": {"age": ({"type": "integers"}, {"min": 0, "max": 9})},
    "stay": {"ward": ({"type": "categories"}, {"levels": ["a", "b", "c"]})},
}


@pytest.fixture(scope="module")
def schema():
    """Two components, in an order that is not that of the alphabet's end."""
    raw = {
        "sdv": {"tables": {t: {"columns": {c: {"sdtype": "categorical"} for c in cs}} for t, cs in TABLES.items()}},
        "pasteur": {
            "tables": {
                t: {"columns": {c: {"embedding": e, "domain": d, "source": "here"} for c, (e, d) in cs.items()}}
                for t, cs in TABLES.items()
            }
        },
    }
    return Schema.parse(raw, name="v.detail", file="v.detail.json")


def rows(component, values):
    (name,) = TABLES[component]
    return Table.of(pa.table({name: values}))


def splits_of(component, *values):
    return [rows(component, part) for part in values]


def test_inspection_names_the_component_and_the_split(schema):
    good = splits_of("patient", [1], [2], [3], [4])
    bad = splits_of("stay", ["a"], ["b"], ["c", "secret7"], ["a"])
    with pytest.raises(DataError, match=r"^stay\.val: column stay\.ward: row 2 must be one of") as caught:
        nodes.inspect(schema, *good, *bad)
    assert "secret7" not in str(caught.value)


def test_inspection_reports_on_the_training_split_alone(schema):
    good = splits_of("patient", [1, 20], [2], [3], [4])
    report = nodes.inspect(schema, *good, *splits_of("stay", ["a"], ["b"], ["c"], ["a"]))
    other = nodes.inspect(
        schema, *splits_of("patient", [1, 2], [20], [20], [4]), *splits_of("stay", ["a"], ["b"], ["c"], ["a"])
    )
    assert list(report) == ["patient", "stay"]
    assert report["patient"] != other["patient"]
    assert report["stay"] == other["stay"]
    json.dumps(report)


def test_the_curator_is_told_how_many_rows_do_not_count():
    """Of the training split: past the declared maximum of a parent, and of no parent. Later on nothing says so."""
    ids = {"sdtype": "id"}
    link = {"parent_table_name": "patient", "parent_primary_key": "who", "child_table_name": "stay"}
    raw = {
        "sdv": {
            "tables": {
                "patient": {"primary_key": "who", "columns": {"who": ids}},
                "stay": {"columns": {"who": ids}},
            },
            "relationships": [link | {"child_foreign_key": "who"}],
        },
        "pasteur": {"tables": {"stay": {"max_rows": 4}}},
    }
    schema = Schema.parse(raw, name="v.detail", file="v.detail.json")

    def inspected(stays):
        parents, nobody = Table.of(pa.table({"who": [1, 2, 3]})), Table.of(pa.table({"who": pa.array([], pa.int64())}))
        children = Table.of(pa.table({"who": pa.array(stays, pa.int64())}))
        return nodes.inspect(schema, parents, nobody, nobody, nobody, children, nobody, nobody, nobody)

    told = inspected([1] * 40 + [2] * 4 + [9] * 5 + [None])
    assert told["stay"] == {"who": {"past": 36 / 50, "orphan": 6 / 50}}
    assert inspected([])["stay"] == {"who": {"past": 0, "orphan": 0}}
    json.dumps(told)


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 9), max_size=20),
    st.lists(st.sampled_from("abc"), max_size=20),
    st.integers(0, 5),
)
def test_values_survive_encoding_and_decoding_whatever_the_seed(schema, ages, wards, seed):
    tables = [rows("patient", pa.array(ages, pa.int64())), rows("stay", pa.array(wards, pa.string()))]
    dictionary = json.loads(json.dumps(nodes.declare(schema, {}, *tables)))
    codes = nodes.encode(dictionary, *tables)
    assert list(codes) == ["patient", "stay"]
    back = nodes.decode(dictionary, seed, *codes.values())
    assert back["patient"].arrow()["age"].to_pylist() == ages
    assert back["stay"].arrow()["ward"].to_pylist() == wards


def test_a_table_too_many_or_too_few_is_no_silent_cut(schema):
    tables = [rows("patient", [1]), rows("stay", ["a"])]
    dictionary = nodes.declare(schema, {}, *tables)
    for wrong in (tables[:1], [*tables, tables[0]]):
        with pytest.raises(ValueError, match="zip"):
            nodes.declare(schema, {}, *wrong)
        with pytest.raises(ValueError, match="zip"):
            nodes.encode(dictionary, *wrong)
        with pytest.raises(ValueError, match="zip"):
            _components(schema, [*tables, *wrong][:3])


def test_components_are_taken_data_set_by_data_set(schema):
    tables = [rows("patient", [i]) if i % 2 == 0 else rows("stay", ["a"]) for i in range(6)]
    held = _components(schema, tables)
    assert [list(part) for part in held] == [["patient", "stay"]] * 3
    assert [part["patient"].arrow()["age"].to_pylist() for part in held] == [[0], [2], [4]]


@given(st.lists(st.lists(st.integers(0, 255), max_size=4), min_size=1, max_size=4))
def test_splits_are_joined_in_order_and_may_be_read_again(parts):
    tables = [Table.of(pa.table({"x": pa.array(part, pa.uint8())})) for part in parts]
    joined = concatenate(tables)
    expected = [value for part in parts for value in part]
    for _ in range(2):
        assert joined.arrow()["x"].to_pylist() == expected
    assert joined.rows == len(expected)


def test_a_join_with_a_table_of_unknown_length_has_none():
    one = pa.table({"x": [1]})
    lazy = Table.stream(one.schema, one.to_batches)
    assert concatenate([Table.of(one), lazy]).rows is None
    assert concatenate([Table.of(one), lazy]).arrow().num_rows == 2


def test_what_is_drawn_comes_from_the_splits_that_were_named():
    """The codes lie split by split; a mix-up would score an algorithm on the rows it was given."""
    codes = [rows("patient", [1]), rows("stay", ["a"]), rows("patient", [2]), rows("stay", ["b"])]
    settings_ = synth.find("reference").Settings()
    made = draw("reference", settings_, ("patient", "stay"), ("wrk", "ref"), None, 0, *codes)
    assert made["patient"].arrow()["age"].to_pylist() == [2]
    assert made["stay"].arrow()["ward"].to_pylist() == ["b"]
    with pytest.raises(ConfigError, match=r"rows \(5\) must be null for algorithm 'reference'"):
        draw("reference", settings_, ("patient",), ("ref",), 5, 0, codes[0])


def test_encoders_of_the_dictionary_decode_as_the_ones_that_were_declared(schema):
    table = rows("patient", pa.array(np.arange(10)))
    entry = nodes.declare(schema, {}, table, rows("stay", ["a"]))["patient"]
    declared = TableEncoder.declare(schema.tables["patient"])
    assert TableEncoder.from_dict(entry).encode(table).arrow().equals(declared.encode(table).arrow())


def names(pipeline):
    return [node.name for node in pipeline.nodes]


def test_which_codes_say_that_there_is_no_value_follows_from_the_schema():
    domain = {"levels": ["a", "b"], "null": True}
    columns = {"ward": ({"type": "categories"}, domain), "age": ({"type": "integers"}, {"min": 0, "max": 9})}
    raw = {
        "sdv": {"tables": {"stay": {"columns": {name: {"sdtype": "categorical"} for name in columns}}}},
        "pasteur": {
            "tables": {
                "stay": {"columns": {c: {"embedding": e, "domain": d, "source": "x"} for c, (e, d) in columns.items()}}
            }
        },
    }
    encoder = TableEncoder.declare(Schema.parse(raw, name="v.detail", file="v.detail.json").table("stay"))
    assert tree.missing(encoder.to_dict()) == ["ward"]


def test_everything_before_the_algorithm_is_made_from_data_and_settings_alone(project):
    """No node of processing may depend on the algorithm or its budget: a sweep encodes once."""
    from pasteur.plan import prepare

    e = prepare(project()).experiment
    made = processing.create(e.dataset, e.view)
    assert made.inputs() == {f"params__{n}" for n in ("accept", "dataset", "raw", "root", "schema", "seed", "view")}
    assert {node.name for node in made.nodes if ALWAYS in node.tags} == {"fetch"}
    order = names(made)
    assert order.index("inspect") < min(order.index(f"encode_{split}") for split in SPLITS)


def test_only_fit_holds_both_the_ledger_and_codes():
    made = synthesize.create(("people",), ("wrk", "ref"), private=True)
    by_name = {node.name: node for node in made.nodes}
    assert [n for n, node in by_name.items() if "ledger" in node.inputs] == ["fit"]
    assert [n for n, node in by_name.items() if any(i.startswith("encoded__") for i in node.inputs)] == ["fit"]
    assert made.inputs() >= {"encoded__people__wrk", "encoded__people__ref"}
    assert not any("val" in i or "dev" in i for i in made.inputs())
    assert all(ALWAYS in node.tags for node in made.nodes)


def test_a_private_model_is_of_one_component():
    with pytest.raises(ValueError, match="too many values"):
        synthesize.create(("patient", "stay"), ("wrk",), private=True)


@pytest.mark.parametrize("reference", [True, False])
def test_scores_read_the_target_and_ref_only_where_it_was_not_fitted(reference):
    made = benchmark.create(("a", "b"), "val", reference=reference)
    real = {i for i in made.inputs() if i.startswith("view__")}
    # wrk is shown beside the others (copies, fit): no objective may read a score that did.
    assert real - {"view__a__wrk", "view__b__wrk"} == {"view__a__val", "view__b__val"} | (
        {"view__a__ref", "view__b__ref"} if reference else set()
    )
    anchors = next(node for node in made.nodes if node.name == "measure_anchors")
    assert not any(i.startswith("synthetic__") for i in anchors.inputs)
    assert ALWAYS not in anchors.tags
