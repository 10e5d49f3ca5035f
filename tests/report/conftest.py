"""Makes `stories.py` and `chromium.py` importable by their names, and starts one browser for all tests of pages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from chromium import Browser
from stories import make

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium; the tests that ask for it are left out where there is none."""
    binary = next((found for name in NAMES if (found := shutil.which(name))), None)
    if binary is None:
        if os.environ.get("PASTEUR_NEEDS_BROWSER"):
            pytest.fail("no Chromium, and PASTEUR_NEEDS_BROWSER asks for one")
        pytest.skip("no Chromium on this machine: the pages were looked at by no browser")
    opened = Browser(binary, tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def story():
    return make
