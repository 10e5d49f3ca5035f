"""`SweepConfig`: the Hydra group `sweep`. What is searched, for what, how long and by how many at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pasteur.errors import ConfigError, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z0-9_.]+")

OWN = ("trial", "found")
"""Keys of the node that are a trial's own."""


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """What a sweep searches, for what, how long and by how many at once."""

    name: str
    """Of the study, with a digest of all that makes two trials comparable after it; default: the preset's."""
    objective: list[str]
    """What is made small, e.g. `marginals/tvd2/gap`; several: the front of Pareto is looked for."""
    trials: int | None = 40
    """Finished trials in all, over every start of the same command; null: every point of a grid. 1 or more."""
    jobs: int = 2
    """Trials at once; 1 or more."""
    search: bool = True
    """Whether the algorithm's own settings are searched, as `configs/search/<algorithm>.yaml` says."""
    space: Mapping[str, Any] = field(default_factory=dict)
    """Other settings that are searched: a list of choices, or a mapping of `low`, `high`, `log` and `step`."""
    storage: str | None = None
    """URL of the database that Optuna keeps its studies in; null: `PASTEUR_OPTUNA`'s, or a file under `outputs/`."""
    data: Literal["wrk", "ref"] = "wrk"
    """What the trials learn from."""
    ref: Literal["budgeted", "public"] = "budgeted"
    """With `data: ref`, what people of ref are owed."""
    claim: Literal["ledger", "none"] = "ledger"
    """`ledger`: what all trials have spent together is counted; `none`: an objective may read what was fitted."""
    randomised_trials: Mapping[str, Any] | None = None
    """A distribution that the number of trials is drawn from: `distribution`, `mean`, `eta`."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not NAME.fullmatch(self.name):
            raise ConfigError(rule("sweep.name", self.name, "letters, digits, underscores and full stops"))
        if not self.objective:
            raise ConfigError(rule("sweep.objective", "none", "the name of a score, or a list of names"))
        if len(set(self.objective)) < len(self.objective):
            raise ConfigError(rule("sweep.objective", ", ".join(self.objective), "a list without repetition"))
        if self.trials is not None and self.trials < 1:
            raise ConfigError(rule("sweep.trials", self.trials, "1 or more, or null for every point of a grid"))
        if self.jobs < 1:
            raise ConfigError(rule("sweep.jobs", self.jobs, "1 or more"))


def read(plain: Mapping[str, Any], name: str) -> SweepConfig:
    """The settings in a composed node `sweep`.

    Args:
        plain: the node; an objective may be a single name.
        name: the preset's.

    Raises:
        ConfigError: a key, a type or a value is wrong.
    """
    from pasteur.app.typed import build

    given = {key: value for key, value in plain.items() if key not in OWN}
    objective = given.get("objective")
    if isinstance(objective, str):
        given["objective"] = [objective]
    given["name"] = given.get("name") or name
    return build(SweepConfig, given, "sweep")
