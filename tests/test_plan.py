from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pasteur.app import compose
from pasteur.app.records import kept
from pasteur.catalog import resource
from pasteur.errors import ConfigError, PasteurError, SchemaError
from pasteur.experiment import PrivacyConfig
from pasteur.plan import prepare
from pasteur.views import ComponentConfig, ViewConfig


@pytest.fixture
def declared(project):
    """Rewrites the user's metadata, or writes another schema's."""

    def change(edit, schema="detail"):
        path = project.root / "metadata" / "people.detail.json"
        raw = json.loads(path.read_text())
        edit(raw["pasteur"]["tables"]["people"]["columns"], raw["sdv"]["tables"]["people"]["columns"], raw)
        path.with_name(f"people.{schema}.json").write_text(json.dumps(raw))

    return change


@pytest.mark.parametrize(
    ("algorithm", "fit_on", "final", "splits", "target", "scored"),
    [
        ("independent", "wrk", False, ("wrk",), "dev", ("dev", "ref")),
        ("independent", "wrk", True, ("wrk",), "val", ("val", "ref")),
        ("mst", "wrk+ref", False, ("wrk", "ref"), "val", ("val",)),
        ("mst", "all", True, ("wrk", "ref", "val", "dev"), None, ()),
        ("reference", "wrk", False, ("ref",), "dev", ("dev", "ref")),
        ("bootstrap", "wrk", True, ("wrk",), "val", ("val", "ref")),
    ],
)
def test_what_is_fitted_is_never_what_it_is_scored_on(project, algorithm, fit_on, final, splits, target, scored):
    made = project(algorithm, fit_on=fit_on)
    plan = prepare(replace(made, metrics=replace(made.metrics, final=final)))
    assert (plan.splits, plan.target, plan.scored) == (splits, target, scored)
    assert plan.target not in plan.splits


def test_each_plan_is_a_run_of_its_own(project):
    plans = [prepare(project()) for _ in range(20)]
    assert len({plan.run_id for plan in plans}) == 20
    assert sorted(plan.version[:24] for plan in plans) == [plan.version[:24] for plan in plans]


def test_a_plan_reads_no_data_and_writes_nothing(project):
    (project.root / "people.csv").unlink()
    before = sorted(project.root.rglob("*"))
    assert prepare(project("mst")).schema.undeclared() == ()
    assert sorted(project.root.rglob("*")) == before
    assert kept(project.root) == []


def test_the_generic_view_takes_the_data_sets_name_and_tables(project):
    view = prepare(project()).experiment.view
    assert (view.name, list(view.components), view.unit) == ("people", ["people"], "_unit")


def test_a_budget_that_the_settings_choose_the_accountant_of(project):
    assert prepare(project(privacy=PrivacyConfig(accountant="zcdp"))).ledger.accountant.name == "zcdp"
    plan = prepare(project("reference"))
    assert plan.ledger is None


MISTAKES = {
    "unknown algorithm": ({"algorithm": "msst"}, ConfigError, "did you mean 'mst'?"),
    "unknown schema": ({"schema": "detial"}, SchemaError, "schema 'detial': no metadata/people.detial.json"),
    "a component that nobody described": (
        {"view": ViewConfig(name="v", components={"peple": ComponentConfig(sql="SELECT * FROM people")})},
        SchemaError,
        "component 'peple' of view 'v' is not described",
    ),
    "a final fit without a guarantee": (
        {"algorithm": "bootstrap", "fit_on": "wrk+ref"},
        ConfigError,
        "fit_on (wrk+ref) must be wrk for an algorithm without a guarantee",
    ),
}


@pytest.mark.parametrize(("change", "error", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_before_any_data_is_read(project, change, error, said):
    (project.root / "people.csv").unlink()
    with pytest.raises(error) as caught:
        prepare(replace(project(), **change))
    assert said in str(caught.value)
    assert not (project.root / "data").exists()
    assert not (project.root / "outputs").exists()


BAD_METADATA = {
    "unknown column": (
        lambda ours, sdv, raw: ours.update(agee=ours["age"]),
        "column 'agee' is not in the sdv part; did you mean 'age'?",
    ),
    "no declared domain": (lambda ours, sdv, raw: ours["age"].pop("domain"), "people.age"),
    "no entry at all": (lambda ours, sdv, raw: ours.pop("age"), "people.age must have an embedding and a declared"),
    "no source": (lambda ours, sdv, raw: ours["age"].pop("source"), "people.age must say where its domain is known"),
    "unknown embedding": (lambda ours, sdv, raw: ours["age"]["embedding"].update(type="unform"), "mean 'uniform'?"),
    "min above max": (lambda ours, sdv, raw: ours["age"]["domain"].update(min=99), "people.age"),
    "no bins": (lambda ours, sdv, raw: ours["age"]["embedding"].update(bins=0), "people.age"),
    "a level twice": (lambda ours, sdv, raw: ours["sex"]["domain"]["levels"].append("Male"), "people.sex"),
    "no level": (lambda ours, sdv, raw: ours["sex"]["domain"].update(levels=[]), "people.sex"),
    "a target that is no column": (lambda ours, sdv, raw: raw["pasteur"]["targets"][0].update(column="sx"), "'sx'"),
}


@pytest.mark.parametrize(("edit", "said"), BAD_METADATA.values(), ids=BAD_METADATA)
def test_metadata_that_no_private_run_can_use(project, declared, edit, said):
    declared(edit)
    with pytest.raises(PasteurError) as caught:
        prepare(project())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_coarser_schema_is_scored_in_the_bins_of_detail(project, declared):
    declared(lambda ours, sdv, raw: ours["age"]["embedding"].update(bins=4), schema="coarse")
    plan = prepare(project(schema="coarse"))
    assert plan.schema.tables["people"].column("age").embedding["bins"] == 4
    assert plan.bench.schema.tables["people"].column("age").embedding["bins"] == 16


def test_a_schema_that_drops_a_column_is_scored_by_itself_and_queries_over_it_are_told(project, declared):
    queries = project.root / "metrics" / "people" / "bench.work.sql"
    queries.parent.mkdir(parents=True)
    ask = "-- name: {0}s\n-- kind: share\n-- keys: {0}\n-- values: n=count\n"
    ask += "SELECT {0}, count(*) AS n FROM people GROUP BY {0};\n"
    queries.write_text(ask.format("age") + "\n" + ask.format("sex"))

    def drop(ours, sdv, raw):
        del ours["sex"], sdv["sex"]
        raw["pasteur"]["tables"]["people"]["drop"] = ["sex"]

    declared(drop, schema="lean")
    made = project(schema="lean")
    plan = prepare(replace(made, metrics=replace(made.metrics, families=None)))
    assert plan.bench.schema.name == plan.schema.name
    assert [query.metric.rpartition("/")[2] for query in plan.bench.queries] == ["ages"]
    assert "needs column 'sex', which schema 'people.lean' drops" in plan.bench.notes.values()


def test_a_fine_tuned_compressor_brings_its_accountant(tmp_path):
    experiment = compose.experiment(["dataset=lahman", "view=lahman_careers", f"pasteur.root={tmp_path}"])
    raw = json.loads((resource("metadata") / "lahman_careers.detail.json").read_text())
    raw["pasteur"]["compressors"]["batting"] |= {"type": "fsq", "share": 0.1}
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "lahman_careers.detail.json").write_text(json.dumps(raw))
    assert prepare(experiment).ledger.accountant.name.startswith("rdp-")
    other = replace(experiment, privacy=replace(experiment.privacy, accountant="gdp"))
    with pytest.raises(ConfigError, match=r"privacy.accountant \(gdp\) must be auto"):
        prepare(other)


def test_compressors_that_leave_no_budget_are_refused_before_any_is_spent(tmp_path):
    experiment = compose.experiment(["dataset=lahman", "view=lahman_careers", f"pasteur.root={tmp_path}"])
    raw = json.loads((resource("metadata") / "lahman_careers.detail.json").read_text())
    raw["pasteur"]["compressors"]["batting"] = {"type": "pca", "share": 0.5, "residual": 0.6}
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "lahman_careers.detail.json").write_text(json.dumps(raw))
    with pytest.raises(SchemaError, match=r"compressors of batting \(1.1\) must be 0.8 or less together"):
        prepare(experiment)
