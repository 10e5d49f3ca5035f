"""Time and memory of the straight line: `--help`, a run from nothing, and runs when all is current.

    make bench                                  # adult with mst, three runs when current
    python benchmarks/line.py --dataset kdd_census --runs 1

Each run is a process of its own, so that imports count. Everything is made in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024 * (1 if sys.platform == "linux" else 1024)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one process took."""

    wall: float
    """Seconds from start to exit."""
    cpu: float
    """Seconds of all cores together, its children's included."""
    peak: float
    """Largest resident size in MB."""


def timed(command: list[str], log: Path) -> Cost:
    """Run `command`, its output into `log`; stop with that output if it fails."""
    start = time.perf_counter()
    with log.open("wb") as out:
        process = os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)],
        )
        _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text(encoding='utf-8')[-4000:]}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss / MEGABYTE)


def row(what: str, cost: Cost, limit: str) -> None:
    """Print one line of the table."""
    print(f"{what:<34} {cost.wall:>7.1f} s {cost.cpu:>7.1f} s {cost.peak:>7.0f} MB   {limit}")


def line(dataset: str, algorithm: str, runs: int, root: Path) -> None:
    """The whole line, from nothing and then with everything current."""
    command = [sys.executable, "-m", "pasteur", f"dataset={dataset}", f"algo={algorithm}", f"pasteur.root={root}"]
    print(f"{dataset} with {algorithm:<20} {'wall':>13} {'cpu':>9} {'peak':>10}   aim (adult)")
    row("--help", timed([*command[:3], "--help"], root / "help.log"), "under 1 s")
    row("a run from nothing", timed(command, root / "first.log"), "under 40 s, 800 MB")
    costs = [timed(command, root / "next.log") for _ in range(runs)]
    middle = Cost(
        **{name: statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "peak")}
    )
    row(f"a run when current, median of {runs}", middle, "under 12 s, 800 MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="adult")
    parser.add_argument("--algorithm", default="mst")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        line(options.dataset, options.algorithm, options.runs, Path(folder))


if __name__ == "__main__":
    main()
