"""`Experiment`: one run, fully said. Hydra composes it; a notebook or a test may build it by hand."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pasteur.errors import ConfigError, did_you_mean, rule
from pasteur.recoding import Recoding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pasteur.datasets.config import DatasetConfig
    from pasteur.metrics.config import MetricsConfig
    from pasteur.privacy.tuning import Number
    from pasteur.views.config import ViewConfig

FIT_ON = {"wrk": ("wrk",), "wrk+ref": ("wrk", "ref"), "all": ("wrk", "ref", "val", "dev")}
"""Which splits each value of `fit_on` lets an algorithm learn from."""

FORMATS = ("csv", "pq")
ACCOUNTANTS = ("auto", "gdp", "zcdp")


def stamped(token: str) -> str:
    """`<UTC time to the ms>-<token>`: what versions of runs and ids of sweeps look like, in order of time."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%dT%H.%M.%S}.{now.microsecond // 1000:03d}Z-{token}"


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What a run may spend."""

    epsilon: float = 1.0
    """Total epsilon of the claim; above 0."""
    delta: float = 1e-9
    """Total delta of the claim; inside (0, 1)."""
    accountant: str = "auto"
    """`gdp`, `zcdp`, or `auto`: whichever buys the algorithm more, chosen from public settings before the run."""
    debug_seed: int | None = None
    """A seed for the noise, for debugging. It stamps the run NOT PRIVATE."""

    def __post_init__(self) -> None:
        """Refuse values that make no claim."""
        if not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise ConfigError(rule("privacy.epsilon", self.epsilon, "a finite number above 0"))
        if not 0 < self.delta < 1:
            raise ConfigError(rule("privacy.delta", self.delta, "between 0 and 1, both excluded"))
        if self.accountant not in ACCOUNTANTS:
            message = rule("privacy.accountant", self.accountant, f"one of {', '.join(ACCOUNTANTS)}")
            raise ConfigError(message + did_you_mean(self.accountant, ACCOUNTANTS))


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The sweep whose trial a run is: on whose data it is tuned, and what may be claimed of all its trials."""

    sweep: str
    """Id of the sweep."""
    data: str = "wrk"
    """`wrk`; or `ref`: trials fit one half of ref and are scored beside the other, and wrk is not read."""
    ref: str = "budgeted"
    """Where `data` is ref: its people are `public`, or `budgeted`, with a ledger of their own."""
    claim: str = "ledger"
    """What is claimed of all trials: what their ledgers compose to, or `none`."""
    reads: tuple[str, ...] = ()
    """What its objectives are computed from: some of syn, ref, target, dec and wrk."""
    randomised: Number | None = None
    """What the number of trials was drawn from, where it was."""

    def __post_init__(self) -> None:
        """Refuse a choice that rests on the fitted rows without noise, unless nothing is claimed."""
        for name, value, options in (
            ("sweep.data", self.data, ("wrk", "ref")),
            ("sweep.ref", self.ref, ("budgeted", "public")),
            ("sweep.claim", self.claim, ("ledger", "none")),
        ):
            if value not in options:
                raise ConfigError(rule(name, value, f"one of {', '.join(options)}") + did_you_mean(value, options))
        if self.exact and self.claim != "none":
            read = " and ".join(sorted({"wrk", "dec"} & set(self.reads)))
            raise ConfigError(
                f"sweep.claim ({self.claim}) must be none where an objective reads {read}: a choice by what the fitted "
                "rows say without noise is paid for by no ledger; or choose one that reads syn, ref and the target"
            )

    @property
    def exact(self) -> bool:
        """Whether its objectives read the fitted rows, or what was made of them without noise."""
        return not {"wrk", "dec"}.isdisjoint(self.reads)

    @property
    def on_ref(self) -> bool:
        """Whether halves of ref stand for wrk and ref."""
        return self.data == "ref"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One run: data set, view, schema, algorithm, budget, metrics and seed."""

    root: Path
    """Where `data/` and `outputs/` live, and a user's own `configs/`, `metadata/` and `metrics/`."""
    dataset: DatasetConfig
    view: ViewConfig
    schema: str
    """Name of the schema: `metadata/<view>.<schema>.json`."""
    recoding: Recoding = field(default_factory=Recoding)
    """Embedding settings over the schema's own."""
    algorithm: str
    """Name of a module of `pasteur.synth`."""
    settings: object
    """That module's `Settings`."""
    metrics: MetricsConfig
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    seed: int = 0
    """Drives decoding, anchors, models and samples. Never the noise."""
    rows: int | None = None
    """Rows to sample; None: as many as the model believes there are."""
    format: Literal["csv", "pq"] = "csv"
    """Form of the synthetic files."""
    fit_on: str = "wrk"
    """`wrk`, `wrk+ref` or `all`; the last two are for a final release."""
    accept: bool = False
    """Accept a user's raw file that has changed since its first ingest."""
    refresh: bool = False
    """Read a server's tables anew, whatever their label or digest says."""
    report: bool = True
    """Write `report.html` beside the run's other files."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the tracked run."""
    tuning: Tuning | None = None
    """The sweep whose trial it is."""
    tuned: str = ""
    """Id of a finished sweep that chose its settings: the claim then says what that cost, and whom."""

    @property
    def coding(self) -> str:
        """What encoded data are called after: the schema, and a digest of what lies over it."""
        return self.recoding.name(self.schema)

    @property
    def schema_shown(self) -> str:
        """The schema and what lies over it, for a person."""
        return " ".join((self.schema, *self.recoding.words))

    def __post_init__(self) -> None:
        """Refuse values and combinations that cannot run."""
        if self.fit_on not in FIT_ON:
            raise ConfigError(
                rule("fit_on", self.fit_on, f"one of {', '.join(FIT_ON)}") + did_you_mean(self.fit_on, FIT_ON)
            )
        if self.format not in FORMATS:
            raise ConfigError(rule("format", self.format, "csv or pq"))
        if self.tuning and self.tuning.on_ref and self.fit_on != "wrk":
            raise ConfigError(
                rule("fit_on", self.fit_on, "wrk in a sweep with sweep.data=ref, whose trials fit half of ref")
            )
        if self.tuning and self.tuning.reads and self.metrics.final:
            raise ConfigError(
                rule("metrics.final", "true", "false where an objective steers: val is looked at once, last")
            )
        if self.refresh and not self.dataset.in_server:
            must_be = f"false: data set '{self.dataset.name}' is in no server; a changed file is taken with accept=true"
            raise ConfigError(rule("refresh", "true", must_be))
        if self.seed < 0:
            raise ConfigError(rule("seed", self.seed, "0 or more"))
        if self.rows is not None and self.rows < 1:
            raise ConfigError(rule("rows", self.rows, "1 or more, or null for as many as the model believes there are"))


def flat(e: Experiment) -> dict[str, Any]:
    """Settings as one level of dotted names: what two runs may differ in. Those that are not set are left out.

    The algorithm's own are `settings.<name>`, after its name and the budget in the alphabet: MLflow's comparison of
    runs shows the first three parameters that differ.
    """
    tree: dict[str, Any] = {
        "dataset": e.dataset.name,
        "view": e.view.name,
        "schema": e.schema,
        **{f"schema.{key}": value for key, value in asdict(e.recoding).items()},
        "algorithm": e.algorithm,
        "settings": asdict(e.settings) if is_dataclass(e.settings) else {},  # type: ignore[arg-type]
        "privacy": asdict(e.privacy),
        "metrics": asdict(e.metrics),
        "seed": e.seed,
        "rows": e.rows,
        "format": e.format,
        "fit_on": e.fit_on,
    }
    return {key: value for key, value in _flat(tree) if value not in (None, {})}


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", value))
    return found
