"""Compose a configuration in this process, and say in one line what is wrong with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pasteur.app import convert, diagnose, sources
from pasteur.app.sweeps import alternatives
from pasteur.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omegaconf import DictConfig

    from pasteur.experiment import Experiment

CONFIG = "config"
SWEEP = "sweep"
MODULE = sources.PACKAGED.removeprefix("pkg://")
HYDRA = "1.3"


@contextmanager
def clear_errors(overrides: Sequence[str]) -> Iterator[None]:
    """Turn what Hydra and OmegaConf raise into one `ConfigError` that names the near miss."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise diagnose.explain(error, overrides) from error


def compose(overrides: Sequence[str]) -> tuple[DictConfig, dict[str, Any]]:
    """The configuration of `overrides`, without Hydra's own node, and the option chosen of each group.

    Raises:
        ConfigError: it does not compose.
    """
    with clear_errors(overrides):
        try:
            whole = compose_whole(overrides)
        except (ValueError, YAMLError) as error:  # a number for a group; a file that is no YAML
            raise diagnose.explain(error, overrides) from error
        choices = {str(group): option for group, option in whole.hydra.runtime.choices.items()}
        with open_dict(whole):
            del whole["hydra"]
        return whole, choices


def compose_whole(overrides: Sequence[str]) -> DictConfig:
    """The configuration of `overrides`, Hydra's own node in it.

    Raises:
        HydraException: it does not compose.
    """
    sources.register()
    with _initialised():
        return hydra_compose(CONFIG, overrides=list(overrides), return_hydra_config=True)


@contextmanager
def _initialised() -> Iterator[None]:
    if GlobalHydra.instance().is_initialized():
        yield
        return
    with initialize_config_module(MODULE, version_base=HYDRA):
        yield


def experiment(overrides: Sequence[str]) -> Experiment:
    """The experiment that a command line says.

    Raises:
        ConfigError: it does not compose, or a value is wrong.
    """
    cfg, choices = compose(overrides)
    if SWEEP in cfg:
        raise ConfigError(f"sweep ({choices.get(SWEEP)}) must be run with -m: it is many runs")
    with clear_errors(overrides):
        return convert.experiment(cfg, choices)


def check(overrides: Sequence[str], *, many: bool) -> None:
    """Compose and convert all that a command line asks for, before anything starts.

    Args:
        overrides: the command line's settings.
        many: whether they are those of a multirun; then each value of each is tried, with the others' first.

    Raises:
        ConfigError: one of them is wrong.
    """
    with clear_errors(overrides):
        tried = alternatives(overrides) if many else [list(overrides)]
    for words in tried:
        experiment(words)
