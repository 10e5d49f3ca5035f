"""`Recoding`: embedding settings of one run over those that its schema's metadata declare.

`schema.bins` is the number of bins of every column that has bins; `schema.embeddings.<component>.<column>.<setting>` a
setting of one column's embedding. They are public, as the metadata are; what a column may hold stays as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.manifest import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pasteur.schema import Column, Schema, TableSchema

BINS = "bins"
TYPE = "type"


@dataclass(frozen=True, kw_only=True)
class Recoding:
    """What lies over a schema's embeddings; nothing, as a rule."""

    bins: int | None = None
    """Of every column whose embedding has bins; None: as the schema says."""
    embeddings: Mapping[str, Any] = field(default_factory=dict)
    """Component -> column -> settings over its embedding's; a `type` among them replaces the whole embedding."""

    def __post_init__(self) -> None:
        """Refuse a number of bins that is none."""
        if self.bins is not None and self.bins < 1:
            raise ConfigError(rule("schema.bins", self.bins, "1 or more, or null for as many as the schema says"))

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self.bins is not None or bool(self.embeddings)

    def name(self, schema: str) -> str:
        """What its artefacts are called after: the schema, and a digest of what lies over it."""
        return f"{schema}-{digest(self)[:8]}" if self else schema

    @property
    def words(self) -> tuple[str, ...]:
        """The settings as they are said on the command line."""
        return tuple(f"{name}={value}" for name, value in _leaves(asdict(self), "schema") if value not in (None, {}))

    def of(self, schema: Schema) -> Schema:
        """The schema with these settings over its own.

        Raises:
            ConfigError: a component or a column is not there, or nothing has bins.
            SchemaError: an embedding has no such setting, or its value breaks a rule.
        """
        from pasteur.embeddings.table import TableEncoder  # brings pyarrow, which `--help` does without

        _known(self.embeddings, schema.tables, "schema.embeddings", "a component of the view")
        tables = {name: self._table(table) for name, table in schema.tables.items()}
        if self.bins is not None and not any(_binned(c) for table in tables.values() for c in table.columns):
            raise ConfigError(rule("schema.bins", self.bins, f"null: no column of schema '{schema.name}' has bins"))
        for table in tables.values():
            TableEncoder.declare(table)
        return replace(schema, tables=tables)

    def _table(self, table: TableSchema) -> TableSchema:
        own = self.embeddings.get(table.name, {})
        where = f"schema.embeddings.{table.name}"
        coded = [column.name for column in table.columns if column.embedding]
        _known(own, coded, where, f"a column of {table.name} with an embedding")
        return replace(table, columns=tuple(self._column(c, own.get(c.name, {}), where) for c in table.columns))

    def _column(self, column: Column, own: Any, where: str) -> Column:
        if not isinstance(own, Mapping):
            raise ConfigError(rule(f"{where}.{column.name}", own, "a mapping of an embedding's settings"))
        if self.bins is not None and _binned(column):
            column = replace(column, embedding={**(column.embedding or {}), BINS: self.bins})
        if not own:
            return column
        return replace(column, embedding={**({} if TYPE in own else column.embedding or {}), **own})


def _binned(column: Column) -> bool:
    return BINS in (column.embedding or {})


def _leaves(given: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(given, dict) and given:
        for key, value in given.items():
            yield from _leaves(value, f"{where}.{key}")
    else:
        yield where, given


def _known(given: Any, names: Any, where: str, what: str) -> None:
    if not isinstance(given, Mapping):
        raise ConfigError(rule(where, given, "a mapping"))
    for name in given:
        if name not in names:
            raise ConfigError(f"{where}.{name} is not {what}{near_miss(str(name), names)}")
