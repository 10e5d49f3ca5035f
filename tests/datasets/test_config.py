from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pasteur.app.typed import build
from pasteur.datasets import SPLITS
from pasteur.datasets.config import DatasetConfig, FileConfig
from pasteur.errors import ConfigError

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "dataset").glob("*.yaml"))


def test_a_name_and_a_file_are_a_data_set(project):
    config = project.config()
    assert list(config.tables) == ["core"]
    assert config.tables["core"].files == ["core"]
    assert config.salt == "mine"
    assert (config.unit.column, config.unit_table) == (None, "core")
    assert [getattr(config.ratios, split) for split in SPLITS] == [0.4, 0.4, 0.1, 0.1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: my-data", "name (my-data) must be letters, digits and underscores, a letter first"),
        ("files: {}", "files (none) must be at least one file"),
        ("files: {core: {path: ''}}", "path () must be a path or a url"),
        ("files: {core: {path: a.csv, sha256: abc}}", "sha256 (abc) must be 64 hexadecimal digits in lower case"),
        ("files: {a: {path: x/f.csv}, b: {path: y/f.csv}}", "files.b (f.csv) must be named other than files.a"),
        ("tables: {core: {files: [cor]}}", "tables.core.files (cor) must be a name that exists; did you mean 'core'?"),
        ("tables: {core: {types: {a: int}}}", "types.a (int) must be one of int64, float64"),
        ("tables: {core: {formats: {a: '%Y'}}}", "types.a (not declared) must be date or timestamp"),
        ("tables: {core: {rename: {a: c, b: c}}}", "rename (c, c) must be different names"),
        ("tables: {core: {foreign_keys: {a: b}}}", "foreign_keys.a (b) must be <table>.<column>"),
        ("tables: {core: {foreign_keys: {a: cor.b}}}", "core.foreign_keys.a (cor) must be a name that exists"),
        (
            "source: {kind: bundle}",
            "source.kind (bundle) must be one of bundled, url, pypi, postgres; did you mean 'bundled'?",
        ),
        ("source: {kind: pypi, package: x}", "source.package (x) must be a package with its exact version"),
        ("source: {kind: pypi, package: --pre==1}", "source.package (--pre==1) must be a package"),
        ("source: {kind: bundled}", "files.core.sha256 (None) must be given, as the source is bundled"),
        ("source: {max_bytes: 0}", "source.max_bytes (0) must be 1 or more"),
        ("read: {format: cvs}", "read.format (cvs) must be one of auto, csv, parquet, feather, json, excel"),
        ("read: {delimiter: ';;'}", "read.delimiter (';;') must be one character"),
        ("read: {encoding: utf-9}", "read.encoding (utf-9) must be an encoding that Python knows"),
        ("read: {names: [a, A]}", "read.names (a, A) must be different from one another"),
        ("ratios: {wrk: 0.5}", "ratios (sum 1.1) must be shares that sum to 1"),
        ("ratios: {wrk: 0.0, ref: 0.8}", "ratios.wrk (0.0) must be above 0"),
        ("ratios: {wrk: 1.5, ref: -0.5}", "ratios.wrk (1.5) must be between 0 and 1"),
        ("unit: {table: cor}", "unit.table (cor) must be a name that exists"),
        ("files: {a: {path: a}, b: {path: b}}", "unit.column (None) must be given, as there are several tables (a, b)"),
        ("tables: {core: {public: true}}", "tables.core.public (true) must be false: each person is a row of it"),
        (
            (
                "{files: {a: {path: a}, b: {path: b}}, unit: {column: x}, "
                "tables: {a: {}, b: {public: true, foreign_keys: {y: a.x}}}}"
            ),
            "tables.b.public (true) must be false: its column 'y' names rows of 'a', which is not public",
        ),
        ("tabels: {}", "dataset.tabels is not a known setting; did you mean 'tables'?"),
    ],
)
def test_what_cannot_be_is_refused(project, text, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        project.config(text)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_data_set_says_whose_it_is_and_pins_its_bytes(path, shipped):
    config = shipped(path.stem)
    assert config.name == path.stem.removesuffix("_postgres")  # a twin in a server is the same data set
    assert all((config.title, config.attribution, config.licence, config.home, config.salt))
    assert all(file.sha256 for file in config.files.values())
    defaults = yaml.safe_load(path.read_text(encoding="utf-8"))["defaults"]
    assert any("/view@_global_.view" in entry for entry in defaults)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/rows.csv", "rows.csv"),
        ("https://example.org/a/rows.csv?v=1", "rows.csv"),
        ("zip://in/rows.csv::package/data/all.zip", "rows.csv"),
        ("zip://rows.parquet::https://example.org/all.zip", "rows.parquet"),
        ("simplecache::https://example.org/rows.csv", "rows.csv"),
    ],
)
def test_a_raw_file_is_called_as_it_is_where_it_comes_from(path, name):
    assert FileConfig(path=path).filename == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: {kind: postgres}", "files (none) must be left out and tables given"),
        (
            "{source: {kind: postgres}, files: {a: {path: a}}, tables: {a: {}}}",
            "files (a) must be left out and tables given",
        ),
        (
            "{source: {kind: postgres}, tables: {a: {}}}",
            "unit.column (None) must be given, as the tables are in a server",
        ),
        (
            "{source: {kind: postgres}, unit: {column: id}, tables: {a: {nulls: ['?']}}}",
            "tables.a.nulls must be left out for postgres",
        ),
        ("{files: {a: {path: a}}, tables: {a: {relation: x.y}}}", "tables.a.relation (x.y) must be left out"),
        ("source: {kind: postgres, seconds: 0}", "source.seconds (0.0) must be above 0"),
        (
            "source: {kind: postgres, variable: 'postgresql://me:secret@host/x'}",
            "source.variable must be the name of an",
        ),
    ],
)
def test_what_a_server_does_not_have_is_refused(text, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        build(DatasetConfig, {"name": "people", **yaml.safe_load(text)}, "dataset")
    assert "secret" not in str(caught.value)
