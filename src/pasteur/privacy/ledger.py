"""The ledger: what was done to the data, under which budget, and what may be claimed about it.

Describe, check the whole, charge, then answer. Events may be chosen by earlier answers: the total is fixed first and
the sum of costs never passes it (a privacy filter: Smith and Thakurta 2022 for Gaussian DP, Whitehouse et al. 2023
for zCDP), so the claim is the budget's, not what happens to have been spent.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pasteur.errors import BudgetError, PrivacyError, rule
from pasteur.privacy import accountants, events
from pasteur.privacy.budget import Budget, Rho
from pasteur.privacy.events import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

SPLITS = ("wrk", "ref", "val", "dev")
HALVES = {"ref_fit": "ref", "ref_held": "ref"}
"""The halves of a split, and whose they are: where a sweep is tuned on ref, one is fitted and the other an anchor."""
IN_WORDS = {"ref_fit": "the fitted half of ref", "ref_held": "the other half of ref"}
NOT_PRIVATE = "NOT PRIVATE"
ROWS_PUBLIC = "the exact number of rows that count is not protected: the schema declares it public"
"""What a claim must say where an algorithm may look at the number of rows."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the ledger: what was asked, in words, and the event that answered it."""

    label: str
    event: Event


class Ledger:
    """Events under a budget. Refuses what would pass it, before anything is answered.

    Args:
        budget: what may be spent in all.
        accountant: "gdp", "zcdp" or "rdp-<order>", fixed beforehand from public settings.
        people: the splits whose people the claim covers, and no one else; with none there is no claim. Where there
            are no splits, what they are in words.
    """

    def __init__(self, budget: Budget, accountant: str = "gdp", *, people: Sequence[str] = ("wrk",)) -> None:
        self.budget = budget
        self.accountant = accountants.find(accountant)
        self.people = tuple(people)
        self.total: Rho = self.accountant.total(budget)
        self._entries: list[Entry] = []
        self._spent = Fraction(0)
        self._stamps: list[str] = []

    def __repr__(self) -> str:
        return f"Ledger({self.budget}, {self.accountant.name!r}, events={len(self._entries)})"

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was charged, in order."""
        return tuple(self._entries)

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were charged, in order."""
        return tuple(entry.event for entry in self._entries)

    @property
    def stamps(self) -> tuple[str, ...]:
        """Warnings that the claim carries, each once."""
        return tuple(self._stamps)

    @property
    def spent(self) -> float:
        """What all events cost together, in rho, rounded up."""
        return math.nextafter(float(self._spent), math.inf) if self._spent else 0.0

    @property
    def remaining(self) -> float:
        """What may still be spent, in rho, rounded down; 0 when nothing is left. Public: costs are."""
        left = Fraction(self.total) - self._spent
        return max(0.0, math.nextafter(float(left), 0.0)) if left > 0 else 0.0

    def charge(self, what: Event | Sequence[Event], label: str | Sequence[str]) -> None:
        """Charge one event, or several that are answered together: all of them or, on failure, none.

        Args:
            what: the events.
            label: what was asked, in words: of each event, or one for all.

        Raises:
            BudgetError: the whole would pass the budget. Nothing was recorded then.
            PrivacyError: the accountant cannot price an event.
        """
        batch = [what] if isinstance(what, Event) else list(what)
        labels = [label] * len(batch) if isinstance(label, str) else list(label)
        if not batch or len(labels) != len(batch):
            raise PrivacyError(rule("number of labels", len(labels), f"that of events ({len(batch)}), 1 or more"))
        whole = self._spent + accountants.exact_sum(self.accountant.cost(event) for event in batch)
        if whole > self.total:
            message = (
                f"'{labels[0]}' would bring the total to {float(whole):.6g} rho; "
                f"it must be at most {self.total:.6g} (epsilon {self.budget.epsilon:g}, delta {self.budget.delta:g})"
            )
            raise BudgetError(message)
        self._entries.extend(Entry(label=words, event=event) for words, event in zip(labels, batch, strict=True))
        self._spent = whole

    def stamp(self, text: str) -> None:
        """Put a warning on the claim, for good. One that begins with NOT PRIVATE voids it."""
        if text not in self._stamps:
            self._stamps.append(text)

    @property
    def private(self) -> bool:
        """Whether a claim can be made at all."""
        return bool(self.people) and not any(text.startswith(NOT_PRIVATE) for text in self._stamps)

    def claim(self) -> dict[str, Any]:
        """Give the claim as JSON values; see `no_claim` for the keys. `epsilon` is None where no claim holds."""
        cross = accountants.ACCOUNTANTS["zcdp" if self.accountant.name == "gdp" else "gdp"]
        checks = {"accountant": cross.name, "epsilon": None, "delta": self.budget.delta}
        with suppress(PrivacyError):  # the other accountant may have no price for an event: too little noise for gdp
            if self._entries:
                cost = float(accountants.exact_sum(cross.cost(event) for event in self.events))
                checks["epsilon"] = float(cross.epsilon(math.nextafter(cost, math.inf), self.budget.delta))
        claim = no_claim(self.stamps, self.people) | {
            "relation": self.budget.relation,
            "unit": self.budget.unit,
            "accountant": self.accountant.name,
            "events": len(self._entries),
            "spent": min(1.0, self.spent / self.total),
            "cross_check": checks,
        }
        if self.private:
            claim |= {"private": True, "epsilon": float(self.budget.epsilon), "delta": float(self.budget.delta)}
        return claim

    def table(self, *, every: bool = False) -> str:
        """Give the ledger as text: the claim in words, then a line an event.

        Args:
            every: a line for each, with what is spent by then; else one for a run of equal events under one label.
        """
        lines = [sentence(self.claim()), f"{'event':<21}{'noise':>14}{'sensitivity':>13}{'share':>9}  question"]
        spent = 0.0
        for entry, count in [(entry, 1) for entry in self._entries] if every else _runs(self._entries):
            row = events.to_dict(entry.event)
            noise = next(f"{key} {row[key]:.5g}" for key in ("sigma", "scale", "epsilon") if key in row)
            share = count * self.accountant.cost(entry.event) / self.total
            spent += share
            more = f" ({spent:.2%} by then)" if every else f" ({count} times)" if count > 1 else ""
            lines.append(f"{row['event']:<18}{noise:>17}{row['sensitivity']:>13.5g}{share:>8.2%}  {entry.label}{more}")
        lines.append(f"spent {min(1.0, self.spent / self.total):.2%} of the budget ({self.accountant.name})")
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Give budget, accountant, stamps and every event, as JSON values."""
        return {
            "budget": self.budget.to_dict(),
            "accountant": self.accountant.name,
            "people": list(self.people),
            "stamps": list(self._stamps),
            "events": [{"label": entry.label} | events.to_dict(entry.event) for entry in self._entries],
        }

    def to_json(self) -> str:
        """Give `to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1) + "\n"

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Ledger:
        """Read what `to_dict` gave, and check it by charging every event again.

        Raises:
            PrivacyError: something is missing or not known, or the events pass the budget.
        """
        try:
            ledger = cls(Budget.from_dict(raw["budget"]), raw["accountant"], people=raw["people"])
            for line in raw["events"]:
                ledger.charge(events.from_dict({k: v for k, v in line.items() if k != "label"}), line["label"])
            for text in raw["stamps"]:
                ledger.stamp(text)
        except (KeyError, TypeError) as error:
            message = f"the ledger is not one that Pasteur wrote ({error!r})"
            raise PrivacyError(message) from error
        return ledger

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """Read what `to_json` gave."""
        return cls.from_dict(json.loads(text))


def no_claim(stamps: Sequence[str], people: Sequence[str] = ("wrk",)) -> dict[str, Any]:
    """Give the claim of a run that has none, with the keys of every claim.

    Keys: private, epsilon, delta (None: no guarantee), relation, unit, accountant, events, spent (share of the
    budget), cross_check (the other accountant's epsilon for the recorded events; None where it cannot price one),
    people (splits covered), not_covered (splits that may be read by exact scores), stamps.
    """
    split = not people or not set(people).isdisjoint({*SPLITS, *HALVES})
    return {
        "private": False,
        "epsilon": None,
        "delta": None,
        "relation": None,
        "unit": None,
        "accountant": None,
        "events": 0,
        "spent": None,
        "cross_check": None,
        "people": list(people),
        "not_covered": [name for name in _parts(people) if name not in people] if split else [],
        "stamps": list(stamps),
    }


def _parts(people: Sequence[str]) -> list[str]:
    """All splits; in place of one of which `people` names a half, its halves."""
    halved = {HALVES[name] for name in people if name in HALVES}
    return [
        part for name in SPLITS for part in ([h for h in HALVES if HALVES[h] == name] if name in halved else [name])
    ]


def sentence(claim: dict[str, Any]) -> str:
    """Give a claim in words: one line, or a few where there is something to warn of.

    A claim may say under `tuning` what the choice of the settings cost, and whom.
    """
    stamps = "".join(f" [{text}]" for text in claim["stamps"])
    tuning = f"; {claim['tuning']}" if claim.get("tuning") else ""
    if claim["epsilon"] is None:
        return f"no DP guarantee{tuning}{stamps}"
    relation = {"add_remove": "adding or removing", "replace": "replacing"}[claim["relation"]]
    words = (
        f"({shown(claim['epsilon'])}, {shown(claim['delta'])})-DP for {relation} one {claim['unit']} "
        f"of {' and '.join(map(in_words, claim['people']))}, by the {claim['accountant']} accountant"
    )
    if claim["not_covered"]:
        others = ", ".join(map(in_words, claim["not_covered"]))
        words += f"; people of {others} are not covered: exact scores may read them"
    return words + tuning + stamps


def in_words(split: str) -> str:
    """A split as a person says it."""
    return IN_WORDS.get(split, split)


def shown(value: float, digits: int = 6) -> str:
    """Give an epsilon or a delta in at most `digits` digits, rounded up: words must not claim more than is so."""
    up = Context(prec=digits, rounding=ROUND_CEILING).create_decimal(repr(float(value)))
    return f"{float(up):.{digits}g}"


def _runs(entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
    runs: list[tuple[Entry, int]] = []
    for entry in entries:
        if runs and runs[-1][0] == entry:
            runs[-1] = (entry, runs[-1][1] + 1)
        else:
            runs.append((entry, 1))
    return runs
