"""The columns of each table of a tree: its own attributes, and what is known of a row when it is drawn.

All of them are functions of the unit's own rows, made once each table has been cut (`lineage`), so that no sensitivity
changes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pasteur.privacy.columns import Columns, first_bins, mean_code, moments, step_bins
from pasteur.privacy.lineage import Lineage, linked
from pasteur.privacy.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pasteur.marginals import Domain
    from pasteur.privacy.columns import Looked, Relation
    from pasteur.privacy.grouped import Column
    from pasteur.privacy.noise import Integers

LINKS = 4
"""How a row may name a row of its second parent: not at all, the same as the row before, the next one, any other."""


def sheets_of(
    whole: Mapping[str, Lineage],
    domains: Mapping[str, Domain],
    relations: Sequence[Relation],
    root: str,
    looked: Mapping[str, Mapping[str, Looked]],
) -> tuple[dict[str, Sheet], dict[str, Columns]]:
    """The columns of every table, parents before their children, and how they are called.

    Args:
        whole: the rows of each table that count.
        domains: of each table's attributes.
        relations: parents before their children.
        root: the table above all.
        looked: table -> what is known of public rows that its rows name.

    Raises:
        PrivacyError: two columns of one name.
    """
    sheets: dict[str, Sheet] = {}
    columns: dict[str, Columns] = {}
    owners = {each.child: each for each in relations if each.owns}
    for name in (root, *owners):
        sheet = Sheet(whole[name])
        owner = owners.get(name)
        order = owner.order if owner else ()
        naming = dict.fromkeys(each.column for each in looked.get(name, {}).values())
        own = (*naming, *(each for each in domains[name].attributes if each not in {*order, *naming}))
        for each in own:
            sheet.add(
                each,
                domains[name].size((each,)),
                partial(whole[name].columns.__getitem__, each),
                ordinal=each in domains[name].ordinal,
            )
        more: dict[str, object] = {"looked": _looked(sheet, looked.get(name, {}))}
        if owner:
            more |= _above(sheet, sheets[owner.parent], owner)
            more |= _beside(sheet, sheets, whole, [r for r in relations if r.child == name and not r.owns])
            more |= _along(sheet, domains[name], owner)
        below = [each for each in relations if each.parent == name and each.owns]
        numbers, firsts = _below(sheet, whole, domains, below)
        more = {"links": {}, "beside": {}} | more
        columns[name] = Columns(own=own, order=order, numbers=numbers, firsts=firsts, **more)  # type: ignore[arg-type]
        columns[name] = replace(
            columns[name], ordinal=tuple(each for each in columns[name].drawn if each in sheet.ordinal)
        )
        if owner:
            for each in columns[name].drawn:
                _remember(sheet, columns[name].memory(each), each)
        sheets[name] = sheet
    return sheets, columns


def _looked(sheet: Sheet, columns: Mapping[str, Looked]) -> dict[str, list[str]]:
    """What is known of the public rows that a row names."""
    found: dict[str, list[str]] = {}
    for name, each in columns.items():
        codes = each.codes.astype(np.min_scalar_type(each.size - 1))
        make = partial(_picked, codes, sheet.makers[each.column])
        found.setdefault(each.column, []).append(sheet.add(name, each.size, make, ordinal=each.ordinal))
    return found


def _picked(codes: Column, make: Callable[[], Column]) -> Column:
    return codes[make()]


def _above(sheet: Sheet, parent: Sheet, owner: Relation) -> dict[str, object]:
    """What is known of the row above: its own, what was known above that, and how many rows it has of each child."""
    at = sheet.lineage.parent
    found = []
    for name in parent.visible:
        called = name if name in parent.adopted else f"{name} of {owner.parent}"
        make = partial(_at, parent.makers[name], at)
        found.append(sheet.add(called, parent.sizes[name], make, ordinal=name in parent.ordinal))
    sheet.adopted = set(found)
    return {"above": tuple(found)}


def _at(make: Callable[[], Column], at: Integers) -> Column:
    return make()[at]


def _along(sheet: Sheet, domain: Domain, owner: Relation) -> dict[str, object]:
    """Where a row stands among those of its parent."""
    lineage = sheet.lineage
    most = owner.max_rows
    kind = np.min_scalar_type(most)
    place = sheet.add("place of row", most, lambda: lineage.place.astype(kind), ordinal=True)
    if not owner.order:
        return {"place": place}
    left = sheet.add("rows left", most, lambda: (lineage.siblings - 1 - lineage.place).astype(kind), ordinal=True)
    count = moments(domain, owner.order)
    edges, steps = first_bins(count), step_bins(count)

    def step() -> Column:
        since = np.diff(lineage.time, prepend=0)
        code = np.searchsorted(steps, since, side="right")
        return np.where(lineage.place == 0, 0, code).astype(np.min_scalar_type(len(steps)))

    def moment() -> Column:
        return (np.searchsorted(edges, lineage.time, side="right") - 1).astype(np.min_scalar_type(len(edges)))

    return {
        "place": place,
        "left": left,
        "step": sheet.add("time since", len(steps), step, ordinal=True),
        "moment": sheet.add("time", len(edges) - 1, moment, ordinal=True),
    }


def _below(
    sheet: Sheet, whole: Mapping[str, Lineage], domains: Mapping[str, Domain], below: Sequence[Relation]
) -> tuple[dict[str, str], dict[str, str]]:
    """How many rows each of `below` has of a row, and when the first one was."""
    numbers: dict[str, str] = {}
    firsts: dict[str, str] = {}
    rows = len(sheet.lineage.unit)
    for each in below:
        child = whole[each.child]

        def number(child: Lineage = child, most: int = each.max_rows) -> Column:
            return np.bincount(child.parent, minlength=rows).astype(np.min_scalar_type(most))

        numbers[each.child] = sheet.add(f"number of {each.child}", each.max_rows + 1, number, ordinal=True)
        if each.order:
            edges = first_bins(moments(domains[each.child], each.order))

            def first(child: Lineage = child, edges: Integers = edges) -> Column:
                codes = np.full(rows, len(edges) - 1, dtype=np.min_scalar_type(len(edges)))
                mine = child.place == 0
                codes[child.parent[mine]] = np.searchsorted(edges, child.time[mine], side="right") - 1
                return codes

            firsts[each.child] = sheet.add(f"first of {each.child}", len(edges), first, ordinal=True)
    return numbers, firsts


def _beside(
    sheet: Sheet, sheets: Mapping[str, Sheet], whole: Mapping[str, Lineage], links: Sequence[Relation]
) -> dict[str, object]:
    """How a row names a row of its second parents, and the attributes of that."""
    names: dict[str, str] = {}
    beside: dict[str, dict[str, str]] = {}
    lineage = sheet.lineage
    for each in links:
        other = whole[each.parent]
        at = linked(other, each.parent_key, lineage, each.child_key)

        def link(at: Integers = at, other: Lineage = other) -> Column:
            before = np.append(-1, at[:-1])[: len(at)]
            before = np.where(lineage.place == 0, -1, before)
            after = np.where(before >= 0, before + 1, other.starts[lineage.unit])
            return np.select([at < 0, at == before, at == after], [0, 1, 2], 3).astype(np.uint8)

        names[each.parent] = sheet.add(f"which of {each.parent}", LINKS, link, ordinal=False)
        own = [name for name in whole[each.parent].columns if name in sheets[each.parent].sizes]
        added = sheet.adopt(sheets[each.parent], own, f" of named {each.parent}", at)
        beside[each.parent] = dict(zip(own, added, strict=True))
    return {"links": names, "beside": beside}


def _remember(sheet: Sheet, called: Sequence[str], name: str) -> None:
    """The column `name` of the row before among those of the same parent, and its mean over all of those."""
    make, none, lineage = sheet.makers[name], sheet.sizes[name], sheet.lineage
    kind = np.min_scalar_type(none)

    def before() -> Column:
        column = make().astype(kind)
        shifted = np.append(kind.type(none), column[:-1])[: len(column)]
        return np.where(lineage.place >= 1, shifted, kind.type(none))

    def so_far() -> Column:
        column = make().astype(np.int64)
        upto = np.append(0, np.cumsum(column))[: len(column)]
        first = np.arange(len(column)) - lineage.place
        return mean_code(upto - upto[first], lineage.place, none).astype(kind)

    for one, maker in zip(called, (before, so_far), strict=False):
        sheet.hidden.add(sheet.add(one, none + 1, maker, ordinal=name in sheet.ordinal))
