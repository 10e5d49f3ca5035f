"""The whole line from a server: what is current, what a run leaves behind when the server fails, and the examples."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pasteur import datasets, views
from pasteur.app import compose, main
from pasteur.app.verbs import load as verb
from pasteur.app.verbs.check import _sound
from pasteur.catalog import SPLITS, Paths, catalog
from pasteur.datasets.config import DatasetConfig, FileConfig, SourceConfig, TableConfig, UnitConfig
from pasteur.errors import ConfigError, DataError, PrivacyError
from pasteur.files import sha256
from pasteur.manifest import Manifests
from pasteur.pipelines.execute import Trace, execute
from pasteur.pipelines.processing import pipeline as processing
from pasteur.plan import prepare
from pasteur.postgres import load
from pasteur.run import run
from pasteur.table import UNIT, Table
from pasteur.views import ComponentConfig, ViewConfig, server

pytestmark = pytest.mark.slow

IN_SERVER = ("connect", "split_keys", "build_view", "respect_units", "let_go")


@pytest.fixture
def people(project, connected, adult_rows):
    """The user's table in a server, under ids; call it for an experiment there."""
    rows = adult_rows.slice(0, 400).append_column("id", [list(range(400))])
    connected.sql("DROP SCHEMA IF EXISTS census CASCADE")
    load({"people": (rows.schema, rows.to_batches)}, variable="PASTEUR_POSTGRES", schema="census")
    dataset = DatasetConfig(
        name="people",
        source=SourceConfig(kind="postgres", schema="census", snapshot="one"),
        unit=UnitConfig(column="id"),
        tables={"people": TableConfig(unique=["id"])},
    )
    path = project.root / "metadata" / "people.detail.json"
    described = json.loads(path.read_text())
    described["sdv"]["tables"]["people"]["columns"]["id"] = {"sdtype": "id"}
    path.write_text(json.dumps(described))

    def experiment(algorithm="reference", **source):
        made = project(algorithm)
        return replace(made, dataset=replace(dataset, source=replace(dataset.source, **source)))

    experiment.root = project.root
    yield experiment
    connected.sql("DROP SCHEMA IF EXISTS census CASCADE")


def ingest(experiment):
    """Make keys and views; the names of the steps that ran."""
    plan = prepare(experiment)
    trace = Trace()
    steps = processing.create(plan.experiment.dataset, plan.experiment.view).filter(node_names=IN_SERVER)
    execute(steps, catalog(plan), Manifests(plan.paths), trace)
    return set(trace.ran) - {"connect", "let_go"}


def files(root):
    return {p.relative_to(root): sha256(p) for p in sorted((root / "data").rglob("*.pq"))}


def test_a_run_from_a_server(people):
    result = run(people("independent"))
    assert result.claim["epsilon"] == 1.0
    assert not (people.root / "data" / "orig" / "primary").exists()
    assert not (people.root / "data" / "orig" / "intermediate").exists()
    assert result.synthetic["people"].read_text().startswith('"age",')


def test_what_is_current_is_not_read_again(people, connected, monkeypatch):
    made = {"split_keys", "build_view", "respect_units"}
    assert ingest(people()) == made
    before = files(people.root)
    manifest = Paths(root=people.root).manifest(Paths(root=people.root).view("people", "people", "wrk"))
    assert json.loads(manifest.read_text())["recipe"]["inputs"]["server"] == "snapshot: one"
    monkeypatch.delenv("PASTEUR_POSTGRES")
    assert ingest(people()) == set()  # the same label: no server is asked
    monkeypatch.setenv("PASTEUR_POSTGRES", connected.uri)
    connected.sql("DELETE FROM census.people WHERE id = 7")
    assert ingest(people()) == set()
    assert ingest(replace(people(), refresh=True)) == made
    assert files(people.root) != before
    assert ingest(people()) == set()
    assert ingest(people(snapshot=None)) == made
    assert ingest(people(snapshot=None)) == set()
    with pytest.raises(ConfigError, match=r"refresh \(true\) must be false: data set 'people' is in no server"):
        replace(people(), refresh=True, dataset=DatasetConfig(name="people", files={"a": FileConfig(path="a")}))


def test_a_failure_leaves_what_was_there(people, connected, monkeypatch):
    ingest(people())
    before = files(people.root)
    connected.sql("UPDATE census.people SET age = 40")
    order, killers = server.ServerView.order, []

    def dying(self, name):
        if not killers:
            pid = self.snapshot.session.one("SELECT pg_backend_pid() AS pid", where="x")["pid"]
            killers.append(threading.Timer(0.5, connected.sql, [f"SELECT pg_terminate_backend({pid})"]))
            killers[0].start()
        return order(self, name) + ", pg_sleep(0.01)::text"

    monkeypatch.setattr(server.ServerView, "order", dying)
    with pytest.raises(DataError, match="the server went away"):
        ingest(people(snapshot="two"))
    assert files(people.root) == before
    assert not list((people.root / "data").rglob("*.tmp"))
    monkeypatch.undo()
    monkeypatch.setenv("PASTEUR_POSTGRES", connected.uri)
    assert ingest(people(snapshot="two")) >= {"build_view"}
    assert files(people.root) != before


def test_two_runs_at_once(people):
    with ThreadPoolExecutor(2) as both:
        list(both.map(ingest, [people(), people()]))
    first = files(people.root)
    assert ingest(people()) == set()
    assert files(people.root) == first


def test_a_view_that_mixes_people_makes_no_claim(people):
    mixing = people("independent")
    core = ComponentConfig(sql="SELECT * FROM people WHERE age < (SELECT max(age) FROM people)")
    with pytest.raises(PrivacyError, match=r"mixes units: .*independent can make no claim"):
        run(replace(mixing, view=ViewConfig(name="people", unit="id", components={"people": core})))


def test_a_table_of_nobody_makes_no_claim(people, connected):
    connected.sql("CREATE TABLE census.rooms (sex text, room int)", "INSERT INTO census.rooms VALUES ('Male', 1)")
    e = people("independent")
    tables = {**e.dataset.tables, "rooms": TableConfig()}
    core = ComponentConfig(sql="SELECT p.* FROM people AS p WHERE sex IN (SELECT sex FROM rooms)")
    view = ViewConfig(name="people", unit="id", components={"people": core})
    with pytest.raises(PrivacyError, match="table 'rooms': leads to no person: declare its foreign_keys"):
        run(replace(e, dataset=replace(e.dataset, tables=tables), view=view))


def test_adult_comes_out_of_a_server_as_out_of_its_files(tmp_path, connected, monkeypatch, capfd):
    """The shipped example on Adult's first people: `pasteur load adult`, then `dataset=adult_postgres`."""
    monkeypatch.setenv("PASTEUR_ROOT", str(tmp_path))
    here = compose.experiment(["dataset=adult", "algorithm=reference"]).dataset
    parsed = datasets.parse(here, datasets.fetch(here, tmp_path / "raw", root=tmp_path))
    first = {name: Table.of(table.arrow().slice(0, 1000)) for name, table in parsed.items()}
    primary = {name: Table.of(table.arrow()) for name, table in datasets.tidy(here, first).items()}
    keys = datasets.split_keys(here, primary)
    monkeypatch.setattr(verb, "_tables", lambda name: (name, primary))
    assert main(["load", "adult"]) == 0
    assert "loaded adult.core (2,000 rows)" in capfd.readouterr().out
    assert main(["load", "adult"]) == 2
    assert "table adult.core is there already; --replace drops it first" in capfd.readouterr().err
    assert main(["load", "adult", "--replace"]) == 0
    there = compose.experiment(["dataset=adult_postgres", "algorithm=reference"])
    assert (there.dataset.name, there.view.name) == ("adult", "adult")
    ingest(there)
    paths = Paths(root=tmp_path)
    built = views.build(there.view, primary, keys)["core"]
    for split in SPLITS:
        assert Table.read(paths.keys("adult", split)).arrow() == keys[split].arrow()
        built[split].write(tmp_path / "expected.pq")
        assert sha256(tmp_path / "expected.pq") == sha256(paths.view("adult", "core", split))
    assert UNIT in primary["core"].columns
    connected.sql("DROP SCHEMA adult CASCADE")


def test_check_asks_the_server(people):
    assert list(_sound(people())) == []
    mixing = ComponentConfig(sql="SELECT * FROM people WHERE age < (SELECT max(age) FROM people)")
    view = ViewConfig(name="people", unit="id", components={"people": mixing})
    assert "mixes units" in next(iter(_sound(replace(people(), view=view))))


def test_a_load_is_whole_or_not_at_all(connected, adult_rows):
    def failing():
        yield from adult_rows.slice(0, 10).to_batches()
        raise DataError("the second half is missing")

    tables = {"one": (adult_rows.schema, adult_rows.slice(0, 10).to_batches), "two": (adult_rows.schema, failing)}
    with pytest.raises(DataError):
        load(tables, variable="PASTEUR_POSTGRES", schema="half")
    assert connected.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'half'") == [(0,)]
