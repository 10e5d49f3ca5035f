"""What the tests of the private room share: its helpers (`replay`, `tables`, `checks`) by name, and two fixtures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def make_codes():
    from tables import codes_of

    return codes_of


@pytest.fixture
def make_private():
    from tables import private_of

    return private_of


@pytest.fixture
def rows():
    from tables import rows_of

    return rows_of
