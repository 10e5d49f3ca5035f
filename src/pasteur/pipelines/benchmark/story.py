"""What a finished run has to say, in the words of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pasteur.experiment import flat
from pasteur.privacy import events
from pasteur.privacy.ledger import Ledger, sentence
from pasteur.report import Privacy, Spent, Story

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.result import Result

SPENT_ON = ("sigma", "scale", "epsilon")


def of_run(
    result: Result,
    *,
    scores: Mapping[str, Any],
    moved: Mapping[str, Any],
    rows: Mapping[str, Any],
    series: Sequence[Mapping[str, Any]] = (),
) -> Story:
    """The story of a run.

    Args:
        result: the run.
        scores: what the benchmark wrote: beside the scores, `details`, `worst` and `seconds`.
        moved: how many values the encoding moves: component -> column -> `outside` or `other` -> share.
        rows: the synthetic rows that are shown.
        series: what `benchmark.series.told` gave of each component that became latent columns.
    """
    e = result.experiment
    spent = f", ε {e.privacy.epsilon:g}" if result.claim.get("private") else ""
    return Story(
        title=f"{e.dataset.title or e.dataset.name}, synthesised by {e.algorithm}",
        subtitle=f"view {e.view.name}, schema {e.schema_shown}{spent}, seed {e.seed}; run {result.run_id}",
        facts={
            "data set": f"{e.dataset.name} ({e.dataset.title})" if e.dataset.title else e.dataset.name,
            "view and schema": f"{e.view.name}, {e.schema_shown}",
            "algorithm": e.algorithm,
            "learnt from": " and ".join(result.claim.get("people", ())) or e.fit_on,
            "scored against": result.scores[0].split if result.scores else "nothing: every split was fitted",
            "seed": str(e.seed),
            "run": result.version,
            "took": f"{result.seconds:.1f} s, at most {result.peak_mb:.0f} MB",
        },
        settings=flat(e),
        hashes=result.digests,
        cautions=_cautions(result),
        privacy=privacy(result),
        split=result.scores[0].split if result.scores else "",
        scores=result.scores,
        details=scores.get("details", {}),
        worst=scores.get("worst", {}),
        failures=result.failures,
        notes=result.notes,
        seconds=scores.get("seconds", {}),
        steps=result.ran,
        current=result.current,
        took=result.seconds,
        peak_mb=result.peak_mb,
        moved=moved,
        rows=rows,
        series=series,
    )


def _cautions(result: Result) -> list[str]:
    if result.claim.get("private"):
        return []
    stamps = ", ".join(result.claim.get("stamps", ())) or "no DP guarantee"
    return [f"{stamps}. Its rows may be those of real people; it is here for comparison."]


def privacy(result: Result) -> Privacy:
    """The claim and what each event cost."""
    claim = result.claim
    return Privacy(
        private=bool(claim.get("private")),
        sentence=sentence(dict(claim)),
        epsilon=claim.get("epsilon"),
        delta=claim.get("delta"),
        unit=claim.get("unit") or "person",
        accountant=claim.get("accountant") or "",
        spending=spending(dict(result.ledger)) if result.ledger else (),
        releases=str(result.releases.get("line", "")),
    )


def spending(document: dict[str, Any]) -> list[Spent]:
    """Each event of a ledger with its share of the budget.

    Args:
        document: what `Ledger.to_dict` gave.
    """
    ledger = Ledger.from_dict(document)
    total = float(ledger.total)
    found = []
    for entry in ledger.entries:
        row = events.to_dict(entry.event)
        noise = next((f"{name} {row[name]:.5g}" for name in SPENT_ON if name in row), "")
        found.append(
            Spent(
                label=entry.label,
                event=str(row["event"]),
                noise=noise,
                sensitivity=row.get("sensitivity"),
                share=float(ledger.accountant.cost(entry.event)) / total,
            )
        )
    return found
