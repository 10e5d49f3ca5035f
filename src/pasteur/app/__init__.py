"""The command line. A first word that is a verb goes to argparse; all else is composed by Hydra into runs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, PasteurError, near_miss
from pasteur.files import UNWRITABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = ("ui", "sample", "export", "evaluate", "compare", "check", "schema", "load")

BROKEN = 1
"""A fault of ours, not of the user."""

UNREAD = 141
"""What a shell expects of a process whose output nobody reads any more."""

DEBUG = "PASTEUR_DEBUG"
"""Variable that shows the message of a fault of ours, which may hold values of the data."""

INTERRUPTED = 130
"""What a shell expects of a process that Ctrl-C ended."""


def entry() -> None:
    """Run `pasteur` and `python -m pasteur`."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Do what the words of a command line ask.

    Args:
        argv: the words after the program's name.

    Returns:
        The process's exit code: 0 done; 2 a mistake of the user, told in one line; 3 done, but a metric, a trial of
        several or the tracking failed; 1 a fault of Pasteur's own; 130 interrupted.
    """
    try:
        return _dispatch(list(argv))
    except PasteurError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - this is the command line
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output, `head` say, has had enough; Python must not try to flush the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            print(f"error: {error.filename or 'a file'}: cannot be written ({error.strerror})", file=sys.stderr)  # noqa: T201
            return PasteurError.exit_code
        if os.environ.get(DEBUG):
            raise
        from pasteur.app.faults import told

        fault = f"{told(error)}error: {type(error).__name__} inside Pasteur; {DEBUG}=1 shows its message"
        print(fault, file=sys.stderr)  # noqa: T201
        return BROKEN
    except KeyboardInterrupt:
        print("interrupted: a second run goes on from what is whole", file=sys.stderr)  # noqa: T201
        return INTERRUPTED


def _dispatch(argv: list[str]) -> int:
    first = argv[0] if argv else "--help"
    if first in ("-h", "--help", "help"):
        from pasteur.app.help import show

        return show()
    if first == "--version":
        from pasteur import __version__

        print(f"pasteur {__version__}")  # noqa: T201
        return 0
    if first in VERBS:
        verb = import_module(f"pasteur.app.verbs.{first}")
        return int(verb.main(argv[1:]))
    if first.replace("_", "").isalpha():
        raise ConfigError(f"'{first}' is no verb and no setting `name=value`{near_miss(first, VERBS)}")
    if {"-h", "--help"} & set(argv):
        return _dispatch(["--help"])
    from pasteur.app.launch import launch

    return launch(argv)
