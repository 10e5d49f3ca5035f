from __future__ import annotations

import csv
import json
import shlex

import pytest

from pasteur import tracking
from pasteur.app.sweep import ending, plots, shown
from pasteur.catalog import Paths
from pasteur.privacy import Budget, DiscreteGaussian, Ledger, LedgerBook, Release
from pasteur.privacy.tuning import Number

ID = "toy-0123abcd"
GAP = "marginals/gap"


class Store:
    """A tracker that keeps what it is given."""

    def __init__(self, *, broken=False):
        self.kept, self.broken = [], broken

    def runs(self, **wanted):
        return []

    def log(self, record):
        if self.broken:
            raise tracking.TrackingError("not tracked: the disk is full")
        self.kept.append(record)


def trial(number, gap, *, state="complete", **params):
    found = {
        "number": number,
        "state": state,
        "overrides": ["dataset=people", *(f"{k}={v}" for k, v in params.items())],
    }
    found |= {"params": params, "run_id": f"run{number}", "view": "people", "epsilon": 1.0, "seconds": 2.0}
    return found | ({"objectives": {GAP: gap}, "gaps": {GAP: gap}} if gap is not None else {"error": "no signal"})


TRIALS = [
    trial(0, 0.5, **{"algorithm.one_way": 0.25}),
    trial(1, 0.25, **{"algorithm.one_way": 1 / 3}),
    trial(2, None, state="failed", **{"algorithm.one_way": 2.0}),
]


@pytest.fixture
def root(tmp_path):
    """A project whose ledger book has three trials of the sweep."""
    book = LedgerBook(Paths(root=tmp_path).book)
    for number in range(3):
        ledger = Ledger(Budget(epsilon=1))
        ledger.charge(DiscreteGaussian(sigma=900.0, sensitivity=1), "x")
        book.add(
            Release(
                run=f"run{number}",
                time="2025-01-01T00:00:00Z",
                dataset="people",
                salt="s",
                view="people",
                algorithm="mst",
                fitted=("wrk",),
                scored=("dev", "ref"),
                ledger=ledger.to_dict(),
                sweep=ID,
            )
        )
    return tmp_path


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch):
    """Drawing takes seconds, and has tests of its own."""
    monkeypatch.setattr(plots, "page", lambda trials, objectives, *, title, logs: f"<h1>{title}</h1>")


def test_a_sweep_leaves_what_it_spent_its_best_and_a_command(root, capsys):
    store, search = Store(), ending.Search(objectives=(GAP,), sampler="TPESampler", total=3)
    words = ["sweep=toy", "dataset=people"]
    assert ending.end(store, root, ID, words, TRIALS, search) == ""
    folder = Paths(root=root).sweep(ID)
    assert (folder / "study.html").read_text() == f"<h1>Sweep {ID}</h1>"
    assert json.loads((folder / "study.json").read_text())["best"] == [1]
    assert len(list(csv.DictReader((folder / "study.csv").read_text().splitlines()))) == 3
    (spent,) = json.loads((folder / "tuning.json").read_text())["spent"]
    assert (spent["trials"], spent["each"]) == (3, [1.0, 1.0])
    assert 1.7 < spent["epsilon"] < 2
    (record,) = store.kept
    assert record.supersedes
    assert record.tags["kind"] == "sweep"
    assert record.tags["best_run"] == "run1"
    assert record.params["best.algorithm.one_way"] == str(1 / 3)
    assert record.metrics["spent/wrk/epsilon"] == spent["epsilon"]
    assert (record.metrics["spent/wrk/epsilon_of_a_trial"], record.metrics[f"best/{GAP}"]) == (1.0, 0.25)
    assert {"study.html", "study.json", "study.csv"} <= {path.rpartition("/")[2] for path in record.files}
    assert record.documents["best.json"] == [TRIALS[1]]
    said = capsys.readouterr().out
    assert "wrk of people: 3 trials; epsilon 1 a trial, 1.782" in " ".join(said.split())
    assert "one_way=0.3333" in said
    assert "trial 2 failed: no signal" in said
    last = said.splitlines()[-1]
    command = f"python -m pasteur dataset=people algorithm.one_way={1 / 3} tuned={ID}"
    assert last == command == record.tags["repeat"]
    assert all(len(line) <= 80 for line in said.splitlines() if line != last)


def test_a_store_that_cannot_be_written_loses_no_file_and_no_word(root, capsys):
    search = ending.Search(objectives=(GAP,), sampler="TPESampler", total=3)
    assert ending.end(Store(broken=True), root, ID, [], TRIALS, search) == "not tracked: the disk is full"
    assert (Paths(root=root).sweep(ID) / "study.csv").is_file()
    said = capsys.readouterr().out
    assert "not tracked: the disk is full" in said
    assert f"tuned={ID}" in said


def test_the_best_of_a_drawn_number_is_released_as_it_is(root, capsys):
    search = ending.Search(objectives=(GAP,), sampler="RandomSampler", number=Number(mean=4), total=3)
    store = Store()
    ending.end(store, root, ID, [], TRIALS, search)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "pasteur export run1 --out release"
    assert "Release the best trial itself and nothing else of the sweep" in said
    assert "the best alone: epsilon" in said
    assert 1 < store.kept[0].metrics["spent/wrk/best_alone"] < store.kept[0].metrics["spent/wrk/epsilon"]
    held = json.loads((Paths(root=root).sweep(ID) / "tuning.json").read_text())
    assert held["randomised_trials"] == {"distribution": "negative_binomial", "mean": 4, "eta": 1.0}


def test_a_plain_grid_says_what_it_spent_too(root, capsys):
    store = Store()
    ending.end(store, root, ID, ["seed=0,1"], TRIALS)
    assert "spent     wrk of people: 3 trials; epsilon 1 a trial" in capsys.readouterr().out
    (record,) = store.kept
    assert record.params == {"overrides": "seed=0,1"}
    assert "repeat" not in record.tags


def test_a_sweep_without_a_result_says_so(root, capsys):
    store = Store()
    search = ending.Search(objectives=(GAP,), sampler="TPESampler", total=3)
    cut = [TRIALS[2], {"number": 3, "state": "cut off", "overrides": [], "error": "did not finish"}]
    assert ending.end(store, root, ID, [], cut, search) == ""
    assert ending.end(store, root, "another-1", [], [], search) == ""
    said = capsys.readouterr().out
    assert "No trial has a result." in said
    assert "trial 3 cut off: did not finish" in said
    assert "nothing: no trial was fitted" in said
    assert "To fit anew" not in said
    assert store.kept[0].failed


def test_a_front_is_shown_first_and_long_tables_are_cut():
    two = (GAP, "epsilon")
    many = [trial(n, float(n), seed=n) | {"objectives": {GAP: float(n), "epsilon": 40.0 - n}} for n in range(30)]
    many.append(trial(30, 31.0, seed=30) | {"objectives": {GAP: 31.0, "epsilon": 41.0}})
    said = shown.lines(ID, many, two, [])
    assert "... and 21 more in study.csv" in said
    assert any("trial 0, the first of 30 on the front" in line for line in said)
    assert shlex.split(said[-1])[:3] == ["python", "-m", "pasteur"]
    assert sum(line.split().count("epsilon") for line in said if line.startswith("trial run")) == 1
    awkward = trial(0, 1.0, name="a 'b' [c]")
    assert shlex.split(shown.again(awkward, ID))[-2] == "name=a 'b' [c]"
