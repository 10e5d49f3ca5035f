from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from pasteur import app
from pasteur.app import launch


@pytest.fixture
def fault(monkeypatch):
    def quoting(argv):
        raise ValueError("could not read 'Canary-19'")

    monkeypatch.setattr(launch, "launch", quoting)


@pytest.mark.usefixtures("fault")
def test_a_fault_of_ours_tells_where_it_was_and_no_value(capsys):
    assert app.main(["dataset=adult"]) == 1
    told = capsys.readouterr().err
    assert "Canary" not in told.replace("raise ValueError(\"could not read 'Canary-19'\")", "")
    assert "test_faults.py" in told
    assert told.rstrip().endswith("error: ValueError inside Pasteur; PASTEUR_DEBUG=1 shows its message")


@pytest.mark.usefixtures("fault")
def test_who_asks_sees_the_message(monkeypatch):
    monkeypatch.setenv("PASTEUR_DEBUG", "1")
    with pytest.raises(ValueError, match="Canary-19"):
        app.main(["dataset=adult"])


@pytest.mark.slow
def test_a_reader_that_has_had_enough_is_no_fault():
    command = f"{sys.executable} -m pasteur schema show adult.detail --sdv | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - a fixed line
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 2), (errno.EIO, 1)])
def test_no_room_is_the_users_to_mend_and_a_broken_disk_is_a_fault(monkeypatch, capsys, number, code):
    def failing(argv):
        raise OSError(number, "Canary-20", "people.csv")

    monkeypatch.setattr(launch, "launch", failing)
    assert app.main(["dataset=adult"]) == code
    assert ("cannot be written" in capsys.readouterr().err) == (code == 2)
