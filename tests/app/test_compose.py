from __future__ import annotations

import dataclasses
import typing

import pytest

from pasteur.app import compose, groups
from pasteur.app.verbs.check import combinations
from pasteur.errors import ConfigError
from pasteur.experiment import Experiment


@pytest.fixture(autouse=True)
def _empty(project):
    """Nothing but what is packaged."""


COMBINATIONS = combinations()

LINES = [f"dataset={d} view={v} schema={s} algorithm=reference" for d, v, s in COMBINATIONS]

OPTIONS = [f"{g}={option}" for g in ("algorithm", "privacy", "metrics", "experiment") for option in groups.options(g)]


def test_the_defaults_are_a_run_of_adult():
    e = compose.experiment([])
    assert (e.dataset.name, e.view.name, e.schema, e.algorithm) == ("adult", "adult", "detail", "weave")
    assert (e.privacy.epsilon, e.privacy.delta, e.seed, e.rows, e.format, e.fit_on) == (
        1.0,
        1e-9,
        0,
        None,
        "csv",
        "wrk",
    )
    assert e.root.is_absolute()


@pytest.mark.parametrize("line", LINES)
def test_every_data_set_with_its_views_and_schemas(line):
    e = compose.experiment(line.split())
    assert isinstance(e, Experiment)
    assert line.split()[1:] == [f"view={e.view.name}", f"schema={e.schema}", f"algorithm={e.algorithm}"]
    assert line.split()[0].startswith(f"dataset={e.dataset.name}")  # a data set's twin in a server has its name
    assert e.view.components


@pytest.mark.parametrize("dataset", groups.options("dataset"))
def test_every_data_set_names_its_view_and_that_its_schema(dataset):
    e = compose.experiment([f"dataset={dataset}", "algorithm=reference"])
    assert (dataset, e.view.name, e.schema) in COMBINATIONS


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_composes(option):
    e = compose.experiment([option])
    group, _, name = option.partition("=")
    if group == "algorithm":  # a sweep's settings are overrides of what its file spells out
        assert e.algorithm == name
        spelt = groups.read(groups.options(group)[name]).keys() - {"_target_"}
        assert {field.name for field in dataclasses.fields(typing.cast("typing.Any", e.settings))} == spelt


def test_what_is_packaged_is_there():
    assert {"adult", "kdd_census", "mimic_demo"} <= set(groups.options("dataset"))
    assert ("adult", "adult", "paper") in COMBINATIONS


def test_a_view_brings_its_schema_and_the_command_line_overrides_both():
    e = compose.experiment(["dataset=mimic_demo", "algorithm=reference"])
    assert (e.view.name, e.schema) == ("mimic_core", "detail")
    assert compose.experiment(["schema=coarse"]).schema == "coarse"


def test_an_experiment_lies_under_the_command_line():
    assert compose.experiment(["experiment=adult_paper"]).schema == "paper"
    e = compose.experiment(["experiment=adult_paper", "schema=coarse", "algorithm=independent", "seed=7"])
    assert (e.schema, e.algorithm, e.seed, e.tags) == ("coarse", "independent", 7, {"experiment": "adult_paper"})


def test_a_setting_need_not_stand_in_the_chosen_file():
    e = compose.experiment(["++metrics.final=true", "++dataset.salt=other", "++tags.who=me"])
    assert (e.metrics.final, e.dataset.salt, e.tags["who"]) == (True, "other", "me")


def write(folder, text):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text(text, encoding="utf-8")


DATASET = """
name: mine
files:
  core: {path: mine.csv}
"""

METADATA = """{
"sdv": {"METADATA_SPEC_VERSION": "V1", "tables": {"core": {"columns": {"age": {"sdtype": "numerical"}}}}},
"pasteur": {"tables": {"core": {"columns": {"age": {
    "embedding": {"type": "integers"}, "domain": {"min": 0, "max": 120}, "source": "people"}}}}}}
"""


def test_a_project_needs_one_yaml_and_one_json(project):
    write(project / "configs/dataset/mine.yaml", DATASET)
    write(project / "metadata/mine.detail.json", METADATA)
    e = compose.experiment(["dataset=mine"])
    assert (e.dataset.name, e.view.name, e.schema, list(e.view.components)) == ("mine", "mine", "detail", ["core"])


def test_a_schema_is_known_by_its_metadata_file_alone(project):
    write(project / "configs/dataset/mine.yaml", DATASET)
    write(project / "metadata/mine.rough.json", METADATA)
    assert compose.experiment(["dataset=mine", "schema=rough"]).schema == "rough"


def test_a_project_lies_over_what_is_packaged(project):
    write(project / "configs/privacy/default.yaml", "epsilon: 2.5\n")
    assert compose.experiment([]).privacy.epsilon == 2.5


def test_settings_that_are_no_yaml_are_named_with_their_line(project):
    write(project / "configs/privacy/mine.yaml", "epsilon: 1\ndelta: [1\n")
    with pytest.raises(ConfigError, match=r"configs/privacy/mine\.yaml, line \d: is not valid YAML"):
        compose.experiment(["privacy=mine"])


def test_a_target_outside_of_pasteur_is_refused(project):
    write(project / "configs/algorithm/evil.yaml", "_target_: os.system\ncommand: 'true'\n")
    with pytest.raises(ConfigError, match=r"_target_ \(os\.system\) must be a class under pasteur\."):
        compose.experiment(["algorithm=evil"])


def test_a_project_file_with_a_wrong_key_names_it(project):
    write(project / "configs/dataset/mine.yaml", DATASET + "salty: x\n")
    with pytest.raises(ConfigError, match=r"dataset\.salty is not a known setting; did you mean 'salt'"):
        compose.experiment(["dataset=mine"])
