"""`Result`: all that a finished run has to say, and its form on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pasteur.experiment import Experiment
    from pasteur.metrics.score import Score


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run made, what it claims, what it scored and what it cost."""

    run_id: str
    """Eight hex digits, unique to the run."""
    version: str
    """`<UTC time to the ms>-<run id>`: the same in all four synth folders and in the tracking store."""
    experiment: Experiment
    claim: Mapping[str, Any]
    """What may be said of the release: epsilon, delta, relation, unit, accountant, people covered, stamps."""
    ledger: Mapping[str, Any] | None
    """Every event that spent budget; None for an algorithm without a guarantee."""
    releases: Mapping[str, Any]
    """Which release from this data it was, and what all of them cost together."""
    scores: tuple[Score, ...]
    failures: Mapping[str, str]
    """Metric families that failed, with the reason."""
    notes: Mapping[str, str]
    """What a reader of the scores must know: tables that were sampled or short, queries that did not run."""
    synthetic: Mapping[str, Path]
    """Each component's synthetic file."""
    model: Path | None
    folder: Path
    """The run's folder: result, claim, ledger, dictionary and settings."""
    ran: Mapping[str, float]
    """Nodes that ran, with seconds."""
    current: tuple[str, ...]
    """Nodes whose output was current."""
    digests: Mapping[str, str]
    """sha256 of each synthetic file and of the model."""
    seconds: float
    peak_mb: float
    report: Path | None = None
    """The page that a person reads; None where none was asked for."""

    def document(self) -> dict[str, Any]:
        """The result as JSON: `result.json` in the run's folder. Paths are relative to the root."""
        root, e = self.experiment.root, self.experiment
        return {
            "run_id": self.run_id,
            "version": self.version,
            "dataset": e.dataset.name,
            "view": e.view.name,
            "schema": e.schema,
            "algorithm": e.algorithm,
            "epsilon": e.privacy.epsilon,
            "delta": e.privacy.delta,
            "seed": e.seed,
            "fit_on": e.fit_on,
            "format": e.format,
            "claim": dict(self.claim),
            "releases": dict(self.releases),
            "scores": [score.document() for score in self.scores],
            "failures": dict(self.failures),
            "notes": dict(self.notes),
            "synthetic": {component: str(path.relative_to(root)) for component, path in self.synthetic.items()},
            "model": str(self.model.relative_to(root)) if self.model else None,
            "report": str(self.report.relative_to(root)) if self.report else None,
            "ran": dict(self.ran),
            "current": list(self.current),
            "digests": dict(self.digests),
            "seconds": self.seconds,
            "peak_mb": self.peak_mb,
        }
