"""`coded.py` by its name, and the trees of tables of `tests/privacy`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "privacy"))


@pytest.fixture(autouse=True, scope="module")
def _seeded_fixtures(same_noise_of_fixtures):
    """Before any other fixture of a file."""


@pytest.fixture(autouse=True)
def _seeded(same_noise):
    """What algorithms learn is noisy, and most tests here are of how well."""
