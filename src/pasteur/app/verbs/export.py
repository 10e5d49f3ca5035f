"""`pasteur export`: the release, and nothing else. No score, no log, no digest of real data leaves with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasteur import __version__
from pasteur.app import claim_page, records
from pasteur.app.verbs import RUN, Parser, root_of
from pasteur.errors import ConfigError, DataError, rule
from pasteur.files import atomic, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(argv: Sequence[str]) -> int:
    """Write a release to a new folder.

    Raises:
        ConfigError: no such run, a folder that is not empty, or a run that makes no claim.
        DataError: a file is gone or not what the run made.
    """
    parser = Parser("export", "The release of a run: what may leave the house.")
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--out", type=Path, required=True, help="a folder that is new or empty")
    parser.add_argument("--no-model", action="store_true", help="leave the model out")
    parser.add_argument(
        "--without-claim",
        action="store_true",
        help="export a run that has no DP guarantee, stamped so; its files may be real data",
    )
    arguments = parser.parse_args(list(argv))
    out: Path = arguments.out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(rule("--out", out, "a folder that is new or empty"))
    kept = records.find(root_of(arguments), arguments.run)
    if not kept.json("claim.json").get("private") and not arguments.without_claim:
        raise ConfigError(
            f"run {kept.document['run_id']} ({kept.document['algorithm']}) has no DP guarantee and is no release; "
            "--without-claim exports it all the same, stamped so"
        )
    names = release(kept, out, model=not arguments.no_model)
    print(f"{out}: {', '.join(names)}")  # noqa: T201 - what a person asked for
    return 0


def release(kept: records.Kept, out: Path, *, model: bool) -> list[str]:
    """Write the release of `kept` to `out`, whole or not at all; the names of its files.

    Raises:
        DataError: a file is gone or not what the run made.
    """
    document, claim = kept.document, kept.json("claim.json")
    private = bool(claim.get("private"))
    with atomic(out) as folder:
        folder.mkdir(parents=True)
        for component, relative in document["synthetic"].items():
            source = _unchanged(kept, component, relative)
            shutil.copyfile(source, folder / f"{component}{source.suffix}")
        if model and document["model"] and private:
            shutil.copyfile(_unchanged(kept, "model", document["model"]), folder / "model.npz")
            shutil.copyfile(kept.folder / "dictionary.json", folder / "dictionary.json")
            for name, relative in kept.compressors.items():
                source = _unchanged(kept, f"compressor {name}", relative)
                shutil.copyfile(source, folder / f"compressor.{name}.pq")
        _json(folder / "metadata.json", kept.json("metadata.json"))
        ledger = kept.json("ledger.json") if private else None
        if ledger:
            _json(folder / "ledger.json", ledger)
        whole = {"claim": claim, "run": described(document)}
        if not claim.get("alone"):
            whole["releases"] = document["releases"]
        _json(folder / "claim.json", whole)
        (folder / "claim.html").write_text(claim_page.render(whole, ledger), encoding="utf-8")
        sums = [f"{sha256(path)}  {path.name}" for path in sorted(folder.iterdir())]
        (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
        return sorted(path.name for path in folder.iterdir())


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """What made the release, in public settings alone."""
    keys = ("version", "run_id", "dataset", "view", "schema", "algorithm", "fit_on", "format")
    return {**{key: document[key] for key in keys}, "pasteur": __version__}


def _unchanged(kept: records.Kept, name: str, relative: str) -> Path:
    path = kept.path(relative)
    if sha256(path) != kept.document["digests"][name]:
        raise DataError(f"{path}: is not the file that run {kept.document['run_id']} made (its sha256 differs)")
    return path


def _json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
