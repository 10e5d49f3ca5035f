"""A bar for a person at a terminal; a few plain lines for a log file."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO

STEPS = 4
"""Lines that a log file gets for a whole download."""
WIDTH = 24


class Progress(Protocol):
    """Told how far a download, or a reading of rows, is."""

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes or rows of `name` have come; `total` None where it is not known."""


class Bar:
    """Progress on a stream: one line that is drawn over on a terminal, at most `STEPS` + 1 lines elsewhere."""

    def __init__(self, stream: TextIO | None = None, *, unit: str = "MB") -> None:
        self._stream = stream or sys.stderr
        self._unit = unit
        self._terminal = self._stream.isatty()
        self._name = ""
        self._step = -1
        self._drawn = 0.0

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Draw, if there is something new to draw."""
        if name != self._name:
            self._name, self._step, self._drawn = name, -1, 0.0
        complete = total is not None and done >= total
        if self._terminal:
            self._draw(done, total, complete=complete)
        elif total:
            step = STEPS * done // total
            if step > self._step:
                self._step = step
                self._stream.write(f"{name}: {self._size(done, total)}\n")
        elif self._step < 0:
            self._step = 0
            self._stream.write(f"{name}: {'downloading' if self._unit == 'MB' else 'reading'}\n")
        self._stream.flush()

    def _draw(self, done: int, total: int | None, *, complete: bool) -> None:
        now = time.monotonic()
        if now - self._drawn < 0.1 and not complete:  # a tenth of a second is as fast as an eye reads
            return
        self._drawn = now
        filled = WIDTH * done // total if total else 0
        line = f"{self._name[:30]} [{'#' * filled}{'.' * (WIDTH - filled)}] {self._size(done, total)}"
        self._stream.write(f"\r{line:<78}" + ("\n" if complete else ""))

    def _size(self, done: int, total: int | None) -> str:
        """`1.5 of 3.0 MB`, `100,000 of 200,000 rows`."""
        scale, form = (1e6, ",.1f") if self._unit == "MB" else (1, ",.0f")
        known = f" of {total / scale:{form}}" if total else ""
        return f"{done / scale:{form}}{known} {self._unit}"
