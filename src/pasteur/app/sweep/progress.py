"""How far a sweep is: one plain line a trial, on the terminal and in a file that can be read while it runs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

FILE = "progress.log"


class Progress:
    """Tells of each trial once, when it has ended.

    Args:
        folder: the sweep's; the file lies in it.
        total: trials in all; None where nobody knows.
        objectives: names of what is made small.
        out: where else to write; standard output.
        clock: seconds, in tests.
    """

    def __init__(
        self,
        folder: Path,
        total: int | None,
        objectives: Sequence[str],
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.total = total
        self.objectives = tuple(objectives)
        self._file = folder / FILE
        self._out = out
        self._clock = clock
        self._began = clock()
        self._held: int | None = None  # trials of earlier starts, which say nothing of this one's speed
        self._told: set[int] = set()

    def told(self, trials: Iterable[Mapping[str, Any]]) -> None:
        """Tell of those of `trials` that were not told of: what each has in its `result.json`."""
        done = sorted(trials, key=lambda trial: (float(trial.get("ended") or 0), int(trial["number"])))
        if self._held is None:
            self._held = sum(1 for trial in done if float(trial.get("ended") or 0) < self._began)
            self._told |= {int(trial["number"]) for trial in done[: self._held]}
            if self._held:
                self._write(f"{self._held} trials were there already{self._best(done[: self._held])}")
        for place, trial in enumerate(done, start=1):
            if int(trial["number"]) not in self._told:
                self._told.add(int(trial["number"]))
                self._write(self._line(trial, done[:place]))

    def _line(self, trial: Mapping[str, Any], done: Sequence[Mapping[str, Any]]) -> str:
        of = f" of {self.total}" if self.total is not None else ""
        return (
            f"{len(done)}{of}: trial {trial['number']} {self._outcome(trial)}{self._best(done)}{self._time(len(done))}"
        )

    def _outcome(self, trial: Mapping[str, Any]) -> str:
        found = trial.get("objectives")
        if trial["state"] == "failed" or (self.objectives and not found):
            return f"failed ({trial.get('error') or 'no reason given'})"
        if not found:
            return str(trial["state"])
        return ", ".join(f"{name} {found[name]:.4g}" for name in self.objectives)

    def _best(self, done: Sequence[Mapping[str, Any]]) -> str:
        held = best(done, self.objectives)
        if not held:
            return ""
        if len(self.objectives) > 1:
            return f" | {len(held)} on the front"
        return f" | best {held[0]['objectives'][self.objectives[0]]:.4g} (trial {held[0]['number']})"

    def _time(self, count: int) -> str:
        gone = self._clock() - self._began
        own = count - (self._held or 0)
        left = f", about {clock(gone / own * (self.total - count))} left" if self.total is not None and own > 0 else ""
        return f" | {clock(gone)} gone{left}"

    def _write(self, line: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {line}\n")
        out = self._out or sys.stdout
        out.write(line + "\n")
        out.flush()


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def best(trials: Iterable[Mapping[str, Any]], objectives: Sequence[str]) -> list[Mapping[str, Any]]:
    """The trial of the smallest objective; of several objectives, the front: trials that no other one beats in all.

    Args:
        trials: those without objectives are passed over.
        objectives: their names; nothing is best where there are none.

    Returns:
        The front in the order of the first objective; of trials that tie, the earliest.
    """
    if not objectives:
        return []
    held = [(tuple(float(t["objectives"][name]) for name in objectives), t) for t in trials if _scored(t, objectives)]
    held.sort(key=lambda entry: (entry[0], int(entry[1]["number"])))
    front: list[tuple[tuple[float, ...], Mapping[str, Any]]] = []
    for values, trial in held:  # in this order none is beaten by one that comes after it
        if not any(_covers(others, values) for others, _ in front):
            front.append((values, trial))
    return [trial for _, trial in front]


def _scored(trial: Mapping[str, Any], objectives: Sequence[str]) -> bool:
    found = trial.get("objectives") or {}
    return trial["state"] != "failed" and all(name in found for name in objectives)


def _covers(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))
