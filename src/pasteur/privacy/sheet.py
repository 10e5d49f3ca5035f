"""`Sheet`: the columns of one table of a tree, by name. They are made when they are asked for, and not kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.marginals import Domain
from pasteur.privacy.grouped import Grouped
from pasteur.privacy.rows import PrivateRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pasteur.privacy.grouped import Column
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.lineage import Lineage
    from pasteur.privacy.mechanisms import Mechanisms
    from pasteur.privacy.noise import Integers


class _Derived(Mapping[str, "Column"]):
    """Columns that are made when they are asked for, and not kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Column]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> Column:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class Sheet:
    """One table's columns by name: sizes, makers, and which have a natural order."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage
        self.sizes: dict[str, int] = {}
        self.makers: dict[str, Callable[[], Column]] = {}
        self.ordinal: set[str] = set()
        self.adopted: set[str] = set()
        self.hidden: set[str] = set()

    @property
    def visible(self) -> list[str]:
        """All but what rows before a row were."""
        return [name for name in self.sizes if name not in self.hidden]

    def add(self, name: str, size: int, make: Callable[[], Column], *, ordinal: bool) -> str:
        """Take a column in; give its name.

        Raises:
            PrivacyError: there is one of that name.
        """
        if name in self.sizes:
            raise PrivacyError(rule("attribute", f"'{name}'", "of a name that no other column of the tree needs"))
        self.sizes[name], self.makers[name] = size, make
        if ordinal:
            self.ordinal.add(name)
        return name

    def adopt(self, other: Sheet, names: Sequence[str], suffix: str, at: Integers) -> list[str]:
        """Take columns of another table over, at its rows `at`; there is always room for one code more: no such row."""
        return [
            self.add(
                name + suffix,
                other.sizes[name] + 1,
                partial(_taken, other.makers[name], at, other.sizes[name]),
                ordinal=name in other.ordinal,
            )
            for name in names
        ]

    def rows(self, ledger: Ledger, mechanisms: Mechanisms | None) -> PrivateRows:
        """The private side of all columns."""
        return PrivateRows.of(
            Grouped(columns=_Derived(self.makers), starts=self.lineage.starts),
            Domain.of(self.sizes, ordinal=self.ordinal),
            ledger,
            max_rows_per_unit=self.lineage.most,
            mechanisms=mechanisms,
        )


def _taken(make: Callable[[], Column], at: Integers, none: int) -> Column:
    wide = np.append(make().astype(np.min_scalar_type(none)), np.min_scalar_type(none).type(none))
    return wide[at]  # -1 is the last
