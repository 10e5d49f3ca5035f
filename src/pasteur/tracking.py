"""MLflow: every run, trial and sweep, kept where two can be compared. The only importer of mlflow.

MLflow takes seconds to import, and more to make a new store. So it lives in a child process that is started before a
run and told at its end: a run neither waits for it nor shares a core or a logging set-up with it, and an interrupt of
the run does not stop a store half-way. A new store is made under a temporary name, by one process at a time.

    python -m pasteur.tracking ROOT     is that child: a JSON document a line in, a JSON document a line out
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from pasteur.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from mlflow import MlflowClient

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # the server starts in 7.5 s instead of 31
    "GIT_PYTHON_REFRESH": "quiet",
}

PORT = 5000
ADDRESS = f"http://127.0.0.1:{PORT}"
"""Where `pasteur ui` serves, unless told otherwise: this machine alone."""

MAGIC = b"SQLite format 3\0"

VALUE = 6000
"""Characters of a parameter that MLflow keeps."""

BATCH = 100
"""Parameters that MLflow takes in one call; of metrics it takes ten times as many."""


class TrackingError(DataError):
    """The store could not be written. What a run made is whole nevertheless."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one run. No cell of anybody's data belongs in it."""

    experiment: str
    """The view's name."""
    name: str
    """What the list of runs shows."""
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    folders: Sequence[str] = ()
    """Folders whose files are kept."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File -> the folder of the record that it is kept in."""
    documents: Mapping[str, Any] = field(default_factory=dict)
    """Name -> JSON document."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Name of each data set that was read -> digest. No profile: that would show the data."""
    seconds: float = 0.0
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Where a record is found again."""

    experiment: str
    """MLflow's id of the experiment."""
    run: str
    """MLflow's id of the run."""

    @property
    def page(self) -> str:
        """The run's page, under the address of `pasteur ui`."""
        return f"#/experiments/{self.experiment}/runs/{self.run}?workflowType=machine_learning"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the store keeps of a run."""

    id: str
    name: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def runs_page(experiment: str) -> str:
    """The page with all runs of an experiment, under the address of `pasteur ui`. Its query keeps MLflow on runs."""
    return f"#/experiments/{experiment}/runs?workflowType=machine_learning"


def store(root: Path) -> str:
    """The URI of the store."""
    return f"sqlite:///{_file(root)}"


def artifacts(root: Path) -> Path:
    """The folder that holds the files of all records."""
    return root.resolve() / "outputs" / "mlflow"


def _file(root: Path) -> Path:
    return root.resolve() / "outputs" / "mlflow.db"


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


def serve(root: Path, incoming: IO[str], outgoing: IO[str]) -> None:
    """The child's side: answer each line of `incoming` on `outgoing`, until the parent closes it."""
    client = _early(root)
    for line in incoming:
        message = json.loads(line)
        try:
            client = client or _client(root)
            reply = _answer(client, root, message)
        except Exception as error:  # noqa: BLE001 - whatever MLflow raises, the parent has a run to finish
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        outgoing.write(json.dumps(reply) + "\n")
        outgoing.flush()


def _early(root: Path) -> MlflowClient | None:
    """What takes long, done before anything is asked: import MLflow, make the store, open it."""
    try:
        client = _client(root)
        client.search_experiments(max_results=1)
    except Exception as error:  # noqa: BLE001 - told when something is asked
        print(f"the store could not be opened: {error}", file=sys.stderr)  # noqa: T201 - stderr is the log
        return None
    return client


def _make_store(root: Path) -> None:
    """Make the store and migrate it, where there is none; one process at a time, under a temporary name."""
    if _file(root).exists():
        with _file(root).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise TrackingError(f"{_file(root)} is not a SQLite file")
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with _locked(root):
        path = _file(root)
        if not path.exists():
            temporary = path.with_name(f".mlflow.{os.getpid()}.db")
            try:
                made = SqlAlchemyStore(f"sqlite:///{temporary}", artifacts(root).as_uri())  # type: ignore[no-untyped-call]
                made.engine.dispose()
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with _file(root).with_suffix(".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _client(root: Path) -> MlflowClient:
    _make_store(root)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store(root))


def _answer(client: MlflowClient, root: Path, message: Mapping[str, Any]) -> dict[str, Any]:
    if message["do"] == "log":
        return _log(client, root, Record(**message["record"]))
    if message["do"] == "runs":
        return {"runs": _runs(client, message)}
    if message["do"] == "experiment":
        found = client.get_experiment_by_name(message["name"])
        return {"experiment": found.experiment_id if found else None}
    client.search_experiments(max_results=1)
    return {}


def _log(client: MlflowClient, root: Path, record: Record) -> dict[str, Any]:
    from mlflow.entities import Metric, Param

    experiment = _experiment(client, root, record.experiment)
    now = int(time.time() * 1000)
    tags = {key: value[:VALUE] for key, value in record.tags.items()}
    started = now - int(record.seconds * 1000)
    run = client.create_run(experiment, start_time=started, tags=tags, run_name=record.name).info.run_id
    metrics = [Metric(key_of(name), value, now, 0) for name, value in record.metrics.items()]
    params = [Param(key_of(name), _text(value)) for name, value in record.params.items()]
    for start in range(0, max(len(params), len(metrics) // 9 + 1), BATCH):
        part = metrics[start * 9 : (start + BATCH) * 9]
        client.log_batch(run, metrics=part, params=params[start : start + BATCH])
    if record.digests:
        client.log_inputs(run, datasets=_inputs(record.digests))
    for folder in record.folders:
        client.log_artifacts(run, folder)
    for file, where in record.files.items():
        client.log_artifact(run, file, where or None)
    for name, document in record.documents.items():
        client.log_dict(run, document, name)
    client.set_terminated(run, "FAILED" if record.failed else "FINISHED", now)
    return {"experiment": experiment, "run": run}


def _runs(client: MlflowClient, message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["ids"]:
        found = [client.get_run(run) for run in message["ids"]]
    else:
        wanted = [e for e in client.search_experiments() if message["experiment"] in ("", e.name)]
        kinds = f"tags.sweep = '{message['sweep']}'" if message["sweep"] else ""
        ids = [e.experiment_id for e in wanted]
        kept = client.search_runs(ids, filter_string=kinds, max_results=message["most"]) if ids else []
        found = [run for run in kept if run.data.tags.get("kind") != "sweep"]
    return [
        {
            "id": run.info.run_id,
            "name": run.info.run_name,
            "status": run.info.status,
            "tags": dict(run.data.tags),
            "params": dict(run.data.params),
            "metrics": dict(run.data.metrics),
        }
        for run in reversed(found)
    ]


def _inputs(digests: Mapping[str, str]) -> list[Any]:
    from mlflow.entities import Dataset, DatasetInput

    return [
        DatasetInput(dataset=Dataset(name=name, digest=digest[:36], source_type="pasteur", source=name), tags=[])
        for name, digest in digests.items()
    ]


def _experiment(client: MlflowClient, root: Path, name: str) -> str:
    """The id of the experiment called `name`, made where there is none."""
    with _locked(root):
        found = client.get_experiment_by_name(name)
        if found:
            return str(found.experiment_id)
        return str(client.create_experiment(name, artifact_location=(artifacts(root) / name).as_uri()))


def key_of(name: str) -> str:
    """`name` with what MLflow does not allow in a key (brackets, equal signs ...) as underscores."""
    return re.sub(r"[^\w\-./: ]", "_", name, flags=re.ASCII)[:250]


def _text(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value, sort_keys=True))[:VALUE]


def main() -> None:
    """Be the child of a `Tracker`."""
    os.environ.update(ENVIRONMENT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # an end like any other: half a store is removed
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between our answers
    serve(Path(sys.argv[1]), sys.stdin, answers)
    sys.stderr.flush()
    os._exit(0)  # all is committed; taking MLflow down module by module would keep the parent waiting for a second


if __name__ == "__main__":
    main()
