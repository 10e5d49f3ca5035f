"""The shipped queries and settings: read, checked and bound to the views they are written for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pasteur import metadata
from pasteur.embeddings.table import TableEncoder
from pasteur.metrics import MetricsConfig, load, measure
from pasteur.metrics.sql_parse import read
from pasteur.table import Table

ROOT = Path(__file__).parents[2]
VIEWS = {
    "adult": ("adult", ["core"]),
    "kdd_census": ("kdd_census", ["core"]),
    "lahman_careers": ("lahman", ["core", "batting"]),
    "lahman_people": ("lahman_people", ["core"]),
    "mimic_core": ("mimic_demo", ["core", "timeseries"]),
    "mimic_relational": ("mimic_demo", ["patients", "stays", "transfers", "lab_results"]),
    "nycflights": ("nycflights", ["core"]),
    "nycplanes": ("nycplanes", ["core", "flights"]),
}
PUBLIC = {"nycplanes": ["airports"]}


@pytest.mark.parametrize("view", VIEWS)
def test_every_shipped_query_runs_on_its_view(view):
    dataset, components = VIEWS[view]
    schema = metadata.load(
        view=view,
        dataset=dataset,
        schema="detail",
        components=components,
        folders=[ROOT / "metadata"],
        public=PUBLIC.get(view, ()),
    )
    bench = load(MetricsConfig(), schema=schema, dataset=dataset, view=view, folders=[ROOT / "metrics"])
    empty = {
        name: Table.of(TableEncoder.declare(table).decoded_schema.empty_table())
        for name, table in {**bench.schema.tables, **bench.schema.public}.items()
    }
    settings = MetricsConfig(families=["sql"])
    found = measure(empty, {"syn": empty}, schema=bench.schema, settings=settings, queries=bench.queries, seed=0)
    assert not found.failures
    assert not bench.notes
    assert len(bench.queries) >= {"adult": 12, "lahman_people": 4, "nycflights": 4, "mimic_core": 10}.get(view, 8)
    assert {raw.value for raw in found.raws["syn"]} == {1.0}


def test_every_file_belongs_to_a_view_or_data_set():
    folders = {path.parent.name for path in (ROOT / "metrics").glob("*/*.*") if "__pycache__" not in path.parts}
    assert folders == set(VIEWS)
    for path in (ROOT / "metrics").glob("*/bench.*.sql"):
        assert read(path)
