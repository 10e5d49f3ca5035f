"""One job of Hydra's: convert, run, track, tell."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from pasteur import tracking
from pasteur.app import convert, records, summary

if TYPE_CHECKING:
    from pathlib import Path

    from pasteur.experiment import Tuning
    from pasteur.result import Result

logger = logging.getLogger(__name__)

INCOMPLETE = 3
"""Exit code of a run that is whole but for a metric or its tracking, and of a sweep with a failed trial."""


@dataclass
class Single:
    """The task of a single run. Hydra calls it; `code` is what the process leaves with.

    What it raises is held back until Hydra has returned: Hydra would print a line of its own before it.
    """

    root: Path
    code: int = 0
    error: Exception | None = None
    __name__ = "pasteur"

    def __call__(self, cfg: DictConfig) -> None:
        """Run the experiment that `cfg` says."""
        try:
            self._run(cfg)
        except Exception as error:  # noqa: BLE001 - raised again by `launch`
            self.error = error

    def _run(self, cfg: DictConfig) -> None:
        with tracking.Tracker(self.root) as tracker:
            tracker.prepare()
            result = perform(cfg)
            tracked: tracking.Tracked | None = None
            problem = ""
            try:
                tracked = tracker.log(records.of(result, kind="run"))
                records.remember(result, tracked)
            except tracking.TrackingError as error:
                problem = str(error)
        summary.show(result, tracked, problem)
        self.code = INCOMPLETE if result.failures or problem else 0


def perform(cfg: DictConfig, tuning: Tuning | None = None) -> Result:
    """Run the experiment that `cfg` says and keep its settings beside what it made.

    Args:
        cfg: the composed configuration.
        tuning: the sweep whose trial it is.

    Raises:
        PasteurError: it cannot run.
    """
    from pasteur.files import write_text
    from pasteur.run import run

    choices = {str(group): option for group, option in HydraConfig.get().runtime.choices.items()}
    experiment = replace(convert.experiment(cfg, choices), tuning=tuning)
    logger.info(
        "%s: view %s, schema %s, algorithm %s",
        experiment.dataset.name,
        experiment.view.name,
        experiment.schema_shown,
        experiment.algorithm,
    )
    result = run(experiment)
    shown = OmegaConf.to_container(cfg, resolve=True)
    if isinstance(shown, dict) and isinstance(shown.get("sweep"), dict):
        shown["sweep"].pop("storage", None)  # its URL may hold a password
    write_text(result.folder / "config.yaml", OmegaConf.to_yaml(shown))
    return result


def nothing(cfg: DictConfig) -> None:
    """Do nothing: Hydra only shows `cfg`."""
