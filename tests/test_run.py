from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

from pasteur import synth, table
from pasteur.catalog import Paths
from pasteur.errors import ConfigError, DataError, PrivacyError, SchemaError
from pasteur.experiment import PrivacyConfig
from pasteur.privacy import LedgerBook
from pasteur.run import run
from pasteur.views import ComponentConfig, ViewConfig

RELEASE = {"fetch", "fit", "sample", "decode_synthetic", "measure"}
"""What belongs to one run and is done each time."""


def artefacts(root):
    """Bytes of everything that no noise went into."""
    held = {}
    for folder in ("data/orig", "data/views", "outputs/inspections", "outputs/anchors"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                held[str(path.relative_to(root))] = path.read_bytes()
    return held


def change_metadata(root, change):
    path = root / "metadata" / "people.detail.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def test_a_run_goes_from_raw_bytes_to_scores(project):
    result = run(project("mst"))
    assert result.claim["epsilon"] == 1.0
    assert result.claim["people"] == ["wrk"]
    assert {"fit", "parse", "measure_anchors"} <= set(result.ran)
    assert result.failures == {}
    synthetic = csv.read_csv(result.synthetic["people"])
    assert synthetic.column_names == csv.read_csv(project.root / "people.csv").column_names
    tvd = next(score for score in result.scores if score.metric == "marginals/tvd2")
    assert tvd.ref < tvd.base
    assert tvd.split == "dev"
    document = json.loads((result.folder / "result.json").read_text())
    assert document["version"] == result.version
    assert set(result.digests) == {"people", "model"}


def test_a_run_writes_a_page_for_a_person_with_its_numbers_as_tables(project):
    result = run(project("mst"))
    assert result.report == result.folder / "report.html"
    page = result.report.read_text(encoding="utf-8")
    assert "not differentially private" in page
    assert result.run_id in page
    assert "one-way marginal: age" in page
    assert "20 of" in page
    scores = csv.read_csv(result.folder / "tables" / "scores.csv")
    assert scores["metric"].to_pylist() == [score.metric for score in result.scores]
    ledger = csv.read_csv(result.folder / "tables" / "ledger.csv")
    assert pc.sum(ledger["share"]).as_py() == pytest.approx(1, abs=1e-6)


def test_a_page_that_is_not_wanted_is_not_written(project):
    result = run(project("independent", report=False))
    assert result.report is None
    assert not list(result.folder.glob("*.html"))
    assert result.failures == {}


def test_a_fault_in_the_page_loses_nothing_of_the_run(project, monkeypatch):
    from pasteur import report

    def broken(story):
        raise ZeroDivisionError(story.rows)

    monkeypatch.setattr(report, "render", broken)
    result = run(project("independent"))
    assert result.report is None
    assert result.failures["report"].startswith("ZeroDivisionError at ")
    assert result.scores
    assert (result.folder / "result.json").is_file()


def test_a_run_without_a_guarantee_says_so_on_its_page(project):
    page = run(project("reference")).report.read_text(encoding="utf-8")
    assert "No guarantee" in page
    assert "NOT PRIVATE" in page


def test_a_final_fit_on_all_people_has_a_page_without_scores(project):
    page = run(project("mst", fit_on="all")).report.read_text(encoding="utf-8")
    assert "Not scored: every split was fitted." in page
    assert "one-way marginal: age" in page


def test_a_second_run_does_only_synthesis_and_its_scores(project):
    run(project())
    before = artefacts(project.root)
    again = run(project())
    assert set(again.ran) == RELEASE
    assert artefacts(project.root) == before


def test_another_bin_does_encoding_again_and_what_follows(project):
    run(project())
    change_metadata(
        project.root,
        lambda raw: raw["pasteur"]["tables"]["people"]["columns"]["age"]["embedding"].update(bins=12),
    )
    changed = set(run(project()).ran)
    follows = {"inspect", "declare", "encode_wrk", "encode_ref", "encode_val", "encode_dev", "decode_wrk"}
    assert changed == RELEASE | follows | {"measure_anchors"}


def test_another_seed_does_what_is_drawn_again(project):
    run(project())
    assert set(run(project(seed=1)).ran) == RELEASE | {"decode_wrk", "measure_anchors"}


def test_the_same_seed_gives_the_same_bytes_where_nothing_is_private(project, another):
    results = [run(home("bootstrap", seed=5)) for home in (project, another)]
    assert results[0].synthetic["people"].read_bytes() == results[1].synthetic["people"].read_bytes()
    assert artefacts(project.root) == artefacts(another.root)


def test_private_noise_is_fresh_each_time(project):
    first, second = (run(project()).model.read_bytes() for _ in range(2))
    assert first != second


def test_an_interrupt_at_any_write_is_mended_by_the_next_run(project, another, monkeypatch):
    run(another("reference"))
    blocks, write, countdown, inside = table.Table.blocks, table.Table.write, [0], [False]

    def interrupted(self, *args, **kwargs):
        for block in blocks(self, *args, **kwargs):
            yield block
            countdown[0] -= inside[0]
            if inside[0] and countdown[0] == 0:
                raise KeyboardInterrupt

    def written(self, path):
        inside[0] = path.is_relative_to(project.root)  # the check of units writes elsewhere, and much
        write(self, path)

    monkeypatch.setattr(table.Table, "blocks", interrupted)
    monkeypatch.setattr(table.Table, "write", written)
    interrupts = 0
    for nth in range(1, 20):
        countdown[0] = nth  # the nth write of this run: each run comes further than the one before
        try:
            run(project("reference"))
            break
        except KeyboardInterrupt:
            interrupts += 1
            assert not list(project.root.rglob("*.tmp"))
    assert interrupts > 3
    assert artefacts(project.root) == artefacts(another.root)


def test_every_fit_is_in_the_ledger_book(project):
    first, second = run(project()), run(project("mst", seed=2))
    assert first.releases["line"].startswith("1st release from this data; all together epsilon = 1 at")
    assert second.releases["line"].startswith("2nd release")
    # two fits at epsilon 1 cost about sqrt(2) together, a little more where the accountants differ, and never 2
    assert 1.41 < second.releases["composed"]["wrk"]["epsilon"] < 1.5
    assert [r.run for r in LedgerBook(Paths(root=project.root).book).releases("people", "people")] == [
        first.run_id,
        second.run_id,
    ]


def test_what_was_spent_counts_also_when_the_run_did_not_finish(project, monkeypatch):
    from pasteur.synth.model import Model

    def fails(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Model, "save", fails)
    with pytest.raises(KeyboardInterrupt):
        run(project())
    composed = LedgerBook(Paths(root=project.root).book).composed("people", "people", "wrk")
    assert (composed.releases, composed.epsilon) == (1, 1.0)


def test_a_run_that_is_killed_has_been_counted(project, monkeypatch):
    """The book is charged before the first question: a killed process enters nothing afterwards."""
    book = LedgerBook(Paths(root=project.root).book)
    during = []
    fit = synth.find("independent").fit
    monkeypatch.setattr(
        synth.find("independent"), "fit", lambda *a: during.append(book.composed("people", "people", "wrk")) or fit(*a)
    )
    result = run(project())
    assert [(each.releases, each.epsilon) for each in during] == [(1, 1.0)]
    (release,) = book.releases("people", "people")
    assert len(release.read.events) == result.claim["events"]


def test_a_run_that_asked_nothing_is_not_counted(project, monkeypatch):
    def fails(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(synth.find("independent"), "fit", fails)
    with pytest.raises(KeyboardInterrupt):
        run(project())
    assert LedgerBook(Paths(root=project.root).book).releases("people", "people") == ()


def test_a_debug_seed_stamps_the_run(project):
    result = run(project(privacy=PrivacyConfig(debug_seed=1)))
    assert result.claim["private"] is False
    assert any(stamp.startswith("NOT PRIVATE") for stamp in result.claim["stamps"])
    assert "no claim holds" in result.releases["line"]


def test_final_fits_are_scored_only_on_people_they_did_not_read(project):
    both = run(project(fit_on="wrk+ref"))
    assert {score.split for score in both.scores} == {"val"}
    assert {score.ref for score in both.scores} == {None}
    every = run(project(fit_on="all"))
    assert every.scores == ()
    # val's and dev's people have been read by exact scores that may have steered a choice: no claim names them
    assert every.claim["people"] == ["wrk", "ref", "dev"]


def test_rows_and_format_are_the_users(project):
    result = run(project(rows=77, format="pq"))
    assert table.Table.read(result.synthetic["people"]).rows == 77


def test_the_model_samples_more_without_data(project):
    from pasteur.synth.model import Model

    result = run(project("mst"))
    model = Model.load(result.model)
    for path in (project.root / "data" / "views").rglob("*.pq"):
        if path.is_file():
            path.unlink()
    import numpy as np

    assert model.sample(12_345, rng=np.random.default_rng(0)).arrow().num_rows == 12_345


def test_a_view_that_mixes_people_makes_no_claim(project):
    mixing = ViewConfig(
        name="mixing",
        components={
            "people": ComponentConfig(sql='SELECT * REPLACE (1 + count(*) OVER () % 16 AS "education-num") FROM people')
        },
    )
    change = {"view": mixing}
    (project.root / "metadata" / "mixing.detail.json").write_text("{}")
    with pytest.raises(PrivacyError, match=r"mixes units.*only an algorithm without one can run"):
        run(project(**change))
    assert run(project("reference", **change)).claim["private"] is False


@pytest.mark.parametrize("algorithm", ["independent", "mst"])
def test_a_flat_algorithm_refuses_several_components(project, algorithm):
    again = ComponentConfig(sql="SELECT * FROM people")
    two = ViewConfig(name="two", components={"people": ComponentConfig(), "again": again})

    def twice(raw):
        for part in ("sdv", "pasteur"):
            raw[part]["tables"]["again"] = raw[part]["tables"]["people"]

    change_metadata(project.root, twice)
    with pytest.raises(ConfigError, match=r"must be one that takes several components .* bootstrap, .*reference"):
        run(project(algorithm, view=two))


def test_a_private_run_refuses_what_nobody_declared(project):
    def undeclared(raw):
        raw["pasteur"]["tables"]["people"]["columns"]["age"]["declared"] = False

    change_metadata(project.root, undeclared)
    with pytest.raises(SchemaError, match=r"people\.age: its domain was taken from the data; confirm it"):
        run(project())
    run(project("reference"))


def test_a_private_run_refuses_an_embedding_that_looks_at_data(project):
    def fitted(raw):
        column = raw["pasteur"]["tables"]["people"]["columns"]["age"]
        column |= {"embedding": {"type": "rdt", "transformer": "FloatFormatter", "bins": 8}, "domain": {"decimals": 0}}

    change_metadata(project.root, fitted)
    with pytest.raises(SchemaError, match=r"people\.age: embedding 'rdt' looks at data"):
        run(project())


def test_a_level_that_is_not_declared_is_named_by_its_row_alone(project):
    rows = csv.read_csv(project.root / "people.csv")
    secret = pa.array(["Countess" if i == 41 else v for i, v in enumerate(rows["relationship"].to_pylist())])
    csv.write_csv(rows.set_column(2, "relationship", secret), project.root / "people.csv")
    with pytest.raises(DataError, match=r"people.*relationship.*row \d+") as caught:
        run(project())
    assert "Countess" not in str(caught.value)
    assert not (project.root / "data" / "views" / "encoded").exists()


def test_no_row_of_anybody_is_in_what_a_private_run_leaves(project):
    """D16: a string that only the data holds is in no artefact of the release."""

    def tall(raw):
        raw["pasteur"]["tables"]["people"]["columns"]["relationship"]["domain"]["other"] = "Other-relative"

    change_metadata(project.root, tall)
    rows = csv.read_csv(project.root / "people.csv")
    canary = "Canary-7f3a"
    column = pc.if_else(pc.equal(rows["relationship"], "Wife"), canary, rows["relationship"])
    csv.write_csv(rows.set_column(2, "relationship", column), project.root / "people.csv")
    result = run(project("mst"))
    released = [result.model, *result.synthetic.values()]
    released += [p for p in result.folder.rglob("*") if p.is_file()]
    released += [p for p in (project.root / "data" / "synth").rglob("*") if p.is_file()]
    for path in released:
        assert canary.encode() not in Path(path).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, r"seed \(-1\) must be 0 or more"),
        ({"rows": 0}, r"rows \(0\) must be 1 or more"),
        ({"format": "xlsx"}, r"format \(xlsx\) must be csv or pq"),
        ({"fit_on": "wkr"}, r"fit_on \(wkr\) must be one of wrk, wrk\+ref, all; did you mean 'wrk'"),
    ],
)
def test_settings_out_of_range(project, change, message):
    with pytest.raises(ConfigError, match=message):
        project(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.0}, r"privacy.epsilon \(0.0\) must be a finite number above 0"),
        ({"epsilon": -1.0}, "privacy.epsilon"),
        ({"epsilon": float("nan")}, "privacy.epsilon"),
        ({"delta": 0.0}, r"privacy.delta \(0.0\) must be between 0 and 1"),
        ({"delta": 1.0}, "privacy.delta"),
        ({"accountant": "zcpd"}, r"privacy.accountant \(zcpd\) must be one of .*did you mean 'zcdp'"),
    ],
)
def test_budgets_that_make_no_claim(change, message):
    with pytest.raises(ConfigError, match=message):
        PrivacyConfig(**change)


def test_a_final_fit_of_an_algorithm_without_a_guarantee_is_refused(project):
    with pytest.raises(ConfigError, match=r"fit_on \(all\) must be wrk"):
        run(replace(project("reference"), fit_on="all"))
