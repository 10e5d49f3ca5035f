"""`metadata/*.json`: found, laid over one another, and cut to a view's tables.

`<view>.<schema>.json` lies over `<dataset>.<schema>.json`: a whole column entry replaces, `null` removes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pasteur import schema_shape
from pasteur.errors import SchemaError, rule
from pasteur.schema import Relationship, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`. Below a table's `columns` a whole entry replaces; `null` removes; lists replace."""
    merged: dict[str, Any] = deepcopy(dict(base))
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif key == "columns":
            kept = {**merged.get(key, {}), **value}
            merged[key] = {name: deepcopy(entry) for name, entry in kept.items() if entry is not None}
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = deepcopy(value)
    return merged


def load(
    *,
    view: str,
    dataset: str,
    schema: str,
    components: Iterable[str],
    folders: Sequence[Path],
    public: Iterable[str] = (),
) -> Schema:
    """The schema of a view: its own file over its data set's, cut to the view's components.

    Args:
        view: the view's name.
        dataset: the data set's name.
        schema: the schema's name.
        components: the view's components; tables of other names are left out.
        folders: where metadata files are looked for; the first folder that has a file wins.
        public: the view's tables that are nobody's.

    Raises:
        SchemaError: no file, no JSON, a component that neither file describes, or a part that contradicts itself.
    """
    names = dict.fromkeys((f"{dataset}.{schema}.json", f"{view}.{schema}.json"))
    found = [path for name in names for path in [_find(name, folders)] if path]
    if not found:
        raise SchemaError(f"schema '{schema}': no metadata/{' nor metadata/'.join(names)}")
    raw: dict[str, Any] = {}
    for path in found:
        document = _read(path)
        schema_shape.check(document, file=path.name, part=True)
        raw = merge(raw, document)
    wanted, nobodys = tuple(components), tuple(public)
    file = " over ".join(path.name for path in reversed(found))
    schema_shape.check(raw, file=file)
    for component in (*wanted, *nobodys):
        if component not in raw.get("sdv", {}).get("tables", {}):
            raise SchemaError(f"{file}: component '{component}' of view '{view}' is not described")
    name = f"{view}.{schema}"
    whole = Schema.parse(_cut(deepcopy(raw), (*wanted, *nobodys)), name=name, file=file)
    if not nobodys:
        return whole
    naming = tuple(r for r in whole.relationships if r.parent_table in nobodys and r.child_table in wanted)
    for link in naming:
        _check_naming(link, whole, file)
    plain = Schema.parse(_cut(_unrelated(raw, naming), wanted), name=name, file=file)
    return replace(plain, public={t: whole.tables[t] for t in nobodys}, naming=naming, whole_sdv=whole.sdv)


def _check_naming(link: Relationship, schema: Schema, file: str) -> None:
    """Refuse a column that names public rows but is not made of their keys."""
    keys: tuple[object, ...] = (link.child_key, link.parent_key)
    if not all(isinstance(key, str) for key in keys):
        raise SchemaError(rule(f"{file}: {link.child_table}: key", keys, "one column where it names public rows"))
    column, key = schema.table(link.child_table).column(link.child_key), schema.table(link.parent_table).primary_key
    if link.parent_key != key:
        must_be = f"the primary key of '{link.parent_table}' ({key})"
        raise SchemaError(rule(f"{file}: relationship to {column.where}: parent key", link.parent_key, must_be))
    embedding = column.embedding or {}
    if embedding.get("type") != "categories":
        must_be = f"categories, whose levels are keys of the public table '{link.parent_table}'"
        raise SchemaError(rule(f"{file}: {column.where}: embedding", embedding.get("type", "none"), must_be))


def _unrelated(raw: dict[str, Any], naming: Sequence[Relationship]) -> dict[str, Any]:
    """The document in which columns that name public rows are plain categories, as all but the relation sees them."""
    for link in naming:
        raw["sdv"]["tables"][link.child_table]["columns"][link.child_key] = {"sdtype": "categorical"}
    return raw


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise SchemaError(f"{path.name}: is not valid JSON ({error})") from error
    return document


def _cut(raw: dict[str, Any], components: Sequence[str]) -> dict[str, Any]:
    """The document with the tables named in `components` only, and the relationships and targets between them."""
    sdv, ours = raw["sdv"], raw.get("pasteur", {})
    sdv["tables"] = {t: sdv["tables"][t] for t in components}
    if "relationships" in sdv:
        ends = ("parent_table_name", "child_table_name")
        sdv["relationships"] = [r for r in sdv["relationships"] if all(r[end] in components for end in ends)]
    ours["tables"] = {t: entry for t, entry in ours.get("tables", {}).items() if t in components}
    ours["compressors"] = {t: entry for t, entry in ours.get("compressors", {}).items() if t in components}
    ours["targets"] = [t for t in ours.get("targets", []) if t.get("table") in components]
    return raw
