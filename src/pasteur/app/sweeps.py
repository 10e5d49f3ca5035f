"""What a multirun's command line asks for, override by override."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.core.override_parser.types import Override


def alternatives(overrides: Sequence[str]) -> list[list[str]]:
    """Command lines of single runs that together hold each value of each override of a multirun, not each combination.

    A data set's views are its own: combinations are not all meant to run, and one that cannot fails as a trial.

    Raises:
        HydraException: an override cannot be parsed.
    """
    values = [_values(override) for override in OverridesParser.create().parse_overrides(list(overrides))]
    first = [v[0] for v in values]
    lines = [first]
    for index, options in enumerate(values):
        lines.extend([*first[:index], option, *first[index + 1 :]] for option in options[1:])
    return lines


def _values(override: Override) -> list[str]:
    """The single-run forms of one override."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    key = override.get_key_element()
    value = override.value()
    if isinstance(value, IntervalSweep):
        return [f"{key}={value.start}", f"{key}={value.end}"]
    return [f"{key}={text}" for text in override.sweep_string_iterator()]
