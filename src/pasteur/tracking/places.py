"""Where the store lies, and where its pages are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # the server starts in 7.5 s instead of 31
    "GIT_PYTHON_REFRESH": "quiet",
}

PORT = 5000
ADDRESS = f"http://127.0.0.1:{PORT}"
"""Where `pasteur ui` serves, unless told otherwise: this machine alone."""


def runs_page(experiment: str) -> str:
    """The page with all runs of an experiment, under the address of `pasteur ui`. Its query keeps MLflow on runs."""
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning"


def store(root: Path) -> str:
    """The URI of the store."""
    return f"sqlite:///{file_of(root)}"


def artifacts(root: Path) -> Path:
    """The folder that holds the files of all records."""
    return root.resolve() / "outputs" / "mlflow"


def file_of(root: Path) -> Path:
    """The file of the store."""
    return root.resolve() / "outputs" / "mlflow.db"
