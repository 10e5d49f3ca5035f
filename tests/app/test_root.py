from __future__ import annotations

import pytest

from pasteur.app import root
from pasteur.errors import ConfigError


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv(root.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_command_line_comes_before_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv(root.VARIABLE, str(tmp_path / "a"))
    assert root.find(["seed=1"]) == tmp_path / "a"
    assert root.find([f"pasteur.root={tmp_path / 'b'}"]) == tmp_path / "b"
    assert root.find(["++pasteur.root=c"]) == tmp_path / "c"


@pytest.mark.parametrize("mark", root.MARKS)
def test_the_current_project_is_the_nearest_marked_folder(monkeypatch, tmp_path, mark):
    (tmp_path / "p" / mark).mkdir(parents=True)
    (tmp_path / "p" / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "p" / "deep" / "er")
    assert root.find() == tmp_path / "p"


def test_a_bare_data_folder_above_is_no_project(monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert root.find() == tmp_path / "here"


def test_a_file_is_no_root(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(ConfigError, match=r"pasteur\.root \(.*/f\) must be a folder"):
        root.find(["pasteur.root=f"])
