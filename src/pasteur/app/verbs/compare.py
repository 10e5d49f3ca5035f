"""`pasteur compare`: tracked runs side by side on one page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pasteur import tracking
from pasteur.app import comparing, records
from pasteur.app.verbs import RUN, Parser, root_of
from pasteur.errors import ConfigError, DataError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.tracking import Kept, Tracker

MOST = 500
"""Runs that are compared where none are named."""


def main(argv: Sequence[str]) -> int:
    """Write the page.

    Raises:
        ConfigError: no such run or sweep, one run only, or no page to write to.
        DataError: a run was not tracked, or the store cannot be read.
    """
    parser = Parser("compare", f"Tracked runs side by side: those named, a sweep's, or the last {MOST} of a view.")
    parser.add_argument("runs", nargs="*", metavar="RUN", help=RUN)
    parser.add_argument("--sweep", metavar="NAME", help="a sweep's id, the end of it, or `last`")
    parser.add_argument("--view", help="of the runs that are compared where none are named; default: the last run's")
    parser.add_argument("--out", type=Path, default=Path(comparing.PAGE), help=f"file to write; {comparing.PAGE}")
    arguments = parser.parse_args(list(argv))
    if arguments.runs and (arguments.sweep or arguments.view):
        raise ConfigError("RUN must stand alone, without --sweep and --view")
    out: Path = arguments.out
    if out.suffix != ".html" or out.is_dir():
        raise ConfigError(rule("--out", out, "a file that ends in .html"))
    root = root_of(arguments)
    with tracking.Tracker(root) as tracker:
        tracker.prepare()
        kept, title = _chosen(tracker, root, arguments.runs, arguments.sweep, arguments.view)
    if len(kept) < 2:
        raise ConfigError(f"compare needs two runs or more: there {'is one' if kept else 'are none'}")
    comparing.write(kept, out, title=title)
    print(f"{len(kept)} runs -> {out}")  # noqa: T201 - what a person asked for
    return 0


def _chosen(
    tracker: Tracker, root: Path, runs: Sequence[str], sweep: str | None, view: str | None
) -> tuple[list[Kept], str]:
    """The runs that are meant, oldest first, and the page's title."""
    if runs:
        found = dict.fromkeys(_tracked(root, run) for run in runs)
        return tracker.runs(ids=list(found)[::-1]), f"Comparison of {len(found)} runs"
    if sweep:
        name = _sweep(root, sweep)
        return tracker.runs(sweep=name), f"Sweep {name.rpartition('-')[2]}"
    known = records.kept(root)
    if not known:
        raise ConfigError(f"compare needs two runs or more: there are none under {root / 'outputs' / 'runs'}")
    views = {str(kept.document["view"]) for kept in known}
    chosen = view or str(known[-1].document["view"])
    if chosen not in views:
        raise ConfigError(f"--view ({chosen}) must be one that was run{near_miss(chosen, views)}")
    return tracker.runs(experiment=chosen, most=MOST), f"Runs on {chosen}"


def _tracked(root: Path, run: str) -> str:
    kept = records.find(root, run)
    tracked = kept.tracked
    if tracked is None:
        raise DataError(f"run {kept.document['run_id']} was not tracked")
    return tracked.run


def _sweep(root: Path, name: str) -> str:
    """The id of the sweep that `name` is, or ends."""
    known = sorted(path.name for path in (root / "outputs" / "sweeps").glob("*/") if path.is_dir())
    if not known:
        raise ConfigError(f"--sweep ({name}) must be a sweep: there is none under {root / 'outputs' / 'sweeps'}")
    if name == records.LAST:
        return known[-1]
    found = [each for each in known if each == name or each.rpartition("-")[2].startswith(name)]
    if len(found) != 1 or not re.fullmatch(r"[\w.\-:]+", found[0]):
        latest = ", ".join(each.rpartition("-")[2] for each in known[:-4:-1])
        raise ConfigError(f"{rule('--sweep', name, 'the id of one sweep')}; the latest are {latest}")
    return found[0]
