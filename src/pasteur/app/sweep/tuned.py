"""What the trials of a sweep are told of it: whose data they fit, what its objectives read, what may be claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur import synth
from pasteur.app.sweep import objectives
from pasteur.app.typed import build
from pasteur.errors import ConfigError, rule
from pasteur.experiment import Tuning
from pasteur.privacy.tuning import Number

if TYPE_CHECKING:
    from pasteur.app.sweep.settings import SweepConfig
    from pasteur.app.sweep.spaces import Space

ALIKE = "RandomSampler"
"""The sampler whose trials are drawn alike and on their own, whatever came out before."""
SPENT = ("privacy", "schema", "schema.name", "dataset", "view", "fit_on")
"""Settings, besides those of `privacy`, that may change what a trial spends, or on whom."""


def number_of(config: SweepConfig, *, sampler: str) -> Number | None:
    """The distribution that the number of trials is drawn from; None where it is fixed.

    Raises:
        ConfigError: it is no distribution; or trials are not drawn alike, or have several objectives, so that choosing
            the best of them has no price of its own.
    """
    if config.randomised_trials is None:
        return None
    number = build(Number, config.randomised_trials, "sweep.randomised_trials")
    if sampler != ALIKE:
        must_be = "random with sweep.randomised_trials: trials that learn from one another are not drawn alike"
        raise ConfigError(rule("hydra/sweeper/sampler", sampler, must_be))
    if len(config.objective) > 1:
        listed = ", ".join(config.objective)
        raise ConfigError(
            rule("sweep.objective", listed, "one name with sweep.randomised_trials: one best is released")
        )
    return number


def alike(space: Space) -> None:
    """Refuse a space in which trials of a drawn number would not all have the same budget, or some no guarantee.

    Raises:
        ConfigError: a setting of the space, or an algorithm, is such.
    """
    for dimension in space.dimensions:
        if dimension.setting in SPENT or dimension.setting.startswith("privacy."):
            must_be = "fixed with sweep.randomised_trials: the best of them is priced by what every trial may spend"
            raise ConfigError(rule(f"sweep.space.{dimension.setting}", "searched", must_be))
    for name in space.algorithms:
        if not synth.find(name).PRIVATE:
            raise ConfigError(rule("algorithm", name, "one with a guarantee with sweep.randomised_trials"))


def tuning_of(config: SweepConfig, sweep: str, *, sampler: str) -> Tuning:
    """What each trial is told.

    Args:
        config: the sweep's settings.
        sweep: its id.
        sampler: the class of Optuna's that suggests.

    Raises:
        ConfigError: an objective reads the fitted rows without noise and `claim` is not none, or see `number_of`.
    """
    read = frozenset[str]().union(*(objectives.reads(name) for name in config.objective))
    return Tuning(
        sweep=sweep,
        data=config.data,
        ref=config.ref,
        claim=config.claim,
        reads=tuple(sorted(read)),
        randomised=number_of(config, sampler=sampler),
    )
