from __future__ import annotations

import errno
import hashlib

import pytest

from pasteur.errors import DataError
from pasteur.files import atomic, sha256, write_text


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "ä")
    assert path.read_bytes() == "ä".encode()
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, failure):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def interrupted():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(failure):
        interrupted()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "parts"
    for content in ("one", "two"):
        with atomic(path) as temporary:
            temporary.mkdir()
            (temporary / f"{content}.txt").write_text(content)
    assert [p.name for p in path.iterdir()] == ["two.txt"]


def test_a_full_disk_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="cannot be written"), atomic(tmp_path / "a.pq"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_path_below_a_file_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "file" / "below.txt", "x")


def test_digest_of_a_file_and_of_a_folder(tmp_path):
    write_text(tmp_path / "d" / "a", "1")
    assert sha256(tmp_path / "d" / "a") == hashlib.sha256(b"1").hexdigest()
    before = sha256(tmp_path / "d")
    (tmp_path / "d" / "a").rename(tmp_path / "d" / "b")
    assert sha256(tmp_path / "d") != before
