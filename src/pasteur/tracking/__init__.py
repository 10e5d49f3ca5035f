"""MLflow: every run, trial and sweep, kept where two can be compared. The only importer of mlflow.

MLflow takes seconds to import, and more to make a new store. So it lives in a child process that is started before a
run and told at its end: a run neither waits for it nor shares a core or a logging set-up with it, and an interrupt of
the run does not stop a store half-way. A new store is made under a temporary name, by one process at a time.

`record` is what is kept, `places` where, `tracker` the parent's side, `__main__` the child's, `mlflow_store` its hands.
"""

from __future__ import annotations

from pasteur.tracking.places import ADDRESS, ENVIRONMENT, PORT, artifacts, runs_page, server, store
from pasteur.tracking.record import Kept, Record, Tracked, TrackingError
from pasteur.tracking.tracker import Tracker

__all__ = [
    "ADDRESS",
    "ENVIRONMENT",
    "PORT",
    "Kept",
    "Record",
    "Tracked",
    "Tracker",
    "TrackingError",
    "artifacts",
    "runs_page",
    "server",
    "store",
]
