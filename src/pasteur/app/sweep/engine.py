"""A sweep of Optuna's, from its command line to its last trial; started again, it goes on to the same total.

hydra-optuna-sweeper asks for a batch of trials, launches it, and tells Optuna only when all of it is done. So what
counts is each trial's `result.json`. A start first tells Optuna of results that it missed and closes trials that never
ended, then has the sweeper run as many as are left.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pasteur import shared
from pasteur.app import multirun
from pasteur.app.multirun import RESULT
from pasteur.app.sweep import ending, objectives, spaces, studies
from pasteur.app.sweep.progress import Progress
from pasteur.app.sweep.trial import LOCK, TOKEN, Tuned, locked, values
from pasteur.errors import ConfigError
from pasteur.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from optuna import Study
    from optuna.trial import FrozenTrial

    from pasteur.app.sweep.request import Request

logger = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds between two looks at what trials wrote."""

NO_BEST = ("Record does not exist.", "No trials are completed yet.")
"""What Optuna says, asked for the best of no trial: its stores each in their own words."""

CRASHED = "the process that ran it ended by itself: out of memory?"


def launch(root: Path, request: Request, overrides: Sequence[str], start: Callable[[list[str], Tuned], None]) -> int:
    """Run what is left of a sweep, and tell of all its trials.

    Args:
        root: where `outputs/` lies.
        request: what was asked for.
        overrides: the command line.
        start: hands words and a task to Hydra.

    Returns:
        0, or 3 if a trial or the tracking failed.

    Raises:
        ConfigError: an objective is unknown, the same sweep is running, or the store cannot be used.
    """
    engine = Engine(root=root, request=request, start=start)
    with alone(engine.folder, request.id):
        engine.study()  # a store that cannot be used is told before data are read
        metrics = shared.make(request.experiment)
        objectives.check(request.config.objective, metrics=metrics, unpaid=request.config.claim == "none")
        search = ending.Search.of(request, number=request.tuning.randomised, total=engine.total)
        return multirun.launch(root, request.id, overrides, engine.watched, search)


@dataclass
class Engine:
    """One start of a sweep.

    Args:
        root: where `outputs/` lies.
        request: what was asked for.
        start: hands words and a task to Hydra.
    """

    root: Path
    request: Request
    start: Callable[[list[str], Tuned], None]
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def folder(self) -> Path:
        """Where the trials' folders lie."""
        return self.root / "outputs" / "sweeps" / self.request.id

    def run(self) -> None:
        """Run the trials that are left.

        Raises:
            ConfigError: the same sweep is running, or the store cannot be used.
        """
        write_text(self.folder / TOKEN, self.token)
        study = self.study()
        spaces.use(self.request.space)
        while left := self._left(study):
            before = len(self.results())
            self._sweep(study, left)
            if len(self.results()) == before:
                raise ConfigError(f"sweep '{self.request.id}': no trial came to an end; see the logs in {self.folder}")

    def watched(self) -> None:
        """Run the trials that are left, and tell of each as it ends."""
        progress = Progress(self.folder, self.total, self.request.config.objective)
        with watched(lambda: progress.told(self.results().values())):
            self.run()

    @property
    def total(self) -> int:
        """Finished trials in all."""
        return self.request.total(self.folder)

    def study(self) -> Study:
        """The sweep's study.

        Raises:
            ConfigError: the store cannot be used.
        """
        url = studies.url_of(self.root, self.request.config.storage)
        objectives = len(self.request.config.objective)
        return studies.open_study(url, self.request.id, objectives=objectives, folder=self.folder)

    def results(self) -> dict[int, dict[str, Any]]:
        """What each finished trial wrote, by number."""
        return results(self.folder)

    def _left(self, study: Study) -> int:
        """Close what has ended since, and count what is left to do."""
        self._recall(study)
        done = self.results()
        held = len(study.get_trials(deepcopy=False))
        if done and max(done) >= held:
            raise ConfigError(
                f"sweep '{self.request.id}': its store has {held} trials, and {self.folder} has more: the store is not "
                "the one that it began with; give that sweep.storage, or another sweep.name"
            )
        if self.request.points is None:
            return max(self.total - len(done), 0)
        tried = [_point(trial) for trial in study.get_trials(deepcopy=False) if trial.number in done]
        untried = [point for point in self.request.points if not _take(point, tried)]
        left = untried[: max(self.total - len(done), 0)]
        studies.enqueue(study, left)
        return len(left)

    def _recall(self, study: Study) -> None:
        """Tell Optuna of finished trials that it has not heard of, and close those that will never end."""
        for trial in studies.running(study):
            place = self.folder / str(trial.number)
            if not (place / RESULT).exists() and (place / LOCK).exists():
                self._wait(place, trial.number)
            outcome = _read(place / RESULT)
            studies.tell(study, trial.number, _listed(outcome, self.request) if outcome else None)

    def _wait(self, place: Path, number: int) -> None:
        """Wait for a trial that still runs: its sweep was killed, and its own process was not."""
        with locked(place / LOCK, told=lambda: logger.warning("waiting for trial %d, which still runs", number)):
            return

    def _sweep(self, study: Study, left: int) -> None:
        """Have the sweeper run so many trials more."""
        config, task = self.request.config, self.request.task(self.root, self.token)
        words = [
            f"hydra.sweep.dir='{self.folder}'",
            f"hydra.sweeper.study_name='{self.request.id}'",
            f"hydra.sweeper.n_trials={left}",
            f"hydra.sweeper.n_jobs={self.request.batch}",
            f"hydra.sweeper.direction=[{','.join('minimize' for _ in config.objective)}]",
            *([f"hydra.launcher.n_jobs={config.jobs}"] if self.request.joblib else []),
        ]
        try:
            with studies.quiet():
                self.start(words, task)
        except Exception as error:
            if _ended_by_itself(error):
                self._crashed(study, task)
            elif str(error) not in NO_BEST or not studies.fruitless(study):
                raise  # where none has ended well, the sweeper asks for the best of them

    def _crashed(self, study: Study, task: Tuned) -> None:
        """Write down the trials that a worker's end took with it: begun, and not ended."""
        logger.error("a worker ended by itself: the trials that it took with it are failed, the others go on")
        for trial in studies.running(study):
            place = self.folder / str(trial.number)
            if (place / LOCK).exists() and not (place / RESULT).exists():
                with locked(place / LOCK):
                    if not (place / RESULT).exists():
                        task.failed(place, trial.number, spaces.settings(trial.params), CRASHED)


def _ended_by_itself(error: Exception) -> bool:
    """Whether a worker of joblib's, or a job of submitit's, has ended without a word."""
    return isinstance(error, BrokenProcessPool) or type(error).__module__.startswith("submitit.")


def _point(trial: FrozenTrial) -> dict[str, Any]:
    return {name: value for name, value in trial.params.items() if name != spaces.HIDDEN}


def _take(point: Mapping[str, Any], tried: list[dict[str, Any]]) -> bool:
    """Whether `point` is among those tried; each counts once."""
    if dict(point) in tried:
        tried.remove(dict(point))
        return True
    return False


def _listed(outcome: dict[str, Any], request: Request) -> Sequence[float] | None:
    found = values(outcome, request.config)
    return found if found is None or isinstance(found, tuple) else (found,)


def results(folder: Path) -> dict[int, dict[str, Any]]:
    """What each finished trial under `folder` wrote, by number."""
    numbers = sorted(int(path.name) for path in folder.glob("*/") if path.name.isdigit())
    read = {number: _read(folder / str(number) / RESULT) for number in numbers}
    return {number: outcome for number, outcome in read.items() if outcome}


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Look every now and then, from a thread of its own, and once more at the end: any launcher may run the trials."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold a sweep's own lock.

    Raises:
        ConfigError: another process has it.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            who = stream.read().strip() or "another process"
            raise ConfigError(
                f"sweep '{name}' must not run twice at once: {who} runs it; wait for it, or give another sweep.name"
            ) from None
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        yield
