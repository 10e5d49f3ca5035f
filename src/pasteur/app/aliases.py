"""`algo` is another name for the group `algorithm`, in every form that Hydra's command line knows.

A second group, a package override and a symlink all fail in Hydra (they compose the group twice, or under another key),
so the words are rewritten before Hydra sees them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES = {"algo": "algorithm"}

_WORD = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<name>[A-Za-z_]+)(?P<rest>(?:[=.@/]|$).*)", re.DOTALL)


def expand(argv: Sequence[str]) -> list[str]:
    """`argv` with `algo` spelt `algorithm`: `algo=`, `algo.x=`, `algo@p=`, each also after `+`, `++` and `~`."""
    return [_expand(word) for word in argv]


def _expand(word: str) -> str:
    found = _WORD.match(word)
    if not found or found["name"] not in ALIASES or not (found["rest"] or found["sign"]):
        return word
    return f"{found['sign'] or ''}{ALIASES[found['name']]}{found['rest']}"
