from __future__ import annotations

import json

import pytest
import yaml

from pasteur import run as running
from pasteur.app import main
from pasteur.errors import DataError


@pytest.fixture
def pretend(monkeypatch, make_result):
    """Runs end at once; those of `bootstrap` fail, and those of `reference` lack a family of scores."""
    made = []

    def run(experiment):
        made.append(experiment)
        if experiment.algorithm == "bootstrap":
            raise DataError("raw file adult.csv is missing")
        if experiment.algorithm == "independent" and experiment.seed == 13:
            raise ZeroDivisionError
        failures = {"sql": "no such table"} if experiment.algorithm == "reference" else {}
        return make_result(experiment, run_id=f"{len(made):08x}", failures=failures)

    monkeypatch.setattr(running, "run", run)
    return made


def test_one_run(project, kept, pretend, capsys):
    assert main(["algo=independent", "privacy.epsilon=0.5", "seed=3"]) == 0
    (experiment,) = pretend
    assert (experiment.algorithm, experiment.privacy.epsilon, experiment.seed) == ("independent", 0.5, 3)
    assert experiment.root == project
    (record,) = kept.kept
    assert record.tags["kind"] == "run"
    told = capsys.readouterr()
    assert "Run 00000001" in told.out
    assert "Traceback" not in told.err
    (folder,) = (project / "outputs/runs").iterdir()
    settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert settings["privacy"]["epsilon"] == 0.5
    assert json.loads((folder / "tracking.json").read_text(encoding="utf-8"))["experiment"] == "1"
    assert (project / "outputs/hydra").is_dir()


def test_a_mistake_found_on_the_way_is_one_line(project, kept, pretend, capsys):
    assert main(["algo=bootstrap"]) == 2
    last = capsys.readouterr().err.splitlines()
    assert last[-1] == "error: raw file adult.csv is missing"
    assert len(last) <= 2  # what runs, and why it did not
    assert kept.kept == []


def test_a_failed_metric_or_a_run_that_is_not_tracked_ends_with_3(project, kept, pretend, capsys, monkeypatch):
    assert main(["algo=reference"]) == 3
    assert "FAILED sql: no such table" in capsys.readouterr().out
    monkeypatch.setattr(kept, "broken", True)
    assert main(["algo=mst"]) == 3
    assert "not tracked: the disk is full" in capsys.readouterr().out


def test_a_root_on_the_command_line(project, kept, pretend, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    assert main([f"pasteur.root={other}"]) == 0
    assert (other / "outputs/runs").is_dir()
    assert not (project / "outputs").exists()


def test_a_grid_keeps_every_trial_and_one_summary(project, kept, pretend, capsys):
    assert main(["-m", "algo=mst", "privacy.epsilon=0.1,1"]) == 0
    assert [(e.algorithm, e.privacy.epsilon) for e in pretend] == [("mst", 0.1), ("mst", 1.0)]
    *trials, summary = kept.kept
    assert {record.tags["kind"] for record in trials} == {"trial"}
    assert {record.tags["sweep"] for record in kept.kept} == {summary.tags["sweep"]}
    assert summary.tags["kind"] == "sweep"
    assert summary.params["overrides"] == "algorithm=mst privacy.epsilon=0.1,1"
    assert (summary.metrics["trials"], summary.metrics["failed"]) == (2, 0)
    assert summary.metrics["best/gap/marginals"] > 0
    (folder,) = (project / "outputs/sweeps").iterdir()
    assert folder.name == summary.tags["sweep"]
    assert sorted(path.parent.name for path in folder.glob("*/result.json")) == ["0", "1"]
    assert "2 trials, 0 not complete" in capsys.readouterr().out


@pytest.mark.slow
def test_a_grid_goes_on_when_a_trial_fails_and_ends_with_3(project, kept, pretend, capsys):
    assert main(["-m", "algo=bootstrap,mst,independent", "seed=13"]) == 3
    assert len(pretend) == 3
    *trials, summary = kept.kept
    assert [record.tags["kind"] for record in trials] == ["trial"]
    assert (summary.metrics["trials"], summary.metrics["failed"], summary.failed) == (3, 2, True)
    states = [trial["state"] for trial in summary.documents["trials.json"]]
    assert states == ["failed", "complete", "failed"]
    told = capsys.readouterr()
    assert "raw file adult.csv is missing" in told.out
    assert "ZeroDivisionError" in told.out
    (log,) = (project / "outputs/sweeps").glob("*/2/pasteur.log")
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_an_interrupted_grid_is_still_summarised(project, kept, pretend, monkeypatch):
    def interrupted(experiment):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", interrupted)
    assert main(["-m", "seed=1,2"]) == 130
    (summary,) = kept.kept
    (trial,) = summary.documents["trials.json"]
    assert trial["state"] == "cut off"


def test_an_interrupt_is_no_traceback(project, kept, monkeypatch, capsys):
    def interrupted(experiment):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", interrupted)
    assert main(["seed=1"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_hydra_shows_a_configuration_and_runs_nothing(project, pretend, capsys):
    assert main(["--cfg", "job", "algo=mst", "seed=5"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["seed"] == 5
    assert pretend == []
    assert main(["--cfg", "job", "algo=msst"]) == 2


def test_help_may_stand_anywhere(project, pretend, capsys):
    assert main(["algo=mst", "--help"]) == 0
    assert "Groups and their choices" in capsys.readouterr().out
    assert pretend == []


def test_a_folder_that_cannot_be_written_is_one_line(project, kept, pretend, capsys):
    (project / "outputs").write_text("in the way")
    assert main(["algo=mst"]) == 2
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert told.count("\n") == 1


def test_a_folder_of_settings_on_the_command_line(project, kept, pretend, tmp_path_factory):
    folder = tmp_path_factory.mktemp("settings")
    (folder / "privacy").mkdir()
    (folder / "privacy" / "mine.yaml").write_text("epsilon: 0.25\ndelta: 1.0e-6\n", encoding="utf-8")
    assert main(["--config-dir", str(folder), "privacy=mine"]) == 0
    assert pretend[0].privacy.epsilon == 0.25
