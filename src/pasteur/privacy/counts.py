"""Exact counts, which never leave this room: made once a clique, kept, and given to nobody but `PrivateTable`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pasteur.errors import PrivacyError, near_miss, rule
from pasteur.marginals import Domain, count
from pasteur.privacy import units
from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from pasteur.marginals import Clique
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table

    Batch = dict[str, npt.NDArray[np.integer]]

Shape = tuple[int, ...]

FOLDED = 1 << 14
"""Cells of a finer table up to which it is counted, kept and summed for a coarser one, which is else counted by itself:
three attributes of 100 codes have a million cells where three of their levels have some hundreds."""


class Exact(ABC):
    """Exact marginals of one table, all of them in one buffer: so a thousand scores are one pass over it.

    Args:
        domain: attributes and sizes of the codes.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self._shapes: dict[Clique, Shape] = {}
        self._starts: dict[Clique, int] = {}
        self._buffer: Integers = np.zeros(0, dtype=np.int64)

    @abstractmethod
    def total(self) -> int:
        """Rows kept."""

    @abstractmethod
    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Codes of the rows kept, batch after batch: (rows,) of each attribute of `names`."""

    @abstractmethod
    def _make(self, cliques: Sequence[Clique]) -> list[Integers]:
        """Count `cliques`: int64, shaped by their sizes."""

    def shapes(self, cliques: Sequence[Clique]) -> list[Shape]:
        """Sizes of the attributes of each clique.

        Raises:
            PrivacyError: no clique, or one with no attribute, an unknown one or the same one twice.
        """
        if not cliques:
            raise PrivacyError(rule("cliques", "none", "at least one"))
        for clique in cliques:
            if clique not in self._shapes:
                self._shapes[clique] = self._shape(clique)
        return [self._shapes[clique] for clique in cliques]

    def exact(self, cliques: Sequence[Clique]) -> list[Integers]:
        """Counts of each clique, int64, shaped by its sizes, not to be written to."""
        buffer, starts = self.located(cliques)
        shapes = self.shapes(cliques)
        return [
            buffer[start : start + math.prod(shape)].reshape(shape) for start, shape in zip(starts, shapes, strict=True)
        ]

    def located(self, cliques: Sequence[Clique]) -> tuple[Integers, Integers]:
        """Counts of all cliques made so far, cell after cell, and where those of each of `cliques` begin.

        Those not yet made are made in one pass.
        """
        new = [clique for clique in dict.fromkeys(cliques) if clique not in self._starts]
        if new:
            made = self._make(new)
            ends = np.cumsum([len(self._buffer), *(table.size for table in made)])
            self._buffer = np.concatenate([self._buffer, *(table.ravel() for table in made)])
            self._buffer.flags.writeable = False
            self._starts |= dict(zip(new, ends[:-1].tolist(), strict=True))
        return self._buffer, np.array([self._starts[clique] for clique in cliques], dtype=np.int64)

    def _shape(self, clique: Clique) -> Shape:
        for name in clique:
            if name not in self.domain.attributes:
                message = f"attribute '{name}' is not in the domain{near_miss(name, self.domain.attributes)}"
                raise PrivacyError(message)
        if not clique or len(set(clique)) != len(clique):
            raise PrivacyError(rule("clique", clique, "one or more different attributes"))
        return self.domain.shape(clique)


class Counts(Exact):
    """Exact marginals of a table of codes in which each unit has been cut to its declared rows.

    Args:
        codes: one integer column per attribute of `domain`, and `_unit` unless each row is a unit of its own.
        domain: attributes and sizes. Codes outside are moved to the nearest one inside: nothing here may raise on data.
        max_rows: rows a unit may keep.
        salt: key of the hash that chooses them.

    Raises:
        PrivacyError: a column is missing or not of integers, or there is no unit column to cut by.
    """

    def __init__(self, codes: Table, domain: Domain, max_rows: int, salt: str) -> None:
        for name in domain.attributes:
            if name not in codes.columns:
                message = f"attribute '{name}' is not a column of the codes{near_miss(name, codes.columns)}"
                raise PrivacyError(message)
            kind = codes.schema.field(name).type
            if not pa.types.is_integer(kind):
                raise PrivacyError(rule(f"column '{name}'", kind, "of integer codes"))
        if UNIT not in codes.columns and max_rows != 1:
            raise PrivacyError(rule("max_rows_per_unit", max_rows, f"1 where the table has no column '{UNIT}'"))
        super().__init__(domain)
        self._codes = codes
        self._keep = units.kept(codes, domain.attributes, max_rows, salt) if UNIT in codes.columns else None

    def total(self) -> int:
        """Rows kept."""
        if self._keep is not None:
            return int(np.count_nonzero(self._keep))
        if self._codes.rows is not None:
            return self._codes.rows
        return sum(batch.num_rows for batch in self._codes.batches())

    def _make(self, cliques: Sequence[Clique]) -> list[Integers]:
        names = sorted({name for clique in cliques for name in clique})
        return count(self.batches(names), self.domain, cliques)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Codes of the rows kept, those outside moved inside."""
        start = 0
        for batch in self._codes.batches(list(names)):
            stop = start + batch.num_rows
            keep = slice(None) if self._keep is None else self._keep[start:stop]
            yield {name: self._inside(name, batch.column(place))[keep] for place, name in enumerate(names)}
            start = stop

    def _inside(self, name: str, column: pa.Array) -> npt.NDArray[np.integer]:
        last = self.domain.size((name,)) - 1
        numbers = units.integers(column)
        inside: npt.NDArray[np.integer] = np.clip(numbers, 0, min(last, np.iinfo(numbers.dtype).max))
        return inside


class FoldedCounts(Exact):
    """Counts over attributes that are functions of the parent's, the same for every row: cells are summed.

    A row is still in one cell of every marginal, so no sensitivity changes.

    Args:
        parent: the counts at the finer domain.
        columns: attribute to the parent's attribute that it is a function of, and its code of every one of that one's:
            (size,) integers that use all of 0 .. k - 1.

    Raises:
        PrivacyError: an unknown attribute, codes of another size, or unused ones.
    """

    def __init__(self, parent: Exact, columns: Mapping[str, tuple[str, npt.ArrayLike]]) -> None:
        sizes: dict[str, int] = {}
        self._columns: dict[str, tuple[str, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = {}
        self._codes: Batch = {}
        fine = parent.domain.as_dict()
        for name, (source, raw) in columns.items():
            if source not in fine:
                raise PrivacyError(f"attribute '{source}' is not in the domain{near_miss(source, fine)}")
            codes = np.asarray(raw)
            used = np.unique(codes)
            if codes.shape != (fine[source],) or not np.array_equal(used, np.arange(len(used))):
                must_be = f"({fine[source]},) codes that use all of 0 .. k - 1"
                raise PrivacyError(rule(f"map of '{name}'", codes.shape, must_be))
            order = np.argsort(codes, kind="stable")
            self._columns[name] = (source, order, np.searchsorted(codes[order], used))
            self._codes[name] = codes.astype(np.min_scalar_type(len(used) - 1))
            sizes[name] = len(used)
        super().__init__(Domain.of(sizes))
        self._parent = parent

    def total(self) -> int:
        """Rows kept."""
        return self._parent.total()

    def _shape(self, clique: Clique) -> Shape:
        shape = super()._shape(clique)
        sources = [self._columns[name][0] for name in clique]
        if len(set(sources)) != len(sources):
            raise PrivacyError(rule("clique", clique, "of functions of different attributes"))
        return shape

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """The parent's rows, their codes mapped."""
        sources = {name: self._columns[name][0] for name in names}
        for batch in self._parent.batches(sorted(set(sources.values()))):
            yield {name: self._codes[name][batch[source]] for name, source in sources.items()}

    def _make(self, cliques: Sequence[Clique]) -> list[Integers]:
        # The parent counts each set of attributes once, in its own order.
        sources = {c: self._parent.domain.ordered(self._columns[name][0] for name in c) for c in cliques}
        small = [clique for clique in cliques if self._parent.domain.size(sources[clique]) <= FOLDED]
        fine = self._parent.exact([sources[clique] for clique in small]) if small else []
        made = {clique: self._fold(clique, sources[clique], table) for clique, table in zip(small, fine, strict=True)}
        if large := [clique for clique in cliques if clique not in made]:
            names = sorted({name for clique in large for name in clique})
            made |= zip(large, count(self.batches(names), self.domain, large), strict=True)
        return [made[clique] for clique in cliques]

    def _fold(self, clique: Clique, source: Clique, counts: Integers) -> Integers:
        places = [source.index(self._columns[name][0]) for name in clique]
        for name, axis in zip(clique, places, strict=True):
            _, order, starts = self._columns[name]
            counts = np.add.reduceat(counts.take(order, axis), starts, axis)
        return counts.transpose(places)
