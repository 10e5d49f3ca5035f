"""The built wheel, used from an empty directory: what a person gets who never saw the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RESOURCES = {"configs": "configs", "metadata": "metadata", "sql": "metrics"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build from what git would hand on: a stale build/ or egg-info must not decide what is packed."""
    source = tmp_path_factory.mktemp("source")
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in files.stdout.decode().split("\0"):
        if (
            name.startswith(("src/", "configs/", "metadata/", "metrics/", "pyproject", "README", "LICENSE"))
            and (ROOT / name).is_file()
        ):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    done = subprocess.run([*pip, "--wheel-dir", out, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("pasteur-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel alone in a folder; its dependencies come from this environment, the source tree does not."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_", "PASTEUR"))}
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(installed), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_listed_packages_are_the_folders_that_exist():
    code = ROOT / "src" / "pasteur"
    folders = {".".join(("pasteur", *path.parent.relative_to(code).parts)) for path in code.rglob("__init__.py")}
    mapped = {f"pasteur.resources.{name}" for name, top in RESOURCES.items() if (ROOT / top / "__init__.py").is_file()}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders | mapped


def test_each_folder_of_code_is_a_package():
    code = ROOT / "src" / "pasteur"
    folders = {path.parent for path in code.rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_travels(installed, name):
    top = ROOT / RESOURCES[name]
    suffixes = {".yaml", ".yml", ".json", ".sql"}
    expected = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.suffix in suffixes}
    packed = installed / "pasteur" / "resources" / name
    assert expected <= {path.relative_to(packed).as_posix() for path in packed.rglob("*")}
    assert expected


def test_bundled_data_travel(installed):
    here, there = (base / "pasteur" / "resources" / "data" for base in (ROOT / "src", installed))
    assert {path.relative_to(here): path.read_bytes() for path in here.rglob("*") if path.is_file()} == {
        path.relative_to(there): path.read_bytes() for path in there.rglob("*") if path.is_file()
    }


def test_nothing_else_is_packed(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"pasteur", f"pasteur-{PROJECT['project']['version']}.dist-info"}
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|/tests?/|\.tmp$", name)]
    assert "pasteur/py.typed" in names


def test_help_from_an_empty_directory(installed, tmp_path):
    done = run(installed, tmp_path, "-m", "pasteur", "--help")
    assert done.returncode == 0, done.stderr
    assert "dataset" in done.stdout
    assert not list(tmp_path.iterdir()), "asking for help writes nothing"


def test_composes_from_an_empty_directory(installed, tmp_path):
    done = run(installed, tmp_path, "-m", "pasteur", "--cfg", "job", "dataset=adult", "algo=mst")
    assert done.returncode == 0, done.stderr
    assert "adult" in done.stdout


def test_runs_the_wheel_and_not_the_source_tree(installed, tmp_path):
    done = run(
        installed,
        tmp_path,
        "-c",
        "import pasteur, pasteur.app; print(pasteur.__file__); print(callable(pasteur.app.entry))",
    )
    assert done.stdout.split() == [str(installed / "pasteur" / "__init__.py"), "True"]


def test_versions_agree():
    text = (ROOT / "src" / "pasteur" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{PROJECT["project"]["version"]}"' in text
    assert f"## {PROJECT['project']['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
