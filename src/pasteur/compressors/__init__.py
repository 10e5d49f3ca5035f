"""Series of many steps to a few discrete latent columns, and back.

A compressor is one module of this package, named in metadata by the module: `"compressors": {"batting": {"type":
"linear", ...}}`. A user's own package offers one through the entry-point group `pasteur.compressors`, whose name is the
type and whose value is the class. Numpy comes in and numpy goes out: which rows are whose series is settled before
(`_layout`), and what is not smooth is put back after (`residual`).

Codes follow from public knowledge alone unless a compressor is fitted; then it learns on the private side, and what it
learns is charged on the run's ledger.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np

from pasteur.embeddings import Part
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pasteur.compressors._outside import Outside
    from pasteur.compressors._private import PrivateFit
    from pasteur.privacy import Budget

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

__all__ = ["TRANSFORMS", "Channel", "Compressor", "Declaration", "Part", "Series", "find", "names"]

GROUP = "pasteur.compressors"
DEFAULT = "linear"
Transform = Literal["none", "sqrt", "log"]
TRANSFORMS = ("none", "sqrt", "log")
MOST_STEPS = 4096
"""Steps of a series, at most."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One number that is known, or missing, at each step. All of it is declared, nothing read off data.

    Attributes:
        name: the column's.
        min: least value, in its own units.
        max: largest.
        decimals: places that it is rounded to once decoded.
        transform: what spreads its values over [0, 1]: of the share of the range, its root or its logarithm.
        missing: whether it may be missing.
        zero: whether its least value is a symbol of its own, such as no event at all.
        missing_with: the channel at whose least value, and nowhere else, this one is missing; None: it may be anywhere.
    """

    name: str
    min: float
    max: float
    decimals: int
    transform: Transform
    missing: bool
    zero: bool
    missing_with: str | None = None
    focus: tuple[float, float] | None = None
    """Where curves may run, in own units, if that is less than the range: single values still may lie anywhere."""

    def __post_init__(self) -> None:
        """Check."""
        if not self.min < self.max:
            raise SchemaError(rule(f"{self.name} domain.min", self.min, f"below max ({self.max})"))
        if self.focus is not None and not self.min <= self.focus[0] < self.focus[1] <= self.max:
            raise SchemaError(rule(f"{self.name} focus", list(self.focus), "two numbers inside of its range, rising"))
        if self.transform not in TRANSFORMS:
            raise SchemaError(
                rule(f"{self.name} transform", self.transform, f"one of {', '.join(TRANSFORMS)}")
                + near_miss(str(self.transform), TRANSFORMS)
            )

    @property
    def bounds(self) -> tuple[float, float]:
        """Where curves may run, in [0, 1]."""
        low, high = self.shares(np.array(self.focus or (self.min, self.max), dtype=np.float64))
        return float(low), float(high)

    @property
    def least(self) -> float:
        """The least value that is no zero symbol, in [0, 1]: one unit above the least, where that is one."""
        return float(self.shares(np.array(self.min + 10.0**-self.decimals))) if self.zero else 0.0

    @property
    def holes(self) -> bool:
        """Whether it says for itself where it is missing."""
        return self.missing and self.missing_with is None

    def shares(self, values: Floats) -> Floats:
        """Values in their own units as numbers in [0, 1]: outside of the range the edge, missing stays NaN."""
        share = (np.clip(values, self.min, self.max) - self.min) / (self.max - self.min)
        if self.transform == "sqrt":
            return np.sqrt(share)
        if self.transform == "log":
            return np.asarray(np.log1p(share * (self.max - self.min)) / np.log1p(self.max - self.min))
        return share

    def values(self, shares: Floats) -> Floats:
        """Numbers in [0, 1] as values in their own units, rounded to what is declared; missing stays NaN."""
        share = np.clip(shares, 0.0, 1.0)
        if self.transform == "sqrt":
            share = share**2
        elif self.transform == "log":
            share = np.expm1(share * np.log1p(self.max - self.min)) / (self.max - self.min)
        return np.clip(np.round(self.min + share * (self.max - self.min), self.decimals), self.min, self.max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """Series of many entities.

    Attributes:
        values: (entities, steps, channels), each transformed to [0, 1] by its declared range; NaN where missing and
            past a series' length; exactly 0 where a channel with a symbol of its own has its least value.
        lengths: (entities,) steps that each has, from 0 to the declared maximum.
    """

    values: Floats
    lengths: Codes

    def __post_init__(self) -> None:
        """Refuse shapes that do not match."""
        if self.values.ndim != 3 or self.lengths.shape != self.values.shape[:1]:
            raise ValueError(rule("shape of values", self.values.shape, f"({len(self.lengths)}, steps, channels)"))

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """(entities, steps): which steps a series has."""
        return np.asarray(np.arange(self.values.shape[1]) < self.lengths[:, None])

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """(entities, steps, channels): which values there are."""
        return np.isfinite(self.values) & self.inside[:, :, None]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """All that is known of a component before there is data.

    Attributes:
        component: its name.
        channels: in the schema's order, one or more.
        steps: of the longest series, from 1 on.
        settings: of the compressor, as the schema has them.
    """

    component: str
    channels: tuple[Channel, ...]
    steps: int
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Check."""
        if not self.channels:
            raise SchemaError(f"component '{self.component}' must have a channel: a column of numbers")
        if not 1 <= self.steps <= MOST_STEPS:
            raise SchemaError(rule(f"{self.component} steps", self.steps, f"a whole number from 1 to {MOST_STEPS}"))

    def setting(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the settings.

        Raises:
            SchemaError: it is none, or outside of its bounds.
        """
        value = self.settings.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            where = f"compressors.{self.component}.{name}"
            raise SchemaError(rule(where, value, f"a whole number from {low} to {high}"))
        return value

    def only(self, *known: str) -> None:
        """Refuse settings of other names.

        Raises:
            SchemaError: one is unknown; names the near miss.
        """
        for name in self.settings:
            if name not in known:
                message = f"compressors.{self.component}: '{name}' is not a known key{near_miss(name, known)}"
                raise SchemaError(message)


class Compressor(Protocol):
    """What every compressor does. Frozen: `fit` returns what it learned and changes nothing.

    Optional: `stamps`, what a claim must say of it; `check()`, which refuses early what `declare` cannot know.
    """

    type: ClassVar[str]
    """The module's name, as in metadata."""
    PRIVATE_FIT: ClassVar[bool]
    """Whether it learns from data, on the private side, with a share of the run's budget."""

    @property
    def share(self) -> float:
        """Share of the run's budget that fitting takes, in [0, 1): 0 of those that learn nothing."""
        ...

    @property
    def parts(self) -> tuple[Part, ...]:
        """The latent columns, in order."""
        ...

    @property
    def outside(self) -> Outside:
        """What codes say of length and holes, in the last of `parts`."""
        ...

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """Latent columns that speak of the same stretch of time in different channels: their pairs belong together."""
        ...

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Read the declaration and its settings.

        Raises:
            SchemaError: a setting is unknown or breaks its rule.
        """
        ...

    def accountant(self, budget: Budget) -> str | None:
        """Name of the accountant that fitting needs, from public numbers alone; None: any will do."""
        ...

    def fit(self, private: PrivateFit, *, cost: float) -> Self:
        """Learn, at most at this cost (rho). Who learns nothing returns itself and asks nothing."""
        ...

    def encode(self, series: Series) -> Codes:
        """Latent codes, (entities, parts), each in [0, its size). Never raises on data."""
        ...

    def curves(self, codes: Codes, lengths: Codes) -> Floats:
        """Smooth series of the latent codes, (entities, steps, channels) in [0, 1], the same each time.

        They have a value at each of their `lengths` (entities,) steps, 0 past them; what is missing, what is zero and
        what is not smooth is put back after.
        """
        ...

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """All that was learned: settings as JSON, and tensors. Holds no data."""
        ...

    @classmethod
    def from_state(
        cls, declaration: Declaration, settings: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """The compressor that gave this `state` under this declaration."""
        ...


@cache
def _own() -> frozenset[str]:
    """The modules of this package that are compressors."""
    return frozenset(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


@cache
def _offered() -> dict[str, EntryPoint]:
    """What installed packages offer. Read once: it looks into every installed package."""
    return {point.name: point for point in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """Every compressor type: the modules of this package and the installed entry points."""
    return tuple(sorted({*_own(), *_offered()}))


def find(name: object, *, where: str = "compressors") -> type[Compressor]:
    """The class of the compressor type `name`; our own comes before an entry point of the same name.

    Raises:
        SchemaError: there is none; names the near miss.
    """
    if not isinstance(name, str) or name not in names():
        raise SchemaError(f"{where}.type ({name}) must be a compressor{near_miss(str(name), names())}")
    if name in _own():
        members = vars(importlib.import_module(f"{__name__}.{name}")).values()
        found: type[Compressor] = next(m for m in members if isinstance(m, type) and vars(m).get("type") == name)
        return found
    loaded: type[Compressor] = _offered()[name].load()
    return loaded
