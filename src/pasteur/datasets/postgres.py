"""A data set whose tables live in Postgres: nothing is copied but keys and views.

Its splits are those of the same ids and salt in files: the server computes the hash of `keys`.
"""

# ruff: noqa: S608 - names and texts are quoted

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pasteur.datasets.config import SPLITS
from pasteur.datasets.keys import thresholds
from pasteur.errors import ConfigError, DataError, near_miss, rule
from pasteur.files import write_text
from pasteur.postgres import Relation, Snapshot, TableSpec, literal, qualified, shadows
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pasteur.datasets.config import DatasetConfig

RECORD = "server.json"
"""When a data set was last read anew on purpose; beside the raw files of other data sets."""

logger = logging.getLogger(__name__)


def connect(dataset: DatasetConfig, folder: Path, *, refresh: bool = False) -> Snapshot:
    """What the server holds now, and whether that is what was read before.

    A label of the YAML (`source.snapshot`) is taken at its word, and no server asked. Else the answer of the query
    `source.digest` decides, and where there is none, a digest over all rows that the server computes.

    Args:
        dataset: a data set whose source is a server.
        folder: where `server.json` lies.
        refresh: read everything anew, once, whatever label and digest say.

    Raises:
        ConfigError: nothing says where the server is.
        DataError: it cannot be reached, or a table is not there or may not be read.
    """
    source = dataset.source
    snapshot = Snapshot(dataset.name, specs(dataset), variable=source.variable, seconds=source.seconds)
    try:
        if source.snapshot:
            snapshot.recorded["snapshot"] = source.snapshot
        elif source.digest:
            snapshot.recorded["digest"] = _asked(snapshot, source.digest)
        else:
            snapshot.recorded["content"] = _content(snapshot)
    except BaseException:
        snapshot.close()
        raise
    if refresh:
        write_text(folder / RECORD, json.dumps({"refreshed": datetime.now(UTC).isoformat()}) + "\n")
    if at := _refreshed(folder / RECORD):
        snapshot.recorded["refreshed"] = at
    return snapshot


def _refreshed(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["refreshed"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _asked(snapshot: Snapshot, query: str) -> str:
    """Digest of what a query of the YAML answers."""
    where = f"{snapshot.where}, source.digest"
    rows = snapshot.session.rows(f"SELECT q::text AS row FROM ({query}\n) AS q", where=where)
    return hashlib.sha256("\n".join(sorted(str(row["row"]) for row in rows)).encode()).hexdigest()


def _content(snapshot: Snapshot) -> str:
    """Digest of all rows, whatever their order."""
    logger.info("the server computes a digest of %d tables; source.snapshot or .digest is faster", len(snapshot.tables))
    digest = hashlib.sha256()
    for name, relation in snapshot.relations.items():
        row = snapshot.session.one(
            "SELECT count(*) AS many, coalesce(sum(hashtextextended(r::text, 0)::numeric), 0)::text AS total "
            f"FROM ({relation.select()}) AS r",
            where=f"{snapshot.where}, table '{name}'",
        )
        shape = [(field.name, field.kind) for field in relation.fields.values()]
        digest.update(json.dumps([name, shape, row["many"], row["total"]]).encode())
    return digest.hexdigest()


def specs(dataset: DatasetConfig) -> dict[str, TableSpec]:
    """Where each table is in the server."""
    made = {}
    for name, table in dataset.tables.items():
        schema, relation = _place(table.relation or name, dataset.source.schema, table=name)
        made[name] = TableSpec(
            schema=schema, name=relation, types=table.types, rename=table.rename, drop=tuple(table.drop)
        )
    return made


def _place(name: str, schema: str, *, table: str) -> tuple[str, str]:
    """`schema.table` or `table`, as the server has them; a name with a dot stands in double quotes."""
    parts: list[str] = []
    rest = name
    while rest:
        if rest.startswith('"'):
            end = rest.find('"', 1)
            part, rest = rest[1:end], rest[end + 1 :]
            if end < 0 or (rest and not rest.startswith(".")):
                break
            rest = rest[1:]
        else:
            part, _, rest = rest.partition(".")
        parts.append(part)
    if rest or not 1 <= len(parts) <= 2 or not all(parts):
        raise ConfigError(rule(f"tables.{table}.relation", name, 'table, schema.table or "a name"."with dots"'))
    return (parts[0], parts[1]) if len(parts) == 2 else (schema, parts[0])


def units_sql(dataset: DatasetConfig, relations: Mapping[str, Relation]) -> str:
    """SQL of the ids of all units, each once: the text column `_unit`."""
    relation = relations[dataset.unit_table]
    return f"SELECT DISTINCT {_unit(dataset, relation)}::text AS {qualified(UNIT)} FROM {relation.source} AS t"


def split_sql(dataset: DatasetConfig, unit: str) -> str:
    """SQL of the place in `SPLITS` of a unit, of which `unit` is SQL of the id as text."""
    hashed = f"encode(sha256(convert_to({literal(dataset.salt)} || {unit}, 'UTF8')), 'hex')"
    position = f"('x0' || left({hashed}, 15))::bit(64)::bigint"
    first, second, third = thresholds(dataset.ratios)
    return f"width_bucket({position}, ARRAY[{first}, {second}, {third}]::bigint[])"


def split_keys(dataset: DatasetConfig, snapshot: Snapshot) -> dict[str, Table]:
    """The ids of each split's units, sorted: tables with the one text column `_unit`.

    Raises:
        DataError: what the YAML says of rows together does not hold, a unit is missing, or a split gets none.
    """
    _check_rows(dataset, snapshot)
    units = units_sql(dataset, snapshot.relations)
    where = f"{snapshot.where}, keys"
    text = f"SELECT {qualified(UNIT)}, {split_sql(dataset, qualified(UNIT))} AS split FROM ({units}) AS u"
    counted = snapshot.session.rows(f"SELECT split, count(*) AS many FROM ({text}) AS s GROUP BY split", where=where)
    many = {row["split"]: row["many"] for row in counted}
    if many.pop(None, 0):
        raise DataError(
            f"table '{dataset.unit_table}': unit column '{dataset.unit.column}' must not be missing, but is in rows"
        )
    for code, split in enumerate(SPLITS):
        if not many.get(code) and getattr(dataset.ratios, split) > 0:
            raise DataError(
                f"data set '{dataset.name}': split '{split}' has no {dataset.unit.name}, as there are "
                f"{sum(many.values())} in all; add data or change its ratios"
            )
    schema = pa.schema([(UNIT, pa.string())])

    def made(code: int) -> Table:
        chosen = (
            f'SELECT {qualified(UNIT)} FROM ({text}) AS s WHERE split = {code} ORDER BY {qualified(UNIT)} COLLATE "C"'
        )

        def make() -> Iterator[pa.RecordBatch]:
            for batch in snapshot.session.stream(chosen, where=where):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

        return Table.stream(schema, make, rows=many.get(code, 0))

    return {split: made(code) for code, split in enumerate(SPLITS)}


def _unit(dataset: DatasetConfig, relation: Relation) -> str:
    """SQL of the unit column's values over the server's own table.

    Raises:
        DataError: it is not there, or of a type whose text is not the same everywhere.
    """
    column = str(dataset.unit.column)
    if column not in relation.fields:
        miss = near_miss(column, relation.fields)
        raise DataError(f"column '{column}' is not in table '{relation.table}' (unit){miss}")
    field = relation.fields[column]
    if field.kind not in ("bigint", "text"):
        raise DataError(
            f"table '{relation.table}': unit column '{column}' must be text, whole numbers or uuids, but is "
            f"{field.shown}; cast it in the YAML: types: {{{column}: string}}"
        )
    return relation.value(column)


def _check_rows(dataset: DatasetConfig, snapshot: Snapshot) -> None:
    """Refuse values that come twice where they are unique, and children without a parent."""
    relations, with_ = snapshot.relations, shadows(snapshot.relations)
    for name, entry in dataset.tables.items():
        for column in (*entry.unique, *entry.foreign_keys):
            if column not in relations[name].fields:
                miss = near_miss(column, relations[name].fields)
                raise DataError(f"column '{column}' is not in table '{name}'{miss}")
        for column in entry.unique:
            one = qualified(column)
            found = snapshot.session.one(
                f"WITH {with_} SELECT count(*) - count({one}) AS missing, count({one}) - count(DISTINCT {one}) "
                f"AS twice FROM {qualified(name)}",
                where=f"{snapshot.where}, table '{name}'",
            )
            if found["missing"] or found["twice"]:
                what = "is missing" if found["missing"] else "has an earlier value"
                many = found["missing"] or found["twice"]
                raise DataError(f"table '{name}': column '{column}' must be unique, but {what} in {many:,} rows")
        for column, goal in entry.foreign_keys.items():
            _check_parents(snapshot, name, column, goal)


def _check_parents(snapshot: Snapshot, name: str, column: str, goal: str) -> None:
    parent, key = goal.split(".")
    if key not in snapshot.relations[parent].fields:
        miss = near_miss(key, snapshot.relations[parent].fields)
        raise DataError(f"column '{key}' (foreign_keys of table '{name}') is not in table '{parent}'{miss}")
    kinds = [snapshot.relations[name].fields[column].kind, snapshot.relations[parent].fields[key].kind]
    if kinds[0] != kinds[1]:
        raise DataError(rule(f"types of {name}.{column} and {goal}", f"{kinds[0]} and {kinds[1]}", "the same"))
    found = snapshot.session.one(
        f"WITH {shadows(snapshot.relations)} SELECT count(*) AS many FROM {qualified(name)} AS c WHERE "
        f"c.{qualified(column)} IS NOT NULL AND NOT EXISTS (SELECT FROM {qualified(parent)} AS p "
        f"WHERE p.{qualified(key)} = c.{qualified(column)})",
        where=f"{snapshot.where}, table '{name}'",
    )
    if found["many"]:
        raise DataError(f"table '{name}': column '{column}' names no row of {goal} ({found['many']:,} such rows)")
