from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pasteur.datasets import sources
from pasteur.errors import DataError
from pasteur.files import sha256

ROWS = "id,value\n" + "".join(f"{i},{i * i}\n" for i in range(50))


def refused(project, config, **settings):
    with pytest.raises(DataError) as error:
        project.fetch(config, **settings)
    return str(error.value)


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_adult_ships_with_the_package(project, shipped):
    paths = project.fetch(shipped("adult"))
    assert sorted(paths) == ["test", "train"]
    assert all(path.parent == project.raw("adult") for path in paths.values())
    assert files_in(project.raw("adult")) == ["adult.csv.gz", "adult.test.csv.gz"]


@pytest.mark.parametrize("harm", ["truncated", "one byte changed"])
def test_a_harmed_raw_file_of_a_pinned_data_set(project, shipped, harm, monkeypatch):
    config = shipped("adult")
    path = project.fetch(config)["train"]
    content = bytearray(path.read_bytes())
    if harm == "truncated":
        content = content[:1000]
    else:
        content[5000] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(sources, "local", lambda *_: None)  # as for a data set that was downloaded
    message = refused(project, config)
    assert str(path) in message
    assert sha256(path) in message
    assert config.files["train"].sha256 in message
    assert "truncated or was changed" in message
    monkeypatch.undo()
    project.fetch(config)  # the package's copy mends it
    assert sha256(path) == config.files["train"].sha256


def test_a_missing_file_is_named(project):
    assert "core.csv: raw file 'core' of data set 'mine' is missing" in refused(project, project.config())
    assert not project.raw().exists()


def test_a_folder_is_no_file(project):
    (project.root / "core.csv").mkdir()
    assert "must be a file, but is a folder" in refused(project, project.config())


def test_a_users_file_is_recorded_and_may_not_change(project):
    config = project.config()
    source = project.write("core.csv", ROWS)
    before = sha256(source)
    paths = project.fetch(config)
    assert paths["core"].read_text() == ROWS
    assert json.loads((project.raw() / "hashes.json").read_text()) == {
        "core.csv": {"sha256": before, "bytes": len(ROWS)}
    }
    project.fetch(config)

    source.write_text(ROWS + "50,1\n")
    after = sha256(source)
    message = refused(project, config)
    assert before in message
    assert after in message
    assert "accept=true" in message
    assert paths["core"].read_text() == ROWS  # the raw bytes have not moved

    project.fetch(config, accept=True)
    assert paths["core"].read_text() == ROWS + "50,1\n"
    project.fetch(config)


def test_a_changed_raw_copy_is_refused_where_the_original_is_gone(project):
    config = project.config()
    project.write("core.csv", ROWS).rename(project.root / "elsewhere.csv")
    project.raw().mkdir(parents=True)
    raw = project.raw() / "core.csv"
    raw.write_text(ROWS)  # a user may put the file there at once
    assert project.fetch(config)["core"] == raw
    raw.write_text(ROWS.replace("49,2401", "49,2402"))
    assert "as when it was first ingested" in refused(project, config)
    project.fetch(config, accept=True)
    project.fetch(config)


def test_accept_never_overrules_a_pin(project):
    project.write("core.csv", ROWS)
    config = project.config(files={"core": {"path": "core.csv", "sha256": "0" * 64}})
    assert "as its YAML says" in refused(project, config, accept=True)
    assert not project.raw().exists()


def test_a_broken_record_is_named(project):
    project.write("core.csv", ROWS)
    project.fetch(project.config())
    (project.raw() / "hashes.json").write_text("{")
    assert "hashes.json: is not valid JSON" in refused(project, project.config())


def test_a_folder_that_cannot_be_written(project):
    project.write("core.csv", ROWS)
    project.write("data", b"a file where a folder should be")
    assert "cannot be written" in refused(project, project.config())


def test_a_file_url_and_an_absolute_path(project, tmp_path_factory):
    path = tmp_path_factory.mktemp("far") / "core.csv"
    path.write_text(ROWS)
    for spelled in (f"file://{path}", str(path)):
        assert project.fetch(project.config(files={"core": {"path": spelled}}))["core"].read_text() == ROWS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_url_is_downloaded_once_with_progress(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    (folder / "core.csv").write_text(ROWS)
    seen = []
    with served(folder) as address:
        config = project.config(files={"core": {"path": f"{address}/core.csv?version=1"}})
        path = project.fetch(config, progress=lambda *at: seen.append(at))["core"]
    assert path.name == "core.csv"
    assert path.read_text() == ROWS
    assert seen[-1] == ("core.csv", len(ROWS), len(ROWS))
    assert project.fetch(config)["core"].read_text() == ROWS  # the server is gone


def test_a_download_is_checked_before_anything_appears(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    (folder / "a.csv").write_text(ROWS)
    (folder / "b.csv").write_text(ROWS)
    with served(folder) as address:
        good = {"path": f"{address}/a.csv"}

        def config(other, **source):
            return project.config(files={"a": good, "b": other}, unit={"column": "id"}, source=source)

        message = refused(project, config({"path": f"{address}/b.csv", "sha256": "0" * 64}))
        assert f"{address}/b.csv: sha256" in message
        assert "cannot be downloaded" in refused(project, config({"path": f"{address}/c.csv"}))
        assert "b.csv: is larger than source.max_bytes" in refused(
            project, config({"path": f"{address}/b.csv"}, max_bytes=len(ROWS) - 1)
        ).replace("a.csv", "b.csv")
    assert files_in(project.raw()) == []


def test_an_interrupt_leaves_nothing_behind(project, monkeypatch):
    project.write("core.csv", ROWS)

    def interrupted(_, target):
        target.write_text("id,va")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            project.fetch(project.config())
    assert files_in(project.raw()) == []
    assert project.fetch(project.config())["core"].read_text() == ROWS
