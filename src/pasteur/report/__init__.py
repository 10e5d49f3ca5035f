"""What a person reads: the report of a run, and the comparison of many. One file of HTML each, closed to the outside.

`render` makes a report of a `Story`; `compare` a comparison of runs. Both are computed on real data and say so.
"""

from __future__ import annotations

from pasteur.report.build import render
from pasteur.report.comparison import compare
from pasteur.report.rows import first as first_rows
from pasteur.report.runs import Run
from pasteur.report.story import Privacy, Spent, Story
from pasteur.report.tables import tables

__all__ = ["Privacy", "Run", "Spent", "Story", "compare", "first_rows", "render", "tables"]
