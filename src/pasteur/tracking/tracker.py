"""`Tracker`: the parent's side of the process that MLflow lives in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from pasteur.tracking.places import ENVIRONMENT
from pasteur.tracking.record import Kept, Record, Tracked, TrackingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType


class Tracker:
    """The parent's side: starts the child early, tells it at the end.

    Args:
        root: the folder under which `outputs/` lies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._child: subprocess.Popen[str] | None = None
        self._asked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def prepare(self) -> None:
        """Start the child; it imports MLflow and makes or migrates the store while a run goes on."""
        if self._child is not None:
            return
        outputs = self.root.resolve() / "outputs"
        try:
            outputs.mkdir(parents=True, exist_ok=True)
            with (outputs / "mlflow.log").open("a", encoding="utf-8") as log:
                self._child = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                    [sys.executable, "-P", "-m", "pasteur.tracking", str(self.root.resolve())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=outputs,
                    env={**os.environ, **ENVIRONMENT},
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,  # Ctrl-C ends a run, not the making of a store
                )
        except OSError as error:
            raise TrackingError(f"{outputs}: cannot be written ({error.strerror})") from error

    def ready(self) -> None:
        """Wait until the store is there: before workers start, that would race to make it.

        Raises:
            TrackingError: it cannot be made.
        """
        self._tell({"do": "ready"})

    def log(self, record: Record) -> Tracked:
        """Keep a record.

        Raises:
            TrackingError: the store cannot be written.
        """
        return Tracked(**self._tell({"do": "log", "record": asdict(record)}))

    def experiment(self, name: str) -> str | None:
        """MLflow's id of the experiment called `name`; None where nothing was kept under it."""
        found: str | None = self._tell({"do": "experiment", "name": name})["experiment"]
        return found

    def runs(self, *, ids: Sequence[str] = (), sweep: str = "", experiment: str = "", most: int = 1000) -> list[Kept]:
        """What is kept of runs: those of `ids`, else the trials of a sweep, else the latest of an experiment.

        Args:
            ids: MLflow's ids of runs.
            sweep: the sweep's id.
            experiment: its name; empty: of all experiments.
            most: how many at most.

        Raises:
            TrackingError: the store cannot be read, or has no such run.
        """
        wanted = {"ids": list(ids), "sweep": sweep, "experiment": experiment, "most": most}
        return [Kept(**found) for found in self._tell({"do": "runs", **wanted})["runs"]]

    def close(self) -> None:
        """Let the child end; one that was never asked anything is not waited for: it may still be starting."""
        if self._child is None:
            return
        if not self._asked:
            self._child.terminate()
        for stream in (self._child.stdin, self._child.stdout):
            if stream:
                stream.close()
        self._child.wait()
        self._child, self._asked = None, False

    def _tell(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self.prepare()
        self._asked = True
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise TrackingError("MLflow's process could not be started")
        try:
            child.stdin.write(json.dumps(message) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except OSError:
            line = ""
        reply: dict[str, Any] = json.loads(line) if line else {"error": "MLflow's process ended"}
        if "error" in reply:
            log = self.root / "outputs" / "mlflow.log"
            raise TrackingError(f"not tracked: {reply['error']}; see {log}")
        return reply
