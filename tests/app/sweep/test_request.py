from __future__ import annotations

import pytest

from pasteur.app import groups
from pasteur.app.sweep import request
from pasteur.errors import ConfigError


@pytest.fixture(autouse=True)
def _empty(project):
    """Nothing but what is packaged."""


TOY = """# @package _global_
defaults:
  - base/optuna
  - override /algorithm: mst
  - override /hydra/sweeper/sampler: SAMPLER
sweep:
  objective: marginals/tvd2
  trials: TRIALS
  search: false
  space: SPACE
"""


@pytest.fixture
def toy(project):
    def write(space="{seed: [0, 1]}", sampler="tpe", trials=4):
        (project / "configs/sweep").mkdir(parents=True, exist_ok=True)
        text = TOY.replace("SAMPLER", sampler).replace("SPACE", space).replace("TRIALS", str(trials))
        (project / "configs/sweep/toy.yaml").write_text(text, encoding="utf-8")
        return ["sweep=toy"]

    return write


@pytest.mark.slow
@pytest.mark.parametrize("preset", groups.options("sweep"))
def test_every_preset_is_a_sweep_whose_ends_are_allowed(preset, project):
    found = request.of([f"sweep={preset}"])
    assert found.id.startswith(f"{preset}-")
    assert found.total(project) > 1
    assert found.experiment.report is False
    assert found.joblib


def test_without_a_preset_it_is_none():
    assert request.of(["algorithm=mst", "seed=1,2"]) is None


@pytest.mark.slow
def test_what_makes_trials_comparable_makes_the_id(toy, project):
    words = toy()
    one = request.of(words)
    assert one.id == request.of([*words, "sweep.trials=9", "sweep.jobs=3"]).id  # goes on, or elsewhere
    others = [
        [*words, "++metrics.depth=quick"],
        [*words, "++algorithm.one_way=0.5,2"],
        [*words, "hydra/sweeper/sampler=random"],
    ]
    ids = {one.id, *(request.of(line).id for line in others), request.of(toy("{seed: [0, 1, 2]}")).id}
    assert len(ids) == 2 + len(others)


def test_a_grid_is_every_point_once(toy, project):
    found = request.of([*toy("{seed: [0, 1]}", "grid", "null"), "++privacy.epsilon=1,2,4"])
    assert found.total(project) == len(found.points) == 6
    assert "hydra/sweeper/sampler=random" in found.words  # points are asked for by the engine
    assert request.of([*toy("{seed: [0, 1]}", "grid", "null"), "sweep.trials=1"]).total(project) == 1


@pytest.mark.parametrize(
    ("space", "sampler", "words", "told"),
    [
        ("{}", "tpe", [], "sweep.space: the space is empty"),
        ("{privacy.epsilon: {low: 0.1, high: 10.0}}", "grid", [], "(0.1 to 10.0) must be a list of choices"),
        ("{schema: [detail, coarse]}", "tpe", [], "metrics.schema (null) must be given in a sweep over schema"),
        ("{schema.bins: [8, 16]}", "tpe", [], "metrics.schema (null) must be given in a sweep over schema.bins"),
        (
            "{schema.bin: [8, 16]}",
            "tpe",
            ["++metrics.schema=detail"],
            "schema.bin is not a known setting; did you mean",
        ),
        ("{schema.bins: {low: 0, high: 8}}", "tpe", ["++metrics.schema=detail"], "schema.bins (0) must be 1 or more"),
        (
            "{schema.embeddings.core.fnlwgtt.bins: [8, 16]}",
            "tpe",
            ["++metrics.schema=detail"],
            "schema.embeddings.core.fnlwgtt is not a column of core with an embedding; did you mean 'fnlwgt'?",
        ),
        ("{seed: [0, 1]}", "tpe", ["++metrics.final=true"], "metrics.final (true) must be false in a sweep"),
        ("{sede: [0, 1]}", "tpe", [], "sede is not a known setting"),
        ("{algorithm.one_wya: [1, 2]}", "tpe", [], "algorithm.one_wya is not a known setting; did you mean 'one_way'"),
        ("{seed: [0, 1]}", "tpe", ["hydra/sweeper=basic"], "hydra/sweeper (basic) must be optuna"),
        ("{seed: [0, 1]}", "tpe", ["sweep.trials=null"], "sweep.trials (null) must be a number"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(toy, space, sampler, words, told, project):
    with pytest.raises(ConfigError) as error:
        request.of([*toy(space, sampler), *words])
    assert told in str(error.value)
    assert not (project / "outputs").exists()


def test_a_schema_may_be_swept_in_one_binning(toy):
    found = request.of([*toy("{schema: [detail, coarse]}"), "++metrics.schema=detail"])
    assert found.experiment.metrics.schema == "detail"


def test_embedding_settings_may_be_swept_in_one_binning(toy):
    space = "{schema.bins: {low: 4, high: 32}, schema.embeddings.core.age.type: [integers]}"
    found = request.of([*toy(space), "++metrics.schema=detail"])
    assert found.experiment.recoding.words == ("schema.bins=4", "schema.embeddings.core.age.type=integers")
    assert [dimension.whole for dimension in found.space.dimensions if not dimension.choices] == [True]
    assert found.space.names == ("++schema.bins", "++schema.embeddings.core.age.type")
