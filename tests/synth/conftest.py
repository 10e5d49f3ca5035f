"""`coded.py` by its name, and the trees of tables of `tests/privacy`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "privacy"))
