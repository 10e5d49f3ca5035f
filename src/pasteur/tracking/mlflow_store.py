"""Records in MLflow's words: a store made whole, by one process at a time, written and read. Imports mlflow."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pasteur.tracking.places import SERVER, artifacts, file_of, hidden, server, store
from pasteur.tracking.record import Record, TrackingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlflow import MlflowClient

LOCK = 7_236_498_117
"""Key of the lock that is held in a server while its tables are made: any number, if it is everybody's."""

MAGIC = b"SQLite format 3\0"

VALUE = 6000
"""Characters of a parameter that MLflow keeps."""

BATCH = 100
"""Parameters that MLflow takes in one call; of metrics it takes ten times as many."""


def _make_store(root: Path) -> None:
    """Make the store and migrate it, where there is none; one process at a time, a file under a temporary name."""
    if url := server():
        _make_server(url, root)
        return
    if file_of(root).exists():
        with file_of(root).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise TrackingError(f"{file_of(root)} is not a SQLite file")
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with _locked(root):
        path = file_of(root)
        if not path.exists():
            temporary = path.with_name(f".mlflow.{os.getpid()}.db")
            try:
                made = SqlAlchemyStore(f"sqlite:///{temporary}", artifacts(root))  # type: ignore[no-untyped-call]
                made.engine.dispose()
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)


def _make_server(url: str, root: Path) -> None:
    """Make the tables in a server's database, one process of all machines at a time."""
    import sqlalchemy
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from sqlalchemy.pool import NullPool

    if not url.startswith("postgresql"):
        raise TrackingError(f"{SERVER} must be the URL of a Postgres database: postgresql+psycopg://role@host/database")
    try:
        engine = sqlalchemy.create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({LOCK})"))  # until it is closed
            if sqlalchemy.inspect(connection).has_table("study_directions"):
                raise TrackingError(f"{SERVER} must be the URL of another database: this one is Optuna's")
            made = SqlAlchemyStore(url, artifacts(root))  # type: ignore[no-untyped-call]
            made.engine.dispose()
    except sqlalchemy.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
        raise TrackingError(
            hidden(f"{SERVER}: the database cannot be used ({said[0] if said else 'no answer'})")
        ) from None


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with file_of(root).with_suffix(".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def opened(root: Path) -> MlflowClient:
    """A client of the store, made where there is none."""
    _make_store(root)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store(root))


def answer(client: MlflowClient, root: Path, message: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a message of the parent asks."""
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
    if record.supersedes:
        _remove_others(client, run, record.tags)
    return {"experiment": experiment, "run": run}


def _remove_others(client: MlflowClient, run: str, tags: Mapping[str, str]) -> None:
    """Put earlier records of the same kind and sweep into MLflow's bin, whatever experiment they are in."""
    words = [f"tags.{key} = '{tags[key]}'" for key in ("kind", "sweep")]
    everywhere = [experiment.experiment_id for experiment in client.search_experiments()]
    for found in client.search_runs(everywhere, filter_string=" and ".join(words)):
        if found.info.run_id != run:
            client.delete_run(found.info.run_id)


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
    from mlflow.exceptions import MlflowException

    with _locked(root):
        found = client.get_experiment_by_name(name)
        if found:
            return str(found.experiment_id)
        try:
            return str(client.create_experiment(name, artifact_location=f"{artifacts(root)}/{quote(name)}"))
        except MlflowException:  # another machine has just made it
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)


def key_of(name: str) -> str:
    """`name` with what MLflow does not allow in a key (brackets, equal signs ...) as underscores."""
    return re.sub(r"[^\w\-./: ]", "_", name, flags=re.ASCII)[:250]


def _text(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value, sort_keys=True))[:VALUE]
