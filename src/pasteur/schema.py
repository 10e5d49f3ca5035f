"""`Schema`: what is publicly known of a view's tables. `pasteur.metadata` reads it from files.

A document has two parts: `sdv`, valid SDV V2 metadata that stands alone, and `pasteur`, with each column's embedding,
declared domain and its source, the predictive targets and the privacy unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pasteur import schema_shape
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMN_KEYS = ("embedding", "domain", "source", "declared")
PASTEUR_KEYS = ("tables", "compressors", "targets", "unit")
TABLE_KEYS = ("columns", "drop", "max_rows", "owner")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: SDV's type, and how it becomes discrete. Ids have no embedding and no domain."""

    name: str
    table: str
    sdtype: str
    embedding: Mapping[str, Any] | None
    domain: Mapping[str, Any] | None
    source: str | None
    declared: bool
    sdv: Mapping[str, Any]

    @property
    def where(self) -> str:
        """`table.column`, for messages."""
        return f"{self.table}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """One component's columns, in the original's order."""

    name: str
    columns: tuple[Column, ...]
    primary_key: str | None
    drop: tuple[str, ...] = ()
    """Columns of the view that this schema leaves out on purpose; any other that it does not describe is an error."""
    order: str | None = None
    """The column by which the rows of one parent stand (SDV's `sequence_index`); None: they have no order."""
    max_rows: int | None = None
    """Of a child table the rows that count of one parent's, at most: the first ones in order; None: not declared."""
    owner: str | None = None
    """Of a table with two parents the one under which its rows are drawn."""

    def __post_init__(self) -> None:
        """Refuse a maximum that is no positive whole number, and a key or an order that is no column."""
        rows, key = self.max_rows, self.primary_key
        if key is not None and key not in self.names:
            raise SchemaError(f"{self.name}: primary_key '{key}' is no column{near_miss(key, self.names)}")
        if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 1):
            raise SchemaError(rule(f"{self.name}.max_rows", rows, "a whole number of 1 or more"))
        if self.order is not None and self.order not in self.names:
            raise SchemaError(
                f"{self.name}: sequence_index '{self.order}' is no column{near_miss(self.order, self.names)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column called `name`.

        Raises:
            SchemaError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        message = f"column '{name}' is not in table '{self.name}'{near_miss(name, self.names)}"
        raise SchemaError(message)


@dataclass(frozen=True, kw_only=True)
class Relationship:
    """Each row of the child names one row of the parent."""

    parent_table: str
    parent_key: str
    child_table: str
    child_key: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """A column that predictive models are asked for. `positive` is the class that counts as positive."""

    table: str
    column: str
    kind: Literal["classification", "regression"]
    positive: str | None = None


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The privacy unit: at most `max_rows` rows of a unit are used; more are dropped before anything is counted."""

    max_rows: int = 1
    rows_public: bool = False

    def __post_init__(self) -> None:
        """Refuse a maximum that is no positive integer."""
        if not isinstance(self.max_rows, int) or isinstance(self.max_rows, bool) or self.max_rows < 1:
            raise SchemaError(rule("unit.max_rows", self.max_rows, "a whole number of at least 1"))


@dataclass(frozen=True, kw_only=True)
class Schema:
    """All that is declared of a view. `sdv` is the plain SDV V2 metadata."""

    name: str
    tables: Mapping[str, TableSchema]
    relationships: tuple[Relationship, ...]
    targets: tuple[Target, ...]
    unit: Unit
    sdv: Mapping[str, Any]
    compressors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of components that are series: the compressor's type and settings, see `pasteur.compressors`."""
    public: Mapping[str, TableSchema] = field(default_factory=dict)
    """Tables that are nobody's. They are in no split and are not drawn."""
    naming: tuple[Relationship, ...] = ()
    """Columns of `tables` that name rows of `public`: levels of which each is the key of one."""
    whole_sdv: Mapping[str, Any] = field(default_factory=dict)
    """`sdv` with the public tables and the relationships to them: what is handed out with the data."""

    def table(self, name: str) -> TableSchema:
        """The table called `name`.

        Raises:
            SchemaError: there is none.
        """
        if name not in self.tables:
            message = f"table '{name}' is not in schema '{self.name}'{near_miss(name, self.tables)}"
            raise SchemaError(message)
        return self.tables[name]

    def undeclared(self) -> tuple[Column, ...]:
        """Columns whose domain was taken from data and not yet confirmed by a person (`"declared": false`)."""
        return tuple(c for table in self.tables.values() for c in table.columns if not c.declared)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], *, name: str, file: str) -> Schema:
        """Read the two-part form.

        Args:
            raw: the merged JSON document.
            name: what the schema is called in messages, `<view>.<schema>`.
            file: the file named in errors.

        Raises:
            SchemaError: an unknown key, a column that only one part knows, a target that is no column.
        """
        schema_shape.check(raw, file=file)
        _known(raw, ("sdv", "pasteur"), file)
        sdv, ours = raw.get("sdv", {}), raw.get("pasteur", {})
        _known(ours, PASTEUR_KEYS, f"{file}: pasteur")
        plain, declared = sdv.get("tables", {}), ours.get("tables", {})
        for table in declared:
            if table not in plain:
                raise SchemaError(f"{file}: pasteur.tables: '{table}' is not in the sdv part{near_miss(table, plain)}")
        tables = {t: _table(t, entry, declared.get(t, {}), file) for t, entry in plain.items()}
        relationships = tuple(
            Relationship(
                parent_table=r["parent_table_name"],
                parent_key=r["parent_primary_key"],
                child_table=r["child_table_name"],
                child_key=r["child_foreign_key"],
            )
            for r in sdv.get("relationships", [])
        )
        unit = ours.get("unit", {})
        _known(unit, ("max_rows", "rows_public"), f"{file}: pasteur.unit")
        targets = tuple(_target(entry, tables, file) for entry in ours.get("targets", []))
        compressors = ours.get("compressors", {})
        _known(compressors, tuple(tables), f"{file}: pasteur.compressors")
        return cls(
            name=name,
            tables=tables,
            relationships=relationships,
            targets=targets,
            unit=Unit(**unit),
            sdv=sdv,
            compressors=compressors,
            whole_sdv=sdv,
        )


def _known(entry: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in entry:
        if key not in keys:
            raise SchemaError(f"{where}: '{key}' is not a known key{near_miss(key, keys)}")


def _table(name: str, sdv: Mapping[str, Any], ours: Mapping[str, Any], file: str) -> TableSchema:
    _known(ours, TABLE_KEYS, f"{file}: pasteur.tables.{name}")
    described = ours.get("columns", {})
    for column in described:
        if column not in sdv["columns"]:
            raise SchemaError(
                f"{file}: {name}: column '{column}' is not in the sdv part{near_miss(column, sdv['columns'])}"
            )
    columns = tuple(_column(name, c, entry, described.get(c, {}), file) for c, entry in sdv["columns"].items())
    more = {key: ours[key] for key in ("max_rows", "owner") if key in ours}
    key = sdv.get("primary_key")
    if isinstance(key, list):
        listed = ", ".join(key)
        raise SchemaError(rule(f"{file}: {name}: primary_key", listed, "one column: composite keys are not known"))
    return TableSchema(
        name=name,
        columns=columns,
        primary_key=key,
        drop=tuple(ours.get("drop", ())),
        order=sdv.get("sequence_index"),
        **more,
    )


def _column(table: str, name: str, sdv: Mapping[str, Any], ours: Mapping[str, Any], file: str) -> Column:
    _known(ours, COLUMN_KEYS, f"{file}: {table}.{name}")
    if sdv["sdtype"] != "id" and not ours.get("embedding"):
        raise SchemaError(f"{file}: column {table}.{name} must have an embedding and a declared domain")
    if ours.get("embedding") and ours.get("domain") is not None and not ours.get("source"):
        raise SchemaError(f"{file}: column {table}.{name} must say where its domain is known from (`source`)")
    return Column(
        name=name,
        table=table,
        sdtype=sdv["sdtype"],
        embedding=ours.get("embedding"),
        domain=ours.get("domain"),
        source=ours.get("source"),
        declared=ours.get("declared", True),
        sdv=sdv,
    )


def _target(entry: Mapping[str, Any], tables: Mapping[str, TableSchema], file: str) -> Target:
    _known(entry, ("table", "column", "kind", "positive"), f"{file}: pasteur.targets")
    target = Target(**entry)
    if target.table not in tables:
        raise SchemaError(
            f"{file}: target table '{target.table}' is not in the schema{near_miss(target.table, tables)}"
        )
    tables[target.table].column(target.column)
    if target.kind not in ("classification", "regression"):
        raise SchemaError(rule(f"{file}: target {target.column}: kind", target.kind, "classification or regression"))
    return target
