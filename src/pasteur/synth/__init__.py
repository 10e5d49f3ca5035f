"""Algorithms, one a module: adding one is `synth/<name>.py` and `configs/algorithm/<name>.yaml`, and no edit elsewhere.

Each module has `Settings` (frozen, a docstring under every field), `PRIVATE` (does it make a claim) and `COMPONENTS`
("one" or "many": how many components of a view it takes). A private one has

    fit(private: PrivateTable, settings: Settings) -> Model
    accountant(budget: Budget, settings: Settings) -> str       # "gdp" or "zcdp", from public numbers alone

and one that is not private reads the splits that `READS` names, and has

    draw(data: Mapping[split, Mapping[component, Table]], settings, *, rows, rng) -> Mapping[component, Table]

of codes, or, where it learns from values, as SDV's do,

    learn(data: Mapping[component, Table], metadata, settings, *, rng) -> Learned

The private ones are estimators too, for use without the rest: `from pasteur.synth import Weave`; see `_estimators`.
They are imported when they are asked for.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, did_you_mean, near_miss

if TYPE_CHECKING:
    from types import ModuleType

    from pasteur.synth._estimators import (
        AIM,
        AIMGDP,
        MST,
        MWEM,
        Estimator,
        Independent,
        PrivBayes,
        Weave,
        estimator,
    )

__all__ = [
    "AIM",
    "AIMGDP",
    "MST",
    "MWEM",
    "Estimator",
    "Independent",
    "PrivBayes",
    "Weave",
    "estimator",
    "find",
    "names",
]

NOT_ALGORITHMS = {"model"}
"""Modules that are none, besides those whose name begins with "_": what several algorithms share."""


def names() -> tuple[str, ...]:
    """Names of all algorithms, sorted."""
    stems = {path.stem for path in Path(__file__).parent.glob("[!_]*.py")}
    return tuple(sorted(stems - NOT_ALGORITHMS))


def find(name: str) -> ModuleType:
    """The module of algorithm `name`.

    Raises:
        ConfigError: there is none.
    """
    if name not in names():
        raise ConfigError(f"algorithm '{name}' is not known{near_miss(name, names())}")
    return importlib.import_module(f"pasteur.synth.{name}")


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("pasteur.synth._estimators"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
