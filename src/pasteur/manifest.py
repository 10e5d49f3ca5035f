"""What is current. An artefact carries the digests of its own bytes and of all it was made from.

A node of a pipeline is run again only when one of these changed: the bytes of an input, a setting, the code that the
node may reach, a library that shapes bytes, or the output itself. Kedro's own `only_missing_outputs` looks for the
latest version instead and hands on stale data.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import re
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasteur.files import sha256, write_text

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

    from pasteur.catalog import Paths

SOURCE = Path(__file__).parent
LIBRARIES = ("numpy", "pandas", "pyarrow", "duckdb")


def digest(value: object) -> str:
    """Hex digest of a setting: dataclasses, mappings, sequences, numbers and text, in a canonical JSON form."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if hasattr(value, "items"):
        return _plain(dict(value.items()))
    raise TypeError(f"a setting of type {type(value).__name__} has no digest")


IMPORT = re.compile(
    r"^\s*(?:from\s+pasteur(?:\.(\w+))?[\w.]*\s+import\s+(\([^)]*\)|.+)|import\s+pasteur\.(\w+))", re.MULTILINE
)
"""An import of ours. One that stands in a text is taken for one too: too much code counts then, never too little."""


def _sources(room: str) -> list[Path]:
    """A room's files: those of the package, or the module right under `pasteur`; none where there is no such room."""
    folder, module = SOURCE / room, SOURCE / f"{room}.py"
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [module] if module.is_file() else []


def _imports(room: str) -> set[str]:
    """The names right under `pasteur` that a room's files import; a name that is no room has no files."""
    found: set[str] = set()
    for path in _sources(room):
        for package, names, module in IMPORT.findall(path.read_text(encoding="utf-8")):
            found.update({package, module} - {""} or re.findall(r"\w+", names))
    return found


@cache
def code_digest(room: str) -> str:
    """Digest of all source that a room may reach: its own files and those of every room it imports, transitively."""
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_imports(name))
    result = hashlib.sha256()
    for name in sorted(seen):
        for source in _sources(name):
            result.update(source.read_bytes())
    return result.hexdigest()


class Manifests:
    """The manifests under one root, and a memory of the digests already computed in this run."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._known: dict[Path, str] = {}

    @cached_property
    def _libraries(self) -> dict[str, str]:
        """Versions of the libraries that shape bytes. Read once: each takes milliseconds, and every node asks."""
        return {name: version(name) for name in LIBRARIES}

    def bytes_of(self, path: Path) -> str | None:
        """Digest of the file or folder at `path`; None where there is none."""
        if path not in self._known:
            if not path.exists():
                return None
            self._known[path] = sha256(path)
        return self._known[path]

    def recipe(self, node: Node, catalog: DataCatalog) -> dict[str, Any]:
        """What an output of `node` is made from: digests of inputs, settings, code and libraries."""
        return {
            "inputs": {name: self._input(catalog[name]) for name in node.inputs},
            "function": hashlib.sha256(inspect.getsource(node.func).encode()).hexdigest(),
            "code": {room: code_digest(room) for room in sorted(node.tags)},
            "libraries": self._libraries,
        }

    def _input(self, dataset: Any) -> str | None:
        path = getattr(dataset, "path", None)
        if path is not None:
            return self.bytes_of(path)
        value = dataset.load()
        if recorded := getattr(value, "recorded", None):  # a server's state: a label or a digest, legibly
            return " ".join(f"{name}: {state}" for name, state in sorted(recorded.items()))
        if isinstance(value, dict) and value and all(isinstance(entry, Path) for entry in value.values()):
            return digest({name: self.bytes_of(entry) for name, entry in value.items()})
        return digest(value)

    def is_current(self, node: Node, catalog: DataCatalog) -> bool:
        """Whether every output of `node` is there, unchanged, and made from just what it would be made from now."""
        recipe = self.recipe(node, catalog)
        for name in node.outputs:
            path: Path | None = getattr(catalog[name], "path", None)
            if path is None or not self._matches(path, recipe):
                return False
        return True

    def _matches(self, path: Path, recipe: dict[str, Any]) -> bool:
        try:
            held = json.loads(self.paths.manifest(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if not isinstance(held, dict):
            return False
        return bool(held.get("recipe") == recipe and held.get("sha256") == self.bytes_of(path))

    def forget(self, node: Node, catalog: DataCatalog) -> None:
        """Drop the remembered digests of what `node` has just made."""
        for name in node.outputs:
            self._known.pop(getattr(catalog[name], "path", Path()), None)

    def record(self, node: Node, catalog: DataCatalog) -> None:
        """Write the manifests of what `node` has just made."""
        recipe = self.recipe(node, catalog)
        self.forget(node, catalog)
        for name in node.outputs:
            path: Path | None = getattr(catalog[name], "path", None)
            if path is not None:
                document = {"sha256": self.bytes_of(path), "recipe": recipe}
                write_text(self.paths.manifest(path), json.dumps(document, indent=1, sort_keys=True) + "\n")
