"""`RelationalModel`: a fitted tree of tables. Noisy tables and what was made of them; nothing of the data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur.errors import DataError, rule
from pasteur.marginals import Domain, Measurement
from pasteur.privacy.columns import Columns, Looked, Relation
from pasteur.synth import model as models
from pasteur.synth._relational_conditional import Conditional
from pasteur.synth._relational_sampling import Drawing
from pasteur.table import Table, column_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pasteur.privacy import Ledger
    from pasteur.synth.model import Model

FORMAT = "pasteur-tree-1"
ROOT = "root/"
"""What the names of the root model's arrays begin with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RelationalModel:
    """A model of several tables. Everything in it is noisy or public, so that it may be released.

    Attributes:
        algorithm: "relational".
        settings: of it, as JSON values.
        name: of the root table.
        root: its model.
        relations: between the tables, parents before their children.
        columns: how each table's columns are called.
        domains: each table's attributes.
        conditionals: table -> column that is drawn -> its distribution; of first rows under `at_first(table)`.
        measured: noisy answers about the tables, beside the root model's own.
        ids: table -> column of ids -> its Arrow type; 64-bit whole numbers where nothing is said.
        looked: table -> what is known of public rows that its rows name.
    """

    algorithm: str = "relational"
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str
    root: Model
    relations: tuple[Relation, ...]
    columns: Mapping[str, Columns]
    domains: Mapping[str, Domain]
    conditionals: Mapping[str, Mapping[str, Conditional]]
    measured: tuple[Measurement, ...]
    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    looked: Mapping[str, Mapping[str, Looked]] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """What was spent on all tables."""
        return self.root.ledger

    @property
    def rows(self) -> int:
        """Rows of the root that the model believes there are."""
        return self.root.rows

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Every noisy answer."""
        return (*self.measured, *self.root.measurements)

    def sample(self, rows: int | None, *, rng: np.random.Generator) -> dict[str, Table]:
        """Give `rows` rows of the root (None: as many as the model believes there are) with all that hangs on them.

        Keys are fresh: 1, 2, 3 and so on in each table. Each foreign key names a row that is there, or is null where a
        second parent is named by none.

        Raises:
            ValueError: rows is under 0.
        """
        table = self.root.sample(rows, rng=rng).arrow()
        codes = {name: table[name].combine_chunks().to_numpy() for name in table.column_names}
        drawing = Drawing(self.columns, self.domains, self.relations, self.conditionals, self.looked, rng)
        drawing.root(self.name, codes, table.num_rows)
        for relation in self.relations:
            if relation.owns:
                drawing.child(relation)
        return {name: self._table(name, drawing) for name in self.domains}

    def _table(self, name: str, drawing: Drawing) -> Table:
        rows = len(drawing.roots[name])
        keys: dict[str, pa.Array] = {}
        for each in self.relations:
            if each.parent == name:
                keys[each.parent_key] = pa.array(np.arange(1, rows + 1))
            if each.child == name and each.owns:
                keys[each.child_key] = _foreign(drawing.parents[name])
            if each.child == name and not each.owns:
                keys[each.child_key] = _foreign(drawing.named[name, each.parent])
        types = self.ids.get(name, {})
        keys = {each: key.cast(pa.type_for_alias(types.get(each, "int64"))) for each, key in keys.items()}
        sheet = drawing.sheets[name] | drawing.order.get(name, {})
        columns = {
            each: column_of(sheet[each].astype(np.min_scalar_type(size - 1)))
            for each, size in self.domains[name].as_dict().items()
        }
        return Table.of(pa.table(keys | columns))

    def save(self, path: Path) -> None:
        """Write one npz file, whole or not at all; `header` in it is JSON as UTF-8 bytes.

        Raises:
            DataError: the folder cannot be written.
        """
        arrays: dict[str, np.ndarray] = {ROOT + name: array for name, array in self.root.packed().items()}
        described: list[dict[str, Any]] = []
        for table, targets in self.conditionals.items():
            for each in targets.values():
                number = len(described)
                described.append({"table": table, "target": each.target, "contexts": each.contexts})
                arrays[f"shares_{number}"] = each.shares
                arrays |= {f"groups_{number}_{place}": groups for place, groups in enumerate(each.groups)}
        arrays |= {f"noisy_{number}": each.values for number, each in enumerate(self.measured)}
        known = [(table, name, each) for table, of in self.looked.items() for name, each in of.items()]
        arrays |= {f"looked_{number}": each.codes for number, (_, _, each) in enumerate(known)}
        header = {
            "format": FORMAT,
            "algorithm": self.algorithm,
            "settings": dict(self.settings),
            "name": self.name,
            "relations": [asdict(each) for each in self.relations],
            "columns": {name: asdict(each) for name, each in self.columns.items()},
            "domains": {name: [domain.as_dict(), sorted(domain.ordinal)] for name, domain in self.domains.items()},
            "conditionals": described,
            "measurements": [{"clique": each.clique, "sigma": each.sigma} for each in self.measured],
            "ids": {name: dict(types) for name, types in self.ids.items()},
            "looked": [
                {"table": table, "name": name, "column": each.column, "size": each.size, "ordinal": each.ordinal}
                for table, name, each in known
            ],
            "ledger": self.ledger.to_dict(),
        }
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        models.write(path, {"header": text} | arrays)

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> RelationalModel:
        """Read the arrays of a file that `save` wrote.

        Raises:
            DataError: another format.
        """
        header = json.loads(arrays["header"].tobytes())
        if header["format"] != FORMAT:
            raise DataError(rule("its format", header["format"], f"{FORMAT}, which this version of Pasteur reads"))
        domains = {name: Domain.of(sizes, ordinal=ordinal) for name, (sizes, ordinal) in header["domains"].items()}
        conditionals: dict[str, dict[str, Conditional]] = {}
        for number, each in enumerate(header["conditionals"]):
            groups = tuple(arrays[f"groups_{number}_{place}"] for place in range(len(each["contexts"])))
            conditionals.setdefault(each["table"], {})[each["target"]] = _conditional(
                each, arrays[f"shares_{number}"], groups
            )
        measured = tuple(
            Measurement(clique=tuple(each["clique"]), values=arrays[f"noisy_{number}"], sigma=each["sigma"])
            for number, each in enumerate(header["measurements"])
        )
        return cls(
            settings=header["settings"],
            name=header["name"],
            root=models.of_arrays({name.removeprefix(ROOT): a for name, a in arrays.items() if name.startswith(ROOT)}),
            relations=tuple(Relation(**each | {"order": tuple(each["order"])}) for each in header["relations"]),
            columns={name: Columns(**_tuples(each)) for name, each in header["columns"].items()},
            domains=domains,
            conditionals=conditionals,
            measured=measured,
            ids=header["ids"],
            looked=_looked(header["looked"], arrays, domains),
        )


def _foreign(at: NDArray[np.int64]) -> pa.Array:
    """The keys of the rows `at`, which are numbered from 1; null where that is -1."""
    return pa.array(at + 1, mask=at < 0)


def _looked(
    described: list[dict[str, Any]], arrays: Mapping[str, np.ndarray], domains: Mapping[str, Domain]
) -> dict[str, dict[str, Looked]]:
    """What is known of public rows.

    Raises:
        ValueError: its codes are none.
    """
    found: dict[str, dict[str, Looked]] = {}
    for number, each in enumerate(described):
        codes, size, column = arrays[f"looked_{number}"], int(each["size"]), each["column"]
        fits = codes.dtype.kind in "iu" and codes.shape == domains[each["table"]].shape((column,))
        if not fits or codes.min() < 0 or codes.max() >= size:
            raise ValueError(rule(f"what {column} leads to", codes.dtype, f"whole numbers under {size}"))
        looked = Looked(column=column, codes=codes, size=size, ordinal=bool(each["ordinal"]))
        found.setdefault(each["table"], {})[each["name"]] = looked
    return found


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def _conditional(raw: Mapping[str, Any], shares: np.ndarray, groups: tuple[np.ndarray, ...]) -> Conditional:
    """A distribution that rows can be drawn from.

    Raises:
        ValueError: it is none.
    """
    if shares.dtype.kind != "f" or shares.ndim != len(groups) + 1 or not (shares >= 0).all():
        raise ValueError(rule("shares", shares.dtype, f"0 or more, of {len(groups) + 1} axes"))
    if not np.allclose(shares.sum(axis=-1), 1):
        raise ValueError(rule("shares", "their sums", "1"))
    for codes, size in zip(groups, shares.shape, strict=False):
        if codes.dtype.kind not in "iu" or codes.ndim != 1 or codes.min() < 0 or codes.max() >= size:
            raise ValueError(rule("groups of a context", codes.dtype, f"whole numbers under {size}"))
    return Conditional(target=raw["target"], contexts=tuple(raw["contexts"]), groups=groups, shares=shares)
