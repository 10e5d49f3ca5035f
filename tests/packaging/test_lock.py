"""The lock: exact, the same on every platform, and naming all that the project asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LINES = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
PINS = dict(line.split("==") for line in LINES)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_each_line_is_one_exact_pin():
    assert not [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)]
    assert list(PINS) == sorted(PINS)
    assert len(PINS) == len(LINES)


def test_no_build_for_one_kind_of_machine():
    assert not [name for name in PINS if name.startswith(("nvidia-", "triton"))]
    assert "+" not in PINS["torch"]


def test_every_requirement_is_pinned_within_its_range():
    extras = PROJECT["optional-dependencies"].values()
    for text in [*PROJECT["dependencies"], *(entry for extra in extras for entry in extra)]:
        requirement = Requirement(text)
        if requirement.name != PROJECT["name"]:
            assert PINS[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_every_range_has_a_lower_bound():
    for text in PROJECT["dependencies"]:
        assert any(part.operator == ">=" for part in Requirement(text).specifier), text


@pytest.mark.slow
def test_what_is_imported_is_asked_for():
    """A package that comes along with another today may not tomorrow."""
    texts = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]]
    asked = {canonicalize_name(Requirement(text).name) for text in texts} | {"adbc-driver-manager"}  # ADBC's own half
    holders = packages_distributions()
    missing = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [entry.name for entry in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"pasteur"}:
                if not asked & {canonicalize_name(name) for name in holders.get(top, [])}:
                    missing.add(top)
    assert not missing
