from __future__ import annotations

import dataclasses

import pytest

from pasteur import synth
from pasteur.app.sweep import spaces
from pasteur.app.sweep.dimensions import Dimension
from pasteur.app.sweep.settings import read
from pasteur.app.sweep.spaces import Space
from pasteur.app.typed import build
from pasteur.errors import ConfigError


class Asked:
    """A trial of Optuna's that takes the first value of everything."""

    def __init__(self, number=7):
        self.number = number
        self.params = {}

    def suggest_int(self, name, low, high, step=1, *, log=None):
        self.params[name] = low
        return low

    suggest_float = suggest_int

    def suggest_categorical(self, name, choices):
        self.params[name] = choices[0]
        return choices[0]


def space(*, said=None, fixed=(), algorithm="mst", **changes):
    config = read({"objective": "marginals/gap", **changes}, "toy")
    return Space.of(config, algorithm=algorithm, said=said or {}, fixed=fixed)


@pytest.mark.parametrize("name", [name for name in synth.names() if synth.find(name).PRIVATE])
def test_every_private_algorithm_has_a_space_of_settings_that_it_takes(name):
    settings = synth.find(name).Settings
    found = spaces.search(name)
    assert set(found) <= {field.name for field in dataclasses.fields(settings)}
    for dimension in found.values():
        for edge in dimension.edges():
            build(settings, {dimension.setting: edge}, "algorithm")


def test_a_trial_is_asked_for_its_number_and_for_the_settings_of_its_algorithm():
    found = space(space={"algorithm": ["mst", "aim"], "privacy.epsilon": [0.5, 1.0]})
    trial = Asked()
    found.suggest(trial)
    assert trial.params[spaces.HIDDEN] == 7
    assert trial.params["algorithm"] == "mst"
    assert trial.params["++privacy.epsilon"] == 0.5
    own = {name for name in trial.params if name.startswith(spaces.FOUND)}
    assert own == {f"{spaces.FOUND}mst.{name}" for name in spaces.search("mst")}


def test_what_the_command_line_says_is_not_searched_and_what_it_sweeps_replaces_a_preset():
    said = {"algorithm.iterations": Dimension(setting="algorithm.iterations", choices=(5, 6))}
    found = space(said=said, fixed=["algorithm.one_way", "privacy.epsilon"], space={"privacy.epsilon": [1, 2]})
    assert [dimension.setting for dimension in found.dimensions] == ["algorithm.iterations"]
    assert not {"one_way", "iterations"} & {dimension.setting for dimension in found.own["mst"]}


def test_a_parameter_is_read_back_as_what_a_person_types():
    params = {"algorithm": "mst", "++privacy.epsilon": 0.5, f"{spaces.FOUND}mst.one_way": 2.0, spaces.HIDDEN: 3}
    assert spaces.settings(params) == {"algorithm": "mst", "privacy.epsilon": 0.5, "algorithm.one_way": 2.0}
    assert spaces.command(params) == ["algo.one_way=2.0", "algo=mst", "privacy.epsilon=0.5"]
    assert [spaces.readable(name) for name in params] == ["algorithm", "privacy.epsilon", "mst.one_way", "sweep.trial"]


def test_a_grid_has_each_point_once():
    found = space(search=False, space={"seed": [0, 1], "algorithm": ["mst", "aim"]})
    assert list(found.points()) == [
        {"seed": 0, "algorithm": "mst"},
        {"seed": 0, "algorithm": "aim"},
        {"seed": 1, "algorithm": "mst"},
        {"seed": 1, "algorithm": "aim"},
    ]
    with pytest.raises(ConfigError, match=r"configs/search/mst.yaml: one_way .* for a grid: it is continuous"):
        list(space(space={"seed": [0, 1]}).points())


def test_an_empty_space_is_refused():
    with pytest.raises(ConfigError, match=r"independent.yaml: the space is empty"):
        space(algorithm="independent")
    with pytest.raises(ConfigError, match=r"sweep.space: the space is empty"):
        space(search=False)


def test_an_algorithm_without_a_space_is_told():
    with pytest.raises(ConfigError, match=r"configs/search/reference.yaml: is missing"):
        space(algorithm="reference")


def test_another_space_is_another_document():
    one = space(space={"seed": [0, 1]})
    assert one.document() == space(space={"seed": [0, 1]}).document()
    assert one.document() != space(space={"seed": [0, 2]}).document()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"trials": 0}, "sweep.trials (0) must be 1 or more"),
        ({"jobs": 0}, "sweep.jobs (0) must be 1 or more"),
        ({"objective": []}, "sweep.objective (none) must be"),
        ({"objective": ["a", "a"]}, "without repetition"),
        ({"name": "a/b"}, "sweep.name (a/b) must be letters"),
        ({"trails": 3}, "sweep.trails is not a known setting; did you mean 'trials'?"),
        ({"data": "val"}, "sweep.data (val) must be one of wrk, ref"),
    ],
)
def test_a_mistake_in_the_settings_is_told(changes, told):
    with pytest.raises(ConfigError) as error:
        read({"objective": "marginals/gap", **changes}, "toy")
    assert told in str(error.value)
