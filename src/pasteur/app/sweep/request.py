"""What a command line asks of a sweep, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from pasteur.app import compose
from pasteur.app.sweep import checking, settings
from pasteur.app.sweep.dimensions import Dimension
from pasteur.app.sweep.spaces import ALGORITHM, Space
from pasteur.app.sweep.spent import drawn
from pasteur.app.sweep.trial import NODE, Tuned
from pasteur.app.sweep.tuned import alike, number_of, tuning_of
from pasteur.app.sweeps import alternatives
from pasteur.errors import ConfigError, rule
from pasteur.experiment import flat
from pasteur.manifest import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pasteur.app.sweep.settings import SweepConfig
    from pasteur.experiment import Experiment, Tuning

FEW = 4
"""Trials that do not learn from one another are asked for so many times what runs at once."""

SWEEPER, OPTUNA = "hydra/sweeper", "optuna"

SAMPLER = f"{SWEEPER}/sampler"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A sweep, as asked for."""

    config: SweepConfig
    space: Space
    words: tuple[str, ...]
    """The command line but for what is searched: what all trials share."""
    experiment: Experiment
    """A trial's, with the first value of each setting."""
    sampler: str
    """The class of Optuna's that suggests."""
    joblib: bool
    """Whether it is launched by joblib."""

    @property
    def id(self) -> str:
        """Of the study, of the folder and of the tag: the name, and a digest of what makes two trials comparable."""
        searched = {dimension.setting for dimension in self.space.dimensions}
        fixed = {k: v for k, v in flat(self.experiment).items() if k not in searched}
        c = self.config
        also = [c.objective, c.data, c.ref, c.claim, c.randomised_trials, self.sampler]
        return f"{c.name}-{digest([self.space.document(), fixed, also])[:8]}"

    @property
    def points(self) -> list[dict[str, Any]] | None:
        """The points of a grid; None where the sampler suggests."""
        return list(self.space.points()) if self.grid else None

    @property
    def grid(self) -> bool:
        """Whether every point is tried once."""
        return self.sampler == "GridSampler"

    @property
    def batch(self) -> int:
        """How many trials are asked for at once: few by those that learn from each, else more, to wait for less."""
        learns = self.sampler in ("TPESampler", "CmaEsSampler", "MOTPESampler")
        return self.config.jobs if learns else self.config.jobs * FEW

    @property
    def tuning(self) -> Tuning:
        """What each trial is told of the sweep."""
        return tuning_of(self.config, self.id, sampler=self.sampler)

    def total(self, folder: Path) -> int:
        """Finished trials in all; where their number is random, it is drawn once and kept in the sweep's folder."""
        if number := number_of(self.config, sampler=self.sampler):
            return drawn(folder, number)
        points = self.points
        most = self.config.trials
        return most or 0 if points is None else min(len(points), most or len(points))

    def task(self, root: Path, token: str) -> Tuned:
        """What Hydra calls for each trial."""
        return Tuned(
            root=root, sweep=self.id, config=self.config, tuning=self.tuning, names=self.space.names, token=token
        )


def of(overrides: Sequence[str]) -> Request | None:
    """The sweep that a command line asks for; None where it names no preset.

    Raises:
        ConfigError: something of it is wrong; nothing was started.
    """
    said = {name: value for name, _, value in (word.partition("=") for word in overrides)}
    if NODE in said and said.get(SWEEPER, OPTUNA) != OPTUNA:
        raise ConfigError(rule(SWEEPER, said[SWEEPER], f"{OPTUNA} for a sweep of a preset"))
    with compose.clear_errors(overrides):
        whole = checking.whole(alternatives(overrides)[0])
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    if NODE not in whole:
        return None
    choices = {str(group): option for group, option in whole.hydra.runtime.choices.items()}
    sampler = str(OmegaConf.select(whole, "hydra.sweeper.sampler._target_") or "").rpartition(".")[2]
    if not sampler:
        raise ConfigError(rule(SWEEPER, choices.get(SWEEPER), f"{OPTUNA} for a sweep of a preset"))
    node: Any = OmegaConf.to_container(whole[NODE], resolve=True)
    config = settings.read(node, str(choices[NODE]))
    searched = [override for override in parsed if override.is_sweep_override()]
    fixed = [override for override in parsed if not override.is_sweep_override()]
    space = Space.of(
        config,
        algorithm=str(choices[ALGORITHM]),
        said={dimension.setting: dimension for dimension in map(Dimension.said, searched)},
        fixed=[override.get_key_element().lstrip("+") for override in fixed],
    )
    if config.randomised_trials is not None:
        alike(space)
    words = [override.input_line or "" for override in fixed]
    grid = sampler == "GridSampler"
    if grid:
        list(zip(space.points(), range(1), strict=False))  # refuses a continuous setting
    elif config.trials is None:
        raise ConfigError(rule("sweep.trials", "null", f"a number unless {SAMPLER} is grid"))
    request = Request(
        config=config,
        space=space,
        words=tuple(word for word in words if not (grid and word.startswith(f"{SAMPLER}=")))
        + ((f"{SAMPLER}=random",) if grid else ()),
        experiment=checking.check(space, words, whole),
        sampler=sampler,
        joblib="joblib" in str(whole.hydra.launcher._target_),
    )
    return replace(request, experiment=replace(request.experiment, tuning=request.tuning))
