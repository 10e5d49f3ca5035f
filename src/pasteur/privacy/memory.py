"""What is known of a row from the other rows of its parent: the one before, all before it, and what is due.

Functions of the rows of one parent, so of one unit, like all that stands beside a table's own attributes (`sheets`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.privacy.columns import due_code, mean_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from pasteur.privacy.grouped import Column
    from pasteur.privacy.lineage import Lineage
    from pasteur.privacy.noise import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """One column of a table, and the rows that it is of.

    Attributes:
        make: gives the column.
        size: codes of it.
        missing: whether the last of them says that there is no value, so that no mean counts it.
        lineage: the rows.
    """

    make: Callable[[], Column]
    size: int
    missing: bool
    lineage: Lineage

    def before(self) -> Column:
        """What it was in the row before; `size` in first rows."""
        return np.where(self.lineage.place >= 1, self._shifted(), self.size).astype(np.min_scalar_type(self.size))

    def so_far(self) -> Column:
        """Its mean over all rows before; `size` where it was known in none."""
        sums, known = self._upto()
        return mean_code(sums, known, self.size).astype(np.min_scalar_type(self.size))

    def due(self, trait: Callable[[], Column]) -> Column:
        """What is due of it where its mean over all rows of the parent is `trait`: as `due_code` has it."""
        lineage = self.lineage
        sums, known = self._upto()
        before = np.where(lineage.place >= 1, self._shifted(), -1)
        left = lineage.siblings - 1 - lineage.place
        mean = trait().astype(np.int64)
        code = due_code(mean, before, sums, known, left, size=self.size, missing=self.missing)
        return code.astype(np.min_scalar_type(self.size - 1))

    def trait(self, parents: int) -> Column:
        """Its mean over the rows of each of the `parents`: `size` without rows, the last code where none is known."""
        codes, counted = self._codes()
        owner = self.lineage.parent
        rows = np.bincount(owner, minlength=parents)
        # Floats up to 2^53 are whole numbers.
        sums, known = (np.bincount(owner, each, parents).astype(np.int64) for each in (codes * counted, counted))
        mean = mean_code(sums, known, self.size - 1)
        return np.where(rows > 0, mean, self.size).astype(np.min_scalar_type(self.size))

    def _codes(self) -> tuple[Integers, Integers]:
        """The codes, and 1 where one counts in a mean."""
        codes = self.make().astype(np.int64)
        return codes, (codes < self.size - self.missing).astype(np.int64)

    def _shifted(self) -> Integers:
        codes, _ = self._codes()
        return np.append(0, codes[:-1])[: len(codes)]

    def _upto(self) -> tuple[Integers, Integers]:
        """Of the rows before among those of the same parent: the sum of the codes that count, and how many do."""
        codes, counted = self._codes()
        first = np.arange(len(codes)) - self.lineage.place
        sums, known = (np.append(0, np.cumsum(each))[: len(codes)] for each in (codes * counted, counted))
        return sums - sums[first], known - known[first]
