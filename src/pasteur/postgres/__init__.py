"""A Postgres server: one read-only snapshot of it, its tables as ours, and what a query in its dialect may be.

A table is never named by a query from outside. It stands before each query as a `WITH` of the declared columns, typed
and without a unit where one is left out, so that the law of views (D27) is checked where the rows are.
"""

from __future__ import annotations

from pasteur.postgres.guard import check, mentioned
from pasteur.postgres.loading import load
from pasteur.postgres.relations import Relation, TableSpec, shadows
from pasteur.postgres.session import Session, connected, literal, named, qualified
from pasteur.postgres.snapshot import Snapshot
from pasteur.postgres.types import ARROW, Field, fields, finite, normal

__all__ = [
    "ARROW",
    "Field",
    "Relation",
    "Session",
    "Snapshot",
    "TableSpec",
    "check",
    "connected",
    "fields",
    "finite",
    "literal",
    "load",
    "mentioned",
    "named",
    "normal",
    "qualified",
    "shadows",
]
