"""What all tests share: hypothesis never judges by the clock, for a test's speed is the machine's."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("pasteur", deadline=None)
settings.load_profile("pasteur")
