"""The library's call for data that anybody's tool made, and what people hand to it."""

from __future__ import annotations

import json
import time
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pasteur.errors import ConfigError, DataError
from pasteur.metrics import MetricsConfig, detection, evaluate, predictive
from pasteur.metrics.evaluation import halves
from pasteur.metrics.families import families, stream
from pasteur.schema import Schema
from pasteur.table import Table

pytestmark = pytest.mark.slow  # whole runs and whole evaluations

QUICK = MetricsConfig(families=["marginals", "validity", "sql"])
DEEP = MetricsConfig(depth="standard", families=[f for f in families() if f != "sdmetrics"])


def frame(people, rows, seed):
    return people(rows, seed)["core"].frame()


def clean(found):
    """No family failed, and the document is JSON without NaN."""
    assert not found.failures, found.failures
    json.dumps(found.document, allow_nan=False)
    return {score.metric: score for score in found.scores}


def test_with_a_test_set_the_halves_are_of_it(flat, people):
    found = evaluate(frame(people, 600, 1), frame(people, 600, 2), flat, test=frame(people, 500, 3), settings=DEEP)
    scores = clean(found)
    assert not found.rewards_copying
    assert "evaluate" not in found.notes
    assert scores["copies/share"].reads == ("wrk",)
    assert scores["marginals/tvd2"].dec is None
    assert scores["marginals/tvd2"].wrk is not None
    assert abs(scores["marginals/tvd2"].gap) < 0.3
    assert set(found.details) == {"target", "ref", "base", "wrk", "syn"}


def test_without_one_a_copy_is_rewarded_and_the_result_says_so(flat, people):
    real = frame(people, 600, 1)
    found = evaluate(real, real, flat, settings=QUICK)
    assert found.rewards_copying
    assert "a copy of it scores well" in found.notes["evaluate"]
    assert clean(found)["marginals/tvd2"].gap < 0
    fresh = evaluate(real, real, flat, test=frame(people, 600, 2), settings=QUICK)
    assert clean(fresh)["marginals/tvd2"].gap > -0.2


def test_frames_tables_and_mappings_give_the_same(flat, people):
    real, made = people(300, 1), people(300, 2)
    forms = [(real, made), (real["core"], made["core"]), (real["core"].arrow(), made["core"].arrow())]
    documents = [evaluate(a, b, flat, settings=QUICK).document for a, b in forms]
    documents.append(evaluate(real["core"].frame(), made["core"].frame(), flat, settings=QUICK).document)
    assert all(d["scores"] == documents[0]["scores"] for d in documents)


def test_several_components(nested, ward):
    found = evaluate(ward(80, 1), ward(80, 2), nested, test=ward(120, 3), settings=DEEP)
    assert {"relational/pairs", "sequential/lengths", "detection/auc"} <= set(clean(found))
    with pytest.raises(ConfigError, match="real must be a mapping of components to tables: stays, events"):
        evaluate(ward(80, 1)["stays"], ward(80, 2), nested)
    with pytest.raises(ConfigError, match="synthetic must have the table 'events'"):
        evaluate(ward(80, 1), {"stays": ward(80, 2)["stays"]}, nested)
    with pytest.raises(ConfigError, match="synthetic: 'stay' is not a table of the schema; did you mean 'stays'"):
        evaluate(ward(80, 1), {"stay": ward(80, 2)["stays"]}, nested)


def test_halves_keep_units_and_families_together(nested, ward):
    one, two = halves(ward(60, 1), nested, rng=stream(0, "x"), name="real")
    units = [set(side["stays"].frame()["_unit"]) for side in (one, two)]
    assert not units[0] & units[1]
    for side in (one, two):
        assert set(side["events"].frame()["stay"]) <= set(side["stays"].frame()["stay"])


# What people hand in.


def test_columns_in_another_order_and_further_ones(flat, people):
    made = frame(people, 300, 2)
    odd = made[made.columns[::-1]].assign(**{"<script>": 1, "x" * 10_000: "y"})
    one, two = (evaluate(frame(people, 300, 1), m, flat, settings=QUICK) for m in (made, odd))
    assert one.document["scores"] == two.document["scores"]
    assert "left out, for the schema has no such column: <script>, xxxx" in two.notes["columns/synthetic/core"]
    assert len(two.notes["columns/synthetic/core"]) < 200


@pytest.mark.parametrize("side", ["real", "synthetic", "test"])
def test_a_missing_column_is_named(flat, people, side):
    sides = {name: frame(people, 99, i) for i, name in enumerate(("real", "synthetic", "test"))}
    sides[side] = sides[side].rename(columns={"height": "hight"})
    with pytest.raises(DataError, match=f"{side}: column core.height is in the schema .* did you mean 'hight'"):
        evaluate(sides["real"], sides["synthetic"], flat, test=sides["test"], settings=QUICK)


def test_types_that_say_the_same_are_taken(flat, people):
    made = frame(people, 300, 2)
    odd = made.assign(
        age=made["age"].astype(float), height=made["height"].astype(str), city=made["city"].astype("category")
    )
    one, two = (evaluate(frame(people, 300, 1), m, flat, settings=QUICK) for m in (made, odd))
    assert one.document["scores"] == two.document["scores"]


def test_a_type_that_cannot_be_read_is_named_and_no_value(flat, people):
    made = frame(people, 300, 2).assign(age=["SECRET"] * 300)
    with pytest.raises(DataError, match=r"synthetic: column core\.age \(.*string\) must be numbers") as caught:
        evaluate(frame(people, 300, 1), made, flat, settings=QUICK)
    assert "SECRET" not in str(caught.value)


def test_whole_numbers_that_are_none_are_judged_as_they_are(flat, people):
    made = frame(people, 300, 2)
    scores = clean(evaluate(frame(people, 300, 1), made.assign(age=made["age"] + 0.4), flat, settings=QUICK))
    assert scores["marginals/wasserstein"].parts["syn"]["age"] > 0.03


def test_too_few_real_rows(flat, people):
    with pytest.raises(DataError, match="real: table 'core' must have at least 20 rows to be cut in two"):
        evaluate(frame(people, 19, 1), frame(people, 99, 2), flat)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """These tests are of what comes in and out."""
    monkeypatch.setitem(detection.STEPS, "standard", 5)
    monkeypatch.setitem(predictive.MODELS, "standard", ("linear", "boosting"))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_hardly_any_synthetic_row(flat, people, rows):
    scores = clean(evaluate(frame(people, 300, 1), frame(people, rows, 2), flat, settings=DEEP))
    assert scores["marginals/tvd2"].syn > scores["marginals/tvd2"].base
    if rows == 0:
        assert scores["marginals/tvd1"].syn == scores["detection/auc"].syn == 1


@pytest.mark.slow
def test_a_million_synthetic_rows(flat, people):
    """They are cut to the anchors' size: the scores cost no more than the reading."""
    made = Table.of(people(1_000_000, 2)["core"].arrow())
    started = time.process_time()
    scores = clean(evaluate(frame(people, 2000, 1), made, flat, settings=QUICK))
    assert time.process_time() - started < 60
    assert abs(scores["marginals/tvd2"].gap) < 0.2


ODD = {
    "a target of one class": lambda d: d.assign(rich="no"),
    "a target without an answer": lambda d: d.assign(rich=None),
    "a category that only one side has": lambda d: d.assign(city=["Delphi", *d["city"][1:]]),
    "all of one city": lambda d: d.assign(city="Cork"),
    "no city": lambda d: d.assign(city=None),
    "no height": lambda d: d.assign(height=np.nan),
    "one height": lambda d: d.assign(height=5.0),
    "infinite heights": lambda d: d.assign(height=np.where(np.arange(len(d)) % 2, np.inf, -np.inf)),
    "huge heights": lambda d: d.assign(height=1.7e308),
    "html": lambda d: d.assign(city="<script>alert(1)</script>"),
    "sql": lambda d: d.assign(city="'; DROP TABLE core; --"),
    "unicode": lambda d: d.assign(city="Αθήνα\u202e\x00🏛"),
    "a text of 10,000 letters": lambda d: d.assign(city="x" * 10_000),
}


@pytest.mark.parametrize("side", ["synthetic", "real"])
@pytest.mark.parametrize("name", ODD)
def test_odd_values_fail_no_family(schema_of, people, name, side):
    schema = schema_of("rich", "height", "city")
    sides = {"real": frame(people, 200, 1), "synthetic": frame(people, 200, 2)}
    sides[side] = ODD[name](sides[side])
    config = MetricsConfig(
        families=[f for f in DEEP.families if f not in ("predictive", "detection")], depth="standard"
    )
    found = evaluate(sides["real"], sides["synthetic"], schema, settings=config)
    clean(found)
    assert len(json.dumps(found.document)) < 300_000


@pytest.mark.parametrize(
    "name", ["a target of one class", "a target without an answer", "no height", "all of one city"]
)
@pytest.mark.parametrize("side", ["synthetic", "real"])
def test_models_of_odd_values(schema_of, people, name, side):
    sides = {"real": frame(people, 200, 1), "synthetic": frame(people, 200, 2)}
    sides[side] = ODD[name](sides[side])
    config = MetricsConfig(families=["predictive", "detection"], depth="standard")
    found = evaluate(sides["real"], sides["synthetic"], schema_of("rich", "height"), settings=config)
    clean(found)
    if side == "real" and "target" in name:
        assert any(note.startswith(("one class", "no answers")) for note in found.notes.values())


NAMES = [
    "<img src=x onerror=alert(1)>",
    "a,b",
    'quo"te',
    "'; DROP TABLE core; --",
    "núm€ro ",
    "x" * 10_000,
    "select",
    "a\\",
]


def test_odd_column_names(people):
    """Names are text of a user's file: none of them breaks a score, a query or the document."""
    columns, ours = {}, {}
    for i, name in enumerate(NAMES):
        columns[name] = {"sdtype": "categorical" if i % 2 else "numerical"}
        domain = {"levels": ["no", "yes"]} if i % 2 else {"min": 0, "max": 9}
        ours[name] = {"embedding": {"type": "categories" if i % 2 else "integers"}, "domain": domain, "source": "here"}
    raw = {
        "sdv": {"METADATA_SPEC_VERSION": "V1", "tables": {"core": {"columns": columns}}, "relationships": []},
        "pasteur": {
            "tables": {"core": {"columns": ours}},
            "targets": [{"table": "core", "column": NAMES[1], "kind": "classification", "positive": "yes"}],
        },
    }
    schema = Schema.parse(raw, name="odd", file="odd.json")

    def rows(seed):
        rng = np.random.default_rng(seed)
        held = {
            n: np.where(rng.random(300) < 0.4, "yes", "no") if i % 2 else rng.integers(0, 10, 300)
            for i, n in enumerate(NAMES)
        }
        return pd.DataFrame(held)

    found = evaluate(rows(1), rows(2), schema, settings=DEEP)
    scores = clean(found)
    assert len(scores["marginals/tvd2"].parts["syn"]) == len(NAMES) * (len(NAMES) - 1) // 2
    assert all(len(metric) < 200 for metric in scores)


def test_it_warns_of_nothing(flat, people):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(frame(people, 100, 1), frame(people, 100, 2).assign(city="Cork"), flat, settings=DEEP)


def test_dates_and_nulls_of_arrow_are_read(flat, people):
    made = people(100, 2)["core"].arrow()
    odd = made.set_column(3, "height", pa.nulls(100))
    clean(evaluate(people(100, 1), {"core": Table.of(odd)}, flat, settings=QUICK))
