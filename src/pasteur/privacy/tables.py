"""`PrivateTables`: a tree of tables of the same people, one ledger, and the questions of `PrivateRows` about each.

A child's rows are asked about beside what is known of each when it is drawn: the rows above it, the rows before it
among those of the same parent, its place. All of these columns are functions of the unit's own rows, made once each
table has been cut (`lineage`), so that no sensitivity changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.columns import Columns, Looked, Relation
from pasteur.privacy.lineage import rooted, under
from pasteur.privacy.private_table import PrivateTable
from pasteur.privacy.sheets import sheets_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pasteur.marginals import Domain
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms
    from pasteur.privacy.rows import PrivateRows
    from pasteur.table import Table

__all__ = ["Columns", "Looked", "PrivateTables", "Relation"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PrivateTables:
    """A tree of tables under one root, on one ledger.

    Attributes:
        root: the root's rows, for an algorithm of one table.
        relations: between the tables, those that own rows in an order in which each parent comes before its children.
        rows: each table's rows beside what stands in `columns`.
        columns: how those columns are called.
        domains: each table's own attributes.
        looked: table -> what is known of public rows that its rows name.
        ledger: the one that all of them charge.
        name: of the root table.
    """

    root: PrivateTable
    relations: tuple[Relation, ...]
    rows: Mapping[str, PrivateRows]
    columns: Mapping[str, Columns]
    domains: Mapping[str, Domain]
    looked: Mapping[str, Mapping[str, Looked]]
    ledger: Ledger
    name: str

    @property
    def children(self) -> Mapping[str, PrivateRows]:
        """The rows of every table but the root."""
        return {name: rows for name, rows in self.rows.items() if name != self.name}

    @classmethod
    def of(  # noqa: PLR0913 - what `PrivateTable` takes, of several tables
        cls,
        codes: Mapping[str, Table],
        domains: Mapping[str, Domain],
        relations: Sequence[Relation],
        ledger: Ledger,
        *,
        root: str,
        salt: str,
        looked: Mapping[str, Mapping[str, Looked]] | None = None,
        missing: Mapping[str, Collection[str]] | None = None,
        max_rows_per_unit: int = 1,
        rows_public: bool = False,
        mechanisms: Mechanisms | None = None,
    ) -> PrivateTables:
        """Cut every table, and make the private side of each.

        Args:
            codes: of each table, with column `_unit` and its ids.
            domains: of each table's attributes, from public knowledge only.
            relations: parents before their children; those that only name rows at the end.
            ledger: what may be spent.
            root: the table above all others.
            salt: key of the hashes.
            looked: table -> what is known of public rows that its rows name.
            missing: table -> its attributes whose last code says that there is no value.
            max_rows_per_unit: of the root.
            rows_public: the schema declares the number of the root's rows public.
            mechanisms: the noise; a recorder in tests.

        Raises:
            PrivacyError: a table does not fit its domain, lacks a key, or a maximum is no bound.
        """
        private = PrivateTable(
            codes=codes[root],
            domain=domains[root],
            ledger=ledger,
            salt=salt,
            max_rows_per_unit=max_rows_per_unit,
            rows_public=rows_public,
            mechanisms=mechanisms,
        )
        called = {name: _called(name, relations) for name in codes}
        whole = {root: rooted(codes[root], domains[root], keys=called[root], max_rows=max_rows_per_unit, salt=salt)}
        owning = [relation for relation in relations if relation.owns]
        for each in owning:
            whole[each.child] = under(
                whole[each.parent],
                codes[each.child],
                domains[each.child],
                parent_key=each.parent_key,
                child_key=each.child_key,
                keys=called[each.child],
                order=each.order,
                max_rows=_positive(each.max_rows),
                salt=salt,
            )
        sheets, columns = sheets_of(whole, domains, relations, root, looked or {}, missing or {})
        return cls(
            root=private,
            relations=tuple(relations),
            rows={name: sheet.rows(ledger, mechanisms) for name, sheet in sheets.items()},
            columns=columns,
            domains=dict(domains),
            looked=dict(looked or {}),
            ledger=ledger,
            name=root,
        )


def _positive(max_rows: object) -> int:
    if isinstance(max_rows, bool) or not isinstance(max_rows, int) or max_rows < 1:
        raise PrivacyError(rule("max_rows", max_rows, "a whole number of 1 or more"))
    return max_rows


def _called(name: str, relations: Sequence[Relation]) -> list[str]:
    """Columns of table `name` that relations need: the keys that others name it by, and those by which it names."""
    above = [each.parent_key for each in relations if each.parent == name]
    below = [each.child_key for each in relations if each.child == name and not each.owns]
    return list(dict.fromkeys([*above, *below]))
