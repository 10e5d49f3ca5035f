"""Pasteur: differentially private synthetic data, end to end."""

from __future__ import annotations

__version__ = "0.1.0"
