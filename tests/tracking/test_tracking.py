"""A real, fresh MLflow store, written by the child process and read back."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from pasteur import tracking
from pasteur.tracking import Record, Tracked, Tracker, TrackingError, mlflow_store
from pasteur.tracking.mlflow_store import key_of

pytestmark = pytest.mark.slow

RECORD = Record(
    experiment="adult",
    name="mst eps=1",
    tags={"kind": "trial", "sweep": "s1", "claim": "(1, 1e-09)"},
    params={f"algorithm.setting{i}": i for i in range(120)} | {"list[0]": [1, 2], "none": None, "text": "x" * 7000},
    metrics={"marginals/tvd2/syn": 0.25, "sql/a = b [c]/syn": 0.5} | {f"m/{i}": i / 10 for i in range(1500)},
    documents={"synthetic/manifest.json": {"core.csv": {"bytes": 3}}},
    digests={"adult.train": "a" * 64},
    seconds=3.0,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def logged(root):
    """Two records under one root."""
    file = root / "core.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    folder = root / "run"
    folder.mkdir()
    (folder / "claim.json").write_text("{}", encoding="utf-8")
    first = Record(**{**RECORD.__dict__, "folders": (str(folder),), "files": {str(file): "synthetic"}})
    second = Record(experiment="adult", name="failed", tags={"kind": "sweep"}, params={}, metrics={}, failed=True)
    with Tracker(root) as tracker:
        tracker.prepare()
        tracker.ready()
        done = [tracker.log(first), tracker.log(second)]
        assert tracker.experiment("adult") == done[0].experiment
        assert tracker.experiment("nobody") is None
    return done


@pytest.fixture
def query(root, logged):
    connection = sqlite3.connect(root / "outputs" / "mlflow.db")
    yield lambda text, *values: connection.execute(text, values).fetchall()
    connection.close()


def test_one_experiment_a_view(root, logged, query):
    assert logged[0].experiment == logged[1].experiment
    assert [name for (name,) in query("SELECT name FROM experiments ORDER BY experiment_id")] == ["Default", "adult"]
    assert not list((root / "outputs").glob(".mlflow.*"))


def test_many_that_start_at_once_make_one_store(tmp_path, monkeypatch):
    made = []

    class Slow:
        def __init__(self, uri, _):
            made.append(uri)
            self.engine = self
            time.sleep(0.1)
            Path(uri.removeprefix("sqlite:///")).write_bytes(mlflow_store.MAGIC)

        def dispose(self):
            pass

    parts = ["mlflow", "store", "tracking", "sqlalchemy_store"]
    for depth in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:depth]), ModuleType("fake"))
    sys.modules[".".join(parts)].SqlAlchemyStore = Slow
    (tmp_path / "outputs").mkdir()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(mlflow_store._make_store, [tmp_path] * 4))
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "outputs").glob("*.db")] == ["mlflow.db"]


def test_a_run_is_found_by_its_tags(logged, query):
    found = query("SELECT run_uuid FROM tags WHERE key = 'sweep' AND value = 's1'")
    assert found == [(logged[0].run,)]
    assert query("SELECT name, status FROM runs WHERE run_uuid = ?", logged[0].run) == [("mst eps=1", "FINISHED")]
    assert query("SELECT status FROM runs WHERE run_uuid = ?", logged[1].run) == [("FAILED",)]


def test_settings_scores_and_digests_come_back(logged, query):
    params = dict(query("SELECT key, value FROM params WHERE run_uuid = ?", logged[0].run))
    assert params["algorithm.setting119"] == "119"
    assert params["list_0_"] == "[1, 2]"
    assert len(params["text"]) == 6000
    metrics = dict(query("SELECT key, value FROM latest_metrics WHERE run_uuid = ?", logged[0].run))
    assert len(metrics) == 1502
    assert metrics["marginals/tvd2/syn"] == 0.25
    assert metrics["sql/a _ b _c_/syn"] == 0.5
    assert ("adult.train", "a" * 36, None) in query("SELECT name, digest, dataset_profile FROM datasets")


def test_what_is_kept_of_runs_can_be_asked_for(root, logged):
    with Tracker(root) as tracker:
        (named,) = tracker.runs(ids=[logged[0].run])
        assert (named.id, named.name, named.status) == (logged[0].run, RECORD.name, "FINISHED")
        assert named.metrics == pytest.approx({key_of(key): value for key, value in RECORD.metrics.items()})
        assert named.params.keys() == {key_of(key) for key in RECORD.params}
        # The record of a whole sweep is none of its runs.
        assert [run.id for run in tracker.runs(experiment="adult")] == [logged[0].run]
        assert tracker.runs(experiment="nobody") == []
        assert tracker.runs(sweep="none such") == []
        with pytest.raises(TrackingError):
            tracker.runs(ids=["0" * 32])


def test_a_summary_takes_the_place_of_an_earlier_one_of_its_sweep(root, logged, query):
    def summary(sweep, name):
        return Record(
            experiment="sweeps",
            name=name,
            tags={"kind": "sweep", "sweep": sweep},
            params={},
            metrics={"trials": 3},
            supersedes=True,
        )

    with Tracker(root) as tracker:
        made = [
            tracker.log(summary("s1", "first")),
            tracker.log(summary("s2", "other")),
            tracker.log(summary("s1", "last")),
        ]
    assert made[0].run != made[2].run
    stages = dict(query("select run_uuid, lifecycle_stage from runs"))
    assert [stages[tracked.run] for tracked in made] == ["deleted", "active", "active"]
    assert stages[logged[0].run] == "active"  # a trial of the same sweep


def test_files_lie_under_outputs(root, logged):
    folder = root / "outputs" / "mlflow" / "adult" / logged[0].run / "artifacts"
    assert (folder / "claim.json").is_file()
    assert (folder / "synthetic" / "core.csv").read_text(encoding="utf-8") == "a\n1\n"
    assert json.loads((folder / "synthetic" / "manifest.json").read_text(encoding="utf-8")) == {
        "core.csv": {"bytes": 3}
    }
    assert not (root / "mlruns").exists()
    assert not (root / "outputs" / "mlruns").exists()


def test_a_page_opens_on_runs_and_not_on_traces():
    page = Tracked(experiment="3", run="abc").page
    assert page == "#/experiments/3/runs/abc?workflowType=machine_learning"
    assert tracking.runs_page("3") == "#/experiments/3/runs?workflowType=machine_learning"


@pytest.mark.parametrize(
    ("name", "key"), [("a/b.c-d e:f_1", "a/b.c-d e:f_1"), ("x[0]=ü", "x_0___"), ("é" * 300, "_" * 250)]
)
def test_keys_that_mlflow_takes(name, key):
    assert key_of(name) == key


def test_a_store_that_cannot_be_read_is_an_error_with_a_reason(tmp_path):
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "mlflow.db").write_bytes(b"no database, but more than a few bytes of something else" * 100)
    with Tracker(tmp_path) as tracker, pytest.raises(TrackingError, match=r"not tracked: .*mlflow\.log"):
        tracker.ready()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "outputs").write_text("in the way")
    with pytest.raises(TrackingError, match="cannot be written"):
        Tracker(tmp_path).prepare()


def test_the_parent_never_imports_mlflow():
    probe = "import sys, pasteur.tracking; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
