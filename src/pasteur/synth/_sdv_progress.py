"""SDV draws its progress over one line again and again; a log gets a line when a tenth more is done."""

from __future__ import annotations

import io
import logging
import re
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BAR = re.compile(
    r"^(?P<what>.*?):?\s*\d+%\|.*\|\s*(?P<done>\d+)/(?P<total>\d+) \[(?P<spent>[\d:]+)<(?P<left>[\d:?]+)[^\]]*\]"
)
"""A bar of tqdm's: `Gen. (-0.12):  30%|###   | 90/300 [00:41<01:36,  2.2it/s]`."""

TALKATIVE = ("sdv", "rdt", "copulas", "ctgan", "deepecho", "SingleTableSynthesizer", "MultiTableSynthesizer")
"""Loggers that tell of each step of each table: thousands of lines, of use to who writes SDV."""

QUIET = 30.0
"""Seconds after which a bar that moves is told of again, however little."""

BUSY = 1.0
"""Seconds in which a bar is not told of twice, but at its end."""

logger = logging.getLogger(__name__)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever is printed inside goes to the log, under `name`; progress bars as a line for each tenth."""
    stream = Lines(name)
    levels = {other: logging.getLogger(other).level for other in TALKATIVE}
    for other in TALKATIVE:
        logging.getLogger(other).setLevel(logging.WARNING)
    try:
        with redirect_stdout(stream), redirect_stderr(stream):
            yield
    finally:
        stream.finish()
        for other, level in levels.items():
            logging.getLogger(other).setLevel(level)


class Lines(io.TextIOBase):
    """A stream that turns what is printed into lines of a log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rest = ""
        self._tenth = -1
        self._at = 0
        self._when = 0.0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take what is printed; a line ends where a bar begins again at its start."""
        *lines, self._rest = re.split(r"[\r\n]", self._rest + text)
        for line in lines:
            self._line(line)
        return len(text)

    def finish(self) -> None:
        """Tell what has no end of line."""
        self.write("\n")

    def _line(self, line: str) -> None:
        found = BAR.match(line.strip())
        if found is None:
            if line.strip():
                logger.info("%s: %s", self.name, line.strip())
            return
        done, total = int(found["done"]), max(int(found["total"]), 1)
        if done < self._at:  # another bar has begun
            self._tenth, self._when = -1, time.monotonic()
        now, tenth = time.monotonic(), 10 * done // total
        since = now - self._when
        if done and ((tenth > self._tenth and since > BUSY) or since > QUIET or done == total):
            self._tenth, self._when = tenth, now
            what = f"{found['what']}: " if found["what"] else ""
            logger.info(
                "%s: %s%d of %d, %s so far, %s left", self.name, what, done, total, found["spent"], found["left"]
            )
        self._at = done
