from __future__ import annotations

import io

import pytest

from pasteur.app import summary
from pasteur.metrics.score import Score
from pasteur.tracking import Tracked

TRACKED = Tracked(experiment="1", run="f" * 32)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def result(experiment, make_result):
    return make_result(experiment)


def printed(result, stream, tracked=TRACKED, problem=""):
    summary.show(result, tracked, problem, stream)
    return stream.getvalue()


def test_it_says_all_that_a_person_needs(result):
    text = printed(result, io.StringIO())
    for expected in (
        "0123abcd",
        "dataset=adult view=adult schema=detail algo=weave seed=0",
        "(1, 1e-09)-DP for adding or removing one person of wrk",
        "1st release from this data; all together epsilon = 1 at delta 1e-09",
        "not differentially private",
        "marginals/tvd2            lower     0.1000   0.0700   0.0600   0.2000      0.29",
        "predictive/income/auc     higher    0.8000        -        -        - no anchors",
        "core.wrk.csv/2026-01-02T03.04.05.678Z-0123abcd/core.wrk.csv",
        f"http://127.0.0.1:5000/#/experiments/1/runs/{'f' * 32}",
        "2 steps ran, 1 were current",
    ):
        assert " ".join(expected.split()) in " ".join(text.split())


def test_text_fits_eighty_columns_and_only_paths_and_addresses_are_longer(result):
    long = [line for line in printed(result, io.StringIO()).splitlines() if len(line) > 80]
    assert all("/" in line and line == "  " + line.strip() for line in long)


def test_a_log_file_gets_plain_ascii(result):
    text = printed(result, io.StringIO())
    assert "\033" not in text
    assert text.isascii()


def test_a_terminal_gets_bold_unless_it_says_no(result, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\033[1m" in printed(result, Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in printed(result, Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\033" not in printed(result, Terminal())


def test_many_scores_are_cut_with_a_word_about_it(experiment, make_result):
    name = "sql/general.a query with quite a long name that nobody could fit {}"
    many = [Score(metric=name.format(i), better="higher", split="dev", syn=0.5) for i in range(40)]
    text = printed(make_result(experiment, scores=many), io.StringIO())
    assert "... and 34 more in MLflow" in text
    assert all(len(line) <= 80 for line in text.splitlines() if line.startswith("sql/"))


def test_failures_and_untracked_runs_are_said(experiment, make_result):
    text = printed(
        make_result(experiment, failures={"predictive": "one class only"}), io.StringIO(), None, "not tracked: no room"
    )
    assert "FAILED predictive: one class only" in text
    assert "not tracked: no room" in text


def test_a_release_of_all_shows_no_scores(experiment, make_result):
    assert "No scores: every split was fitted." in printed(make_result(experiment, scores=()), io.StringIO())


def test_a_sweep_is_a_line_a_trial():
    trials = [
        {
            "number": 0,
            "state": "complete",
            "run_id": "0123abcd",
            "overrides": ["algo=mst"],
            "gaps": {"gap/marginals": 0.25},
        },
        {"number": 1, "state": "failed", "overrides": ["algorithm=" + "x" * 60], "error": "y " * 60},
    ]
    stream = io.StringIO()
    summary.show_sweep("s", trials, "", out=stream)
    text = stream.getvalue()
    assert "  0 complete   0123abcd       0.2500  algo=mst" in text
    assert "2 trials, 1 not complete" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_notes_on_the_scores_are_said_and_long_lists_are_cut():
    assert summary.notes({"sample/core": "scored on 50000 of 90000 rows of dev"}) == [
        "note: sample/core: scored on 50000 of 90000 rows of dev"
    ]
    many = summary.notes({f"sql/{i:02}": "names 'education', which schema paper drops" for i in range(20)})
    assert many[-1] == "... and 14 more notes in result.json"
    assert all(len(line) <= 80 for line in many)


def test_no_setting_of_a_trial_is_cut_in_two(capsys):
    words = ["algorithm=independent", "privacy.epsilon=0.1", "metrics=quick"]
    trial = {"number": 0, "state": "complete", "run_id": "24165de2", "gaps": {"gap/marginals": 1.5}}
    summary.show_sweep("s", [{**trial, "overrides": words}, {**trial, "overrides": [words[0], "seed=2"]}], "")
    told = capsys.readouterr().out.split()
    assert {"privacy.epsilon=0.1", "metrics=quick", "seed=2"} <= set(told)
