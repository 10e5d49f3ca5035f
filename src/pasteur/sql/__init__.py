"""SQL: queries from outside, read before they run, and run where they can reach nothing but their tables."""

from __future__ import annotations

from pasteur.sql.guard import Query, check
from pasteur.sql.sandbox import Limits, Sandbox, quote, rows_of

__all__ = ["Limits", "Query", "Sandbox", "check", "quote", "rows_of"]
