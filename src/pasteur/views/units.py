"""Whether a view respects units, and whether it answers the same whatever the order of rows.

Removing one unit from the primary tables must remove exactly its rows from every component and change no other row
(privacy law, D27): a rank, a window, an average or a deduplication over several people would let one person's data
change another's rows, and no accounting of rows would hold.
"""

# ruff: noqa: S608 - names are quoted, and no text from outside is joined in

from __future__ import annotations

import tempfile
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pasteur.files import sha256
from pasteur.sql import Sandbox, rows_of
from pasteur.table import UNIT, Table
from pasteur.views.build import assemble, build, read_by
from pasteur.views.relations import owned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np

    from pasteur.schema import Relationship
    from pasteur.views.config import ViewConfig

ALONE = 3
"""Units of which the view is also built alone."""


def respects_units(
    view: ViewConfig,
    primary: Mapping[str, Table],
    *,
    relationships: Sequence[Relationship] = (),
    sample: int = 20,
    rng: np.random.Generator,
) -> list[str]:
    """Rebuild the view without a unit, for some units, and of a few alone; compare row by row, nothing held whole.

    Args:
        view: the view.
        primary: the data set's primary tables. One that leads to no unit is taken to be public.
        relationships: declared between the primary tables.
        sample: how many units are drawn at random; the one with the most rows is added.
        rng: draws the units.

    Returns:
        What is wrong, one line for each component; nothing if the view respects units.
    """
    held = {name: primary[name] for name in read_by(view, primary)}
    owners = _owners(view, primary, held, relationships)
    if not owners:
        return [nobodys(view)]
    sizes: Counter[str] = Counter()
    for owner in owners.values():
        for entry in pc.value_counts(owner).to_pylist():
            if entry["values"] is not None:
                sizes[entry["values"]] += entry["counts"]
    units = sorted(sizes)
    if not units:
        return []
    drawn = [units[i] for i in rng.choice(len(units), size=min(sample, len(units)), replace=False)]
    largest = max(units, key=lambda unit: sizes[unit])
    found: dict[str, str] = {}
    tables, compared = dict(held), dict[str, Table]()
    with (
        tempfile.TemporaryDirectory(prefix="pasteur-units-") as folder,
        Sandbox(tables=tables, hidden=compared) as sandbox,  # both mappings are read anew by each query
    ):
        rows = {name: component.rows(sandbox, None) for name, component in assemble(view, sandbox).items()}
        full = {name: _kept(table, Path(folder) / f"{name}.pq") for name, table in rows.items()}
        whose = {name: table.arrow([UNIT])[UNIT] for name, table in full.items()}
        for unit, alone in _cuts([largest, *drawn]):
            tables.update({name: _cut(table, owners.get(name), unit, alone=alone) for name, table in held.items()})
            for name in [name for name in rows if name not in found]:
                expected = _cut(full[name], whose[name], unit, alone=alone)
                rebuilt = _kept(rows[name], Path(folder) / f"{name}.rebuilt.pq")
                compared.update(expected=expected, found=rebuilt)
                if not _equal(expected, rebuilt) and (problem := _difference(sandbox)):
                    cut = "with one unit alone" if alone else "without one unit"
                    found[name] = f"{view.where(name)}: mixes units: {cut}, {problem}"
    return list(found.values())


def nobodys(view: ViewConfig) -> str:
    """The problem of a view whose rows are taken from nobody's: leaving a unit out would show nothing."""
    return f"view {view.name}: must read a table that leads to '{view.unit}': whose its rows are cannot be seen"


def _owners(
    view: ViewConfig, primary: Mapping[str, Table], held: Iterable[str], relationships: Sequence[Relationship]
) -> dict[str, pa.ChunkedArray]:
    """Each table's unit ids, row by row. Tables that lead to no unit are left out."""
    columns = {name: table.columns for name, table in primary.items()}
    found = {}
    for name in held:
        text = owned(name, columns=columns, unit=view.unit, relationships=relationships)
        if text is not None:
            with Sandbox(tables=primary) as sandbox:
                found[name] = sandbox.select(text, where=f"view {view.name}, table {name}").arrow()["owner"]
    return found


def _kept(table: Table, path: Path) -> Table:
    """The rows of a query, run once and left on disk."""
    table.write(path)
    return Table.read(path)


def _cuts(units: Sequence[str]) -> list[tuple[str, bool]]:
    """Whom to leave out, and then whom to leave alone.

    If taking any one unit away changes no other's rows, neither does taking away all others. A maximum over people
    shows when who holds it is gone, which no few units are likely to be; of a unit alone it nearly always shows.
    """
    different = list(dict.fromkeys(units))
    return [*((unit, False) for unit in different), *((unit, True) for unit in different[:ALONE])]


def _cut(table: Table, owner: pa.ChunkedArray | None, unit: str, *, alone: bool) -> Table:
    """The rows of everybody but `unit`, or its own alone, lazily. `owner` is each row's unit; None: leads to none."""
    if owner is None:
        return table

    def make() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in table.batches():
            whose = owner.slice(start, batch.num_rows).combine_chunks()
            chosen = pc.equal(whose, unit) if alone else pc.not_equal(whose, unit)
            yield batch.filter(pc.fill_null(chosen, fill_value=not alone))
            start += batch.num_rows

    return Table.stream(table.schema, make)


def _equal(one: Table, other: Table) -> bool:
    """Whether two tables hold the same rows in the same order."""
    pairs = zip_longest(one.blocks(), other.blocks())
    return one.schema == other.schema and all(a is not None and b is not None and a.equals(b) for a, b in pairs)


def _difference(sandbox: Sandbox) -> str | None:
    """How the tables `expected` and `found` differ as bags of rows, in words without values; None if they do not."""
    gone, new = (
        rows_of(sandbox.select(f"SELECT count(*) AS n FROM (FROM {a} EXCEPT ALL FROM {b})", where="comparison"))[0]["n"]
        for a, b in (("expected", "found"), ("found", "expected"))
    )
    return f"{gone:,} other rows are gone and {new:,} rows are new" if gone or new else None


def same_bytes(
    view: ViewConfig, primary: Mapping[str, Table], keys: Mapping[str, Table], *, rng: np.random.Generator
) -> list[str]:
    """Build the view twice over shuffled tables and compare the files. Holds the primary tables in memory.

    Returns:
        What is wrong, one line for each component; nothing if the files are the same.
    """
    digests = [_digests(view, primary, keys, rng) for _ in range(2)]
    return [
        f"{view.where(name)}: its rows depend on the order of the primary tables' rows ({', '.join(splits)})"
        for name in view.components
        if (splits := [s for s in keys if digests[0][name, s] != digests[1][name, s]])
    ]


def _digests(
    view: ViewConfig, primary: Mapping[str, Table], keys: Mapping[str, Table], rng: np.random.Generator
) -> dict[tuple[str, str], str]:
    shuffled = {}
    for name, table in primary.items():
        held = table.arrow()
        shuffled[name] = Table.of(held.take(pa.array(rng.permutation(held.num_rows))))
    digests = {}
    with tempfile.TemporaryDirectory(prefix="pasteur-check-") as folder:
        for name, parts in build(view, shuffled, keys).items():
            for split, table in parts.items():
                path = Path(folder) / f"{name}.{split}.pq"
                table.write(path)
                digests[name, split] = sha256(path)
                path.unlink()
    return digests
