"""Which folder a run belongs to: `data/`, `outputs/` and a user's own `configs/`, `metadata/`, `metrics/` lie in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "PASTEUR_ROOT"
SETTING = "pasteur.root="

MARKS = (
    "configs/dataset",
    "configs/view",
    "configs/experiment",
    "data/orig",
    "outputs/runs",
)
"""A folder that holds one of these is a project: bare `data/` and `configs/` are too common to tell."""


def find(argv: Sequence[str] = ()) -> Path:
    """The root: `pasteur.root=` on the command line, else `PASTEUR_ROOT`, else the current project.

    The current project is the nearest folder, from the working directory upwards, that holds one of `MARKS`; where
    there is none, the working directory.

    Raises:
        ConfigError: the root is a file.
    """
    said = [word.lstrip("+").removeprefix(SETTING) for word in argv if word.lstrip("+").startswith(SETTING)]
    named = said[-1].strip("'\"") if said else os.environ.get(VARIABLE, "")
    root = Path(named).expanduser().resolve() if named else _project(Path.cwd())
    if root.exists() and not root.is_dir():
        raise ConfigError(rule("pasteur.root", root, "a folder"))
    return root


def _project(start: Path) -> Path:
    for folder in (start, *start.parents):
        if any((folder / mark).is_dir() for mark in MARKS):
            return folder
    return start
