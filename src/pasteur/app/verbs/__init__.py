"""Verbs of the command line, one a file: each has `main(argv) -> int`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from pasteur.app import root as roots
from pasteur.errors import ConfigError

RUN = "a version, a unique prefix of a run id, an MLflow run id, or `last`"


class Parser(argparse.ArgumentParser):
    """A verb's parser: mistakes are one line, like all of Pasteur's."""

    def __init__(self, verb: str, what: str) -> None:
        super().__init__(prog=f"pasteur {verb}", description=what, allow_abbrev=False)
        self.add_argument("--root", type=Path, help="where data/ and outputs/ lie; default: the current project")

    def error(self, message: str) -> NoReturn:
        """Raise what the command line tells in one line."""
        raise ConfigError(f"{message} ({self.prog} --help)")


def root_of(arguments: argparse.Namespace) -> Path:
    """The root that a verb works under; also what configurations are then looked up under."""
    import os

    root = roots.find([f"{roots.SETTING}{arguments.root}"] if arguments.root else [])
    os.environ[roots.VARIABLE] = str(root)
    return root
