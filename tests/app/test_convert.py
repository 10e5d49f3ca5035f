from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from pasteur.app import compose, convert
from pasteur.errors import ConfigError


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    """The default configuration; composing it takes longer than all that is done with it here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASTEUR_ROOT", str(tmp_path_factory.mktemp("root")))
        cfg, choices = compose.compose([])
        return OmegaConf.to_container(cfg, resolve=True), choices


MISTAKES = {
    "epsilon 0": ("privacy.epsilon", 0, "privacy.epsilon (0.0) must be a finite number above 0"),
    "epsilon below 0": ("privacy.epsilon", -1, "privacy.epsilon (-1.0) must be"),
    "epsilon infinite": ("privacy.epsilon", float("inf"), "privacy.epsilon (inf) must be"),
    "epsilon no number": ("privacy.epsilon", float("nan"), "privacy.epsilon (nan) must be"),
    "epsilon a switch": ("privacy.epsilon", True, "privacy.epsilon (true) must be a number"),
    "delta 0": ("privacy.delta", 0, "privacy.delta (0.0) must be between 0 and 1"),
    "delta 1": ("privacy.delta", 1, "privacy.delta (1.0) must be between 0 and 1"),
    "delta a mapping": ("privacy.delta", {"x": 1}, "privacy.delta ({'x': 1}) must be a number"),
    "unknown accountant": ("privacy.accountant", "gpd", "did you mean 'gdp'?"),
    "seed below 0": ("seed", -1, "seed (-1) must be 0 or more"),
    "fraction for a count": ("seed", 1.5, "seed (1.5) must be a whole number"),
    "no rows": ("rows", 0, "rows (0) must be 1 or more"),
    "text for a count": ("rows", "many", "rows (many) must be a whole number or null"),
    "unknown format": ("format", "cvs", "format (cvs) must be one of csv, pq; did you mean 'csv'?"),
    "unknown fit_on": ("fit_on", "wrk+re", "did you mean 'wrk+ref'?"),
    "text for a switch": ("accept", "maybe", "accept (maybe) must be true or false"),
    "text for a switch in a group": ("metrics.final", "maybe", "metrics.final (maybe) must be true or false"),
    "unknown depth": ("metrics.depth", "quik", "did you mean 'quick'?"),
    "unknown nested key": (
        "dataset.ratios",
        {"wrrk": 1},
        "dataset.ratios.wrrk is not a known setting",
    ),
    "nested value out of range": ("dataset.ratios", {"wrk": 2}, "dataset.ratios"),
    "unknown key of a group": ("dataset.slat", "x", "dataset.slat is not a known setting; did you mean 'salt'?"),
    "unknown key": ("sed", 1, "'sed' is not a known setting; did you mean 'seed'?"),
    "unknown key of the program": ("pasteur.rot", "x", "pasteur.rot is not a known setting; did you mean 'root'?"),
    "a group that is no mapping": ("privacy", 3, "privacy (3) must be a mapping of settings"),
    "a group that is not there": ("metrics", None, "metrics must be chosen: metrics=<name>"),
    "tags that are no mapping": ("tags", 3, "tags (3) must be a mapping"),
    "code to call": (
        "algorithm._target_",
        "os.system",
        "(os.system) must be a class under pasteur.",
    ),
    "code that is not there": (
        "algorithm._target_",
        "pasteur.synth.nobody.Settings",
        "must be the Settings of a module",
    ),
    "no settings class": ("algorithm._target_", "pasteur.synth.mst.fit", "must be the Settings of a module"),
    "none to call": ("algorithm._target_", "", "algorithm._target_ (none) must be"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_every_value_is_checked(mistake, composed):
    key, value, expected = mistake
    plain, choices = composed
    cfg = OmegaConf.create(plain)
    OmegaConf.update(cfg, key, value, merge=False)
    with pytest.raises(ConfigError) as caught:
        convert.experiment(cfg, choices)
    assert expected in str(caught.value)


def test_what_must_be_given_is_named(composed):
    cfg = OmegaConf.create(composed[0])
    cfg.seed = "???"
    with pytest.raises(ConfigError, match=r"^seed must be given: seed=<value>$"):
        convert.experiment(cfg, composed[1])


def test_a_data_set_without_a_name_takes_that_of_its_file(composed):
    cfg = OmegaConf.create(composed[0])
    del cfg.dataset["name"]
    assert convert.experiment(cfg, composed[1]).dataset.name == "adult"
