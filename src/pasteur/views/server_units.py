"""Whether a view respects units (D27), found in the server: each table stands there without a unit, or with one alone.

Components are compared by the number of their rows and the sum of the rows' 64-bit hashes, so that a view of any size
is compared without leaving the server, once for each unit.
"""

# ruff: noqa: S608 - names and texts are quoted

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.postgres import literal, mentioned, qualified
from pasteur.table import UNIT
from pasteur.views.relations import path_to
from pasteur.views.server import ServerView
from pasteur.views.units import nobodys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from pasteur.postgres import Snapshot
    from pasteur.schema import Relationship
    from pasteur.views.config import ViewConfig

ALONE = 3
"""Units of which the view is also built alone."""

UNIT_ID = qualified(UNIT)


def respects_units(
    view: ViewConfig,
    snapshot: Snapshot,
    *,
    relationships: Sequence[Relationship] = (),
    sample: int = 20,
    rng: np.random.Generator,
) -> list[str]:
    """Ask the server for the view without a unit, for some units, and of a few alone; compare sums of rows.

    Args:
        view: the view.
        snapshot: the server.
        relationships: declared between the tables.
        sample: how many units are drawn at random; the one with the most rows is added.
        rng: draws the units.

    Returns:
        What is wrong, one line for each component; nothing if the view respects units.
    """
    bound = ServerView(view, snapshot)
    owners = _owners(bound, relationships)
    if not owners:
        return [nobodys(view)]
    units = _units(bound, owners, sample, int(rng.integers(1 << 62)))
    found = {}
    for name in view.components:
        parts = _sums(bound, name, units)
        for unit, alone in [*((unit, False) for unit in units), *((unit, True) for unit in units[:ALONE])]:
            kept = {table: owner.kept(unit, alone=alone) for table, owner in owners.items()}
            many, total = _sum(bound, name, kept)
            expected = parts.get(unit, (0, 0))
            if not alone:
                expected = (
                    sum(n for n, _ in parts.values()) - expected[0],
                    sum(t for _, t in parts.values()) - expected[1],
                )
            if (many, total) != expected:
                cut = "with one unit alone" if alone else "without one unit"
                change = (
                    f"{expected[0]:,} rows are expected and {many:,} are there"
                    if many != expected[0]
                    else "rows change"
                )
                found[name] = f"{view.where(name)}: mixes units: {cut}, {change}"
                break
    return list(found.values())


def same_rows(view: ViewConfig, snapshot: Snapshot, *, rng: np.random.Generator) -> list[str]:
    """Ask the server for the view twice, over tables whose rows come in other orders; compare sums of rows.

    Returns:
        What is wrong, one line for each component; nothing if the rows are the same.
    """
    bound = ServerView(view, snapshot)
    seeds = [int(seed) for seed in rng.integers(1 << 62, size=2)]
    return [
        f"{view.where(name)}: its rows depend on the order of the tables' rows"
        for name in view.components
        if len({_sum(bound, name, {}, shuffled=seed) for seed in seeds}) > 1
    ]


def unowned(view: ViewConfig, snapshot: Snapshot, *, relationships: Sequence[Relationship] = ()) -> list[str]:
    """The tables that the view reads and whose rows lead to no unit: `respects_units` takes them to be public."""
    bound = ServerView(view, snapshot)
    return [name for name in _read(bound) if name not in _owners(bound, relationships)]


def _read(bound: ServerView) -> list[str]:
    """The tables that the view's queries name."""
    tables = bound.snapshot.relations
    return sorted({t for name, text in bound.queries.items() for t in mentioned(text, tables, bound.view.where(name))})


class _Owner:
    """How a table's rows reach their unit."""

    def __init__(self, snapshot: Snapshot, table: str, path: Sequence[Relationship], unit: str) -> None:
        self.relations = snapshot.relations
        self.table, self.path = table, path
        self.last = path[-1].parent_table if path else table
        self.unit = unit

    def id_of(self, alias: str) -> str:
        """SQL of the unit's id as text, of a row of the last table on the path, called `alias`."""
        return f"({self.relations[self.last].value(self.unit, alias)})::text"

    def kept(self, unit: str, *, alone: bool) -> str:
        """SQL of whether a row of the table, called `t`, stays where `unit` is left out, or left alone."""
        if not self.path:
            mine = f"{self.id_of('t')} = {literal(unit)}"
            return mine if alone else f"({mine}) IS NOT TRUE"
        tables = " JOIN ".join(
            f"{self.relations[link.parent_table].source} AS p{i}"
            + (f" ON {self._tie(link, f'p{i - 1}', f'p{i}')}" if i else "")
            for i, link in enumerate(self.path)
        )
        first = self._tie(self.path[0], "t", "p0")
        found = (
            f"EXISTS (SELECT FROM {tables} WHERE {first} AND {self.id_of(f'p{len(self.path) - 1}')} = {literal(unit)})"
        )
        return found if alone else f"NOT {found}"

    def _tie(self, link: Relationship, child: str, parent: str) -> str:
        mine = self.relations[link.child_table].value(link.child_key, child)
        return f"{mine} = {self.relations[link.parent_table].value(link.parent_key, parent)}"

    def counted(self) -> str:
        """SQL of how many of the table's rows each unit has: columns `_unit` and `n`."""
        joins = "".join(
            f" JOIN {self.relations[link.parent_table].source} AS p{i} ON "
            + self._tie(link, f"p{i - 1}" if i else "t", f"p{i}")
            for i, link in enumerate(self.path)
        )
        owner = self.id_of(f"p{len(self.path) - 1}" if self.path else "t")
        source = self.relations[self.table].source
        return f"SELECT {owner} AS {UNIT_ID}, count(*) AS n FROM {source} AS t{joins} GROUP BY 1"


def _owners(bound: ServerView, relationships: Sequence[Relationship]) -> dict[str, _Owner]:
    """How each table that the view reads leads to its units. Tables that lead to none are left out."""
    relations = bound.snapshot.relations
    columns = {name: tuple(relation.fields) for name, relation in relations.items()}
    found = {}
    for name in _read(bound):
        path = path_to(name, columns, bound.view.unit, relationships)
        if path is not None:
            found[name] = _Owner(bound.snapshot, name, path, bound.view.unit)
    return found


def _units(bound: ServerView, owners: Mapping[str, _Owner], sample: int, seed: int) -> list[str]:
    """The unit with the most rows, then some that a seeded hash draws."""
    if not owners:
        return []
    where = f"view {bound.view.name}, its units"
    counted = " UNION ALL ".join(owner.counted() for owner in owners.values())
    sums = f"SELECT {UNIT_ID}, sum(n) AS n FROM ({counted}) AS c WHERE {UNIT_ID} IS NOT NULL GROUP BY 1"
    session = bound.snapshot.session
    largest = f'(SELECT {UNIT_ID}, 0 AS place FROM s ORDER BY n DESC, {UNIT_ID} COLLATE "C" LIMIT 1)'
    drawn = (
        f'(SELECT {UNIT_ID}, 1 AS place FROM s ORDER BY hashtextextended({UNIT_ID}, {seed}), {UNIT_ID} COLLATE "C" '
        f"LIMIT {sample:d})"
    )
    rows = session.rows(f"WITH s AS ({sums}) {largest} UNION ALL {drawn} ORDER BY place", where=where)
    return list(dict.fromkeys(str(row[UNIT]) for row in rows))


HASH = "coalesce(sum(hashtextextended(u::text, 0)::numeric), 0)::text AS total"


def _sums(bound: ServerView, name: str, units: Sequence[str]) -> dict[str | None, tuple[int, int]]:
    """Number and hash of the rows of each of `units` in a component, and of all others under None."""
    if not units:
        return {}
    listed = bound.snapshot.session.texts(units)
    rows = bound.snapshot.session.rows(
        f"SELECT CASE WHEN u.{UNIT_ID} = ANY({listed}) THEN u.{UNIT_ID} END AS who, count(*) AS many, {HASH} "
        f"FROM ({bound.text(name)}) AS u GROUP BY 1",
        where=bound.view.where(name),
    )
    return {row["who"]: (row["many"], int(row["total"])) for row in rows}


def _sum(bound: ServerView, name: str, kept: Mapping[str, str], *, shuffled: int | None = None) -> tuple[int, int]:
    rows = bound.text(name, kept, shuffled=shuffled)
    row = bound.snapshot.session.one(
        f"SELECT count(*) AS many, {HASH} FROM ({rows}) AS u", where=bound.view.where(name)
    )
    return row["many"], int(row["total"])
