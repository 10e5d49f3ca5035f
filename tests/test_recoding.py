"""Embedding settings of a run over those of its schema."""

from __future__ import annotations

import pytest

from pasteur.catalog import catalog
from pasteur.embeddings.table import TableEncoder
from pasteur.errors import ConfigError, PasteurError
from pasteur.experiment import flat
from pasteur.plan import prepare
from pasteur.recoding import Recoding
from pasteur.run import run


def sizes(experiment):
    return TableEncoder.declare(prepare(experiment).schema.tables["people"]).sizes


def test_bins_are_those_of_every_column_that_has_bins(project):
    plain = sizes(project())
    assert (plain["age"], plain["hours-per-week"]) == (16, 10)
    assert sizes(project(recoding=Recoding(bins=4))) == plain | {"age": 4, "hours-per-week": 4}


def test_a_columns_own_setting_lies_over_all_and_its_type_replaces(project):
    over = {"people": {"age": {"bins": 9}, "hours-per-week": {"type": "integers"}}}
    plain = sizes(project())
    assert sizes(project(recoding=Recoding(bins=4, embeddings=over))) == plain | {"age": 9, "hours-per-week": 99}


def test_scores_are_taken_in_the_schemas_own_bins(project):
    plan = prepare(project(recoding=Recoding(bins=4)))
    assert plan.bench.schema == prepare(project()).schema
    assert plan.schema != plan.bench.schema


def test_each_coding_has_artefacts_of_its_own(project):
    made = [project(), *(project(recoding=Recoding(bins=bins)) for bins in (4, 8, 8))]
    assert made[0].coding == "detail"
    assert len({e.coding for e in made}) == 3
    for name in ("dictionary", "encoded__people__wrk", "decoded__people__wrk", "anchors", "inspection"):
        paths = [catalog(prepare(e))[name]._describe()["path"] for e in made]
        assert len(set(paths)) == 3
        assert paths[2] == paths[3]


def test_the_settings_are_the_runs(project):
    told = Recoding(bins=4, embeddings={"people": {"age": {"bins": 9}}})
    found = flat(project(recoding=told))
    assert found["schema.bins"] == 4
    assert found["schema.embeddings.people.age.bins"] == 9
    assert told.words == ("schema.bins=4", "schema.embeddings.people.age.bins=9")
    assert "schema.bins" not in flat(project())


@pytest.mark.slow
def test_runs_of_one_coding_share_what_was_encoded(project):
    encode = {"declare", *(f"encode_{split}" for split in ("wrk", "ref", "val", "dev"))}
    for bins in (8, 4):
        assert encode <= {*run(project(recoding=Recoding(bins=bins))).ran}
    for bins in (8, 4):  # neither has written over the other
        assert encode.isdisjoint(run(project(recoding=Recoding(bins=bins))).ran)


MISTAKES = {
    "a component that is not there": ({"embeddings": {"peopel": {}}}, "schema.embeddings.peopel is not a component"),
    "a column for a component": ({"embeddings": {"age": {"bins": 3}}}, "choose from: people"),
    "a column that is not there": ({"embeddings": {"people": {"agee": {"bins": 3}}}}, "did you mean 'age'?"),
    "a value for a column": (
        {"embeddings": {"people": {"age": 3}}},
        "schema.embeddings.people.age (3) must be a mapping",
    ),
    "a value for a component": ({"embeddings": {"people": 3}}, "schema.embeddings.people (3) must be a mapping"),
    "a setting that is none": ({"embeddings": {"people": {"age": {"bin": 3}}}}, "did you mean 'bins'?"),
    "an embedding that is none": ({"embeddings": {"people": {"age": {"type": "unifrom"}}}}, "did you mean 'uniform'?"),
    "too many bins": ({"bins": 1000}, "people.age embedding.bins (1000) must be at most 74"),
}


@pytest.mark.parametrize(("over", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_before_any_data_is_read(project, over, told):
    (project.root / "people.csv").unlink()
    with pytest.raises(PasteurError) as error:
        prepare(project(recoding=Recoding(**over)))
    assert told in str(error.value)
    assert not (project.root / "data").exists()


def test_bins_of_nothing(project):
    with pytest.raises(ConfigError, match=r"^schema\.bins \(0\) must be 1 or more"):
        Recoding(bins=0)
    over = {"people": {name: {"type": "integers"} for name in ("age", "hours-per-week")}}
    whole = prepare(project(recoding=Recoding(embeddings=over))).schema
    with pytest.raises(ConfigError, match=r"must be null: no column of schema 'people\.detail' has bins"):
        Recoding(bins=4).of(whole)
