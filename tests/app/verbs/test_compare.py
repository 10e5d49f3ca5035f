from __future__ import annotations

import json

import pytest

from pasteur.app import main, records


@pytest.fixture
def runs(experiment, make_result, kept, project):
    """Three finished runs of one algorithm under two budgets, tracked."""
    from dataclasses import replace

    made = []
    for number, epsilon in enumerate((0.1, 1.0, 1.0)):
        changed = replace(experiment, seed=number, privacy=replace(experiment.privacy, epsilon=epsilon))
        result = make_result(changed, run_id=f"{number:08x}")
        records.remember(result, kept(project).log(records.of(result, kind="run")))
        (result.folder / "result.json").write_text(json.dumps(result.document()), encoding="utf-8")
        made.append(result)
    return made


def page(folder, name="compare.html"):
    return (folder / name).read_text(encoding="utf-8")


def test_without_a_name_all_runs_of_the_last_ones_view(runs, project, capsys):
    assert main(["compare"]) == 0
    assert "3 runs -> compare.html" in capsys.readouterr().out
    assert all(run.run_id in page(project) for run in runs)


def test_named_runs_alone(runs, project):
    assert main(["compare", "00000000", "last", "--out", "two.html"]) == 0
    shown = page(project, "two.html")
    assert (runs[0].run_id in shown, runs[1].run_id in shown, runs[2].run_id in shown) == (True, False, True)


def test_a_sweep_by_the_end_of_its_name(runs, project, kept):
    name = "2026-01-02T03.04.05.678Z-0a1b2c3d"
    (project / "outputs/sweeps" / name).mkdir(parents=True)
    for result in runs[:2]:
        kept(project).log(records.of(result, kind="trial", sweep=name))
    assert main(["compare", "--sweep", "0a1b"]) == 0
    assert "Sweep 0a1b2c3d" in page(project)
    assert "2 runs" in page(project)
    assert main(["compare", "--sweep", "last", "--out", "again.html"]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nobody"], "RUN (nobody) must be"),
        (["last"], "compare needs two runs or more: there is one"),
        (["--sweep", "x"], "--sweep (x) must be a sweep: there is none"),
        (["--view", "adlt"], "did you mean 'adult'"),
        (["--out", "page.pdf"], "--out (page.pdf) must be a file that ends in .html"),
        (["last", "--view", "adult"], "RUN must stand alone"),
    ],
)
def test_mistakes_are_one_line(runs, project, words, told, capsys):
    assert main(["compare", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (project / "compare.html").exists()


def test_no_run_at_all(project, kept, capsys):
    assert main(["compare"]) == 2
    assert "there are none under" in capsys.readouterr().err


def test_a_run_that_was_not_tracked(runs, project, capsys):
    (runs[1].folder / "tracking.json").unlink()
    assert main(["compare", "00000001", "last"]) == 2
    assert "run 00000001 was not tracked" in capsys.readouterr().err
