"""Where the store lies, and where its pages are seen.

It is a file under `outputs/`; or, for a team, a server's database, whose URL may hold a password: so it comes from the
environment alone, and what is told of it goes through `hidden`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # the server starts in 7.5 s instead of 31
    "GIT_PYTHON_REFRESH": "quiet",
}

PORT = 5000
SERVER = "PASTEUR_MLFLOW"
"""Variable with the URL of a database that a team shares: postgresql+psycopg://role@host/database."""

FILES = "PASTEUR_ARTIFACTS"
"""Variable with the folder, or the URL that MLflow writes to, where a team keeps the records' files."""

ADDRESS = f"http://127.0.0.1:{PORT}"
"""Where `pasteur ui` serves, unless told otherwise: this machine alone."""


def runs_page(experiment: str) -> str:
    """The page with all runs of an experiment, under the address of `pasteur ui`. Its query keeps MLflow on runs."""
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning"


def server() -> str | None:
    """The URL of the database that a team shares; None where there is none, or where it is no database of a server."""
    url = os.environ.get(SERVER, "").strip()
    return url or None


def store(root: Path) -> str:
    """The URI of the store."""
    return server() or f"sqlite:///{file_of(root)}"


def hidden(text: str) -> str:
    """A text without the store's URL and its password."""
    url = server()
    if not url:
        return text
    written = re.findall(r"^[^:/]+://[^:/@]*:(.*)@|[?&]password=([^&]*)", url)
    secrets = [secret for pair in written for secret in pair if secret]
    for secret in (url, *secrets, *map(unquote, secrets)):
        text = text.replace(secret, "***")
    return text


def artifacts(root: Path) -> str:
    """The URI of the folder that holds the files of all records."""
    place = os.environ.get(FILES, "").strip()
    if place:
        return place.rstrip("/") if "://" in place else Path(place).expanduser().resolve().as_uri()
    return (root.resolve() / "outputs" / "mlflow").as_uri()


def file_of(root: Path) -> Path:
    """The file of the store."""
    return root.resolve() / "outputs" / "mlflow.db"
