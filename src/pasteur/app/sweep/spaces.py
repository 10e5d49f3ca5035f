"""What a sweep searches: settings and their values, from a preset, the command line and `configs/search/`.

The one function that reads them all is `Space.of`. A trial's parameters in the study are overrides of Hydra's, as
hydra-optuna-sweeper makes a command line of them; a setting of an algorithm that is itself searched is kept apart
under the algorithm's name (`+sweep.found.mst.alpha`), for two algorithms may share a name and not its meaning.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pasteur.app import aliases, groups
from pasteur.app.sweep.dimensions import Dimension, encoded, text
from pasteur.errors import ConfigError, near_miss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pasteur.app.sweep.settings import SweepConfig

HIDDEN = "sweep.trial"
"""A parameter that is none: a trial's number."""

FOUND = "+sweep.found."

ALGORITHM = "algorithm"


@dataclass(frozen=True, kw_only=True)
class Space:
    """What is searched."""

    algorithm: str
    """The algorithm where it is not searched itself."""
    dimensions: tuple[Dimension, ...]
    """Settings that every trial has."""
    own: Mapping[str, tuple[Dimension, ...]]
    """Algorithm -> settings of its own."""

    @classmethod
    def of(
        cls, config: SweepConfig, *, algorithm: str, said: Mapping[str, Dimension], fixed: Sequence[str] = ()
    ) -> Space:
        """Read a space.

        Args:
            config: its `space`, and whether the algorithm's own settings are searched.
            algorithm: the algorithm that is composed.
            said: settings that the command line searches; they replace those of the preset.
            fixed: settings that the command line gives one value, and so are not searched.

        Raises:
            ConfigError: an entry is wrong, an algorithm has no space of its own, or nothing is left to search.
        """
        found = {name: Dimension.read(name, entry, f"sweep.space.{name}") for name, entry in config.space.items()}
        found = {name: dimension for name, dimension in (found | dict(said)).items() if name not in fixed}
        chosen = found[ALGORITHM].values("sweep.space.algorithm") if ALGORITHM in found else (algorithm,)
        known = {name.removeprefix("algorithm.") for name in (*found, *fixed) if name.startswith("algorithm.")}
        own = {str(name): _own(str(name), known) for name in chosen} if config.search else {}
        space = cls(algorithm=algorithm, dimensions=tuple(found.values()), own=own)
        if not space.dimensions and not any(own.values()):
            where = f"configs/search/{algorithm}.yaml" if config.search else "sweep.space"
            raise ConfigError(f"{where}: the space is empty; a sweep must search one setting or more")
        return space

    def suggest(self, trial: Any) -> None:
        """Ask `trial`, Optuna's, for a value of each setting; the number that it must have goes with them."""
        trial.suggest_int(HIDDEN, trial.number, trial.number)
        chosen = self.algorithm
        for dimension in self.dimensions:
            value = dimension.suggest(trial, _override(dimension.setting))
            chosen = value if dimension.setting == ALGORITHM else chosen
        for dimension in self.own.get(chosen, ()):
            dimension.suggest(trial, f"{FOUND}{chosen}.{dimension.setting}")

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those that a trial may have."""
        found = [d.values(f"sweep.space.{ALGORITHM}") for d in self.dimensions if d.setting == ALGORITHM]
        return tuple(str(name) for name in found[0]) if found else (self.algorithm,)

    @property
    def names(self) -> tuple[str, ...]:
        """The overrides of the settings that every trial has."""
        return tuple(_override(dimension.setting) for dimension in self.dimensions)

    def points(self) -> Iterator[dict[str, Any]]:
        """The parameters of each point of the grid, in order.

        Raises:
            ConfigError: a setting is continuous.
        """
        common = [(_override(d.setting), d.values(f"sweep.space.{d.setting}")) for d in self.dimensions]
        for values in itertools.product(*(values for _, values in common)):
            point = dict(zip((name for name, _ in common), values, strict=True))
            chosen = str(point.get(ALGORITHM, self.algorithm))
            own = self.own.get(chosen, ())
            listed = [d.values(f"configs/search/{chosen}.yaml: {d.setting}") for d in own]
            for inner in itertools.product(*listed):
                yield point | {f"{FOUND}{chosen}.{d.setting}": value for d, value in zip(own, inner, strict=True)}

    def document(self) -> dict[str, Any]:
        """The space as JSON: another document, another study."""
        return {
            "dimensions": [dimension.document() for dimension in self.dimensions],
            "own": {name: [dimension.document() for dimension in own] for name, own in sorted(self.own.items())},
        }


_CURRENT: list[Space] = []
"""The space of the sweep that this process runs: the sweeper is told of it by the name of a function alone."""


def use(space: Space) -> None:
    """Make `suggest` suggest from `space`."""
    _CURRENT[:] = [space]


def suggest(config: Any, trial: Any) -> None:  # noqa: ARG001 - what hydra-optuna-sweeper calls
    """What the sweeper calls for each trial."""
    _CURRENT[-1].suggest(trial)


def search(algorithm: str) -> dict[str, Dimension]:
    """The space of an algorithm's own settings, from `configs/search/<algorithm>.yaml`.

    Raises:
        ConfigError: there is no such file, or an entry is wrong.
    """
    files = groups.options("search")
    if algorithm not in files:
        raise ConfigError(
            f"configs/search/{algorithm}.yaml: is missing, so that settings of {algorithm} cannot be searched; write "
            f"it, or give sweep.search=false{near_miss(algorithm, files)}"
        )
    said = groups.read(files[algorithm])
    return {
        name: Dimension.read(name, entry, f"configs/search/{algorithm}.yaml: {name}") for name, entry in said.items()
    }


def _own(algorithm: str, known: set[str]) -> tuple[Dimension, ...]:
    return tuple(dimension for name, dimension in search(algorithm).items() if name not in known)


def _override(setting: str) -> str:
    """The name of an override of `setting`, whether or not a file spells the setting out."""
    return aliases.expand([f"{setting}=0"])[0].removesuffix("=0")


def readable(name: str) -> str:
    """A parameter's name for plots: `mst.alpha` where it is one algorithm's own, else the setting's."""
    return name.removeprefix(FOUND).lstrip("+")


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's parameters as settings: what a person would type, without the trial's number."""
    found = {}
    for name, value in params.items():
        if name.startswith(FOUND):
            found[f"algorithm.{name.removeprefix(FOUND).split('.', 1)[1]}"] = value
        elif name != HIDDEN:
            found[name.lstrip("+")] = value
    return found


def command(params: Mapping[str, Any]) -> list[str]:
    """The words that repeat a trial."""
    words = [f"{name}={text(encoded(value))}" for name, value in settings(params).items()]
    return sorted(f"algo{word.removeprefix(ALGORITHM)}" if word.startswith(ALGORITHM) else word for word in words)
