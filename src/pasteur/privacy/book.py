"""The ledger book: every fit of every data set, and what all of them together cost the people of a split.

Budgets count releases, not runs: each fit is another look at the same people, whatever the view, the schema or the
version of the raw files. So entries are keyed by data set name and salt, which say who is in which split.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from pasteur.errors import DataError, PrivacyError, rule
from pasteur.files import atomic
from pasteur.privacy import rdp
from pasteur.privacy.ledger import HALVES, SPLITS, Ledger, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Release:
    """One fit. All fields are JSON values.

    Attributes:
        run: id of the run.
        time: when, UTC, ISO 8601.
        dataset: name of the data set.
        salt: of its split.
        view: name of the view.
        algorithm: name of the algorithm.
        fitted: splits that the algorithm learnt from.
        scored: splits that exact scores of this run read.
        ledger: `Ledger.to_dict()`; None where the algorithm is not private.
        sweep: id of the sweep whose trial the run is; "" of a run of its own.
    """

    run: str
    time: str
    dataset: str
    salt: str
    view: str
    algorithm: str
    fitted: tuple[str, ...]
    scored: tuple[str, ...] = ()
    ledger: Mapping[str, Any] | None = None
    sweep: str = ""

    def __post_init__(self) -> None:
        """Refuse splits that there are not, and a release fitted to nothing."""
        for name, splits in (("fitted", self.fitted), ("scored", self.scored)):
            if unknown := set(splits) - {*SPLITS, *HALVES}:
                raise PrivacyError(rule(name, ", ".join(sorted(unknown)), f"splits out of {', '.join(SPLITS)}"))
        if not self.fitted:
            raise PrivacyError(rule("fitted", "none", "one split or more"))

    @cached_property
    def read(self) -> Ledger | None:
        """The ledger, checked by charging every event again, once; None where the run makes no claim."""
        if self.ledger is None:
            return None
        ledger = Ledger.from_dict(dict(self.ledger))
        return ledger if ledger.private else None


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What all releases that read a split cost its people together.

    Attributes:
        releases: how many there are.
        private: how many of them make a claim that covers these people.
        epsilon: of the private ones together, at `delta`; None where they cannot be added up.
        delta: the least of theirs; None where there are none.
        why_none: why no claim holds for all releases together; "" where one does.
    """

    releases: int
    private: int
    epsilon: float | None
    delta: float | None
    why_none: str

    @property
    def holds(self) -> bool:
        """Whether (epsilon, delta) covers every release of the split."""
        return not self.why_none


class LedgerBook:
    """A JSON-lines file, one release a line, rewritten whole under a lock: runs may end at the same moment.

    Args:
        path: of the file; made with the first release. The lock lies beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, release: Release) -> None:
        """Append one release; where its run has one already, that one is replaced.

        Raises:
            DataError: the book cannot be written, or is not one.
        """
        line = json.dumps(asdict(release), sort_keys=True)
        with self._changed() as lines:
            place = _place(lines, release.run)
            lines[place : place + 1] = [line]

    def withdraw(self, run: str) -> None:
        """Take back the release of a run that was entered beforehand and then asked nothing.

        Raises:
            DataError: the book cannot be written, or is not one.
        """
        with self._changed() as lines:
            place = _place(lines, run)
            lines[place : place + 1] = []

    def releases(self, dataset: str, salt: str) -> tuple[Release, ...]:
        """All releases of a data set and salt, oldest first.

        Raises:
            DataError: a line is not a release; names file and line.
        """
        return tuple(r for r in self._releases() if (r.dataset, r.salt) == (dataset, salt))

    def of_sweep(self, sweep: str) -> tuple[Release, ...]:
        """All releases that are trials of a sweep, oldest first.

        Raises:
            DataError: a line is not a release; names file and line.
        """
        return tuple(r for r in self._releases() if r.sweep == sweep)

    def _releases(self) -> Iterator[Release]:
        for number, line in enumerate(self._lines(), start=1):
            try:
                release = _release(line)
            except (ValueError, TypeError, KeyError, PrivacyError) as error:
                message = f"{self.path}: line {number} is not a release that Pasteur wrote"
                raise DataError(message) from error
            yield release

    def composed(self, dataset: str, salt: str, split: str, *, sweep: str = "") -> Composed:
        """What the people of `split` have given away, over all releases that learnt from them.

        A half of a split has given away what was learnt from the half and from the whole; of a whole split no claim
        holds where one half was learnt from, as the other half is then what exact scores read.
        The totals of the budgets are what adds up (whole budgets: events were chosen along the way), as
        `rdp.together` says.
        """
        touching = [release for release in self.releases(dataset, salt) if _meet(split, release.fitted)]
        touching = [release for release in touching if sweep in ("", release.sweep)]
        read = [release.read for release in touching]
        ledgers = [
            ledger for ledger in read if ledger is not None and not {split, HALVES.get(split)}.isdisjoint(ledger.people)
        ]
        kinds = {(ledger.budget.relation, ledger.budget.unit) for ledger in ledgers}
        epsilon = delta = None
        why = ""
        if len(kinds) > 1:
            why = "the releases protect different units or relations"
        elif ledgers:
            delta = min(ledger.budget.delta for ledger in ledgers)
            epsilon = _together(ledgers, delta)
        if len(ledgers) < len(touching):
            why = f"{len(touching) - len(ledgers)} of {len(touching)} without a claim for {split}"
        return Composed(releases=len(touching), private=len(ledgers), epsilon=epsilon, delta=delta, why_none=why)

    def line(self, dataset: str, salt: str, split: str) -> str:
        """Say what a run says at its end: "3rd release from this data; all together epsilon = 2.1 at delta 1e-09"."""
        all_of_it = self.composed(dataset, salt, split)
        if not all_of_it.releases:
            return f"no release from {split} of this data yet"
        words = f"{_ordinal(all_of_it.releases)} release from this data; all together "
        together = all_of_it.epsilon
        paid = "" if together is None else f"epsilon = {shown(together, 4)} at delta {all_of_it.delta:g}"
        if all_of_it.holds:
            return words + paid
        return words + f"no claim holds ({all_of_it.why_none}" + (f"; the private ones: {paid})" if paid else ")")

    def claimed(self, dataset: str, salt: str, fitted: Sequence[str]) -> tuple[str, ...]:
        """Of `fitted`, the splits that no exact score has read: whose people the claim of a release may name.

        Scores of earlier releases may have steered a setting; the people whom they read are covered by no claim.
        """
        read = [split for release in self.releases(dataset, salt) for split in release.scored]
        return tuple(split for split in fitted if not _meet(split, read))

    def _lines(self) -> list[str]:
        try:
            return [line for line in self.path.read_text(encoding="utf-8").splitlines() if line.strip()]
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            message = f"{self.path}: the ledger book cannot be read"
            raise DataError(message) from error

    @contextmanager
    def _changed(self) -> Iterator[list[str]]:
        """The lines, to be changed in place; then they are written."""
        with self._locked():
            lines = self._lines()
            yield lines
            with atomic(self.path) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            stream = self.path.with_name(f"{self.path.name}.lock").open("a")
        except OSError as error:
            message = f"{self.path}: the ledger book cannot be written"
            raise DataError(message) from error
        with stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


@lru_cache(maxsize=4096)
def _release(line: str) -> Release:
    """What a line says. The same line is the same release: a sweep's trials would read all of the book each."""
    raw = json.loads(line)
    return Release(**raw | {"fitted": tuple(raw["fitted"]), "scored": tuple(raw["scored"])})


def _place(lines: Sequence[str], run: str) -> int:
    """Where the line of `run` is; after the last one where there is none."""
    found = f'"run": {json.dumps(run)}, '
    return next((place for place, line in enumerate(lines) if found in line), len(lines))


def _meet(split: str, others: Sequence[str]) -> bool:
    """Whether `split` shares people with any of `others`: it is one of them, a half of one or the whole of one."""
    return any(split in (other, HALVES.get(other)) or HALVES.get(split) == other for other in others)


def _together(ledgers: Sequence[Ledger], delta: float) -> float:
    if len(ledgers) == 1:
        return float(ledgers[0].budget.epsilon)
    return rdp.together([(ledger.accountant, ledger.total) for ledger in ledgers], delta)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
