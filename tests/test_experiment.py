from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur import errors
from pasteur.errors import ConfigError, PasteurError, near_miss, rule
from pasteur.experiment import FIT_ON, PrivacyConfig
from pasteur.randomness import Stage, generator


@given(st.floats(), st.floats())
def test_a_budget_is_either_one_that_makes_a_claim_or_refused(epsilon, delta):
    if math.isfinite(epsilon) and epsilon > 0 and 0 < delta < 1:
        made = PrivacyConfig(epsilon=epsilon, delta=delta)
        assert (made.epsilon, made.delta) == (epsilon, delta)
    else:
        with pytest.raises(ConfigError, match=r"^privacy\.(epsilon|delta) \("):
            PrivacyConfig(epsilon=epsilon, delta=delta)


def test_a_mistyped_accountant_names_the_near_miss():
    with pytest.raises(ConfigError, match=r"^privacy\.accountant \(gpd\) must be one of .*; did you mean 'gdp'\?$"):
        PrivacyConfig(accountant="gpd")


def test_no_value_of_fit_on_reads_less_than_the_training_split():
    assert all(splits[0] == "wrk" for splits in FIT_ON.values())
    assert set(FIT_ON["all"]) == {"wrk", "ref", "val", "dev"}


def test_an_experiment_cannot_be_changed_after_it_was_checked(project):
    made = project()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.seed = -1
    with pytest.raises(ConfigError, match=r"^rows \(-3\) must be 1 or more, or null"):
        dataclasses.replace(made, rows=-3)
    with pytest.raises(ConfigError, match=r"^fit_on \(al\) must be one of wrk, wrk\+ref, all; did you mean 'all'\?$"):
        dataclasses.replace(made, fit_on="al")


@pytest.mark.parametrize(
    ("word", "choices", "said"),
    [
        ("msst", ["aim", "mst"], "; did you mean 'mst'?"),
        ("zzz", ["mst", "aim"], "; choose from: aim, mst"),
        ("zzz", [], ""),
        ("", ["b", "a"], "; choose from: a, b"),
        ("adlt", iter(["adult"]), "; did you mean 'adult'?"),
    ],
)
def test_near_misses(word, choices, said):
    assert near_miss(word, choices) == said


@given(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=4))
def test_a_near_miss_is_always_one_of_the_choices(word, choices):
    said = near_miss(word, choices)
    assert not choices or any(choice in said for choice in choices)
    assert (said == "") is (not choices)
    if word in choices:
        assert said == f"; did you mean '{word}'?"


def test_every_mistake_of_a_users_leaves_with_2():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) == 7
    assert all(issubclass(kind, PasteurError) and kind.exit_code == 2 for kind in kinds)
    assert issubclass(errors.BudgetError, errors.PrivacyError)
    assert rule("rows", 0, "1 or more") == "rows (0) must be 1 or more"


def test_each_seed_stage_and_component_draws_from_a_stream_of_its_own():
    draws = {
        (seed, stage, index): generator(seed, stage, index).integers(2**63)
        for seed in range(3)
        for stage in Stage
        for index in range(3)
    }
    assert len(set(draws.values())) == len(draws)
    assert generator(1, Stage.DECODE, 2).integers(2**63) == draws[1, Stage.DECODE, 2]


def test_what_a_seed_means_does_not_change():
    """Non-private artefacts are the same bytes in years: neither numbers nor their use may move."""
    expected = {"SAMPLE": 1, "DECODE": 2, "SCORES": 3, "UNITS": 4, "LEARN": 5}
    assert {stage.name: stage.value for stage in Stage} == expected
    expected = np.random.default_rng([7, 2, 1]).random(4)
    assert np.array_equal(generator(7, Stage.DECODE, 1).random(4), expected)
