"""Makes `stories.py` and `chromium.py` importable by their names, and starts one browser for all tests of pages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chromium import Browser, find
from stories import make


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium for all tests that look at pages."""
    binary = find()
    assert binary, "PASTEUR_NEEDS_BROWSER asks for a Chromium, and there is none"
    opened = Browser(binary, tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def story():
    return make
