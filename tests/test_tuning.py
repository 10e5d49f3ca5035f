"""Trials of a sweep: whose data they read, what they claim, and what a later run says of them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import csv

from pasteur import datasets, table, tuning
from pasteur.catalog import Paths
from pasteur.datasets.config import FileConfig, TableConfig, UnitConfig
from pasteur.errors import ConfigError
from pasteur.experiment import Tuning
from pasteur.pipelines.processing import pipeline as processing
from pasteur.plan import prepare
from pasteur.privacy import LedgerBook
from pasteur.run import run
from pasteur.table import UNIT, Table

ON_REF = Tuning(sweep="toy-1", data="ref", reads=("syn", "ref", "target"))
PUBLIC = replace(ON_REF, ref="public")


def number(low, high):
    return {"embedding": {"type": "integers"}, "domain": {"min": low, "max": high}, "source": "made up"}


PEOPLE_AND_VISITS = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {
            "people": {
                "primary_key": "id",
                "columns": {"id": {"sdtype": "id", "regex_format": "p[0-9]+"}, "age": {"sdtype": "numerical"}},
            },
            "visits": {
                "sequence_index": "day",
                "columns": {
                    "id": {"sdtype": "id", "regex_format": "p[0-9]+"},
                    "day": {"sdtype": "numerical"},
                    "weight": {"sdtype": "numerical"},
                },
            },
        },
        "relationships": [
            {
                "parent_table_name": "people",
                "parent_primary_key": "id",
                "child_table_name": "visits",
                "child_foreign_key": "id",
            }
        ],
    },
    "pasteur": {
        "tables": {
            "people": {"columns": {"age": number(17, 90)}},
            "visits": {"max_rows": 3, "columns": {"day": number(0, 2), "weight": number(50, 70)}},
        }
    },
}


def units(path):
    return Table.read(path).arrow([UNIT])[UNIT].to_pylist()


def test_halves_are_of_units_and_know_nothing_of_order():
    ids = [str(i) for i in range(400)] * 2
    whole = Table.of(pa.table({UNIT: ids, "x": list(range(800))}))
    fitted, held = (half.arrow() for half in datasets.halve(whole, salt="s"))
    mine, others = set(fitted[UNIT].to_pylist()), set(held[UNIT].to_pylist())
    assert mine.isdisjoint(others)
    assert mine | others == set(ids)
    assert fitted.num_rows + held.num_rows == 800
    assert 160 < len(mine) < 240
    assert all(hashlib.sha256(f"s/half/{unit}".encode()).digest()[0] % 2 == 0 for unit in mine)
    another = set(datasets.halve(whole, salt="t")[0].arrow()[UNIT].to_pylist())
    assert another != mine
    assert table.UNIT == UNIT


@pytest.mark.slow
def test_a_sweep_on_ref_leaves_wrk_unread(project):
    """The whole of wrk but a few people is replaced: no byte of what trials make or score changes."""
    made = project("bootstrap", tuning=ON_REF, accept=True, report=False)
    first = run(made)
    paths, place = Paths(root=project.root), "people@ref"
    ref = units(paths.view("people", "people", "ref"))
    fitted, held = (units(paths.view(place, "people", split)) for split in ("wrk", "ref"))
    assert sorted(fitted + held) == sorted(ref)
    assert not set(fitted) & set(held)

    rows = csv.read_csv(project.root / "people.csv")
    keys = [tuple(row.values()) for row in rows.to_pylist()]
    once = {key for key, count in Counter(keys).items() if count == 1}  # an equal row's id says which of them it is
    primary = Table.read(paths.primary("people", "people")).arrow()
    owner = dict(
        zip(
            [tuple(r.values()) for r in primary.drop_columns([UNIT]).to_pylist()],
            primary[UNIT].to_pylist(),
            strict=True,
        )
    )
    gone = set(units(paths.keys("people", "wrk"))[60:])
    csv.write_csv(
        rows.filter(pa.array([not (key in once and owner[key] in gone) for key in keys])), project.root / "people.csv"
    )
    second = run(made)
    assert {"parse", "split_keys", "build_view"} <= set(second.ran)
    assert second.digests == first.digests
    assert [score.document() for score in second.scores] == [score.document() for score in first.scores]
    assert (first.claim["people"], first.claim["epsilon"]) == (["ref_fit"], None)
    assert "measure_anchors" not in second.ran


def test_no_node_of_a_trial_on_ref_takes_wrk(project):
    plan = prepare(project("mst", tuning=ON_REF))
    nodes = processing.create(plan.experiment.dataset, plan.experiment.view, halved=True).nodes
    after = [node for node in nodes if "build_view" not in node.name]
    assert not [node.name for node in after if any(name.endswith("whole__people__wrk") for name in node.inputs)]
    assert plan.fitted == ("ref_fit",)
    assert plan.scored == ("dev", "ref_held")
    assert plan.ledger.people == ("ref_fit",)


@pytest.mark.slow
def test_a_sweep_on_ref_halves_people_with_all_their_rows(project):
    """A view of two components: whoever is fitted is fitted with each of theirs, and no key leads out of its half."""
    count, most = 400, 3
    visits = [(f"p{who}", day) for who in range(count) for day in range(who % (most + 1))]
    table_of = {
        "people": pa.table({"id": [f"p{who}" for who in range(count)], "age": [17 + who % 74 for who in range(count)]}),
        "visits": pa.table(
            {"id": [who for who, _ in visits], "day": [day for _, day in visits], "weight": [60 + d for _, d in visits]}
        ),
    }
    types = {"people": {"id": "string", "age": "int64"}, "visits": {"id": "string", "day": "int64", "weight": "int64"}}
    for name, rows in table_of.items():
        csv.write_csv(rows, project.root / f"{name}.csv")
    (project.root / "metadata" / "people.detail.json").write_text(json.dumps(PEOPLE_AND_VISITS))
    dataset = replace(
        project().dataset,
        files={name: FileConfig(path=f"{name}.csv") for name in types},
        tables={
            "people": TableConfig(types=types["people"]),
            "visits": TableConfig(types=types["visits"], foreign_keys={"id": "people.id"}),
        },
        unit=UnitConfig(column="id", table="people"),
    )
    paths = Paths(root=project.root)
    for algorithm in ("reference", "mst"):
        result = run(project(algorithm, dataset=dataset, tuning=ON_REF, report=False))
        assert set(result.synthetic) == {"people", "visits"}
        assert all(score.ref is not None and score.base is not None for score in result.scores)
        assert result.claim["people"] == (["ref_fit"] if algorithm == "mst" else ["ref_held"])
    halves = [{c: set(units(paths.view("people@ref", c, s))) for c in types} for s in ("wrk", "ref")]
    assert all(half["visits"] < half["people"] for half in halves)
    assert halves[0]["people"].isdisjoint(halves[1]["people"])
    assert sorted(halves[0]["people"] | halves[1]["people"]) == sorted(units(paths.view("people", "people", "ref")))


@pytest.mark.slow
def test_what_a_trial_on_ref_claims_depends_on_who_ref_is(project):
    budgeted = run(project(tuning=ON_REF, report=False))
    assert (budgeted.claim["people"], budgeted.claim["epsilon"]) == (["ref_fit"], 1.0)
    assert "whose people are charged with this ledger, and read nothing of wrk" in budgeted.claim["tuning"]
    public = run(project(tuning=PUBLIC, report=False))
    assert (public.claim["people"], public.claim["epsilon"]) == ([], None)
    assert "the people of ref are taken as public: nothing is claimed for them" in public.claim["stamps"]
    book = LedgerBook(Paths(root=project.root).book)
    salt = project().dataset.salt
    assert [(r.fitted, r.scored, r.sweep) for r in book.releases("people", salt)] == [
        (("ref_fit",), ("dev", "ref_held"), "toy-1")
    ] * 2
    assert book.composed("people", salt, "wrk").releases == 0
    assert book.composed("people", salt, "ref_fit").epsilon == 1
    last = run(project(report=False))  # the one run that opens wrk: its claim is whole
    assert (last.claim["people"], last.claim["epsilon"]) == (["wrk"], 1.0)
    late = prepare(project("mst", tuning=ON_REF))  # ref is an anchor of that run: its exact scores have read all of it
    assert late.ledger.people == ()
    assert "have no claim, as exact scores of other runs have read them" in tuning.told(late)
    assert last.releases["line"] == "1st release from this data; all together epsilon = 1 at delta 1e-09"


@pytest.mark.slow
def test_a_choice_that_reads_the_fitted_rows_is_refused_or_ends_all_claims(project):
    for read in ("wrk", "dec"):
        with pytest.raises(ConfigError, match=rf"sweep\.claim \(ledger\) must be none where an objective reads {read}"):
            Tuning(sweep="toy-1", reads=("syn", "target", read))
    honest = Tuning(sweep="toy-1", claim="none", reads=("syn", "target", "wrk"))
    assert prepare(project("mst", tuning=honest)).scored == ("dev", "ref", "wrk")
    first = run(project(tuning=honest, report=False))
    assert first.claim["epsilon"] == 1.0  # nothing had steered it
    after = run(project(report=False))
    assert (after.claim["people"], after.claim["epsilon"]) == ([], None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data": "rev"}, r"sweep\.data \(rev\) must be one of wrk, ref; did you mean 'ref'\?"),
        ({"ref": "publik"}, r"sweep\.ref \(publik\) must be one of budgeted, public; did you mean 'public'\?"),
        ({"claim": "no"}, r"sweep\.claim \(no\) must be one of ledger, none"),
    ],
)
def test_settings_of_a_sweep_are_checked(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Tuning(sweep="toy-1", **wrong)


def test_a_trial_fits_wrk_or_half_of_ref_and_is_scored_on_dev(project):
    with pytest.raises(ConfigError, match=r"fit_on \(all\) must be wrk in a sweep with sweep\.data=ref"):
        project(tuning=ON_REF, fit_on="all")
    made = project()
    with pytest.raises(ConfigError, match=r"metrics\.final \(true\) must be false where an objective steers"):
        replace(made, tuning=ON_REF, metrics=replace(made.metrics, final=True))


def spent(project, **changes):
    """What a sweep leaves behind."""
    dataset = project().dataset
    entry = {"dataset": dataset.name, "salt": dataset.salt, "split": "wrk", "trials": 7, "private": 7, "best": None}
    entry |= {"epsilon": 3.25, "delta": 1e-9, "why_none": ""}
    entry |= {name: changes.pop(name) for name in [*changes] if name in entry}
    document = {"sweep": "toy-1", "data": "wrk", "ref": "budgeted", "claim": "ledger", "spent": [entry]} | changes
    folder = Paths(root=project.root).sweep("toy-1")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tuning.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "settings were chosen by sweep toy-1, 7 trials fitted to wrk: together epsilon = 3.25 at delta 1e-09"),
        (
            {"best": 1.9},
            "trials fitted to wrk: a random number of them, of which nothing but the best is released: eps",
        ),
        ({"why_none": "1 of 7 without a claim for wrk"}, "no claim holds for them (1 of 7 without a claim for wrk)"),
        ({"claim": "none"}, "; its objective read the fitted rows without noise"),
        (
            {"split": "ref_fit", "data": "ref"},
            "fitted to the fitted half of ref: together epsilon = 3.25 at delta 1e-09; no release was fitted to wrk",
        ),
        (
            {"split": "ref_fit", "data": "ref", "ref": "public"},
            "half of ref: its people are taken as public; no release",
        ),
    ],
)
def test_a_run_that_names_its_sweep_claims_no_more_than_is_so(project, changes, words):
    spent(project, **changes)
    plan = prepare(project("mst", tuned="toy-1"))
    assert words in tuning.told(plan)
    assert ("7 trials" in tuning.told(plan)) != ("best" in changes)  # a number that was drawn to be a secret is one


def test_a_sweep_that_is_not_there_is_no_reason(project):
    with pytest.raises(ConfigError, match=r"tuned \(toy-2\) must be the id of a finished sweep.*; there is none yet"):
        prepare(project(tuned="toy-2"))
    spent(project)
    with pytest.raises(ConfigError, match=r"tuned \(toy-2\) must be .*did you mean 'toy-1'\?"):
        prepare(project(tuned="toy-2"))
    spent(project, dataset="another")
    with pytest.raises(ConfigError, match=r"tuned \(toy-1\) must be a sweep over data set 'people'"):
        prepare(project(tuned="toy-1"))
