"""Exact counts, which never leave this room: made once a clique, kept, and given to nobody but `PrivateTable`."""

from __future__ import annotations

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


class Counts:
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
        self.domain = domain
        self._codes = codes
        self._keep = units.kept(codes, domain.attributes, max_rows, salt) if UNIT in codes.columns else None
        self._cache: dict[Clique, Integers] = {}

    def exact(self, cliques: Sequence[Clique]) -> list[Integers]:
        """Counts of each clique, int64, shaped by its sizes; those not yet made are made in one pass."""
        new = [clique for clique in dict.fromkeys(cliques) if clique not in self._cache]
        if new:
            made = count(self._batches(sorted({name for clique in new for name in clique})), self.domain, new)
            self._cache |= dict(zip(new, made, strict=True))
        return [self._cache[clique] for clique in cliques]

    def total(self) -> int:
        """Rows kept."""
        if self._keep is not None:
            return int(np.count_nonzero(self._keep))
        return self.rows()

    def rows(self) -> int:
        """Rows of the table, before any was cut."""
        if self._codes.rows is not None:
            return self._codes.rows
        return sum(batch.num_rows for batch in self._codes.batches())

    def _batches(self, names: Sequence[str]) -> Iterator[dict[str, npt.NDArray[np.integer]]]:
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


class MergedCounts:
    """Counts over a coarser domain: the codes of some attributes are mapped to fewer ones, the same for every row.

    A row is still in one cell of every marginal, so no sensitivity changes.

    Args:
        parent: the counts at the finer domain.
        maps: of each merged attribute the new code of every old one: (size,) integers that use all of 0 .. k - 1.

    Raises:
        PrivacyError: a map of an unknown attribute, of another size, or with unused codes.
    """

    def __init__(self, parent: Counts | MergedCounts, maps: Mapping[str, npt.ArrayLike]) -> None:
        self._parent = parent
        self._maps = {name: np.asarray(codes) for name, codes in maps.items()}
        sizes = dict(parent.domain.as_dict())
        for name, codes in self._maps.items():
            if name not in sizes:
                message = f"attribute '{name}' is not in the domain{near_miss(name, sizes)}"
                raise PrivacyError(message)
            used = np.unique(codes)
            if codes.shape != (sizes[name],) or not np.array_equal(used, np.arange(len(used))):
                must_be = f"({sizes[name]},) codes that use all of 0 .. k - 1"
                raise PrivacyError(rule(f"map of '{name}'", codes.shape, must_be))
            sizes[name] = len(used)
        self.domain: Domain = Domain.of(sizes)
        self._cache: dict[Clique, Integers] = {}

    def exact(self, cliques: Sequence[Clique]) -> list[Integers]:
        """Counts of each clique, int64, shaped by its merged sizes; a clique is merged once."""
        new = [clique for clique in dict.fromkeys(cliques) if clique not in self._cache]
        fine = self._parent.exact(new) if new else []
        self._cache |= {clique: self._merge(clique, counts) for clique, counts in zip(new, fine, strict=True)}
        return [self._cache[clique] for clique in cliques]

    def total(self) -> int:
        """Rows kept."""
        return self._parent.total()

    def rows(self) -> int:
        """Rows of the table, before any was cut."""
        return self._parent.rows()

    def _merge(self, clique: Clique, counts: Integers) -> Integers:
        for axis, name in enumerate(clique):
            if name in self._maps:
                moved = np.moveaxis(counts, axis, 0)
                merged = np.zeros((self.domain.size((name,)), *moved.shape[1:]), dtype=np.int64)
                np.add.at(merged, self._maps[name], moved)
                counts = np.moveaxis(merged, 0, axis)
        return np.ascontiguousarray(counts)
