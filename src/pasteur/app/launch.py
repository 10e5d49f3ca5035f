"""From a command line to runs: check all of it first, then let Hydra make the folders, the logs and the sweep."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra._internal.utils import get_args_parser

from pasteur.app import aliases, compose, job, multirun, sources
from pasteur.app import root as roots
from pasteur.app.sweep.studies import STORE
from pasteur.errors import ConfigError, near_miss
from pasteur.experiment import stamped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from omegaconf import DictConfig

    from pasteur.app.sweep.request import Request

WORD = "sweep.storage="


def launch(argv: Sequence[str]) -> int:
    """Run what `argv` says; Hydra's own flags (`-m`, `--cfg job`, `--info` ...) work as they do everywhere.

    Returns:
        The process's exit code.

    Raises:
        ConfigError: the command line is wrong; nothing was started.
    """
    words = aliases.expand(argv)
    root = roots.find(words)
    words = [word for word in words if not word.lstrip("+").startswith(roots.SETTING)]
    words, store = _store(words)
    flags = _flags(words)
    with _environment({roots.VARIABLE: str(root), "HYDRA_FULL_ERROR": "1", **store}):
        sources.register()
        if flags.cfg or flags.info or flags.shell_completion or flags.hydra_help:
            if flags.cfg or flags.info:
                compose.compose(flags.overrides)
            _hydra(words, flags.overrides, job.nothing)
            return 0
        many = flags.multirun or "hydra.mode=MULTIRUN" in flags.overrides
        if many and (request := _request(_searching(flags))):
            return _sweep(root, request, flags)
        if not (flags.config_name or flags.config_path):
            compose.check(_searching(flags), many=many)
        if not many:
            outcome = job.Single(root=root)
            _hydra(words, flags.overrides, outcome)
            if outcome.error:
                raise outcome.error
            return outcome.code
        sweep = stamped(secrets.token_hex(4))
        with _environment({multirun.VARIABLE: sweep}):
            trial = multirun.Trial(root=root, sweep=sweep)
            return multirun.launch(root, sweep, flags.overrides, lambda: _hydra(words, flags.overrides, trial))


def _request(overrides: Sequence[str]) -> Request | None:
    """The sweep that a preset names; without one, the words are a grid of Hydra's own."""
    from pasteur.app.sweep import request

    return request.of(overrides)


def _sweep(root: Path, request: Request, flags: argparse.Namespace) -> int:
    """A sweep of Optuna's: the words that are searched are its own, the others Hydra's."""
    from pasteur.app.sweep import engine

    def start(more: list[str], task: Callable[[DictConfig], object]) -> None:
        where = ["--config-dir", flags.config_dir] if flags.config_dir else []
        words = [*request.words, *more]
        _hydra([*where, "--multirun", *words], words, task)

    return engine.launch(root, request, flags.overrides, start)


def _store(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """A store's URL may hold a password: it goes by a variable, so that no file of settings tells it."""
    said = [word.lstrip("+").removeprefix(WORD).strip("'\"") for word in words if word.lstrip("+").startswith(WORD)]
    kept = [word for word in words if not word.lstrip("+").startswith(WORD)]
    return kept, {STORE: said[-1]} if said else {}


def _flags(words: Sequence[str]) -> argparse.Namespace:
    """Hydra's flags and the overrides between them."""
    parser = get_args_parser()
    known = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - argparse shows no list
    for word in words:
        if word.startswith("-") and word.split("=")[0] not in known and not word.lstrip("-").isdigit():
            raise ConfigError(f"{word} is not a known flag{near_miss(word, known)}")
    return parser.parse_args(list(words))


def _searching(flags: argparse.Namespace) -> list[str]:
    """The overrides, and a folder of `--config-dir` in the words of an override."""
    where = [f"hydra.searchpath=[file://{Path(flags.config_dir).resolve()}]"] if flags.config_dir else []
    return [*flags.overrides, *where]


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Variables that Hydra and its workers read."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _hydra(words: Sequence[str], overrides: Sequence[str], task: Callable[[DictConfig], object]) -> None:
    """Hydra's own entry, with its errors as ours. It reads the command line from `sys.argv`."""
    before = sys.argv
    sys.argv = ["pasteur", *words]
    try:
        with compose.clear_errors(overrides):
            hydra.main(version_base=compose.HYDRA, config_path=sources.PACKAGED, config_name=compose.CONFIG)(task)()
    finally:
        sys.argv = before
