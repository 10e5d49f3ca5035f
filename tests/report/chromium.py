"""A headless Chromium for tests, without a driver or a package."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time

PATIENCE = 60


NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find() -> str | None:
    """The browser of this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above 3 and 4, which the browser wants for its own."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


class Browser:
    """A headless Chromium, spoken to over a pair of pipes in the DevTools protocol: no driver, no package."""

    def __init__(self, binary: str, profile) -> None:
        (self._in, to_browser), (from_browser, out) = _pipe(), _pipe()
        # The browser reads from 3 and writes to 4; a small Python moves our ends there and becomes the browser.
        move = f"import os, sys; os.dup2({self._in}, 3); os.dup2({out}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}")
        self._process = subprocess.Popen(
            [sys.executable, "-c", move, binary, *flags, "--remote-debugging-pipe", "about:blank"],
            pass_fds=(self._in, out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(self._in)
        os.close(out)
        self._to, self._from, self._held, self._number = to_browser, from_browser, b"", 0
        self.events: list[dict] = []
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def ask(self, method: str, **parameters):
        """Give a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]

    def _next(self) -> dict:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._held:
            assert select.select([self._from], [], [], max(0.0, end - time.monotonic()))[0], (
                "the browser does not answer"
            )
            self._held += os.read(self._from, 1 << 20)
        line, _, self._held = self._held.partition(b"\0")
        found = json.loads(line)
        if "method" in found:
            self.events.append(found)
        return found

    def open(self, path, *, width=1440, height=1000, dark=False, scripts=True) -> None:
        """Open a file and wait until it is loaded."""
        self.events.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._next()

    def run(self, script: str):
        """What an expression of JavaScript gives."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @property
    def complaints(self) -> list[str]:
        """Messages of the console, faults of scripts and what the policy refused."""
        told = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"])[:300] for event in self.events if event["method"] in told]

    @property
    def requests(self) -> list[str]:
        """Addresses that were asked for."""
        asked = [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in asked if not address.startswith("data:")]
