"""`Dimension`: one setting and the values that a sweep may give it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Quote, QuotedString, Transformer

from pasteur.errors import ConfigError, near_miss, rule

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

KEYS = ("low", "high", "log", "step")

PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z_][\w./-]*", re.IGNORECASE | re.ASCII)
"""Text that Hydra reads as it stands."""

MOST = 10_000
"""Values of one setting that are listed, at most."""

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A list of choices, or a range."""

    setting: str
    """Its name as on the command line, e.g. `privacy.epsilon`."""
    choices: tuple[Value, ...] = ()
    """What it may be; empty: the range. What is no number and no plain word is in Hydra's own spelling."""
    low: float = 0
    high: float = 0
    """The ends of the range, both included. Whole numbers where both ends are."""
    step: float | None = None
    """Distance of neighbouring values; None: a whole number's is 1, any other range is continuous."""
    log: bool = False
    """Whether equal factors, not equal differences, are as likely."""

    @classmethod
    def read(cls, setting: str, said: Any, where: str) -> Dimension:
        """The dimension that a YAML file or a preset says: a list, or a mapping of `low`, `high`, `log`, `step`.

        Raises:
            ConfigError: it says something else, or nothing.
        """
        if isinstance(said, list):
            if not said:
                raise ConfigError(rule(where, "[]", "a list of one choice or more"))
            return cls(setting=setting, choices=tuple(map(encoded, said)))
        if not isinstance(said, dict):
            raise ConfigError(rule(where, said, "a list of choices, or a mapping of low, high, log and step"))
        for key in said:
            if key not in KEYS:
                raise ConfigError(f"{where}.{key} is not known{near_miss(str(key), KEYS)}")
        for key in ("low", "high"):
            if not _number(said.get(key)):
                raise ConfigError(rule(f"{where}.{key}", said.get(key, "nothing"), "a finite number"))
        made = cls(setting=setting, **said)
        made.check(where)
        return made

    def check(self, where: str) -> None:
        """Refuse a range that holds nothing.

        Raises:
            ConfigError: its low is not under its high, or its scale or step does not fit.
        """
        if not self.low < self.high:
            raise ConfigError(rule(where, f"{self.low} to {self.high}", "a range whose low lies under its high"))
        if self.log not in (True, False):
            raise ConfigError(rule(f"{where}.log", self.log, "true or false"))
        if self.log and (self.low <= 0 or self.step is not None):
            raise ConfigError(rule(where, f"{self.low} to {self.high}", "above 0 and without a step for log: true"))
        if self.step is not None and not (_number(self.step) and self.step > 0):
            raise ConfigError(rule(f"{where}.step", self.step, "a finite number above 0"))

    @classmethod
    def said(cls, override: Override) -> Dimension:
        """What an override of the command line sweeps: `a,b`, `choice`, `range` or `interval`, with `tag(log, ..)`.

        A range is without its end, as Hydra counts it.

        Raises:
            ConfigError: there is nothing in it.
        """
        setting = override.get_key_element().lstrip("+")
        value = override.value()
        if isinstance(value, IntervalSweep):
            ends = {"low": value.start, "high": value.end, "log": "log" in value.tags}
            return cls.read(setting, ends, setting)
        each = override.sweep_iterator(transformer=Transformer.identity)
        listed = [encoded(getattr(one, "text", one)) for one in each]
        if not listed:
            raise ConfigError(rule(setting, override.get_value_element_as_str(), "one value or more"))
        return cls(setting=setting, choices=tuple(listed))

    @property
    def whole(self) -> bool:
        """Whether the range is of whole numbers."""
        return all(isinstance(x, int) for x in (self.low, self.high, self.step or 0))

    def suggest(self, trial: Any, name: str) -> Any:
        """Ask Optuna's `trial` for a value, under the parameter's `name`."""
        if self.choices:
            return trial.suggest_categorical(name, list(self.choices))
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), step=int(self.step or 1), log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def values(self, where: str) -> tuple[Value, ...]:
        """Every value, for a grid.

        Raises:
            ConfigError: it is continuous.
        """
        if self.choices:
            return self.choices
        if self.step is None and (self.log or not self.whole):
            must_be = "a list of choices, or a range with a step, for a grid: it is continuous"
            raise ConfigError(rule(where, f"{self.low} to {self.high}", must_be))
        step = self.step or 1
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        if count > MOST:
            raise ConfigError(rule(where, f"{count} values", f"{MOST} values or fewer for a grid"))
        return tuple(self.low + i * step for i in range(count))

    def edges(self) -> tuple[Value, ...]:
        """Each choice, or both ends: if these are allowed, all are."""
        return self.choices or (self.low, self.high)

    def document(self) -> dict[str, Any]:
        """The dimension as JSON."""
        return asdict(self)


def encoded(value: Any) -> Value:
    """A choice as Optuna keeps it: a number, a plain word, or the text that Hydra reads as the value."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    return _spelt(value)


def _spelt(value: Any) -> str:
    if isinstance(value, str):
        return QuotedString(text=value, quote=Quote.single).with_quotes()
    if isinstance(value, list | tuple):
        return f"[{','.join(_spelt(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_spelt(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def text(value: Value) -> str:
    """What stands after the `=` of an override."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
