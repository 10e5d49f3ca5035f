"""Whole runs on two data sets that differ in one person: what is made, released and told must not say which it was.

The noise is seeded, so that all that differs between two runs is what the one person changed.
"""

from __future__ import annotations

import json
import logging
import re
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from pasteur import synth
from pasteur.app import records
from pasteur.app.verbs import export
from pasteur.catalog import Paths
from pasteur.datasets.config import FileConfig, RatiosConfig, TableConfig, UnitConfig
from pasteur.datasets.identity import content_ids
from pasteur.datasets.keys import assign
from pasteur.errors import PrivacyError
from pasteur.experiment import PrivacyConfig
from pasteur.files import sha256
from pasteur.privacy.ledger import ROWS_PUBLIC
from pasteur.run import run
from pasteur.table import UNIT, Table
from pasteur.views import ComponentConfig, ViewConfig

pytestmark = pytest.mark.slow  # whole runs and whole evaluations

ODD = {
    "age": 10**12,
    "education-num": 10**9,
    "relationship": "Countess-7f3a",
    "sex": "Unheard-7f3a",
    "hours-per-week": 2**60,
    "income-per-year": "1e999",
}
"""A person whose every value is outside what is declared: new levels, and numbers far over each edge."""

PRIVATE = [name for name in synth.names() if synth.find(name).PRIVATE]

VERSION = re.compile(r"\d{4}-\d\d-\d\dT[\d.]+Z-[0-9a-f]{8}")


def tolerant(root):
    """Let each column take the odd person, who is then the only one with the last code of it."""
    path = root / "metadata" / "people.detail.json"
    raw = json.loads(path.read_text())
    for column in raw["pasteur"]["tables"]["people"]["columns"].values():
        domain = column["domain"]
        if "levels" in domain:
            domain |= {"levels": [*domain["levels"], "Another"], "other": "Another"}
        else:
            domain["max"] *= 2
    path.write_text(json.dumps(raw))


def odd_person(schema, salt="people"):
    """One row, and the id that its content gives it: the first of them that falls into wrk."""
    for number in range(100):
        values = {**ODD, "age": ODD["age"] + number}
        row = pa.table({name: pa.array([values[name]], schema.field(name).type) for name in schema.names})
        (unit,) = content_ids(Table.of(row)).arrow([UNIT])[UNIT].to_pylist()
        if assign([unit], salt=salt, ratios=RatiosConfig())[0] == 0:
            return row, unit
    raise AssertionError


class Told(logging.Handler):
    """Keeps every record of every logger, at every level."""

    def __init__(self):
        super().__init__(0)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name} {record.levelname} {record.getMessage()}")


def run_of(home, algorithm, told):
    tolerant(home.root)
    logger, level = logging.getLogger(), logging.getLogger().level
    logger.addHandler(told)
    logger.setLevel(0)
    try:
        return run(home(algorithm, privacy=PrivacyConfig(debug_seed=1)))
    finally:
        logger.removeHandler(told)
        logger.setLevel(level)


def plain(text, home, result):
    """Without what differs between any two runs: time, run id, folder."""
    return VERSION.sub("VERSION", str(text).replace(str(home.root), "ROOT")).replace(result.run_id, "ID")


def encoded(home, split):
    """Rows of codes by unit."""
    table = pq.read_table(Paths(root=home.root).encoded("people", "detail", "people", split))
    return {row.pop(UNIT): tuple(row.values()) for row in table.to_pylist()}


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_d01_d17_d20_one_odd_person_more(project, another, adult_rows, algorithm, capfd):
    row, unit = odd_person(adult_rows.schema)
    csv.write_csv(pa.concat_tables([adult_rows, row]), another.root / "people.csv")
    told, results, printed = [Told(), Told()], [], []
    for home, lines in zip((project, another), told, strict=True):
        results.append(run_of(home, algorithm, lines))
        printed.append(capfd.readouterr())
    here, there = zip((project, another), results, strict=True)

    # The other people are where they were, and each code is what it was.
    for split in ("wrk", "ref", "val", "dev"):
        others = encoded(another, split)
        if split == "wrk":
            assert others.pop(unit)
        assert others == encoded(project, split)

    # Nothing that is declared or claimed has moved, and no file has come or gone.
    fixed = algorithm in {"independent", "mst"}  # the others choose what they ask by noisy answers: see test_replay
    for name in ("dictionary.json", "metadata.json", *(["claim.json", "ledger.json"] if fixed else [])):
        assert (results[0].folder / name).read_bytes() == (results[1].folder / name).read_bytes()
    for key in ("private", "epsilon", "delta", "relation", "unit", "accountant", "people", "not_covered", "stamps"):
        assert results[0].claim[key] == results[1].claim[key]
    assert results[0].ledger["budget"] == results[1].ledger["budget"]
    names = [sorted(plain(p.relative_to(h.root), h, r) for p in h.root.rglob("*")) for h, r in (here, there)]
    assert names[0] == names[1]
    if fixed:
        the_same_but_for_noise(*(result.model for result in results))

    # Nobody was told anything else.
    assert [plain(x, *here) for x in told[0].lines] == [plain(x, *there) for x in told[1].lines]
    assert [plain(x, *here) for x in printed[0]] == [plain(x, *there) for x in printed[1]]


def the_same_but_for_noise(one_path, other_path):
    """Two models have tables of one shape and one header, but for the number of rows, which is no exact one."""
    with np.load(one_path) as one, np.load(other_path) as other:
        assert {name: (one[name].dtype, one[name].shape) for name in one.files if name != "header"} == {
            name: (other[name].dtype, other[name].shape) for name in other.files if name != "header"
        }
        headers = [json.loads(model["header"].tobytes()) for model in (one, other)]
    noisy = headers[0].pop("total"), headers[1].pop("total")
    assert headers[0] == headers[1]
    assert abs(noisy[0] - noisy[1]) < 2  # the same noise on one person more
    assert all(total != round(total) for total in noisy)


def test_d01_a_type_that_follows_from_all_rows_makes_no_claim(project):
    """An undeclared column of a CSV file is read as the narrowest type of all its texts.

    One person with an odd text then changes the ids that come from content, and so everybody's split.
    """
    declared = project().dataset.tables["people"].types
    partly = TableConfig(types={name: kind for name, kind in declared.items() if name not in ("age", "sex")})
    for table, listed in ((TableConfig(), "age: int64, education-num: int64, .*"), (partly, "age: int64, sex: string")):
        dataset = replace(project().dataset, tables={"people": table})
        with pytest.raises(PrivacyError, match=rf"everybody's values.*declare it.*people\.types: {{{listed}}}"):
            run(project(dataset=dataset))
        assert not list(project.root.glob("outputs/ledger_book.jsonl"))  # nothing was fitted
    assert run(project("reference", dataset=dataset)).claim["private"] is False


def test_d27_rows_of_people_without_a_declared_relation_make_no_claim(project, adult_rows):
    """Such a table stays whole when a unit is left out, so that the check of units cannot see what is made of it."""
    ids = pa.array([f"p{row}" for row in range(adult_rows.num_rows)])
    csv.write_csv(adult_rows.add_column(0, "id", ids), project.root / "people.csv")
    csv.write_csv(pa.table({"person": ids, "length": range(1, len(ids) + 1)}), project.root / "visits.csv")
    over = {"pasteur": {"tables": {"people": {"drop": ["id"]}}}}
    (project.root / "metadata" / "visited.detail.json").write_text(json.dumps(over))
    sql = 'SELECT * REPLACE ((SELECT sum(length) FROM visits) % 16 + 1 AS "education-num") FROM people'
    visited = ViewConfig(name="visited", unit="id", components={"people": ComponentConfig(sql=sql)})

    def experiment(algorithm="independent", **more):
        one = project().dataset
        types = {**one.tables["people"].types, "id": "string"}
        tables = {
            "people": TableConfig(types=types),
            "visits": TableConfig(types={"person": "string", "length": "int64"}, **more),
        }
        files = {**one.files, "visits": FileConfig(path="visits.csv")}
        dataset = replace(one, files=files, tables=tables, unit=UnitConfig(column="id", table="people"))
        return project(algorithm, dataset=dataset, view=visited)

    with pytest.raises(PrivacyError, match=r"table 'visits': leads to no person, .*foreign_keys, or public: true"):
        run(experiment())
    with pytest.raises(PrivacyError, match="mixes units"):
        run(experiment(foreign_keys={"person": "people.id"}))
    assert run(experiment(public=True)).claim["private"] is True
    assert run(experiment("reference")).claim["private"] is False


@pytest.mark.parametrize("m", [1, 3])
def test_d18_a_person_with_many_rows_counts_as_often_as_declared(project, another, adult_rows, m):
    """A flat table with repeated ids: one more person, of forty rows, moves the number of rows by m, and m is paid."""
    ids = [f"p{row // 2}" for row in range(600)]
    everybody = adult_rows.slice(0, 600).add_column(0, "id", pa.array(ids))
    many = next(f"many{k}" for k in range(100) if assign([f"many{k}"], salt="people", ratios=RatiosConfig())[0] == 0)
    theirs = adult_rows.slice(600, 40).add_column(0, "id", pa.array([many] * 40))
    ledgers, totals = [], []
    for home, rows in ((project, everybody), (another, pa.concat_tables([everybody, theirs]))):
        csv.write_csv(rows, home.root / "people.csv")
        raw = json.loads((home.root / "metadata" / "people.detail.json").read_text())
        raw["pasteur"]["unit"] = {"max_rows": m}
        raw["pasteur"]["tables"]["people"]["drop"] = ["id"]
        (home.root / "metadata" / "people.detail.json").write_text(json.dumps(raw))
        one = home().dataset
        types = {**one.tables["people"].types, "id": "string"}
        dataset = replace(one, tables={"people": TableConfig(types=types)}, unit=UnitConfig(column="id"))
        result = run(home(dataset=dataset, privacy=PrivacyConfig(debug_seed=1)))
        ledgers.append(result.ledger)
        with np.load(result.model) as model:
            totals.append(json.loads(model["header"].tobytes())["total"])
    assert ledgers[0] == ledgers[1]
    assert {event["sensitivity"] for event in ledgers[0]["events"]} == {m}
    assert totals[1] - totals[0] == pytest.approx(m, abs=1e-6)


def _numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {number for each in value for number in _numbers(each)}
    return {value} if isinstance(value, (int, float)) and not isinstance(value, bool) else set()


@pytest.mark.usefixtures("same_noise")  # a noisy number is an exact one by chance, now and then
def test_d25_a_release_holds_nothing_computed_on_real_data_without_noise(project, adult_rows, tmp_path):
    row, unit = odd_person(adult_rows.schema, "pepper-7f3a")
    csv.write_csv(pa.concat_tables([adult_rows, row]), project.root / "people.csv")
    tolerant(project.root)
    result = run(project("mst", dataset=replace(project().dataset, salt="pepper-7f3a"), tags={"tag": "tag-7f3a"}))
    export.release(records.find(project.root, result.run_id), tmp_path / "out", model=True)
    held = {}
    for path in (tmp_path / "out").iterdir():
        held[path.name] = path.read_bytes()
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as whole:
                held |= {f"{path.name}/{name}": whole.read(name) for name in whole.namelist()}
    everything = b"\n".join(held.values())

    # No text of a person, no id, no salt, no tag.
    assert b"7f3a" not in everything
    units = pq.read_table(Paths(root=project.root).keys("people", "wrk"))[UNIT].to_pylist()
    assert unit in units
    assert not [one for one in units if one.encode() in everything]

    # No digest but of its own files, each of which is noisy or declared.
    own = {sha256(path).encode() for path in (tmp_path / "out").iterdir()}
    digests = re.compile(rb"\b[0-9a-f]{64}\b")
    recorded = b"\n".join(path.read_bytes() for path in project.root.rglob("*.json") if ".manifests" in path.parts)
    assert len(set(digests.findall(recorded))) > 10
    assert set(digests.findall(everything)) <= own

    # No score, anchor, inspection or count of real rows.
    folders = ("outputs/anchors", "outputs/inspections")
    files = [path for folder in folders for path in (project.root / folder).rglob("*.json")] + [
        result.folder / "scores.json"
    ]
    exact = {n for path in files for n in _numbers(json.loads(path.read_text())) if n not in (0, 1) and n != round(n)}
    assert len(exact) > 20
    exact |= {len(units), adult_rows.num_rows + 1}
    exact |= {result.seconds, result.peak_mb}
    documents = [json.loads(text) for name, text in held.items() if name.endswith(".json")]
    with np.load(tmp_path / "out" / "model.npz") as model:
        documents.append(json.loads(model["header"].tobytes()))
        arrays = {float(n) for name in model.files if name != "header" for n in model[name].ravel()}
    told = {n for document in documents for n in _numbers(document)}
    assert not exact & told
    assert not {n for n in exact if n != round(n)} & arrays


def test_d26_nothing_unsafe_unless_the_user_says_so_and_then_it_is_stamped(project):
    """Each way out of a guarantee is off by default, and leaves its stamp on the claim and on the page."""
    from pasteur.app import claim_page
    from pasteur.app.compose import experiment as composed

    default = composed([])
    assert default.privacy == PrivacyConfig(epsilon=1.0, delta=1e-9, accountant="auto", debug_seed=None)
    assert (default.accept, default.fit_on, default.algorithm) == (False, "wrk", "weave")
    for name in ("default", "strict", "loose"):
        assert composed([f"privacy={name}"]).privacy.debug_seed is None
    ways = {
        "NOT PRIVATE: noise from debug_seed 0": project(privacy=PrivacyConfig(debug_seed=0)),
        "NOT PRIVATE: no DP guarantee": project("bootstrap"),
    }
    for stamp, experiment in ways.items():
        claim = run(experiment).claim
        assert (claim["private"], claim["epsilon"], claim["stamps"]) == (False, None, [stamp])
        page = claim_page.render({"claim": claim, "run": {"run_id": "x", "dataset": "d"}, "releases": {}}, None)
        assert stamp in page
    path = project.root / "metadata" / "people.detail.json"
    raw = json.loads(path.read_text())
    raw["pasteur"]["unit"] = {"rows_public": True}
    path.write_text(json.dumps(raw))
    result = run(project())
    assert result.claim["private"]
    assert result.claim["stamps"] == [ROWS_PUBLIC]
