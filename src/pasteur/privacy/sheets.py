"""The columns of each table of a tree: its own attributes, and what is known of a row when it is drawn.

All of them are functions of the unit's own rows, made once each table has been cut (`lineage`), so that no sensitivity
changes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pasteur.privacy.columns import Columns, first_bins, moments, step_bins
from pasteur.privacy.lineage import Lineage, linked
from pasteur.privacy.memory import Memory
from pasteur.privacy.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

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
    missing: Mapping[str, Collection[str]],
) -> tuple[dict[str, Sheet], dict[str, Columns]]:
    """The columns of every table, parents before their children, and how they are called.

    Args:
        whole: the rows of each table that count.
        domains: of each table's attributes.
        relations: parents before their children.
        root: the table above all.
        looked: table -> what is known of public rows that its rows name.
        missing: table -> its attributes whose last code says that there is no value.

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
        more |= _below(sheet, whole, domains, below, missing)
        more = {
            "links": {},
            "beside": {},
            "missing": tuple(each for each in own if each in missing.get(name, ())),
        } | more
        called = Columns(own=own, order=order, **more)  # type: ignore[arg-type]
        called = replace(called, ordinal=tuple(each for each in called.drawn if each in sheet.ordinal))
        if owner:
            above = dict(zip(columns[owner.parent].visible, called.above, strict=True))
            means = columns[owner.parent].means.get(name, {})
            called = replace(called, traits={each: above[column] for each, column in means.items()})
            _remember(sheet, called)
        columns[name] = called
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
    sheet: Sheet,
    whole: Mapping[str, Lineage],
    domains: Mapping[str, Domain],
    below: Sequence[Relation],
    missing: Mapping[str, Collection[str]],
) -> dict[str, object]:
    """How many rows each of `below` has of a row, when the first one was, and what they are on average."""
    numbers: dict[str, str] = {}
    firsts: dict[str, str] = {}
    means: dict[str, dict[str, str]] = {}
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
            means[each.child] = _means(sheet, child, each, domains[each.child], missing.get(each.child, ()))
    return {"numbers": numbers, "firsts": firsts, "means": means}


def _means(
    sheet: Sheet, child: Lineage, relation: Relation, domain: Domain, missing: Collection[str]
) -> dict[str, str]:
    """The traits of a row: of each ordinal attribute of its children the mean. Of one child alone that is no news."""
    found: dict[str, str] = {}
    for name in domain.attributes if relation.max_rows > 1 else ():
        if name in domain.ordinal and name not in relation.order:
            size = domain.size((name,))
            make = partial(child.columns.__getitem__, name)
            memory = Memory(make=make, size=size, missing=name in missing, lineage=child)
            trait = partial(memory.trait, len(sheet.lineage.unit))
            found[name] = sheet.add(f"{name} of {relation.child} on average", size + 1, trait, ordinal=True)
    return found


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


def _remember(sheet: Sheet, called: Columns) -> None:
    """What is known of each drawn column from other rows of the same parent; rows below do not see it."""
    for name in called.drawn:
        size = sheet.sizes[name]
        memory = Memory(make=sheet.makers[name], size=size, missing=name in called.missing, lineage=sheet.lineage)
        for one, make in zip(called.memory(name), (memory.before, memory.so_far), strict=False):
            sheet.hidden.add(sheet.add(one, size + 1, make, ordinal=name in sheet.ordinal))
        if name in called.due:
            make = partial(memory.due, sheet.makers[called.traits[name]])
            sheet.hidden.add(sheet.add(called.due[name], size, make, ordinal=True))
