"""`MetricsConfig`: the Hydra group `metrics`. How deep to look; what is looked at stands in `metrics/*/metrics.yml`."""

from __future__ import annotations

from dataclasses import dataclass

from pasteur.errors import ConfigError, near_miss, rule

DEPTHS = ("quick", "standard", "full")


@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """Settings of the scores. Same settings and seed, same scores of the anchors: they are measured once."""

    depth: str = "quick"
    """`quick` (one model a target), `standard` (all families' usual work) or `full` (more triples, larger models)."""
    schema: str | None = None
    """Schema whose bins every score is taken in, whatever a run's own schema; None: the view's `detail`."""
    final: bool = False
    """Score against `val`, the split kept for the final numbers, instead of `dev`."""
    families: list[str] | None = None
    """Families to run; None: those of `metrics.yml`, else all that run at this depth."""
    sample: int = 50_000
    """Most rows of a table that are scored; above it a seeded sample is, and the result says so. At least 100."""
    triples: int | None = None
    """How many 3-way marginals are drawn; None: 50, 200 or 1000 by depth. 0 or more."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.depth not in DEPTHS:
            message = rule("metrics.depth", self.depth, f"one of {', '.join(DEPTHS)}")
            raise ConfigError(message + near_miss(self.depth, DEPTHS))
        if self.sample < 100:
            raise ConfigError(rule("metrics.sample", self.sample, "100 or more"))
        if self.triples is not None and self.triples < 0:
            raise ConfigError(rule("metrics.triples", self.triples, "0 or more, or null for the depth's number"))

    @property
    def split(self) -> str:
        """The target's name."""
        return "val" if self.final else "dev"
