"""What all tests share: a small project of a user's own, and no judging by the clock."""

from __future__ import annotations

import json
import sys
import zlib
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from absl import logging as absl_logging
from hypothesis import settings
from pyarrow import csv

if TYPE_CHECKING:
    from pathlib import Path

# dp-accounting brings absl, whose log handler keeps the stderr of its import, here pytest's capture, and closes it when
# Hydra sets up logging in a test that captures by itself. It leaves the interpreter's own stderr open.
absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__

# A test's speed is the machine's.
settings.register_profile("pasteur", deadline=None)
settings.load_profile("pasteur")


def pytest_collection_modifyitems(items):
    """Slow tests go without coverage: tracing makes them slower by two thirds, and the others reach what they do."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.no_cover)


@contextmanager
def seeded(name: str):
    """Noise that follows from `name`, whose claims are not stamped."""
    from pasteur.privacy.entropy import SeededEntropy, SystemEntropy

    stream = SeededEntropy(zlib.crc32(name.encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemEntropy, "read", lambda self, size: stream.read(size))
        yield


@pytest.fixture
def same_noise(request):
    """A test's noise is its own, and the same in each run: one that asserts on noisy results never fails by chance."""
    with seeded(request.node.name):
        yield


@pytest.fixture(scope="module")
def same_noise_of_fixtures(request):
    """The same for what all tests of a file share."""
    with seeded(request.node.name):
        yield


CENSUS = "Census 1994, https://doi.org/10.24432/C5XW20"
PEOPLE = {
    "age": ("numerical", {"type": "uniform", "bins": 16}, {"min": 17, "max": 90}),
    "education-num": ("numerical", {"type": "integers"}, {"min": 1, "max": 16}),
    "relationship": (
        "categorical",
        {"type": "categories"},
        {"levels": ["Husband", "Not-in-family", "Other-relative", "Own-child", "Unmarried", "Wife"]},
    ),
    "sex": ("categorical", {"type": "categories"}, {"levels": ["Female", "Male"]}),
    "hours-per-week": ("numerical", {"type": "uniform", "bins": 10}, {"min": 1, "max": 99}),
    "income-per-year": ("categorical", {"type": "categories"}, {"levels": ["<=50K", ">50K"]}),
}
TYPES = {name: "int64" if kind == "numerical" else "string" for name, (kind, _, _) in PEOPLE.items()}
"""Their types; without them a run with a guarantee refuses the table."""


def people_metadata():
    """The metadata of the user's table: six columns of Adult, as a user would write it."""
    return {
        "sdv": {
            "METADATA_SPEC_VERSION": "V1",
            "tables": {"people": {"columns": {name: {"sdtype": kind} for name, (kind, _, _) in PEOPLE.items()}}},
            "relationships": [],
        },
        "pasteur": {
            "tables": {
                "people": {
                    "columns": {
                        name: {"embedding": embedding, "domain": domain, "source": CENSUS}
                        for name, (_, embedding, domain) in PEOPLE.items()
                    }
                }
            },
            "targets": [{"table": "people", "column": "income-per-year", "kind": "classification", "positive": ">50K"}],
        },
    }


@pytest.fixture(scope="session")
def adult_rows() -> pa.Table:
    """The first 3,000 people of Adult, as the bundled file has them."""
    with (files("pasteur.resources") / "data" / "adult" / "adult.csv.gz").open("rb") as stream:
        text = pa.CompressedInputStream(stream, "gzip").read()
    rows = csv.read_csv(pa.BufferReader(text))
    rows = rows.rename_columns([name.strip() for name in rows.column_names])
    return rows.slice(0, 3000).select(list(PEOPLE))


@pytest.fixture
def project(tmp_path, adult_rows):
    """A folder with `people.csv` and its metadata; call it for an `Experiment` there."""
    return make_project(tmp_path, adult_rows)


@pytest.fixture
def another(tmp_path_factory, adult_rows):
    """The same project once more, elsewhere."""
    return make_project(tmp_path_factory.mktemp("another"), adult_rows)


def make_project(root: Path, rows: pa.Table):
    """A user's project under `root`: one CSV file and one metadata file."""
    from pasteur import synth
    from pasteur.datasets.config import DatasetConfig, FileConfig, TableConfig
    from pasteur.experiment import Experiment
    from pasteur.metrics import MetricsConfig
    from pasteur.views import ViewConfig

    csv.write_csv(rows, root / "people.csv")
    (root / "metadata").mkdir()
    (root / "metadata" / "people.detail.json").write_text(json.dumps(people_metadata()))

    def experiment(algorithm="independent", **changes):
        made = Experiment(
            root=root,
            dataset=DatasetConfig(
                name="people",
                files={"people": FileConfig(path="people.csv")},
                tables={"people": TableConfig(types=TYPES)},
            ),
            view=ViewConfig(name="whole"),
            schema="detail",
            algorithm=algorithm,
            settings=synth.find(algorithm).Settings(),
            metrics=MetricsConfig(depth="quick", families=["marginals"]),
        )
        return replace(made, **changes)

    experiment.root = root
    return experiment
