"""A team's stores: MLflow's and Optuna's in one server, made by whoever comes first, and losing nothing."""

from __future__ import annotations

import multiprocessing
import os
import secrets

import pytest

from pasteur import tracking
from pasteur.app.verbs import ui
from pasteur.tracking import Record, Tracker, places

pytestmark = pytest.mark.slow

TRIALS = 5


@pytest.fixture
def store(server, monkeypatch):
    """The URL of a fresh database, as SQLAlchemy writes it, with a password that must never be shown."""
    name = f"stores_{secrets.token_hex(4)}"
    server.sql(f"CREATE DATABASE {name}")
    parts = server.at(dbname=name).split()
    host = next(part.partition("=")[2] for part in parts if part.startswith("host="))
    user = next(part.partition("=")[2] for part in parts if part.startswith("user="))
    if server.data is None:
        pytest.skip("needs a server of our own, which asks for no password")
    yield f"postgresql+psycopg://{user}:s3cr%25t@/{name}?host={host}"
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def trials(url, done):
    """One process of a team's: it opens the store, and runs its trials of the study that both work on."""
    from pasteur.app.sweep import studies

    with studies.quiet():
        study = studies.open_study(url, "shared")
        for _ in range(TRIALS):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0, 1))
            done.put((os.getpid(), trial.number))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_ten_trials_of_two_processes_are_all_kept(store):
    """Both begin with an empty database, at the same time."""
    from pasteur.app.sweep import studies

    with studies.quiet():  # Optuna takes seconds to import: once, before the fork
        import optuna.storages  # noqa: F401

    context = multiprocessing.get_context("fork")
    done = context.Queue()
    both = [context.Process(target=trials, args=(store, done)) for _ in range(2)]
    for process in both:
        process.start()
    told = [done.get(timeout=120) for _ in range(2 * TRIALS)]
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len({pid for pid, _ in told}) == 2
    kept = studies.open_study(store, "shared").get_trials()
    studies.forget()
    assert sorted(number for _, number in told) == list(range(2 * TRIALS))
    assert [trial.number for trial in kept] == list(range(2 * TRIALS))
    assert all(trial.state.name == "COMPLETE" and trial.value is not None for trial in kept)


def test_a_team_finds_its_runs_in_the_server(store, server, tmp_path, monkeypatch):
    monkeypatch.setenv(places.SERVER, store)
    monkeypatch.setenv(places.FILES, str(tmp_path / "shared files"))
    record = Record(
        experiment="adult",
        name="one",
        tags={"kind": "run"},
        params={"a": 1},
        metrics={"m": 0.5},
        documents={"claim.json": {"epsilon": 1}},
    )
    with Tracker(tmp_path) as tracker:
        tracker.log(record)
        (run,) = tracker.runs(experiment="adult")
    assert (run.name, run.metrics) == ("one", {"m": 0.5})
    name = store.partition("@/")[2].partition("?")[0]
    assert server.sql("SELECT count(*) FROM runs", dbname=name) == [(1,)]
    assert len(list((tmp_path / "shared files").rglob("claim.json"))) == 1
    assert not (tmp_path / "outputs" / "mlflow.db").exists()
    assert "s3cr" not in (tmp_path / "outputs" / "mlflow.log").read_text(encoding="utf-8")


def test_the_password_is_in_no_command_line_and_no_error(tmp_path, monkeypatch):
    assert "--backend-store-uri" in ui.command(tmp_path, 5000)
    monkeypatch.setenv(places.SERVER, "postgresql+psycopg://me:s3cr@t@host/name")
    assert not [word for word in ui.command(tmp_path, 5000) if "s3cr" in word or "backend" in word]
    assert ui._store() == {"MLFLOW_BACKEND_STORE_URI": tracking.server()}
    told = places.hidden(f"cannot reach {tracking.server()}: password s3cr@t is wrong")
    assert told == "cannot reach ***: password *** is wrong"
    monkeypatch.setenv(places.FILES, "s3://bucket/runs/")
    assert tracking.artifacts(tmp_path) == "s3://bucket/runs"
