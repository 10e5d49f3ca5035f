"""Algorithms, one a module: adding one is `synth/<name>.py` and `configs/algorithm/<name>.yaml`, and no edit elsewhere.

Each module has `Settings` (frozen, a docstring under every field), `PRIVATE` (does it make a claim) and `COMPONENTS`
("one" or "many": how many components of a view it takes). A private one has

    fit(private: PrivateTable, settings: Settings) -> Model
    accountant(budget: Budget, settings: Settings) -> str       # "gdp" or "zcdp", from public numbers alone

and one that is not private reads the splits that `READS` names, and has

    draw(data: Mapping[split, Mapping[component, Table]], settings, *, rows, rng) -> Mapping[component, Table]
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from pasteur.errors import ConfigError, near_miss

if TYPE_CHECKING:
    from types import ModuleType

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
