"""A team's stores: MLflow's and Optuna's in one server, made by whoever comes first, and losing nothing."""

from __future__ import annotations

import multiprocessing
import os
import secrets
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from pasteur import tracking
from pasteur.app import main
from pasteur.app.verbs import ui
from pasteur.errors import ConfigError
from pasteur.tracking import Record, Tracker, places

pytestmark = pytest.mark.slow

TRIALS = 5


@pytest.fixture
def store(server, monkeypatch):
    """The URL of a fresh database, as SQLAlchemy writes it, with a password that must never be shown."""
    name = f"stores_{secrets.token_hex(4)}"
    server.sql(f"CREATE DATABASE {name}")
    role = f"team_{secrets.token_hex(4)}"
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 's3cr%t'", f"ALTER DATABASE {name} OWNER TO {role}")
    parts = conninfo_to_dict(server.uri)
    place = f"host={quote(parts['host'], safe='')}&port={parts.get('port', 5432)}"
    yield f"postgresql+psycopg://{role}:s3cr%25t@/{name}?{place}"
    server.sql(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {role}")


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


def test_each_store_has_a_database_of_its_own(store, tmp_path, monkeypatch):
    """Both call the table with their version the same."""
    from pasteur.app.sweep import studies

    monkeypatch.setenv(places.SERVER, store)
    with Tracker(tmp_path) as tracker:
        tracker.log(Record(experiment="adult", name="one", tags={}, params={}, metrics={}))
    with pytest.raises(ConfigError, match="is MLflow's database; give Optuna's studies one of their own") as caught:
        studies.open_store(store)
    assert "s3cr" not in str(caught.value)


def test_optunas_database_is_not_mlflows(store, tmp_path, monkeypatch):
    from pasteur.app.sweep import studies

    studies.open_store(store)
    studies.forget()
    monkeypatch.setenv(places.SERVER, store)
    with (
        pytest.raises(tracking.TrackingError, match="must be the URL of another database"),
        Tracker(tmp_path) as tracker,
    ):
        tracker.log(Record(experiment="adult", name="one", tags={}, params={}, metrics={}))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("postgresql+psycopg://me:{}@127.0.0.1:1/x", "no server answers there"),
        ("postgresql+psycopg://127.0.0.1:1/x?user=me&password={}", "no server answers there"),
        ("postgresql+psycopg:///me:{}@host/x?host=127.0.0.1&port=1", "no server answers there"),
    ],
)
def test_a_store_that_does_not_answer_is_told_without_its_password(monkeypatch, form, message):
    from pasteur.app.sweep import studies

    url = form.format("s3cr%25t")
    with pytest.raises(ConfigError, match=message) as caught:
        studies.open_store(url)
    assert "s3cr" not in str(caught.value)
    monkeypatch.setenv(places.SERVER, url)
    assert "s3cr" not in places.hidden(f"{url} and s3cr%25t and s3cr%t") or ":///" in form


def test_no_dump_of_settings_shows_the_studies_store(monkeypatch, capfd):
    monkeypatch.setenv("PASTEUR_OPTUNA", "postgresql+psycopg://me:s3cret@host/studies")
    assert main(["sweep=aim_tpe", "--cfg", "job", "--resolve"]) == 0
    told = "".join(capfd.readouterr())
    assert "sweep:" in told
    assert "s3cret" not in told


def test_the_password_is_in_no_command_line_and_no_error(tmp_path, monkeypatch):
    assert "--backend-store-uri" in ui.command(tmp_path, 5000)
    monkeypatch.setenv(places.SERVER, "postgresql+psycopg://me:s3cr@t@host/name")
    assert not [word for word in ui.command(tmp_path, 5000) if "s3cr" in word or "backend" in word]
    assert ui._store() == {"MLFLOW_BACKEND_STORE_URI": tracking.server()}
    told = places.hidden(f"cannot reach {tracking.server()}: password s3cr@t is wrong")
    assert told == "cannot reach ***: password *** is wrong"
    monkeypatch.setenv(places.FILES, "s3://bucket/runs/")
    assert tracking.artifacts(tmp_path) == "s3://bucket/runs"
