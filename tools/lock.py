"""Write requirements.lock: the exact version of every package that `pyproject.toml` can bring in, all extras together.

`make lock` runs it. The lock is a constraints file (`pip install -c requirements.lock -e '.[dev]'`): one file pins the
plain install, the tests and every extra alike, and names only what the chosen extras ask for. It holds no hashes and no
local version tags, so that it is the same file on every platform (`torch==2.13.0` is the CPU or the CUDA build,
whichever pip finds first).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
PYTHONS = ("3.11", "3.12", "3.13")
SOURCE_ONLY = {"antlr4-python3-runtime"}  # pure Python, published without a wheel
NOT_ON = {"3.13": {"pgserver"}}  # what pyproject.toml asks for only on older ones

HEADER = """\
# Exact versions for Python 3.11 to 3.13, all extras together. Made by `make lock`; do not edit.
# A constraints file: pip install -c requirements.lock -e '.[dev]'
"""


def resolve() -> dict[str, str]:
    """Let pip resolve the project with all extras in an empty environment; return name -> version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = ",".join(project["optional-dependencies"])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        _pip("install", "--dry-run", "--ignore-installed", "--report", str(report), f"{ROOT}[{extras}]")
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {_canonical(item["metadata"]["name"]): item["metadata"]["version"].split("+")[0] for item in items}
    del found[_canonical(project["name"])]
    return {name: version for name, version in sorted(found.items()) if not name.startswith(("nvidia-", "triton"))}


def check(pins: dict[str, str], python: str) -> None:
    """Ask pip whether each pinned version has a wheel for `python`; it exits non-zero and names the package if not."""
    with tempfile.TemporaryDirectory() as folder:
        pins_file = Path(folder) / "pins.txt"
        left_out = SOURCE_ONLY | NOT_ON.get(python, set())
        pins_file.write_text("".join(f"{n}=={v}\n" for n, v in pins.items() if n not in left_out), encoding="utf-8")
        options = ("--python-version", python, "--only-binary=:all:", "--no-deps", "--target", folder)
        _pip("install", "--dry-run", "--ignore-installed", *options, "-r", str(pins_file))


def _pip(*arguments: str) -> None:
    subprocess.run((sys.executable, "-m", "pip", "--quiet", *arguments), check=True)  # noqa: S603  (our own arguments)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Resolve, check every Python, then write."""
    pins = resolve()
    for python in PYTHONS:
        check(pins, python)
        print(f"Python {python}: {len(pins)} packages have wheels")
    LOCK.write_text(HEADER + "".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
    print(f"wrote {LOCK.name}")


if __name__ == "__main__":
    main()
