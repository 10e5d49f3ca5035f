"""Tracked runs on one page: what `pasteur compare` writes, and every multirun at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.files import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pasteur.tracking import Kept

PAGE = "compare.html"


def write(kept: Sequence[Kept], out: Path, *, title: str) -> None:
    """Write the page.

    Args:
        kept: the runs, in the order in which they are listed.
        out: the file.
        title: of the page.
    """
    from pasteur.report import Run, compare

    runs = [
        Run(
            id=run.id,
            name=run.name,
            settings=run.params,
            metrics=run.metrics,
            tags=run.tags,
            failed=run.status == "FAILED",
        )
        for run in kept
    ]
    views = ", ".join(dict.fromkeys(run.tags.get("view", "") for run in runs))
    algorithms = ", ".join(dict.fromkeys(run.tags.get("algorithm", "") for run in runs))
    write_text(out, compare(runs, title=title, subtitle=f"{len(runs)} runs; view {views}; {algorithms}"))
