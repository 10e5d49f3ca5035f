"""Hydra says what failed in its own words and suggests nothing: here it becomes one line with the near miss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from yaml import MarkedYAMLError

from pasteur.app import groups
from pasteur.app.aliases import shown
from pasteur.errors import ConfigError, did_you_mean, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY = re.compile(r"Could not (?:override|delete from config\.) '([^']+)'")
_MERGED = re.compile(r"Error merging override \+*([^\s=]+)=(.*)")
_FULL = re.compile(r"full_key: (\S+)")


def explain(error: Exception, overrides: Sequence[str]) -> ConfigError:  # noqa: PLR0911 - one return a kind of error
    """The error that a user reads.

    Args:
        error: what Hydra or OmegaConf raised.
        overrides: the command line that was being composed.
    """
    if isinstance(error, OverrideParseException):
        return ConfigError(f"'{shown([error.override or ''])[0]}' is not of the form name=value ({_first_line(error)})")
    if isinstance(error, MissingConfigException):
        return _missing(error, overrides)
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return ConfigError(f"{mark.name}, line {mark.line + 1}: is not valid YAML ({error.problem})")
    if isinstance(error, ValueError):
        return _no_name(error, overrides)
    text = str(error)
    found = _KEY.search(text)
    if found:
        return _unknown_key(found[1].strip("'\""), overrides, text)
    merged = _MERGED.search(text)
    if merged:
        must_be = "a list" if _keys(merged[1], overrides) is None else "a mapping of names"
        return ConfigError(rule(merged[1], merged[2], must_be))
    full = _FULL.search(text)
    if full:
        return ConfigError(f"{full[1]}: {_first_line(error)}")
    return ConfigError(_first_line(error))


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _missing(error: MissingConfigException, overrides: Sequence[str]) -> ConfigError:
    """A group's option that no file has."""
    name = error.missing_cfg_file or ""
    group, _, option = name.rpartition("/")
    choices = [str(o) for o in error.options or groups.options(group)]
    if not group or not choices:
        keys = [word.split("=")[0].lstrip("+~") for word in overrides]
        return _unknown_key(next((k for k in keys if name.startswith(k)), name), overrides, str(error))
    return ConfigError(rule(group, option, f"one of {', '.join(sorted(choices))}") + did_you_mean(option, choices))


def _no_name(error: ValueError, overrides: Sequence[str]) -> ConfigError:
    """A number, a list or nothing where the name of an option belongs."""
    for word in overrides:
        group, _, value = word.lstrip("+").partition("=")
        if group in groups.groups() and value not in groups.options(group):
            return ConfigError(rule(group, value or "nothing", f"one of {', '.join(groups.options(group))}"))
    return ConfigError(_first_line(error))


def _unknown_key(key: str, overrides: Sequence[str], text: str) -> ConfigError:
    """A key that the configuration does not have: the near miss among the keys beside it, and the groups."""
    key = key.split("@", maxsplit=1)[0]
    parent, _, last = key.rpartition(".")
    beside = _keys(parent, overrides)
    if beside is None:
        grandparent, _, name = parent.rpartition(".")
        if name in (_keys(grandparent, overrides) or ()):
            return ConfigError(f"{key} is not a known setting: {parent} has no settings of its own")
        return _unknown_key(parent, overrides, text)
    if not parent:
        beside = [*beside, *groups.groups()]
    if last in beside:
        return ConfigError(f"{key}: a name that it has not yet is given with a plus: +{key}.<name>=<value>")
    return ConfigError(f"{key} is not a known setting{near_miss(last, set(beside))}")


def _keys(parent: str, overrides: Sequence[str]) -> list[str] | None:
    """The keys under `parent` in the configuration that the command line's choices of groups alone compose.

    None where there is no such mapping.
    """
    from pasteur.app.compose import compose_whole

    chosen = [word for word in overrides if word.split("=")[0].lstrip("+~") in groups.groups() and "," not in word]
    try:
        cfg = compose_whole(chosen)
    except HydraException:
        cfg = compose_whole([])
    node: Any = OmegaConf.select(cfg, parent) if parent else cfg
    return [str(key) for key in node] if isinstance(node, DictConfig) else None
