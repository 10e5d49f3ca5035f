from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from pasteur.datasets import sources
from pasteur.datasets.progress import Bar
from pasteur.errors import DataError
from pasteur.files import sha256

ROWS = b"id,value\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(50))
NAME = "harmful-1.0/data/rows.csv"


def sdist(folder, *, pyproject=False, link=False):
    """A package whose build scripts write a file when anybody runs them."""
    trap = folder / "somebody_ran_me"
    harm = f"open({str(trap)!r}, 'w').close()\n".encode()
    files = {
        "harmful-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: harmful\nVersion: 1.0\n",
        "harmful-1.0/setup.py": harm + b"from setuptools import setup\nsetup(name='harmful', version='1.0')\n",
        "harmful-1.0/backend.py": harm,
        NAME: ROWS,
    }
    if pyproject:
        backend = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        files["harmful-1.0/pyproject.toml"] = backend
    with tarfile.open(folder / "harmful-1.0.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:  # pip itself refuses such an archive
            member = tarfile.TarInfo("harmful-1.0/data/link.csv")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
    return trap


@pytest.fixture
def index(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def packaged(project, path=NAME, package="harmful==1.0", digest=None, **source):
    project.write("rows.csv", ROWS)
    pin = digest or sha256(project.root / "rows.csv")
    return project.config(
        files={"core": {"path": path, "sha256": pin}}, source={"kind": "pypi", "package": package, **source}
    )


@pytest.mark.parametrize("pyproject", [False, True], ids=["setup.py", "a backend of its own"])
def test_a_file_comes_out_of_a_package_and_none_of_its_code_runs(project, index, pyproject):
    trap = sdist(index, pyproject=pyproject)
    assert project.fetch(packaged(project))["core"].read_bytes() == ROWS
    assert not trap.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "harmful-1.0/data/link.csv"}, "harmful==1.0: holds no file 'harmful-1.0/data/link.csv'"),
        ({"digest": "0" * 64}, f"{NAME}: sha256"),
        ({"max_bytes": 10}, f"{NAME}: is larger than source.max_bytes (10)"),
    ],
    ids=["a link", "other bytes", "too large"],
)
def test_what_is_not_as_it_should_be_in_a_package(project, index, given, message, monkeypatch):
    sdist(index, link=True)
    monkeypatch.setattr(sources, "_pip", lambda *_: index / "harmful-1.0.tar.gz")
    with pytest.raises(DataError) as error:
        project.fetch(packaged(project, **given))
    assert str(error.value).startswith(message)
    assert not list(project.raw().glob("*"))


def test_a_package_that_is_not_there(project, index):
    with pytest.raises(DataError, match=r"harmful==2.0: pip cannot download it \(Could not find a version"):
        project.fetch(packaged(project, package="harmful==2.0"))


def test_a_wheel_and_an_archive_that_ends_too_early(project, index, monkeypatch):
    path = index / "harmful-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("harmful/rows.csv", ROWS)
    monkeypatch.setattr(sources, "_pip", lambda *_: path)
    assert project.fetch(packaged(project, "harmful/rows.csv"))["core"].read_bytes() == ROWS
    (project.raw() / "rows.csv").unlink()
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="is not a whole archive"):
        project.fetch(packaged(project, "harmful/rows.csv"))


def test_a_file_in_a_zip_file_in_a_package(project, index, monkeypatch):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep/rows.csv", ROWS)
    path = index / "harmful-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("harmful/all.zip", inner.getvalue())
        wheel.writestr("harmful/rows.csv", ROWS)
    monkeypatch.setattr(sources, "_pip", lambda *_: path)
    fetched = project.fetch(packaged(project, "zip://deep/rows.csv::harmful/all.zip"))["core"]
    assert (fetched.name, fetched.read_bytes()) == ("rows.csv", ROWS)
    fetched.unlink()
    for name, message in {
        "zip://other.csv::harmful/all.zip": "harmful==1.0: 'harmful/all.zip' holds no file 'other.csv'",
        "zip://deep/rows.csv::harmful/none.zip": "harmful==1.0: holds no file 'harmful/none.zip'",
        "zip://deep/rows.csv::harmful/rows.csv": "harmful==1.0: 'harmful/rows.csv' is no zip file",
    }.items():
        with pytest.raises(DataError) as error:
            project.fetch(packaged(project, name))
        assert str(error.value) == message
    with pytest.raises(DataError, match=r"all\.zip: is larger than source.max_bytes \(100\)"):
        project.fetch(packaged(project, "zip://deep/rows.csv::harmful/all.zip", max_bytes=100))
    assert not list(project.raw().glob("*"))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_on_a_terminal_and_a_few_lines_in_a_log():
    log, terminal = io.StringIO(), Terminal()
    for stream in (log, terminal):
        bar = Bar(stream)
        for done in range(0, 10_000_001, 1000):
            bar("rows.csv", done, 10_000_000)
    assert log.getvalue().splitlines() == [f"rows.csv: {mb} of 10.0 MB" for mb in ("0.0", "2.5", "5.0", "7.5", "10.0")]
    assert terminal.getvalue().count("\n") == 1
    assert all(len(line) <= 80 for line in terminal.getvalue().split("\r"))
    assert terminal.getvalue().rstrip().endswith("[########################] 10.0 of 10.0 MB")


def test_a_download_of_unknown_length_still_says_that_it_goes_on():
    log = io.StringIO()
    bar = Bar(log)
    for done in (10, 20, 30):
        bar("rows.csv", done, None)
    bar("rows.csv", 30, 30)
    assert log.getvalue().splitlines() == ["rows.csv: downloading", "rows.csv: 0.0 of 0.0 MB"]
