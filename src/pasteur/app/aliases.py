"""What of a command line is rewritten before Hydra sees it.

`algo` is another name for the group `algorithm`, in every form that Hydra knows: a second group, a package override and
a symlink all fail (they compose the group twice, or under another key).

A setting of a group may be given whether or not the chosen file spells it out: `metrics.final=true` becomes
`++metrics.final=true`. A name that is no setting is still an error, of the dataclass that the group is checked against.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES = {"algo": "algorithm"}

FLAGS = {"--refresh": "refresh=true", "--accept": "accept=true"}
"""Settings that may also be given as a flag."""

_SETTING = re.compile(r"^(?:dataset|view|schema|algorithm|privacy|metrics|tags)\.[^=@]+=")

_WORD = re.compile(r"^(?P<sign>\+\+|\+|~)?(?P<name>[A-Za-z_]+)(?P<rest>(?:[=.@/]|$).*)", re.DOTALL)


def expand(argv: Sequence[str]) -> list[str]:
    """`argv` with `algo` spelt `algorithm`: `algo=`, `algo.x=`, `algo@p=`, each also after `+`, `++` and `~`.

    `--refresh` and `--accept` become the settings that they set.
    """
    return [FLAGS.get(word) or _settable(_expand(word)) for word in argv]


def shown(overrides: Sequence[str]) -> list[str]:
    """`overrides` as a person wrote them."""
    return [word.removeprefix("++") for word in overrides]


def _settable(word: str) -> str:
    return f"++{word}" if _SETTING.match(word) else word


def _expand(word: str) -> str:
    found = _WORD.match(word)
    if not found or found["name"] not in ALIASES or not (found["rest"] or found["sign"]):
        return word
    return f"{found['sign'] or ''}{ALIASES[found['name']]}{found['rest']}"
