"""The walls between the rooms: kept by this tree, and seen to break when an import goes through one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {"PYTHONPATH": f"{folder / 'src'}:{folder}", "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    ignore = shutil.ignore_patterns("__pycache__", "data")
    for name in ("src/pasteur", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_wall_stands(copy):
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout + done.stderr


# One way through each kind of wall, and what import-linter says then.
HOLES = {
    "marginals/hole.py": (
        "import pasteur.table\nimport pandas\n",
        ["Marginals know the errors and nothing else", "no frames"],
    ),
    "privacy/hole.py": ("from pasteur.datasets import config\n", ["The private room"]),
    "synth/hole.py": ("import mlflow\nfrom pasteur import views\n", ["MLflow is known", "Algorithms reach data"]),
    "compressors/hole.py": ("from pasteur import views\n", ["Compressors learn through the private room"]),
    "postgres/hole.py": ("from pasteur import table\n", ["A server is known by its errors"]),
    "tracking/hole.py": ("from pasteur import schema\n", ["Tracking writes down"]),
    "sql/hole.py": ("import hydra\nimport kedro\n", ["Hydra is known", "Kedro is known"]),
    "errors.py": ("import pasteur.files\n", ["What runs stands on what is run"]),
}


def test_a_hole_in_each_wall_is_seen(copy):
    """All holes at once: reading the tree costs more than looking at it."""
    package = copy / "src" / "pasteur"
    before = {name: (package / name).read_text() if (package / name).exists() else None for name in HOLES}
    try:
        for name, (code, _) in HOLES.items():
            (package / name).write_text(code + (before[name] or ""))
        done = lint_imports(copy)
    finally:
        for name, text in before.items():
            if text is None:
                (package / name).unlink()
            else:
                (package / name).write_text(text)
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    for _, names in HOLES.values():
        for name in names:
            assert any(name in line for line in broken), (name, done.stdout)


def test_every_room_has_a_wall():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    walled = {contract["room"] for contract in contracts if contract["type"] == "only"}
    rooms = {f"pasteur.{path.parent.name}" for path in (ROOT / "src" / "pasteur").glob("*/__init__.py")}
    assert rooms - walled == {"pasteur.app", "pasteur.pipelines", "pasteur.resources"}
