"""`metrics/<dataset>/` and `metrics/<view>/`: which families, targets and queries run. Always read when there.

`metrics.yml` holds any of

    families: [marginals, predictive, sql]    # default: all that run at the depth
    targets: [income]                         # default: every target that the schema declares
    queries: [general.*, population.work]     # patterns of <topic>.<metric name>; default: all
    triples: 200                              # 3-way marginals, whatever the depth

and lies beside `bench.<topic>.sql`. What the view's says lies over what the data set's says; what the command line says
(`metrics.families`, `metrics.triples`) over both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.metrics.families import families
from pasteur.metrics.predictive import label
from pasteur.metrics.sql import checked, tables_of
from pasteur.metrics.sql_parse import Query, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pasteur.metrics.config import MetricsConfig
    from pasteur.schema import Schema

KEYS = ("families", "targets", "queries", "triples")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is measured: the schema with the chosen targets, the settings with the chosen families, the queries."""

    schema: Schema
    settings: MetricsConfig
    queries: tuple[Query, ...]
    notes: Mapping[str, str]
    """Query -> why it does not run on this view."""


def load(settings: MetricsConfig, *, schema: Schema, dataset: str, view: str, folders: Sequence[Path]) -> Bench:
    """Read what is hand-written for a data set and a view.

    Args:
        settings: the command line's.
        schema: `metrics.schema`, whose targets and components are the choices.
        dataset: the data set's name.
        view: the view's name.
        folders: where `<dataset>/` and `<view>/` are looked for; a file of the first folder hides one of the same name
            in the next.

    Raises:
        ConfigError: `metrics.yml` names something that is not there.
        SqlError: a query cannot be read, or one of the view's names a table that the view lacks.
    """
    said: dict[str, Any] = {}
    queries: list[tuple[str, Query]] = []
    notes: dict[str, str] = {}
    readable = (*schema.tables, *schema.public)
    for owner in dict.fromkeys((dataset, view)):
        if file := _first(folders, owner, "metrics.yml"):
            said |= _read(file)
        for topic, file in _benches(folders, owner).items():
            for query in read(file):
                if missing := [t for t in tables_of(query) if t not in readable]:
                    reason = f"names '{missing[0]}', which view '{view}' lacks"
                    if owner == view:
                        raise ConfigError(f"{query.where}: {reason}{near_miss(missing[0], readable)}")
                    notes[query.metric] = reason
                    continue
                checked(query.sql, query.where, readable)
                queries.append((topic, query))
    _unique([query for _, query in queries])
    chosen = replace(
        settings,
        families=said.get("families") if settings.families is None else settings.families,
        triples=said.get("triples") if settings.triples is None else settings.triples,
    )
    for family in chosen.families or ():
        if family not in families():
            raise ConfigError(f"metrics: no family '{family}'{near_miss(family, families())}")
    return Bench(
        schema=replace(schema, targets=_targets(schema, said.get("targets"))),
        settings=chosen,
        queries=_queries(queries, said.get("queries")),
        notes=notes,
    )


def _first(folders: Sequence[Path], owner: str, name: str) -> Path | None:
    return next((folder / owner / name for folder in folders if (folder / owner / name).is_file()), None)


def _benches(folders: Sequence[Path], owner: str) -> dict[str, Path]:
    """Topic -> file, topics in order."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / owner).glob("bench.*.sql")):
            found.setdefault(path.name.removeprefix("bench.").removesuffix(".sql"), path)
    return dict(sorted(found.items()))


def _read(path: Path) -> dict[str, Any]:
    import yaml

    where = "/".join(path.parts[-2:])
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: is not valid YAML") from error
    if not isinstance(said, dict):
        raise ConfigError(f"{where}: must be a mapping of {', '.join(KEYS)}")
    for key, value in said.items():
        if key not in KEYS:
            raise ConfigError(f"{where}: '{key}' is not a known key{near_miss(str(key), KEYS)}")
        if key == "triples":
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"{where}: {rule(key, value, 'a whole number of 0 or more')}")
        elif not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise ConfigError(f"{where}: {rule(key, value, 'a list of names')}")
    return said


def _unique(queries: Sequence[Query]) -> None:
    seen: dict[str, Query] = {}
    for query in queries:
        if query.metric in seen:
            raise ConfigError(f"{query.where}: must have a name of its own: {seen[query.metric].where} has it too")
        seen[query.metric] = query


def _targets(schema: Schema, names: Sequence[str] | None) -> tuple[Any, ...]:
    if names is None:
        return schema.targets
    known = {label(target, schema.targets): target for target in schema.targets}
    for name in names:
        if name not in known:
            raise ConfigError(f"metrics.yml: target '{name}' is not declared in the schema{near_miss(name, known)}")
    return tuple(known[name] for name in names)


def _queries(queries: Sequence[tuple[str, Query]], patterns: Sequence[str] | None) -> tuple[Query, ...]:
    if patterns is None:
        return tuple(query for _, query in queries)
    names = {f"{topic}.{query.metric.removeprefix('sql/')}": query for topic, query in queries}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(f"metrics.yml: queries: '{pattern}' matches no query{near_miss(pattern, names)}")
    return tuple(q for name, q in names.items() if any(fnmatchcase(name, pattern) for pattern in patterns))
