from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from pasteur.artefacts import DecodedFile
from pasteur.catalog import SPLITS, Paths, catalog, resource
from pasteur.plan import prepare
from pasteur.table import Table

V = "2026-01-02T03.04.05.678Z-0123abcd"
PATHS = Paths(root=Path("/r"))
TREE = {
    "orig/raw/adult": PATHS.raw("adult"),
    "orig/intermediate/adult/train.pq": PATHS.intermediate("adult", "train"),
    "orig/primary/adult/core.pq": PATHS.primary("adult", "core"),
    "orig/keys/adult.wrk.pq": PATHS.keys("adult", "wrk"),
    "views/orig/adult/core.dev.pq": PATHS.view("adult", "core", "dev"),
    "views/orig/nycplanes/airports.pq": PATHS.public("nycplanes", "airports"),
    "views/encoded/adult.coarse.pq/core.ref.pq": PATHS.encoded("adult", "coarse", "core", "ref"),
    "views/encoded/adult.coarse.dict.json": PATHS.dictionary("adult", "coarse"),
    "views/decoded/adult.coarse/core.wrk.csv": PATHS.decoded("adult", "coarse", "core", "wrk", "csv"),
    f"synth/models/adult.npz/{V}/adult.npz": PATHS.model("adult", V),
    f"synth/encoded/adult.pq/{V}/adult.pq/core.pq": PATHS.synthetic_codes("adult", V, "core"),
    f"synth/decoded/core.wrk.csv/{V}/core.wrk.csv": PATHS.synthetic("core", V, "csv"),
    f"synth/decoded/core.wrk.pq/{V}/core.wrk.pq": PATHS.synthetic("core", V, "pq"),
}
"""The tree of the design's section on folders; people find files by it."""


@pytest.mark.parametrize("expected", TREE)
def test_everything_lies_where_the_design_says(expected):
    assert TREE[expected] == Path("/r/data") / expected


def test_a_manifest_is_beside_neither_data_nor_another_manifest():
    """A folder of part files must hold nothing else, and `a.pq` and `a.json` must not share one."""
    held = [*TREE.values(), PATHS.run(V) / "scores.json", PATHS.units("adult"), PATHS.anchors("adult", "a")]
    manifests = [PATHS.manifest(path) for path in held]
    assert len(set(manifests)) == len(held)
    for path, manifest in zip(held, manifests, strict=True):
        assert ".manifests" in manifest.parts
        assert manifest.name == f"{path.name}.json"
    assert PATHS.manifest(Path("/r/data/a/x.pq")) == Path("/r/data/.manifests/a/x.pq.json")
    assert PATHS.manifest(Path("/r/outputs/a/x.json")) == Path("/r/outputs/.manifests/a/x.json.json")


@pytest.mark.parametrize(
    ("kind", "sample"),
    [("configs", "dataset/adult.yaml"), ("metadata", "adult.detail.json"), ("metrics", "adult/metrics.yml")],
)
def test_the_users_folder_comes_before_the_packaged_one(tmp_path, kind, sample):
    mine, packaged = Paths(root=tmp_path).folders(kind)
    assert mine == tmp_path / kind
    assert (packaged / sample).is_file()


def test_bundled_data_is_found():
    assert (resource("data") / "adult" / "adult.csv.gz").is_file()


@pytest.mark.parametrize("form", ["csv", "pq"])
def test_kedros_own_data_set_finds_the_version_and_the_latest(tmp_path, form):
    """`versioned: true` in a user's own catalog reads what runs have left."""
    from kedro.io.core import Version
    from kedro_datasets.pandas import CSVDataset, ParquetDataset

    paths = Paths(root=tmp_path)
    later = V.replace("03.04", "11.04")
    for number, version in enumerate((later, V)):
        table = pa.table({"a": [number]})
        DecodedFile(paths.synthetic("core", version, form), table.schema).save(Table.of(table))
    kind = CSVDataset if form == "csv" else ParquetDataset
    place = str(tmp_path / "data" / "synth" / "decoded" / f"core.wrk.{form}")
    assert kind(filepath=place, version=Version(V, None)).load()["a"].tolist() == [1]
    assert kind(filepath=place, version=Version(None, None)).load()["a"].tolist() == [0]


def test_one_version_names_all_that_a_run_makes(project):
    plan = prepare(project(format="pq"))
    entries = catalog(plan)
    made = ("model", "codes__people", "synthetic__people", "scores")
    assert all(plan.version in entries[name].path.parts for name in made)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z-[0-9a-f]{8}", plan.version)
    assert plan.version.endswith(plan.run_id)
    assert entries["synthetic__people"].path.suffix == ".pq"


def test_no_two_entries_share_a_path(project):
    entries = catalog(prepare(project()))
    held = [entries[name].path for name in entries.keys() if hasattr(entries[name], "path")]  # noqa: SIM118
    assert len(set(held)) == len(held)
    assert {p.name for p in held if "keys" in p.parts} == {f"people.{split}.pq" for split in SPLITS}


def test_anchors_of_other_settings_are_other_files(project):
    """They are shared by runs; a run that binds another seed or depth must not find them current by luck."""
    from dataclasses import replace

    plain = project()
    others = [
        plain,
        replace(plain, seed=1),
        replace(plain, metrics=replace(plain.metrics, final=True)),
        replace(plain, metrics=replace(plain.metrics, depth="full")),
    ]
    found = {catalog(prepare(e))["anchors"].path for e in others}
    assert len(found) == len(others)


def test_the_private_side_gets_its_protection_from_public_settings(project):
    protection = catalog(prepare(project()))["params__protection"].load()
    assert (protection["max_rows_per_unit"], protection["rows_public"], protection["salt"]) == (1, False, "people")
