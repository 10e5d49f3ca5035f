"""Sweeps from end to end, with trials that end at once. Optuna takes seconds to import: all of them are slow."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import warnings
from dataclasses import replace
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from pasteur import run as running
from pasteur import shared
from pasteur.app import main
from pasteur.app.sweep import engine, settings, spaces, studies, trial
from pasteur.app.sweep.dimensions import Dimension
from pasteur.app.sweep.engine import Engine
from pasteur.app.sweep.request import Request
from pasteur.app.sweep.spaces import Space
from pasteur.errors import ConfigError, DataError

pytestmark = pytest.mark.slow

SEEDS = Dimension(setting="seed", low=20, high=99)


@pytest.fixture
def toy(experiment, project, monkeypatch):
    """A sweep over seeds whose trials end at once; a trial's error is its seed's. Seed 13 fails."""

    def run(self, cfg):
        if cfg.seed == 13:
            raise DataError("raw file adult.csv is missing")
        toy.ran.append(cfg.seed)
        toy.before()
        return {"state": "complete", "error": "", "objectives": {"marginals/tvd2": cfg.seed / 100}}

    def make(seeds=None, trials=3, sampler="RandomSampler", **changes):
        config = settings.read({"objective": "marginals/tvd2", "trials": trials, **changes}, "toy")
        dimension = Dimension(setting="seed", choices=tuple(seeds)) if seeds else SEEDS
        request = Request(
            config=config,
            space=Space(algorithm="mst", dimensions=(dimension,), own={}),
            words=(),
            experiment=experiment,
            sampler="GridSampler" if seeds else sampler,
            joblib=False,
        )
        return Engine(root=project, request=request, start=start_of(project))

    toy = SimpleNamespace(make=make, ran=[], before=lambda: None)
    monkeypatch.setattr(trial.Tuned, "_run", run)
    yield toy
    studies.forget()


def start_of(project):
    """What hydra-optuna-sweeper and Hydra do, without the two seconds that they take."""

    def start(words, task):
        said = dict(word.split("=", 1) for word in words)
        name, where = said["hydra.sweeper.study_name"].strip("'"), said["hydra.sweep.dir"].strip("'")
        study = studies.open_study(studies.url_of(project, None), name)
        for _ in range(int(said["hydra.sweeper.n_trials"])):
            asked = study.ask()
            spaces.suggest(None, asked)
            hydra = {
                "runtime": {"output_dir": f"{where}/{asked.number}"},
                "overrides": {"task": [f"{name}={value}" for name, value in asked.params.items()]},
            }
            cfg = {"seed": asked.params["seed"], "sweep": {"trial": asked.number, "found": {}}}
            trial.HydraConfig.instance().cfg = OmegaConf.create({"hydra": hydra})
            value = task(OmegaConf.create(cfg))
            studies.tell(study, asked.number, None if value is None else [value])
        study.best_trial  # noqa: B018 - the sweeper shows it, and raises where there is none

    return start


@pytest.fixture(autouse=True)
def _no_hydra(monkeypatch):
    """Whatever a test tells Hydra's singleton is forgotten."""
    monkeypatch.setattr(trial.HydraConfig.instance(), "cfg", None)


def told(made):
    """What Optuna holds: number -> (state, value)."""
    return {t.number: (t.state.name, t.values and t.values[0]) for t in made.study().get_trials(deepcopy=False)}


def store_of(project):
    studies.forget()
    return sqlite3.connect(project / "outputs/optuna.db")


def test_a_sweep_keeps_its_trials_and_goes_on_to_a_larger_total(toy):
    toy.make().run()
    before = toy.make().results()
    assert sorted(before) == [0, 1, 2]
    assert before[0]["objectives"] == {"marginals/tvd2": before[0]["params"]["seed"] / 100}
    assert f"seed={before[0]['params']['seed']}" in before[0]["overrides"]
    made = toy.make(trials=5)
    made.run()
    after = made.results()
    assert sorted(after) == [0, 1, 2, 3, 4]
    assert all(after[number] == outcome for number, outcome in before.items())
    assert told(made) == {n: ("COMPLETE", r["objectives"]["marginals/tvd2"]) for n, r in after.items()}
    toy.make(trials=4).run()  # there is nothing left
    assert len(toy.ran) == 5


def test_a_failed_trial_is_written_down_and_counts(toy):
    toy.make([12, 13, 15]).run()
    made = toy.make([12, 13, 15])
    made.run()
    found = {outcome["params"]["seed"]: outcome for outcome in made.results().values()}
    assert [found[seed]["state"] for seed in (12, 13, 15)] == ["complete", "failed", "complete"]
    assert found[13]["error"] == "raw file adult.csv is missing"
    assert sorted(state for state, _ in told(made).values()) == ["COMPLETE", "COMPLETE", "FAIL"]
    assert toy.ran == [12, 15]


def test_a_sweep_whose_trials_all_fail_ends(toy):
    made = toy.make([13])
    made.run()
    assert made.results()[0]["state"] == "failed"


def test_a_trial_that_never_ended_is_closed_and_its_point_of_a_grid_done_again(toy, project):
    made = toy.make([1, 2, 3])
    made.run()
    lost = made.results()[1]["params"]["seed"]
    (made.folder / "1" / "result.json").unlink()
    with store_of(project) as store:
        store.execute("UPDATE trials SET state = 'RUNNING' WHERE number = 1")
    made = toy.make([1, 2, 3])
    made.run()
    assert sorted(outcome["params"]["seed"] for outcome in made.results().values()) == [1, 2, 3]
    assert told(made)[1][0] == "FAIL"
    assert toy.ran.count(lost) == 2
    assert len(toy.ran) == 4


def test_a_result_that_optuna_has_not_heard_of_is_told_first(toy, project):
    toy.make().run()
    with store_of(project) as store:
        store.execute("UPDATE trials SET state = 'RUNNING'")
        store.execute("DELETE FROM trial_values")
    made = toy.make()
    made.run()
    assert len(toy.ran) == 3
    assert {state for state, _ in told(made).values()} == {"COMPLETE"}


def test_a_trial_whose_sweep_was_started_again_does_nothing(toy):
    """What a cluster's queue still held of a sweep that was killed and started again."""
    made = toy.make()
    real = made.start

    def start(words, task):
        (made.folder / trial.TOKEN).write_text("another", encoding="utf-8")
        real(words, task)

    made.start = start
    with pytest.raises(ConfigError, match="no trial came to an end"):
        made.run()
    assert toy.ran == []
    assert made.results() == {}


def test_a_worker_that_ends_by_itself_fails_its_trial_and_the_others_go_on(toy):
    from concurrent.futures.process import BrokenProcessPool

    made = toy.make([1, 2, 3])
    real, crashes = made.start, []

    def start(words, task):
        if not crashes:
            asked = made.study().ask()
            spaces.suggest(None, asked)
            crashes.append(asked.number)
            with trial.locked(made.folder / str(asked.number) / trial.LOCK):
                pass
            raise BrokenProcessPool
        real(words, task)

    made.start = start
    made.run()
    outcomes = list(made.results().values())
    assert sorted(outcome["params"]["seed"] for outcome in outcomes) == [1, 2, 3]
    assert [outcome["error"] for outcome in outcomes if outcome["state"] == "failed"] == [engine.CRASHED]


def test_a_store_that_was_replaced_is_told(toy, project):
    toy.make().run()
    studies.forget()
    (project / "outputs/optuna.db").unlink()
    with pytest.raises(ConfigError, match="the store is not the one that it began with"):
        toy.make().run()


def test_one_sweep_at_a_time(project):
    folder = project / "outputs/sweeps/toy-0"
    with engine.alone(folder, "toy-0"), pytest.raises(ConfigError, match=r"must not run twice at once: process \d+ on"):
        engine.alone(folder, "toy-0").__enter__()


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("text", "is no database"),
        ("newer", "was made by another version of Optuna"),
        ("sqlite:////nowhere/at/all.db", "cannot be used"),
        ("mssql+nothing://me:secret@host/x", "needs a database driver"),
        ("outputs/optuna.db", "must be a URL"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "no server answers there"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_without_its_password(case, why, project):
    path = project / "bad.db"
    if case == "text":
        path.write_text("no database, but a text that is long enough to be looked at" * 20, encoding="utf-8")
    if case == "newer":
        studies.open_store(f"sqlite:///{path}")
        studies.forget()
        with sqlite3.connect(path) as store:
            store.execute("UPDATE alembic_version SET version_num = 'v9.9.0'")
    with pytest.raises(ConfigError) as error:
        studies.open_study(case if ":" in case or "/" in case else f"sqlite:///{path}", "x")
    assert str(error.value).startswith("sweep.storage (")
    assert why in str(error.value)
    assert "secret" not in str(error.value)


def test_a_locked_store_is_told(toy, project, monkeypatch):
    monkeypatch.setattr(studies, "SECONDS", 0.2)
    toy.make(trials=1).run()
    with store_of(project) as store:
        store.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConfigError, match="is locked by another process"):
            toy.make().run()


def test_a_study_of_another_folder_is_told(project):
    url = f"sqlite:///{project}/one.db"
    studies.open_study(url, "x", folder=project)
    with pytest.raises(ConfigError, match="its trials are in"):
        studies.open_study(url, "x", folder=project / "other")


def test_kills_lose_no_finished_trial_and_double_none(toy):
    """`benchmarks/sweep_kills.py` does the same with real runs, real workers and thirty kills."""
    toy.make([1]).run()  # what that imports, the processes need not
    toy.ran.clear()
    seeds = list(range(20, 60))
    rng = random.Random(5)  # noqa: S311 - when to kill
    seen: dict[int, dict] = {}
    for kill in range(6):
        killed(toy, toy.make(seeds, trials=None), least=min(kill, 1), after=rng.uniform(0.001, 0.05))
        now = toy.make(seeds, trials=None).results()
        assert all(now.get(number) == outcome for number, outcome in seen.items())
        seen = now
    assert 0 < len(seen) < len(seeds)
    made = toy.make(seeds, trials=None)
    made.run()
    done = made.results()
    assert all(done[number] == outcome for number, outcome in seen.items())
    assert sorted(outcome["params"]["seed"] for outcome in done.values()) == seeds
    complete = {number: value for number, (state, value) in told(made).items() if state == "COMPLETE"}
    assert complete == {number: outcome["objectives"]["marginals/tvd2"] for number, outcome in done.items()}


def killed(toy, made, *, least, after):
    """A sweep in a process of its own, that knows all that this one has imported, and is killed.

    `after` seconds of its own work after `least` trials, wherever it then is, but at its sixth trial at the latest:
    how fast the machine is, and how busy, moves neither.
    """

    def before():
        if len(toy.ran) == least + 1:
            signal.setitimer(signal.ITIMER_PROF, after)
        if len(toy.ran) == 6:
            os.kill(os.getpid(), signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from 3.12 on, a fork beside threads
        process = os.fork()
    if process == 0:
        try:
            toy.before = before
            if not least:
                signal.setitimer(signal.ITIMER_PROF, after)
            made.run()
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WTERMSIG(status) in {signal.SIGPROF, signal.SIGKILL}


PRESET = """# @package _global_
defaults:
  - base/optuna
  - override /algorithm: mst
  - override /hydra/sweeper/sampler: nsgaii
  - override /hydra/launcher: basic
sweep:
  objective: [marginals/tvd2, epsilon]
  trials: 3
  space: {privacy.epsilon: [0.5, 2.0]}
"""


def test_the_command_line(project, kept, monkeypatch, make_result, capsys):
    made = []

    def run(experiment):
        made.append(experiment)
        return make_result(experiment, run_id=f"{len(made):08x}")

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(shared, "make", lambda experiment: ("marginals/tvd2", "copies/share"))
    (project / "configs/sweep").mkdir(parents=True)
    (project / "configs/sweep/toy.yaml").write_text(PRESET, encoding="utf-8")
    words = ["-m", "sweep=toy", f"sweep.storage=sqlite:///{project}/store.db?x=secret"]
    real = studies.open_store
    monkeypatch.setattr(studies, "open_store", lambda url: real(url.partition("?")[0]))
    assert main(words) == 0
    (folder,) = (project / "outputs/sweeps").iterdir()
    found = engine.results(folder)
    assert [e.settings.one_way for e in made] == [found[n]["params"]["algorithm.one_way"] for n in (0, 1, 2)]
    assert {e.tuning.sweep for e in made} == {folder.name}
    assert all(set(outcome["objectives"]) == {"marginals/tvd2", "epsilon"} for outcome in found.values())
    assert {record.tags["sweep"] for record in kept.kept} == {folder.name}
    texts = [p for p in project.rglob("*") if p.is_file() and p.suffix in {".yaml", ".json", ".log", ".txt", ".html"}]
    assert not [path for path in texts if "secret" in path.read_text(encoding="utf-8")]
    capsys.readouterr()
    assert main([*words, "sweep.objective=copies/share"]) == 2
    assert "reads wrk" in capsys.readouterr().err
    assert main(["sweep=toy"]) == 2
    assert "sweep (toy) must be run with -m" in capsys.readouterr().err
    studies.forget()


@pytest.mark.parametrize("launcher", ["joblib", "cluster"])
def test_trials_in_processes_of_their_own(launcher, project, kept, monkeypatch):
    """By joblib's workers, and as submitit's jobs on this machine; what they run travels to them by value."""

    class Elsewhere(trial.Tuned):
        def _run(self, cfg):
            value = float(cfg.algorithm.one_way)
            return {"state": "complete", "error": "", "objectives": {"marginals/tvd2": value}, "process": os.getpid()}

    def task(self, root, token):
        told = {"config": self.config, "tuning": self.tuning, "names": self.space.names, "token": token}
        return Elsewhere(root=root, sweep=self.id, **told)

    monkeypatch.setattr(Request, "task", task)
    monkeypatch.setattr(shared, "make", lambda experiment: ("marginals/tvd2",))
    (project / "configs/sweep").mkdir(parents=True)
    text = PRESET.replace("[marginals/tvd2, epsilon]", "marginals/tvd2").replace("nsgaii", "random")
    text = text.replace("launcher: basic", f"launcher: {launcher}").replace("trials: 3", "trials: 2")
    (project / "configs/sweep/toy.yaml").write_text(text, encoding="utf-8")
    assert main(["-m", "sweep=toy"]) == 0
    (folder,) = (project / "outputs/sweeps").iterdir()
    found = engine.results(folder)
    assert sorted(found) == [0, 1]
    assert all(r["objectives"]["marginals/tvd2"] == r["params"]["algorithm.one_way"] for r in found.values())
    assert os.getpid() not in {outcome["process"] for outcome in found.values()}
    studies.forget()


def test_other_numbers_make_another_request(toy):
    one = toy.make().request
    assert one.id != replace(one, config=replace(one.config, objective=["epsilon"])).id
    assert one.id == replace(one, config=replace(one.config, trials=9, jobs=5)).id
