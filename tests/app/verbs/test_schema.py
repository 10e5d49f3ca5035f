from __future__ import annotations

import json

import pytest

from pasteur.app import main


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PASTEUR_ROOT", str(tmp_path))
    return tmp_path


def test_show_names_columns_and_sources(capsys):
    assert main(["schema", "show", "adult"]) == 0
    shown = capsys.readouterr().out
    assert "education" in shown
    assert "categories" in shown


def test_show_prints_plain_sdv(capsys):
    assert main(["schema", "show", "adult.paper", "--sdv"]) == 0
    assert json.loads(capsys.readouterr().out).keys() >= {"tables"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "adlt"], "'adlt' is not a view; did you mean 'adult'?"),
        (["show", "adult.papr"], "did you mean 'paper'?"),
        (["draft", "adlt"], "'adlt' is not a data set; did you mean 'adult'?"),
        (["shw", "adult"], "invalid choice"),
    ],
)
def test_mistakes(words, expected, capsys):
    assert main(["schema", *words]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1


def test_a_draft_waits_for_a_person(root, capsys):
    (root / "configs/dataset").mkdir(parents=True)
    (root / "configs/dataset/mine.yaml").write_text("name: mine\nfiles:\n  core: {path: mine.csv}\n", encoding="utf-8")
    (root / "mine.csv").write_text("age,sex\n" + "3,f\n4,m\n" * 20, encoding="utf-8")
    assert main(["schema", "draft", "mine"]) == 0
    drafted = json.loads((root / "metadata/mine.detail.json").read_text(encoding="utf-8"))
    assert all(not column["declared"] for column in drafted["pasteur"]["tables"]["core"]["columns"].values())
    assert main(["schema", "draft", "mine"]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["schema", "draft", "mine", "--force"]) == 0
