"""People with visits, cut into splits; and the shipped views over real rows."""

from __future__ import annotations

import gzip
import itertools
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from pasteur import datasets
from pasteur.app.typed import build as typed
from pasteur.datasets import DatasetConfig
from pasteur.schema import Relationship
from pasteur.table import UNIT, Table
from pasteur.views import ViewConfig

CONFIGS = Path(__file__).parents[2] / "configs"
CACHE = Path(tempfile.gettempdir()) / "pasteur-test-data" / "data" / "orig" / "raw"
PEOPLE = 800
PARENTS = 60
SPLITS = ("wrk", "ref", "val", "dev")


@pytest.fixture(scope="session")
def shipped():
    """A shipped view by name, read as a notebook would."""

    def read(name):
        plain = yaml.safe_load((CONFIGS / "view" / f"{name}.yaml").read_text())
        plain.pop("defaults")
        return typed(ViewConfig, plain, "view")

    return read


@pytest.fixture(scope="session")
def relationships():
    return (Relationship(parent_table="people", parent_key="id", child_table="visits", child_key="person"),)


def keys_of(ids):
    """Four splits of the ids, as text."""
    shares = [sorted(str(i) for i in ids)[start::4] for start in range(4)]
    return {s: Table.of(pa.table({UNIT: pa.array(part, pa.string())})) for s, part in zip(SPLITS, shares, strict=True)}


@pytest.fixture(scope="session")
def people():
    """Forty people, number 7 with most visits; ids are whole numbers, so that their text is not their order."""
    rng = np.random.default_rng(0)
    ids = np.arange(1, 41)
    persons = np.concatenate([rng.permutation(np.repeat(ids, 2)), np.full(9, 7)])
    return {
        "people": Table.of(pa.table({"id": ids, "age": rng.integers(20, 60, 40), "sex": rng.choice(["F", "M"], 40)})),
        "visits": Table.of(
            pa.table({"visit": np.arange(len(persons)), "person": persons, "cost": rng.normal(50, 9, len(persons))})
        ),
        "prices": Table.of(pa.table({"sex": ["F", "M"], "price": [1.5, 2.5]})),
    }


@pytest.fixture(scope="session")
def keys():
    return keys_of(range(1, 41))


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Data set, primary tables and keys of a shipped data set, by name: of its first units, or whole."""
    return cache(lambda name, *, whole=False: _real(name, tmp_path_factory.mktemp(name), whole=whole))


def _real(name, folder, *, whole):
    if name != "adult" and "PASTEUR_OFFLINE" in os.environ:
        pytest.skip("PASTEUR_OFFLINE: no package index to ask")
    plain = yaml.safe_load((CONFIGS / "dataset" / f"{name}.yaml").read_text())
    plain.pop("defaults")
    config = typed(DatasetConfig, plain, "dataset")
    raw = datasets.fetch(config, CACHE / name)
    children = [table for table, entry in config.tables.items() if entry.foreign_keys and not whole]
    if not whole:
        rows = PARENTS if children else PEOPLE
        raw = {file: path if file in children else _head(path, folder, rows) for file, path in raw.items()}
    parsed = datasets.parse(config, raw)
    for table in children:
        parsed[table] = _with_parents(config, table, parsed)
    tables = {table: Table.of(rows.arrow()) for table, rows in datasets.tidy(config, parsed).items()}
    return config, tables, datasets.split_keys(config, tables)


def _head(path, folder, rows):
    """The first rows of a raw file: the views' queries are the same over all of them, which `pasteur check` reads."""
    cut = folder / path.name
    if path.suffix == ".parquet":
        pq.write_table(pq.read_table(path).slice(0, rows), cut)
        return cut
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        text = "".join(itertools.islice(stream, rows))
    with opened(cut, "wt", encoding="utf-8") as stream:
        stream.write(text)
    return cut


def _with_parents(config, table, parsed):
    """The rows of a child table whose parents are among the first ones, and a few orphans that the data set lets be."""
    rows = parsed[table].arrow()
    entry = config.tables[table]
    for column, target in entry.foreign_keys.items():
        parent, key = target.split(".")
        named, keyed = (
            next((raw for raw, ours in config.tables[t].rename.items() if ours == c), c)
            for t, c in ((table, column), (parent, key))
        )
        kept = pc.is_in(rows[named], value_set=parsed[parent].arrow()[keyed]).to_numpy()
        if column in entry.orphans:
            kept = kept | (np.arange(rows.num_rows) % 50 == 0)
        rows = rows.filter(pa.array(kept))
    return Table.of(rows)
