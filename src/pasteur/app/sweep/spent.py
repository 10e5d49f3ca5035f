"""What the trials of a sweep have cost the people whom they were fitted to, read off the ledger book."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pasteur.errors import PrivacyError
from pasteur.files import write_text
from pasteur.privacy import Budget, accountant
from pasteur.privacy.ledger import in_words, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pasteur.privacy import Ledger, LedgerBook, Release
    from pasteur.privacy.tuning import Number

KEPT = "number.json"
"""Where the number of trials is kept that was drawn for a sweep: a sweep that goes on draws no other."""


def drawn(folder: Path, number: Number) -> int:
    """The number of trials of a sweep: drawn when it first begins, the same ever after."""
    path = folder / KEPT
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["trials"])
    except (OSError, ValueError, KeyError):
        found = number.draw()
        write_text(path, json.dumps({"trials": found}) + "\n")
        return found


def of(
    book: LedgerBook, sweep: str, *, number: Number | None = None, most: float | None = None, trials: int = 0
) -> list[dict[str, Any]]:
    """What a sweep's trials cost, an entry for each data set and each split of it that they were fitted to.

    Trials that failed, or were killed, have an entry in the book like the others: what was asked is paid for.

    Args:
        book: the ledger book.
        sweep: the sweep's id.
        number: the distribution of the number of trials, where it was drawn.
        most: where the sampler chose each trial's epsilon by what came out before, the largest it might choose: the
            sum of budgets is then no public number, and what is fixed is that of `trials` at this epsilon.
        trials: how many there may be.

    Returns:
        Entries of JSON values: dataset, salt, split, trials, private, each ([least, largest] epsilon of a trial),
        epsilon and delta (of all together; None where there is none), planned (what was fixed beforehand; None where
        it is `epsilon`), best (of releasing the best alone; None where that has no price), why_none.
    """
    releases = book.of_sweep(sweep)
    found = []
    for dataset, salt, split in dict.fromkeys((r.dataset, r.salt, split) for r in releases for split in r.fitted):
        own = [r for r in releases if (r.dataset, r.salt) == (dataset, salt) and split in r.fitted]
        ledgers = [ledger for r in own if (ledger := r.read) is not None and split in ledger.people]
        together = book.composed(dataset, salt, split, sweep=sweep)
        why = together.why_none or (_exact(own, split) if ledgers else "no trial makes a claim for them")
        each = sorted(float(ledger.budget.epsilon) for ledger in ledgers)
        found.append(
            {
                "dataset": dataset,
                "salt": salt,
                "split": split,
                "trials": len(own),
                "private": len(ledgers),
                "each": [each[0], each[-1]] if each else None,
                "epsilon": together.epsilon,
                "delta": together.delta,
                "planned": _planned(ledgers, most, max(trials, len(own))) if not why else None,
                "best": _best(ledgers, number) if not why else None,
                "why_none": why,
            }
        )
    return found


def _exact(releases: Sequence[Release], split: str) -> str:
    exact = any(split in r.scored for r in releases)
    return "an objective read their rows without noise" if exact else ""


def _planned(ledgers: Sequence[Ledger], most: float | None, trials: int) -> float | None:
    """So many trials at the largest epsilon that might have been chosen, as mu^2/2 of zCDP where accountants differ."""
    if most is None:
        return None
    budgets = [Budget(epsilon=most, delta=ledger.budget.delta) for ledger in ledgers]
    names = {ledger.accountant.name for ledger in ledgers}
    if not names <= {"gdp", "zcdp"}:
        return None
    # Trials that are yet to come, or were chosen otherwise, may use the dearer of the two.
    whole = max(float(accountant(name).total(budget)) for name in names for budget in budgets) * trials
    chosen = accountant(names.pop() if len(names) == 1 else "zcdp")
    return float(chosen.epsilon(whole * (1 + 1e-9), min(float(b.delta) for b in budgets)))


def _best(ledgers: Sequence[Ledger], number: Number | None) -> float | None:
    """What the best alone costs; None where the number of trials was not drawn, or a trial has no curve."""
    if number is None:
        return None
    names = {ledger.accountant.name for ledger in ledgers}
    if not names <= {"gdp", "zcdp"}:
        return None
    epsilon = max(float(ledger.budget.epsilon) for ledger in ledgers)
    delta = min(float(ledger.budget.delta) for ledger in ledgers)
    try:
        return float(number.price(Budget(epsilon=epsilon, delta=delta)))
    except PrivacyError:
        return None


def lines(spent: Sequence[dict[str, Any]]) -> list[str]:
    """The entries in words, a few lines each."""
    said = []
    for entry in spent:
        people = in_words(entry["split"])
        where = f"{people} of {entry['dataset']}"
        if not entry["each"]:
            said.append(f"{where}: {entry['trials']} trials, no claim ({entry['why_none']})")
            continue
        least, largest = entry["each"]
        each = shown(largest, 4) if least == largest else f"{shown(least, 4)} to {shown(largest, 4)}"
        together = f"epsilon {each} a trial, {shown(entry['epsilon'], 4)} together at delta {entry['delta']:g}"
        said.append(f"{where}: {entry['trials']} trials; {together}")
        if entry["planned"] is not None:
            said.append(
                f"budgets were chosen by what came out before: what was fixed beforehand is epsilon "
                f"{shown(entry['planned'], 4)}"
            )
        if entry["best"] is not None:
            said.append(
                f"the best alone: epsilon {shown(entry['best'], 4)} (Papernot and Steinke 2022), if nothing else of "
                "the sweep is released, not even how many trials there were"
            )
        if entry["why_none"]:
            said.append(f"no claim holds for all of it: {entry['why_none']}")
    return said
