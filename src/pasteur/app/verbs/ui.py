"""`pasteur ui`: MLflow on this machine, opened where the runs are."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from typing import TYPE_CHECKING

from pasteur import tracking
from pasteur.app import records
from pasteur.app.verbs import RUN, Parser, root_of
from pasteur.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 600
"""Seconds that the server may take to answer: minutes where other work holds every core. A dead one is told at once."""

NEWS = 15
"""Seconds between two lines that say that it is still starting."""

PAUSE = 0.2
"""Seconds between two questions."""


def main(argv: Sequence[str]) -> int:
    """Serve the tracking store on loopback until interrupted; print the address and open it.

    Raises:
        ConfigError: the port is taken.
        DataError: the server does not start.
    """
    parser = Parser("ui", "Open MLflow on this machine, at the runs.")
    parser.add_argument("run", nargs="?", metavar="RUN", help=f"the run to open: {RUN}; default: the list of runs")
    parser.add_argument("--port", type=int, default=tracking.PORT)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    arguments = parser.parse_args(list(argv))
    root = root_of(arguments)
    page = _page(root, arguments.run)
    _free(arguments.port)
    with tracking.Tracker(root) as tracker:
        tracker.ready()
    address = f"http://{HOST}:{arguments.port}"
    with subprocess.Popen(  # noqa: S603 - MLflow, by this interpreter
        command(root, arguments.port), env={**os.environ, **tracking.ENVIRONMENT, **_store()}, cwd=root / "outputs"
    ) as server:
        try:
            print(f"MLflow: {address}/{page} in some seconds", flush=True)  # noqa: T201 - before all that MLflow says
            _wait(server, address)
            print(f"MLflow: {address}/{page}\nCtrl-C ends it.", flush=True)  # noqa: T201 - what a person asked for
            if not arguments.no_browser:
                webbrowser.open(f"{address}/{page}")
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            server.terminate()


def _store() -> dict[str, str]:
    url = tracking.server()
    return {"MLFLOW_BACKEND_STORE_URI": url} if url else {}


def command(root: Path, port: int) -> list[str]:
    """The server's command line: one worker, on loopback, over the root's store.

    A database's URL may hold a password, and every user of a machine sees its command lines: it goes by a variable.
    """
    return [
        *(sys.executable, "-P", "-m", "mlflow", "server"),
        *(() if tracking.server() else ("--backend-store-uri", tracking.store(root))),
        *("--default-artifact-root", tracking.artifacts(root)),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
    ]


def _page(root: Path, run: str | None) -> str:
    """The run's page, or that of all runs on the view of the latest one."""
    if run:
        tracked = records.find(root, run).tracked
        if tracked is None:
            raise DataError(f"run {run} was not tracked")
        return tracked.page
    latest = next((kept.tracked for kept in reversed(records.kept(root)) if kept.tracked), None)
    return tracking.runs_page(latest.experiment) if latest else ""


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ConfigError(f"port ({port}) must be free: pasteur ui --port {port + 1}") from None


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    """Wait until the server answers; say now and then that it is still starting.

    Raises:
        DataError: it ended, or has not answered for `PATIENCE` seconds.
    """
    start = told = time.monotonic()
    while not _answers(address):
        now = time.monotonic()
        if server.poll() is not None:
            raise DataError(f"MLflow ended with code {server.returncode}")
        if now - start > PATIENCE:
            raise DataError(f"MLflow did not answer within {PATIENCE} s")
        if now - told > NEWS:
            told = now
            print(f"MLflow is starting: {now - start:.0f} s", file=sys.stderr, flush=True)  # noqa: T201 - progress
        time.sleep(PAUSE)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=10):  # noqa: S310 - our own loopback address
            return True
    except (OSError, http.client.HTTPException):  # URLError and TimeoutError are OSErrors
        return False
