"""What is declared is obeyed, or the broken rule is named."""

from __future__ import annotations

import pyarrow as pa

from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.table import Table

ONLY = MetricsConfig(families=["validity"])


def set_values(tables, component, column, change):
    rows = tables[component].arrow()
    place = rows.column_names.index(column)
    values = change(rows[column].to_pylist())
    return {**tables, component: Table.of(rows.set_column(place, column, pa.array(values, rows[column].type)))}


def checked(schema, target, syn):
    measured = measure(target, {"syn": syn}, schema=schema, settings=ONLY, seed=0, rows={"stays": 50})
    assert not measured.failures
    scores = {raw.metric.split("/")[1]: raw.value for raw in measured.raws["syn"]}
    return scores, measured.details["syn"]["validity"]["checks"]


def test_good_data_scores_1(nested, ward):
    scores, broken = checked(nested, ward(50, 1), ward(50, 2))
    assert scores == {"keys": 1, "references": 1, "categories": 1, "bounds": 1, "missing": 1}
    assert broken == []


def test_each_broken_rule_is_named_without_a_value(nested, ward):
    syn = ward(50, 2)
    syn = set_values(syn, "stays", "ward", lambda v: ["SECRET", *v[1:]])
    syn = set_values(syn, "stays", "stay", lambda v: [v[1], *v[1:]])
    syn = set_values(syn, "stays", "length", lambda v: [99, None, *v[2:]])
    scores, broken = checked(nested, ward(50, 1), syn)
    found = {(c["column"], c["check"]): c["rows"] for c in broken}
    found.pop(("stay", "references"), None)  # children of the stay whose key is gone, if it had some
    assert found == {
        ("stay", "keys"): 1, ("ward", "categories"): 1, ("length", "bounds"): 1, ("length", "missing"): 1,
    }  # fmt: skip
    assert all(value < 1 for name, value in scores.items() if name != "references")
    assert "SECRET" not in str(broken)


def test_orphans(nested, ward):
    syn = set_values(ward(50, 2), "events", "stay", lambda v: [-7, *v[1:]])
    scores, broken = checked(nested, ward(50, 1), syn)
    assert scores["references"] < 1
    assert [(c["component"], c["check"], c["rows"]) for c in broken] == [("events", "references", 1)]


def test_orphans_are_still_there_after_the_cut(nested, ward):
    syn = set_values(ward(400, 2), "events", "stay", lambda v: [-1 if i % 4 == 0 else x for i, x in enumerate(v)])
    measured = measure(ward(50, 1), {"syn": syn}, schema=nested, settings=ONLY, seed=0, rows={"stays": 100})
    scores = {raw.metric: raw.value for raw in measured.raws["syn"]}
    assert 0.65 < scores["validity/references"] < 0.85


def test_an_empty_candidate_breaks_nothing(nested, ward):
    empty = {name: Table.of(table.arrow()[:0]) for name, table in ward(5, 1).items()}
    measured = measure(ward(50, 1), {"syn": empty}, schema=nested, settings=ONLY, seed=0, rows={"stays": 50})
    assert not measured.failures
    assert {raw.value for raw in measured.raws["syn"]} == {1.0}
