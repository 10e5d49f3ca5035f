"""raw: the immutable bytes, under `data/orig/raw/<dataset>/`.

A file with a digest in its YAML must have it. Any other file's digest is recorded when it is first seen, in
`hashes.json` beside it, and a later change is refused until the user accepts it.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from pasteur.datasets import sources
from pasteur.datasets.progress import Bar, Progress
from pasteur.errors import DataError
from pasteur.files import atomic, sha256, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from pasteur.datasets.config import DatasetConfig, FileConfig

RECORD = "hashes.json"


def fetch(
    dataset: DatasetConfig,
    raw_folder: Path,
    *,
    accept: bool = False,
    root: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """The raw files of a data set, there and with the bytes that they should have.

    Args:
        dataset: what to fetch.
        raw_folder: where its raw files live, `<root>/data/orig/raw/<dataset>`.
        accept: take a user's changed file for the new truth. A digest in the YAML is never overruled.
        root: what a relative path in the YAML is relative to; by default the root that `raw_folder` lies in.
        progress: told of downloads; by default a bar on stderr.

    Returns:
        Path of each raw file by its name in `dataset.files`.

    Raises:
        DataError: a file is missing, truncated, changed, or cannot be downloaded or written.
    """
    home = root or raw_folder.resolve().parents[3]
    record = _Record(raw_folder / RECORD)
    missing: dict[str, Path] = {}
    paths = {name: raw_folder / file.filename for name, file in dataset.files.items()}
    for name, file in dataset.files.items():
        origin = sources.local(dataset, file.path, home)
        if origin is not None and origin.is_dir():
            raise DataError(f"{origin}: must be a file, but is a folder")
        if origin is not None and origin.is_file() and origin.resolve() != paths[name].resolve():
            _take(origin, paths[name], file, record, accept=accept)
        elif paths[name].is_file():
            _verify(paths[name], _digest(paths[name]), file, record, accept=accept)
        elif origin is None:
            missing[file.path] = paths[name]
        else:
            raise DataError(f"{origin}: raw file '{name}' of data set '{dataset.name}' is missing")
    if missing:
        _bring(dataset, missing, record, accept=accept, progress=progress or Bar())
    record.write()
    return paths


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _take(origin: Path, path: Path, file: FileConfig, record: _Record, *, accept: bool) -> None:
    """Copy a file of this machine, unless its bytes are in the raw folder already."""
    digest = _digest(origin)
    _verify(origin, digest, file, record, accept=accept)
    if path.is_file() and _digest(path) == digest:
        return
    with atomic(path) as temporary:
        shutil.copyfile(origin, temporary)


def _bring(
    dataset: DatasetConfig, missing: dict[str, Path], record: _Record, *, accept: bool, progress: Progress
) -> None:
    """Download, check, and only then let the files appear: all of them or none."""
    by_path = {file.path: file for file in dataset.files.values()}
    with ExitStack() as stack:
        arrived = {path: stack.enter_context(atomic(target)) for path, target in missing.items()}
        sources.download(dataset, arrived, progress)
        for path, file in arrived.items():
            _verify(file, sha256(file), by_path[path], record, accept=accept, shown=path)


def _verify(
    path: Path, digest: str, file: FileConfig, record: _Record, *, accept: bool, shown: str | None = None
) -> None:
    """Hold a file's digest against its pin, or against what was recorded when it was first seen."""
    size = path.stat().st_size
    if file.sha256 is not None:
        if digest != file.sha256:
            raise DataError(
                f"{shown or path}: sha256 ({digest}, {size} bytes) must be {file.sha256}, as its YAML says; "
                "it is truncated or was changed" + ("" if shown else ": delete it to have it fetched again")
            )
        return
    known = record.get(file.filename)
    if known and known["sha256"] != digest and not accept:
        raise DataError(
            f"{shown or path}: sha256 ({digest}, {size} bytes) must be {known['sha256']} ({known['bytes']} bytes), as "
            "when it was first ingested; restore the file, or take the new one with accept=true"
        )
    record.set(file.filename, {"sha256": digest, "bytes": size})


class _Record:
    """Digests of files that no YAML pins, as they were first seen."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = self._read()
        self._changed = False

    def _read(self) -> dict[str, Any]:
        if not self._path.is_file():
            return {}
        try:
            held: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{self._path}: is not valid JSON; delete it to record the files anew") from error
        return held

    def get(self, name: str) -> dict[str, Any] | None:
        return self._held.get(name)

    def set(self, name: str, entry: dict[str, Any]) -> None:
        self._changed |= self._held.get(name) != entry
        self._held[name] = entry

    def write(self) -> None:
        if self._changed:
            write_text(self._path, json.dumps(self._held, indent=1, sort_keys=True) + "\n")
