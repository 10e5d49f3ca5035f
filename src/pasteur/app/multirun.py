"""Many runs at once: flat, tagged trials and one summary, also when some of them fail.

A trial writes `result.json` into its own folder before it returns, and never raises: Hydra's sweeper stops at the first
exception and skips its end-of-sweep callback. So the summary is made here, in a `finally`, from what the trials wrote.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig

from pasteur import tracking
from pasteur.app import aliases, faults, job, records
from pasteur.errors import PasteurError
from pasteur.experiment import Tuning
from pasteur.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omegaconf import DictConfig

    from pasteur.app.sweep.ending import Search
    from pasteur.result import Result

VARIABLE = "PASTEUR_SWEEP"

RESULT = "result.json"

logger = logging.getLogger(__name__)


def launch(
    root: Path, sweep: str, overrides: Sequence[str], start: Callable[[], None], search: Search | None = None
) -> int:
    """Run many trials, and tell of all of them.

    Args:
        root: where `outputs/` lies.
        sweep: the sweep's id.
        overrides: its command line.
        start: runs the trials, here or in workers.
        search: what a sweep of Optuna's searches.

    Returns:
        0, or 3 if a trial or the tracking failed.
    """
    from pasteur.app.sweep import ending

    folder = root / "outputs" / "sweeps" / sweep
    tracker = _tracker(root)
    try:
        tracker.ready()  # before workers could race to make the store
        try:
            start()
        finally:
            trials = collect(folder)
            problem = ending.end(tracker, root, sweep, overrides, trials, search)
    finally:
        _TRACKERS.pop(root).close()
    # A search makes up for trials that were cut off: it goes on to its total, or ends with an error of its own.
    ended = [trial for trial in trials if not (search and trial["state"] == "cut off")]
    failed = not ended or any(trial["state"] != "complete" for trial in ended)
    return job.INCOMPLETE if failed or problem else 0


_TRACKERS: dict[Path, tracking.Tracker] = {}
"""One child of MLflow's a process: the parent's, or a worker's own, for all its trials."""


def _tracker(root: Path) -> tracking.Tracker:
    if root not in _TRACKERS:
        _TRACKERS[root] = tracking.Tracker(root)
        atexit.register(_TRACKERS[root].close)
    return _TRACKERS[root]


@dataclass
class Trial:
    """The task of one trial; Hydra's launcher may send it to another process."""

    root: Path
    sweep: str
    __name__ = "pasteur"

    def __call__(self, cfg: DictConfig) -> Any:
        """Run the trial that `cfg` says; a failure is written down, not raised."""
        here = HydraConfig.get()
        outcome = self._outcome(cfg, int(here.job.num), aliases.shown(here.overrides.task))
        write_text(Path(here.runtime.output_dir) / RESULT, json.dumps(outcome, indent=1, sort_keys=True) + "\n")

    def _outcome(self, cfg: DictConfig, number: int, overrides: Sequence[str]) -> dict[str, Any]:
        """What became of trial `number`."""
        outcome: dict[str, Any] = {"number": number, "overrides": list(overrides), "started": time.time()}
        logger.info("trial %d: %s", number, " ".join(outcome["overrides"]))
        try:
            outcome |= self._run(cfg)
        except PasteurError as error:
            outcome |= {"state": "failed", "error": " ".join(str(error).split())}
        except Exception as error:  # noqa: BLE001 - a fault in one trial must not end the others
            outcome |= {"state": "failed", "error": f"{type(error).__name__} (see the trial's pasteur.log)"}
            _keep(Path(HydraConfig.get().runtime.output_dir), faults.told(error))
        if outcome["state"] == "failed":
            logger.error("trial %d failed: %s", number, outcome["error"])
        return outcome | {"ended": time.time()}

    def _run(self, cfg: DictConfig) -> dict[str, Any]:
        tracker = _tracker(self.root)
        tracker.prepare()
        result = self._perform(cfg)
        outcome: dict[str, Any] = {
            "state": "incomplete" if result.failures else "complete",
            "run_id": result.run_id,
            "version": result.version,
            "view": result.experiment.view.name,
            "algorithm": result.experiment.algorithm,
            "claim": dict(result.claim),
            "gaps": {k: v for k, v in records.numbers(result).items() if k.startswith("gap/") and math.isfinite(v)},
            "seconds": result.seconds,
            "error": "; ".join(f"{family}: {why}" for family, why in sorted(result.failures.items())),
            **self._more(result),
        }
        try:
            tracked = tracker.log(records.of(result, kind="trial", sweep=self.sweep))
            records.remember(result, tracked)
        except tracking.TrackingError as error:
            outcome |= {"state": "incomplete", "error": str(error)}
        return outcome

    def _perform(self, cfg: DictConfig) -> Result:
        return job.perform(cfg, Tuning(sweep=self.sweep))

    def _more(self, result: Result) -> dict[str, Any]:  # noqa: ARG002 - a sweep of Optuna's has objectives
        """What else is kept of a finished run."""
        return {}


def _keep(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pasteur.log").open("a", encoding="utf-8") as log:
        log.write(text)


def collect(folder: Path) -> list[dict[str, Any]]:
    """What the trials of a sweep wrote, by number. A trial that was cut off has written nothing, but has a folder."""
    trials = []
    for path in folder.glob("*/"):
        if not path.name.isdigit():
            continue
        try:
            trials.append(json.loads((path / RESULT).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            trials.append({"number": int(path.name), "overrides": [], "state": "cut off", "error": "did not finish"})
    return sorted(trials, key=lambda trial: int(trial["number"]))
