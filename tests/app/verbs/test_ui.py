from __future__ import annotations

import socket

import pytest

from pasteur import tracking
from pasteur.app import main
from pasteur.app.verbs import ui
from pasteur.errors import ConfigError, DataError


def test_the_server_stays_on_this_machine_and_on_this_store(tmp_path):
    words = ui.command(tmp_path, 5000)
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/outputs/mlflow.db"
    assert tracking.ENVIRONMENT["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert tracking.ENVIRONMENT["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_it_opens_where_the_runs_are(tmp_path):
    assert ui._page(tmp_path, None) == ""
    folder = tmp_path / "outputs/runs/v1-0123abcd"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"version": "v1-0123abcd", "run_id": "0123abcd"}')
    assert ui._page(tmp_path, None) == ""
    with pytest.raises(DataError, match="was not tracked"):
        ui._page(tmp_path, "last")
    (folder / "tracking.json").write_text('{"experiment": "4", "run": "abc"}')
    assert ui._page(tmp_path, None) == "#/experiments/4/runs?workflowType=machine_learning"
    assert ui._page(tmp_path, "0123") == "#/experiments/4/runs/abc?workflowType=machine_learning"


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PASTEUR_ROOT", str(tmp_path))
    with socket.socket() as taken:
        taken.bind((ui.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port \({port}\) must be free: pasteur ui --port {port + 1}"):
            ui._free(port)
        assert main(["ui", "--no-browser", "--port", str(port)]) == 2
    assert not (tmp_path / "outputs").exists()


class Server:
    """A server that is asked whether it lives."""

    def __init__(self, returncode=None):
        self.returncode = returncode

    def poll(self):
        return self.returncode


class Clock:
    """Time that passes only in sleep."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(ui, "time", made)
    return made


def test_a_slow_server_is_waited_for_and_told_of(clock, monkeypatch, capsys):
    monkeypatch.setattr(ui, "_answers", lambda _: clock.now > 100)
    ui._wait(Server(), "http://here")
    lines = capsys.readouterr().err.splitlines()
    assert 1 < len(lines) < 10
    assert all(line.startswith("MLflow is starting: ") for line in lines)


def test_a_server_that_answers_is_not_told_of(clock, monkeypatch, capsys):
    monkeypatch.setattr(ui, "_answers", lambda _: True)
    ui._wait(Server(), "http://here")
    assert not capsys.readouterr().err
    assert clock.now == 0


def test_a_server_that_ended_or_never_answers_is_an_error(clock, monkeypatch):
    monkeypatch.setattr(ui, "_answers", lambda _: False)
    with pytest.raises(DataError, match="MLflow ended with code 7"):
        ui._wait(Server(7), "http://here")
    assert clock.now == 0
    with pytest.raises(DataError, match=f"did not answer within {ui.PATIENCE} s"):
        ui._wait(Server(), "http://here")


def test_nobody_answers_at_a_free_port():
    with socket.socket() as probe:
        probe.bind((ui.HOST, 0))
        assert not ui._answers(f"http://{ui.HOST}:{probe.getsockname()[1]}")
