"""`Tuned`: one trial of a sweep. It writes `result.json` when all else is done: a trial that has one is finished.

A sweep that is killed may leave a trial running in another process, or waiting in a cluster's queue. So a trial holds
a lock on its folder while it runs, and looks under the lock whether the sweep was started again since it was asked
for: then its number has been given up, and it does nothing. The sweep writes its new token first and tries the locks
after, so that one of the two always sees the other.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from pasteur.app import aliases, job
from pasteur.app.multirun import RESULT, Trial
from pasteur.app.sweep import objectives, spaces
from pasteur.app.sweep.settings import SweepConfig  # noqa: TC001 - a dataclass's field
from pasteur.errors import ConfigError
from pasteur.experiment import Tuning  # noqa: TC001 - the same
from pasteur.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pasteur.result import Result

TOKEN = "token"  # noqa: S105 - which start of the sweep is the current one
LOCK = "lock"

NODE = "sweep"
"""The node of a sweep in a composed configuration."""


@dataclass
class Tuned(Trial):
    """The task of one trial."""

    config: SweepConfig
    tuning: Tuning
    names: tuple[str, ...]
    """Overrides that are searched, beside those of its algorithm alone."""
    token: str
    """Of the start that asked for it."""
    parent: int = field(default_factory=os.getpid)
    """The process of the sweep itself."""

    def __call__(self, cfg: DictConfig) -> float | tuple[float, ...] | None:
        """Run the trial that `cfg` says; its objectives, or None where it has none and is failed."""
        number = int(cfg[NODE].trial)
        folder = Path(HydraConfig.get().runtime.output_dir)
        if os.getpid() != self.parent:
            _follow()
        with _BUSY, locked(folder / LOCK):
            if (folder / RESULT).exists() or (folder.parent / TOKEN).read_text(encoding="utf-8") != self.token:
                return None
            params = self._params(cfg)
            outcome = self._outcome(without(cfg), number, [*_fixed(params), *spaces.command(params)])
            outcome["params"] = spaces.settings(params)
            write_text(folder / RESULT, json.dumps(outcome, indent=1, sort_keys=True) + "\n")
        return values(outcome, self.config)

    def _perform(self, cfg: DictConfig) -> Result:
        return job.perform(cfg, self.tuning)

    def failed(self, folder: Path, number: int, params: Mapping[str, Any], error: str) -> None:
        """Write down that a trial failed, on behalf of a process that could not."""
        outcome = {"number": number, "state": "failed", "error": error, "params": dict(params), "overrides": []}
        write_text(folder / RESULT, json.dumps(outcome, indent=1, sort_keys=True) + "\n")

    def _params(self, cfg: DictConfig) -> dict[str, Any]:
        """What the trial was given to try: override -> value."""
        found: dict[str, Any] = {}
        for word in HydraConfig.get().overrides.task:
            name, _, said = word.partition("=")
            if name.startswith(spaces.FOUND) or name in self.names:
                value = OmegaConf.select(cfg, name.lstrip("+"))
                plain = OmegaConf.to_container(value) if isinstance(value, ListConfig) else value
                found[name] = said if isinstance(value, DictConfig) else plain
        return found

    def _more(self, result: Result) -> dict[str, Any]:
        """The objectives, each finite; without them the trial is failed."""
        unpaid = self.config.claim == "none"
        found: dict[str, Any] = {}
        try:
            found["objectives"] = {n: objectives.value(result, n, unpaid=unpaid) for n in self.config.objective}
        except ConfigError as error:
            found |= {"state": "failed", "error": str(error)}
        private = bool(result.claim.get("private"))
        return found | {"epsilon": result.claim.get("epsilon") if private else None}


def values(outcome: dict[str, Any], config: SweepConfig) -> float | tuple[float, ...] | None:
    """What a trial's outcome tells Optuna: a number an objective, or None where it has failed."""
    found = outcome.get("objectives")
    if not found or outcome["state"] == "failed":
        return None
    listed = tuple(float(found[name]) for name in config.objective)
    return listed if len(listed) > 1 else listed[0]


def _fixed(params: dict[str, Any]) -> list[str]:
    """The words of the command line that all trials share, but for those on the sweep itself."""
    words = [word for word in HydraConfig.get().overrides.task if word.split("=")[0] not in params]
    return [word for word in aliases.shown(words) if word.split("=")[0].lstrip("+").split(".")[0] != NODE]


def without(cfg: DictConfig) -> DictConfig:
    """A trial's configuration as that of a single run: what was found for its algorithm is the algorithm's."""
    plain = cfg.copy()
    with open_dict(plain):
        node = plain.pop(NODE, None)
        found = OmegaConf.to_container(node.found) if node else {}
        for settings in (found or {}).values():  # type: ignore[union-attr]
            for name, value in settings.items():
                OmegaConf.update(plain, f"algorithm.{name}", value, force_add=True)
    return plain


_BUSY = threading.Lock()
"""Held while this process runs a trial."""


@cache
def _follow() -> None:
    """End this worker when its parent has ended, once no trial runs: joblib's would wait for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        with _BUSY:
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def locked(path: Path, told: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a file's lock; it is let go when the process ends, however it ends.

    Args:
        path: the file.
        told: called where the lock must be waited for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if told:
                told()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
