from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from pasteur.errors import ConfigError, DataError
from pasteur.metrics import benchmark, families
from pasteur.metrics.benchmark import Measured, measure, measure_anchors, measure_synthetic, read_scores
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.families import Outcome
from pasteur.metrics.score import objective
from pasteur.metrics.sql_parse import parse
from pasteur.table import Table

QUERIES = parse(
    """-- name: wealth by age
-- kind: groups
-- keys: age
-- values: rich=ratio
SELECT age, avg((rich = 'yes')::INT) AS rich FROM core GROUP BY age""",
    file="people/bench.x.sql",
)


def anchors(schema, people, seed=0, **over):
    config = MetricsConfig(**over)
    held = {"decoded": people(900, 11), "reference": people(1000, 12, units=True)}
    return measure_anchors(
        people(800, 10, units=True), **held, schema=schema, settings=config, queries=QUERIES, seed=seed
    )


def synthetic(schema, people, made, seed=0, rows=950, **over):
    return measure_synthetic(
        people(800, 10, units=True), people(rows, 13), anchors=made, schema=schema, settings=MetricsConfig(**over),
        queries=QUERIES, seed=seed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(flat, people):
    """The anchors of all families."""
    return anchors(flat, people)


def test_a_run_is_scored_beside_anchors_measured_once_and_kept_as_json(flat, people, whole):
    made = json.loads(json.dumps(whole))
    document = json.loads(json.dumps(synthetic(flat, people, made)))
    scores = {score.metric: score for score in read_scores(document)}
    assert not document["failures"]
    assert document["rows"] == made["rows"] == {"core": 950}
    assert set(document["seconds"]) == {"marginals", "predictive", "sql", "validity"}
    assert {"marginals/tvd2", "predictive/rich/boosting/auc", "sql/mean"} <= set(scores)
    # The synthetic data is fresh real data here: no gap, and no signal where there is nothing to tell apart.
    assert abs(scores["marginals/tvd2"].gap) < 0.15
    assert scores["marginals/tvd1"].gap_text == "no signal"
    assert set(document["details"]) == {"target", "syn", "dec", "ref", "base"}
    assert {tuple(row["columns"]) for row in document["worst"]["columns"]} == {(c,) for c in flat.tables["core"].names}
    for score in scores.values():
        assert score.split == "dev"
        assert None not in (score.dec, score.ref, score.base)


@pytest.mark.slow
def test_scores_are_the_same_for_the_same_seed(flat, people, whole):
    assert {**whole, "seconds": 0} == {**anchors(flat, people), "seconds": 0}
    one, two = synthetic(flat, people, whole), synthetic(flat, people, whole)
    assert one["scores"] == two["scores"]
    only = {"families": ["marginals"]}
    seeds = [
        {raw["metric"]: raw["value"] for raw in anchors(flat, people, seed=s, **only)["raws"]["base"]} for s in (0, 1)
    ]
    assert seeds[0] != seeds[1]


def test_independent_columns_have_a_gap_of_1(flat, people, whole):
    from pasteur.metrics.candidates import independent
    from pasteur.metrics.families import stream

    shuffled = independent({"core": people(950, 13)["core"].arrow()}, schema=flat, rng=stream(5, "x"))
    document = measure_synthetic(
        people(800, 10, units=True), {"core": Table.of(shuffled["core"])}, anchors=whole, schema=flat,
        settings=MetricsConfig(), queries=QUERIES, seed=0,
    )  # fmt: skip
    scores = {score.metric: score for score in read_scores(document)}
    assert scores["marginals/tvd2"].gap == pytest.approx(1, abs=0.15)
    assert scores["predictive/rich/boosting/auc"].gap > 0.5


def test_short_synthetic_data_says_so(flat, people):
    only = {"families": ["marginals"]}
    document = synthetic(flat, people, anchors(flat, people, **only), rows=100, **only)
    assert document["notes"]["size/syn/core"] == "100 rows beside 950 of the others: fewer rows score worse"


def test_a_large_target_is_sampled_and_says_so(flat, people):
    made = anchors(flat, people, sample=200, families=["marginals"])
    assert made["rows"] == {"core": 200}
    assert made["notes"]["sample/core"] == "scored on 200 of 800 rows of dev"


def test_without_ref_there_is_no_gap(flat, people):
    config = MetricsConfig(final=True)
    made = measure_anchors(
        people(300, 10), decoded=people(300, 11), reference=None, schema=flat, settings=config, queries=QUERIES, seed=0
    )
    assert set(made["raws"]) == {"dec"}
    scores = read_scores(synthetic(flat, people, made, final=True))
    assert {score.gap_text for score in scores} == {"no anchors"}
    assert {score.split for score in scores} == {"val"}


def test_anchors_of_other_metrics_are_refused(flat, people):
    made = anchors(flat, people, families=["marginals"])
    with pytest.raises(ConfigError, match="anchors must be measured with the same metrics: they lack"):
        synthetic(flat, people, made)


class Broken:
    name = "broken"
    depths = frozenset({"quick"})

    def __init__(self, error):
        self.error = error

    def measure(self, target, candidates, task):
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DataError("a clear sentence"), "a clear sentence"),
        (ValueError("could not convert 'SECRET'"), r"ValueError at test_benchmark.py:"),
    ],
)
def test_a_family_that_fails_is_failed_and_the_others_finish(flat, people, monkeypatch, error, reason):
    known = families.families()
    monkeypatch.setattr(families, "families", lambda: {"broken": Broken(error), "marginals": known["marginals"]})
    measured = measure(people(99, 1), {"syn": people(99, 2)}, schema=flat, settings=MetricsConfig(), seed=0)
    assert set(measured.failures) == {"broken"}
    assert measured.failures["broken"].startswith(reason)
    assert "SECRET" not in str(measured.failures)
    assert {raw.metric for raw in measured.raws["syn"]} >= {"marginals/tvd2"}


def test_a_family_that_failed_on_the_anchors_is_a_failure_of_the_run(flat, people, monkeypatch):
    known, broken = families.families(), Broken(DataError("no"))
    monkeypatch.setattr(families, "families", lambda: {"broken": broken, "marginals": known["marginals"]})
    made = anchors(flat, people)
    broken.measure = lambda target, candidates, task: Outcome(scores={})
    assert synthetic(flat, people, made)["failures"] == {"broken (anchors)": "no"}


def test_families_run_at_their_depths_and_by_name(flat, people, monkeypatch):
    deep = SimpleNamespace(name="deep", depths=frozenset({"full"}), measure=lambda t, c, k: Outcome(scores={}))
    known = families.families()
    assert set(known) == {
        "association", "copies", "detection", "fit", "marginals", "predictive", "relational", "sdmetrics", "sequential",
        "sql", "validity",
    }  # fmt: skip
    assert [f.name for f in families.chosen(MetricsConfig(depth="quick"))] == [
        "marginals", "predictive", "sql", "validity",
    ]  # fmt: skip
    monkeypatch.setattr(families, "families", lambda: {**known, "deep": deep})
    assert "deep" not in [f.name for f in families.chosen(MetricsConfig(depth="quick"))]
    assert "deep" in [f.name for f in families.chosen(MetricsConfig(depth="full"))]
    assert [f.name for f in families.chosen(MetricsConfig(families=["sql"]))] == ["sql"]
    with pytest.raises(ConfigError, match="no family 'sqll'; did you mean 'sql'"):
        families.find("sqll")


def watched(tables, name, read):
    """The tables, noting that they were read."""

    def watch(table):
        def make(columns, rows):
            read.add(name)
            return table.make(columns, rows)

        return Table(schema=table.schema, rows=table.rows, make=make)

    return {component: watch(table) for component, table in tables.items()}


@pytest.mark.slow
def test_lineage_an_objective_reads_syn_ref_and_the_target_only(flat, people):
    """Whatever dec (made of wrk) holds, the numbers that a choice may rest on are the same."""
    read = set()
    candidates = {"syn": people(300, 13), "ref": people(300, 12), "dec": people(300, 11)}
    target = watched(people(800, 10), "target", read)
    held = {name: watched(tables, name, read) for name, tables in candidates.items()}
    config = MetricsConfig()
    made = {}
    for names in (("syn", "ref"), ("syn", "ref", "dec")):
        read.clear()
        measured = measure(
            target, {n: held[n] for n in names}, schema=flat, settings=config, queries=QUERIES, seed=0,
            rows={"core": 280},
        )  # fmt: skip
        assert read == {"target", *names}
        scores = benchmark.combine(measured.raws["syn"], measured.raws, split="dev")
        metrics = [score.metric for score in scores if score.gap is not None]
        made[names] = {name: objective(scores, name) for m in metrics for name in (m, f"{m}.gap")}
        with pytest.raises(ConfigError, match="it reads dec"):
            objective(scores, f"{metrics[0]}.model_gap")
    one, two = made.values()
    assert one
    assert one == two


def test_measured_and_its_json_are_the_same(flat, people):
    measured = measure(people(99, 1), {"ref": people(99, 2)}, schema=flat, settings=MetricsConfig(), seed=0)
    assert Measured.read(json.loads(json.dumps(measured.document()))) == measured


def test_several_components(nested, ward):
    config = MetricsConfig()
    held = {"decoded": ward(200, 2), "reference": ward(200, 3)}
    made = measure_anchors(ward(150, 1), **held, schema=nested, settings=config, seed=0)
    assert made["rows"] == {"stays": 190}
    document = measure_synthetic(ward(150, 1), ward(200, 4), anchors=made, schema=nested, settings=config, seed=0)
    assert not document["failures"]
    assert {s["metric"] for s in document["scores"]} >= {"marginals/tvd2", "marginals/tvd2/events"}
