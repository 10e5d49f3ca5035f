"""A fault of our own, told so that it can be found: where it happened, never what a library said of a cell."""

from __future__ import annotations

import traceback


def told(error: BaseException) -> str:
    """The frames of `error` and its type, without its message."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__name__}\n"
