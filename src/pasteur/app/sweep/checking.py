"""Whether every trial of a space can run, and two of them be compared. Tried before anything starts."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, open_dict
from yaml import YAMLError

from pasteur.app import compose, convert, diagnose, groups
from pasteur.app.sweep.dimensions import text
from pasteur.app.sweep.spaces import ALGORITHM
from pasteur.app.sweep.trial import without
from pasteur.errors import ConfigError, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from omegaconf import DictConfig

    from pasteur.app.sweep.spaces import Space
    from pasteur.experiment import Experiment

BINNED = ("schema", "view", "dataset")
"""Settings that change the bins that scores would be taken in, as those of embeddings (`schema.*`) do."""

COMMON = ("metrics", "sweep", "hydra", "pasteur", "report", "tags", "fit_on", "accept", "format")
"""What all trials must have in common."""


def whole(words: Sequence[str]) -> DictConfig:
    """The configuration of `words`, Hydra's own node in it.

    Raises:
        ConfigError: it does not compose.
    """
    with compose.clear_errors(words):
        try:
            return compose.compose_whole(words)
        except (ValueError, YAMLError) as error:
            raise diagnose.explain(error, words) from error


def check(space: Space, words: Sequence[str], composed: DictConfig) -> Experiment:
    """Try the ends of every range and every choice, each with the others' first.

    Args:
        space: what is searched.
        words: what all trials share.
        composed: what they compose to.

    Returns:
        The experiment of a trial with the first value of each setting.

    Raises:
        ConfigError: a setting or a value is wrong, trials could not be compared, or they would see more than dev.
    """
    for dimension in space.dimensions:
        if dimension.setting.split(".")[0] in COMMON:
            raise ConfigError(f"{dimension.setting} must have one value in a sweep: trials could not be compared")
    made = list(_experiments(space, words, composed))
    first = made[0]
    _coded(made)
    binned = [
        dimension.setting
        for dimension in space.dimensions
        if dimension.setting in BINNED or dimension.setting.startswith("schema.")
    ]
    if binned and first.metrics.schema is None:
        raise ConfigError(
            f"metrics.schema (null) must be given in a sweep over {binned[0]}, so that all trials are scored in one "
            "binning: metrics.schema=detail"
        )
    if first.metrics.final:
        raise ConfigError("metrics.final (true) must be false in a sweep: dev steers, and val is looked at once, last")
    if first.fit_on != "wrk":
        raise ConfigError(rule("fit_on", first.fit_on, "wrk in a sweep: what it finds is fitted to more afterwards"))
    return first


def _coded(made: Sequence[Experiment]) -> None:
    """Refuse an embedding setting that a column has not, or that breaks its rule."""
    from pasteur import plan  # knows all that a run needs

    for each in {e.coding: e for e in made if e.recoding}.values():
        plan.coded(each)


def _experiments(space: Space, words: Sequence[str], base: DictConfig) -> Iterator[Experiment]:
    """The experiments to try. Groups are composed anew; single settings are changed in what was composed."""
    chosen = [dimension for dimension in space.dimensions if dimension.setting in groups.groups()]
    single = [dimension for dimension in space.dimensions if dimension not in chosen]
    first: dict[str, Any] = {dimension.setting: dimension.edges()[0] for dimension in chosen}
    changed = [first | {d.setting: edge} for d in chosen for edge in d.edges()[1:]]
    start = {dimension.setting: dimension.edges()[0] for dimension in single}
    for number, options in enumerate([first, *changed]):
        more = [f"{name}={text(value)}" for name, value in options.items()]
        composed = whole([*words, *more]) if more else base
        yield _experiment(composed, start)
        if number == 0:
            for dimension in single:
                for edge in dimension.edges()[1:]:
                    yield _experiment(composed, start | {dimension.setting: edge})
        if number == 0 or options.get(ALGORITHM) != first.get(ALGORITHM):
            own = space.own.get(str(options.get(ALGORITHM, space.algorithm)), ())
            for edges in zip_longest(*(dimension.edges() for dimension in own)):
                values = {f"algorithm.{d.setting}": e for d, e in zip(own, edges, strict=True) if e is not None}
                yield _experiment(composed, start | values)


def _experiment(composed: DictConfig, values: Mapping[str, Any]) -> Experiment:
    """The experiment of a configuration with these settings changed."""
    parser = OverridesParser.create()
    changed = composed.copy()
    choices = {str(group): option for group, option in composed.hydra.runtime.choices.items()}
    with open_dict(changed):
        del changed["hydra"]
        for name, value in values.items():
            if "." not in name and name not in changed:
                raise ConfigError(f"{name} is not a known setting")
            OmegaConf.update(changed, name, parser.parse_override(f"x={text(value)}").value(), force_add=True)
    with compose.clear_errors([]):
        return convert.experiment(without(changed), choices)
