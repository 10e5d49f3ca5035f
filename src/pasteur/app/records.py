"""What of a run goes to the tracking store, and how a run is found again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, DataError, rule
from pasteur.experiment import flat
from pasteur.files import write_text
from pasteur.tracking import Record, Tracked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pasteur.experiment import Experiment
    from pasteur.result import Result

LARGEST = 64 * 2**20
"""Bytes of synthetic files that the store takes a copy of; of more it keeps names, sizes and digests."""

LAST = "last"


def of(result: Result, *, kind: str, sweep: str = "") -> Record:
    """The record of a finished run.

    Args:
        result: the run.
        kind: `run`, or `trial` of a sweep.
        sweep: the sweep's id.
    """
    e = result.experiment
    private = bool(result.claim.get("private"))
    tags = {
        "kind": kind,
        **({"sweep": sweep} if sweep else {}),
        "run_id": result.run_id,
        "version": result.version,
        "dataset": e.dataset.name,
        "view": e.view.name,
        "schema": e.schema,
        "algorithm": e.algorithm,
        "fit_on": e.fit_on,
        "claim": _claim(result.claim),
        "private": "yes" if private else "NO DP GUARANTEE",
        "releases": str(result.releases.get("line", "")),
        "failed_metrics": ", ".join(sorted(result.failures)),
    }
    size = sum(path.stat().st_size for path in result.synthetic.values())
    manifest = {
        path.name: {"path": str(path), "bytes": path.stat().st_size, "sha256": result.digests.get(component)}
        for component, path in result.synthetic.items()
    }
    return Record(
        experiment=e.view.name,
        name=f"{e.algorithm}{f' eps={e.privacy.epsilon:g}' if private else ''} {e.schema} {result.run_id}",
        tags={**e.tags, **{key: value for key, value in tags.items() if value}},
        params=flat(e),
        metrics=numbers(result),
        folders=(str(result.folder),),
        files={str(path): "synthetic" for path in result.synthetic.values()} if size <= LARGEST else {},
        documents={"synthetic/manifest.json": manifest},
        digests=_digests(e),
        seconds=result.seconds,
        failed=bool(result.failures),
    )


def _claim(claim: Mapping[str, Any]) -> str:
    if not claim.get("private"):
        return "none"
    from pasteur.privacy.ledger import shown

    return f"({shown(claim['epsilon'])}, {shown(claim['delta'])})"


def numbers(result: Result) -> dict[str, float]:
    """Scores and costs. A number that is not there (no signal, no anchor) is left out: MLflow keeps no NaN in order."""
    from pasteur.metrics.score import family_gap

    # The first is what MLflow's comparison of runs shows unasked.
    families = dict.fromkeys(score.family for score in result.scores)
    found: dict[str, float | None] = {f"gap/{family}": family_gap(result.scores, family) for family in families}
    found |= {"seconds": result.seconds, "peak_mb": result.peak_mb}
    for score in result.scores:
        for name in ("syn", "dec", "ref", "base", "wrk", "gap", "model_gap"):
            found[f"{score.metric}/{name}"] = getattr(score, name)
    for name in ("epsilon", "delta"):
        if result.claim.get("private"):
            found[f"claim/{name}"] = result.claim[name]
    for split, composed in result.releases.get("composed", {}).items():
        found[f"releases/{split}/number"] = composed["releases"]
        found[f"releases/{split}/epsilon"] = composed["epsilon"]
    found |= {f"seconds/{node}": seconds for node, seconds in result.ran.items()}
    return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


def _digests(e: Experiment) -> dict[str, str]:
    """Digest of each raw file as it was ingested, from the manifests of the intermediate tables."""
    from pasteur.catalog import Paths

    folder = Paths(root=e.root).manifest(Paths(root=e.root).intermediate(e.dataset.name, "x")).parent
    digests = {}
    for path in sorted(folder.glob("*.json")):
        digests[f"{e.dataset.name}.{path.name.split('.')[0]}"] = json.loads(path.read_text(encoding="utf-8"))["sha256"]
    return digests


def remember(result: Result, tracked: Tracked) -> None:
    """Note in the run's folder where the store keeps it."""
    write_text(result.folder / "tracking.json", json.dumps(asdict(tracked), indent=1, sort_keys=True) + "\n")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A finished run, by its folder."""

    root: Path
    folder: Path
    document: Mapping[str, Any]
    """What `Result.document` wrote."""

    @property
    def compressors(self) -> dict[str, str]:
        """Components that became latent columns, with the paths under the root of how they did."""
        from pasteur.catalog import Paths

        paths, version = Paths(root=self.root), str(self.document["version"])
        named = [
            name.removeprefix("compressor ") for name in self.document["digests"] if name.startswith("compressor ")
        ]
        return {name: str(paths.compressor(name, version).relative_to(self.root)) for name in named}

    def path(self, relative: str) -> Path:
        """A file that the run made, by its path under the root.

        Raises:
            DataError: it is gone.
        """
        found = self.root / relative
        if not found.exists():
            raise DataError(f"{found}: is gone; run {self.document['version']} made it")
        return found

    def json(self, name: str) -> Any:
        """A JSON document of the run's folder.

        Raises:
            DataError: it is gone or broken.
        """
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{self.folder / name}: cannot be read") from error

    @property
    def tracked(self) -> Tracked | None:
        """Where the store keeps it; None if it was not tracked."""
        return Tracked(**self.json("tracking.json")) if (self.folder / "tracking.json").is_file() else None


def kept(root: Path) -> list[Kept]:
    """All finished runs under a root, oldest first."""
    runs = []
    for path in sorted((root / "outputs" / "runs").glob("*/result.json")):
        try:
            runs.append(Kept(root=root, folder=path.parent, document=json.loads(path.read_text(encoding="utf-8"))))
        except ValueError as error:
            raise DataError(f"{path}: is not valid JSON") from error
    return runs


def find(root: Path, run: str) -> Kept:
    """The run that `run` names: `last`, a version, a unique prefix of a run id, or MLflow's id.

    Raises:
        ConfigError: there is none, or more than one.
    """
    runs = kept(root)
    if not runs:
        raise ConfigError(f"RUN ({run}) must be a finished run: there is none under {root / 'outputs' / 'runs'}")
    if run == LAST:
        return runs[-1]
    found = [k for k in runs if run and (k.document["version"] == run or k.document["run_id"].startswith(run))]
    found = found or [k for k in runs if k.tracked and k.tracked.run == run]
    if len(found) == 1:
        return found[0]
    must_be = "a version, a unique prefix of a run id, an MLflow run id, or `last`"
    if found:
        ids = ", ".join(k.document["run_id"] for k in found[:5])
        raise ConfigError(f"{rule('RUN', run, must_be)}: {len(found)} runs begin with it ({ids})")
    latest = ", ".join(k.document["run_id"] for k in runs[:-4:-1])
    raise ConfigError(f"{rule('RUN', run, must_be)}: no such run; the latest are {latest}")
