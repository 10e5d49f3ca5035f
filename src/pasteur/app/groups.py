"""The groups of configurations and their options, read off the folders: a project's own over the packaged ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from pasteur.app import root as roots
from pasteur.errors import ConfigError


def folders() -> tuple[Path, ...]:
    """The folders of configurations, the first to be asked first."""
    return (roots.find() / "configs", Path(str(files("pasteur.resources.configs"))))


def options(group: str) -> dict[str, Path]:
    """Each option of a group and its file."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted((folder / group).glob("*.yaml")):
            found.setdefault(path.stem, path)
    if group == "schema":
        found = {**declared_schemas(roots.find()), **found}
    return dict(sorted(found.items()))


def declared_schemas(root: Path) -> dict[str, Path]:
    """Schemas that a project's `metadata/<view or data set>.<schema>.json` declare, each with one such file."""
    found = {path.name.split(".")[-2]: path for path in sorted((root / "metadata").glob("*.*.json"))}
    return dict(sorted(found.items()))


def groups() -> tuple[str, ...]:
    """The groups that have options."""
    names = {path.name for folder in folders() if folder.is_dir() for path in folder.iterdir() if path.is_dir()}
    return tuple(sorted(n for n in names - {"hydra", "search"} if not n.startswith(("_", ".")) and options(n)))


def read(path: Path) -> dict[str, Any]:
    """A YAML file as plain values, nothing resolved.

    Raises:
        ConfigError: it is not YAML, or no mapping.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: is not valid YAML") from error
    if not isinstance(document, dict | None):
        raise ConfigError(f"{path}: must be a mapping")
    return document or {}
