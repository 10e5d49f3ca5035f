"""The numbers of a report as CSV files, for a spreadsheet, a notebook or MLflow's viewer."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pasteur.report.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pasteur.report.story import Story

NUMBERS = ("syn", "dec", "ref", "base")


def tables(story: Story) -> dict[str, str]:
    """File name -> CSV with a header: every score, the worst column sets, every event of the ledger; no empty one."""
    found = {"scores.csv": _scores(story), **{f"{kind}.csv": _sets(rows) for kind, rows in story.worst.items() if rows}}
    if story.privacy and story.privacy.spending:
        found["ledger.csv"] = _ledger(story)
    return {name: text for name, text in found.items() if text.count("\n") > 1}


def _scores(story: Story) -> str:
    head = ("metric", "better", *NUMBERS, "gap", "model_gap", "se", "note")
    rows = [
        (s.metric, s.better, s.syn, s.dec, s.ref, s.base, s.gap, s.model_gap, s.se, s.note)
        for family in story.families
        for s in story.family(family)
    ]
    return _written(head, rows)


def _sets(rows: Sequence[Mapping[str, object]]) -> str:
    head = ("component", "columns", *NUMBERS, "gap", "excess")
    return _written(head, [[_joined(row.get(key)) for key in head] for row in rows])


def _ledger(story: Story) -> str:
    spending = story.privacy.spending if story.privacy else ()
    head = ("asked", "event", "noise", "sensitivity", "share", "times")
    return _written(head, [(s.label, s.event, s.noise, s.sensitivity, s.share, s.times) for s in spending])


def _joined(value: object) -> object:
    return " x ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula begins with an apostrophe."""
    if isinstance(value, str):
        shown = clean(value)
        return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown
    return value
