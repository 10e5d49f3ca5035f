from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from pasteur import tracking
from pasteur.metrics.score import Score
from pasteur.result import Result

if TYPE_CHECKING:
    from pathlib import Path

CLAIM = {
    "private": True,
    "epsilon": 1.0,
    "delta": 1e-9,
    "relation": "add_remove",
    "unit": "person",
    "accountant": "gdp",
    "events": 2,
    "spent": 1.0,
    "cross_check": None,
    "people": ["wrk"],
    "not_covered": ["ref", "val", "dev"],
    "stamps": [],
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project that runs belong to."""
    monkeypatch.setenv("PASTEUR_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def result_of(experiment, *, failures=None, scores=None, run_id="0123abcd") -> Result:
    """A finished run of `experiment`, with its files, of nothing."""
    version = f"2026-01-02T03.04.05.678Z-{run_id}"
    root = experiment.root
    synthetic = root / "data/synth/decoded/core.wrk.csv" / version / "core.wrk.csv"
    model = root / "data/synth/models/adult.npz" / version / "adult.npz"
    folder = root / "outputs/runs" / version
    for path in (synthetic, model):
        path.parent.mkdir(parents=True)
        path.write_text("age,income\n39,<=50K\n", encoding="utf-8")
    folder.mkdir(parents=True)
    if scores is None:
        scores = (
            Score(
                metric="marginals/tvd2",
                better="lower",
                split="dev",
                syn=0.1,
                dec=0.07,
                ref=0.06,
                base=0.2,
                se=0.01,
                dependence=True,
            ),
            Score(metric="predictive/income/auc", better="higher", split="dev", syn=0.8),
        )
    result = Result(
        run_id=run_id,
        version=version,
        experiment=experiment,
        claim={**CLAIM, "dataset": experiment.dataset.name, "algorithm": experiment.algorithm},
        ledger={
            "budget": {},
            "accountant": "gdp",
            "people": ["wrk"],
            "stamps": [],
            "events": [{"label": "one <b>way</b>", "event": "discrete_gaussian", "sigma": 5.0, "sensitivity": 1.0}],
        },
        releases={
            "line": "1st release from this data; all together epsilon = 1 at delta 1e-09",
            "composed": {"wrk": {"releases": 1, "epsilon": 1.0}},
        },
        scores=tuple(scores),
        failures=failures or {},
        notes={"sample/people": "scored on 50000 of 90000 rows of dev"},
        synthetic={"core": synthetic},
        model=model,
        folder=folder,
        ran={"fit": 1.5, "sample": 0.5},
        current=("fetch",),
        digests={"core": _digest(synthetic), "model": _digest(model)},
        seconds=2.5,
        peak_mb=300.0,
    )
    documents = {
        "dictionary.json": {"core": {}},
        "metadata.json": {"tables": {"core": {"columns": {}}}},
        "claim.json": dict(result.claim),
        "ledger.json": result.ledger,
        "result.json": result.document(),
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return result


def _digest(path: Path) -> str:
    from pasteur.files import sha256

    return sha256(path)


@pytest.fixture(scope="session")
def composed(tmp_path_factory):
    """The default run: composing it takes longer than what most tests do with it."""
    from pasteur.app import compose

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASTEUR_ROOT", str(tmp_path_factory.mktemp("root")))
        return compose.experiment([])


@pytest.fixture
def experiment(composed, project):
    """The default run, of an empty project."""
    return replace(composed, root=project)


@pytest.fixture
def make_result():
    """Makes finished runs out of nothing."""
    return result_of


class Notebook(tracking.Tracker):
    """A tracker that keeps records in this process, in a list shared by all."""

    kept: ClassVar[list[tracking.Record]] = []
    broken = False

    def prepare(self):
        return None

    def ready(self):
        return None

    def log(self, record):
        if self.broken:
            raise tracking.TrackingError("not tracked: the disk is full")
        self.kept.append(record)
        return tracking.Tracked(experiment="1", run=f"{len(self.kept):032x}")

    def runs(self, *, ids=(), sweep="", experiment="", most=1000):
        found = []
        for number, record in enumerate(self.kept, start=1):
            run, tags = f"{number:032x}", record.tags
            asked = run in ids if ids else sweep in ("", tags.get("sweep")) and experiment in ("", record.experiment)
            if asked and (ids or tags["kind"] != "sweep"):
                found.append(
                    tracking.Kept(
                        id=run,
                        name=record.name,
                        status="FAILED" if record.failed else "FINISHED",
                        tags=dict(tags),
                        params={key: str(value) for key, value in record.params.items()},
                        metrics=dict(record.metrics),
                    )
                )
        return found[:most]


@pytest.fixture
def kept(monkeypatch):
    """Records that would have gone to MLflow, which takes seconds to start."""
    monkeypatch.setattr(Notebook, "kept", [])
    monkeypatch.setattr(Notebook, "broken", False)
    monkeypatch.setattr(tracking, "Tracker", Notebook)
    return Notebook
