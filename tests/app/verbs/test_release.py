"""`sample` and `export`, on a small run that really ran."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from pasteur.app import compose, main, records
from pasteur.app.verbs import export
from pasteur.files import sha256
from pasteur.privacy.ledger import no_claim
from pasteur.run import run

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "zebra-7731"

METADATA = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {"core": {"columns": {"age": {"sdtype": "numerical"}, "word": {"sdtype": "categorical"}}}},
    },
    "pasteur": {
        "tables": {
            "core": {
                "columns": {
                    "age": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 9}, "source": "public"},
                    "word": {
                        "embedding": {"type": "categories"},
                        "domain": {"levels": ["a", "b", "other"], "other": "other"},
                        "source": "public",
                    },
                }
            }
        }
    },
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A project of one small data set, with a run of `independent` and then one that makes no claim."""
    folder = tmp_path_factory.mktemp("project")
    dice = random.Random(1)  # noqa: S311 - rows of a test
    rows = [f"{dice.randrange(10)},{dice.choice(['a', 'b', CANARY])}" for _ in range(300)]
    (folder / "mine.csv").write_text("\n".join(["age,word", *rows]) + "\n", encoding="utf-8")
    for path, text in {
        "configs/dataset/mine.yaml": "name: mine\nfiles: {core: {path: mine.csv}}\n"
        "tables: {core: {types: {age: int64, word: string}}}\n",
        "metadata/mine.detail.json": json.dumps(METADATA),
    }.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASTEUR_ROOT", str(folder))
        run(compose.experiment(["dataset=mine", "algorithm=independent", "metrics=quick"]))
    _pretend_reference(folder)
    return folder


def _pretend_reference(root: Path) -> None:
    """A second, later run: of an algorithm without a guarantee and without a model."""
    (first,) = records.kept(root)
    folder = first.folder.with_name("9999-01-01T00.00.00.000Z-ffffffff")
    shutil.copytree(first.folder, folder)
    changed = {"version": folder.name, "run_id": "ffffffff", "algorithm": "reference", "model": None}
    (folder / "result.json").write_text(json.dumps({**first.document, **changed}), encoding="utf-8")
    (folder / "claim.json").write_text(json.dumps(no_claim(["NOT PRIVATE: no DP guarantee"])), encoding="utf-8")
    (folder / "ledger.json").unlink()


@pytest.fixture(autouse=True)
def _here(root, monkeypatch):
    monkeypatch.setenv("PASTEUR_ROOT", str(root))


@pytest.fixture
def private(root):
    return next(k for k in records.kept(root) if k.document["algorithm"] == "independent")


def test_more_rows_from_a_model_and_no_data(root, private, tmp_path, capsys):
    (root / "mine.csv").rename(tmp_path / "away.csv")
    (root / "data" / "orig").rename(tmp_path / "orig")
    try:
        out = tmp_path / "more.csv"
        assert main(["sample", private.document["run_id"], "--rows", "1234", "--out", str(out), "--seed", "5"]) == 0
        assert "1,234 rows of core" in capsys.readouterr().out
        lines = out.read_text(encoding="utf-8").splitlines()
        assert lines[0] == '"age","word"'
        assert len(lines) == 1235
        assert all(0 <= int(line.split(",")[0]) <= 9 for line in lines[1:])
        again = tmp_path / "again.csv"
        assert main(["sample", private.document["version"], "--rows", "1234", "--out", str(again), "--seed", "5"]) == 0
        assert again.read_bytes() == out.read_bytes()
        assert main(["sample", private.document["version"], "--rows", "9", "--out", str(tmp_path / "x.pq")]) == 0
        assert pq.read_table(tmp_path / "x.pq").num_rows == 9
    finally:
        (tmp_path / "away.csv").rename(root / "mine.csv")
        (tmp_path / "orig").rename(root / "data" / "orig")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["last", "--rows", "5", "--out", "x.csv"], "has no model"),
        (["last", "--rows", "0", "--out", "x.csv"], "--rows (0) must be 1 or more"),
        (["last", "--rows", "5", "--out", "x.txt"], "--out (x.txt) must be a file that ends in .csv"),
        (["last", "--rows", "5", "--out", "x.csv", "--seed", "-1"], "--seed (-1) must be 0 or more"),
        (["nobody", "--rows", "5", "--out", "x.csv"], "no such run"),
        (["last"], "the following arguments are required"),
    ],
)
def test_mistakes_of_sample(words, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", *words]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def digests_of_real_data(root: Path) -> set[str]:
    real = [path for path in (root / "data").rglob("*") if path.is_file() and "synth" not in path.parts]
    real = [path for path in real if not path.name.endswith(".dict.json")]  # declared, and part of the release
    return {sha256(path) for path in [root / "mine.csv", *real]}


def test_a_release_holds_nothing_that_was_computed_without_noise(root, private, tmp_path):
    out = tmp_path / "release"
    assert main(["export", private.document["run_id"], "--out", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {
        "core.csv",
        "model.npz",
        "dictionary.json",
        "metadata.json",
        "ledger.json",
        "claim.json",
        "claim.html",
        "SHA256SUMS",
    }
    everything = b"\n".join(path.read_bytes() for path in out.iterdir())
    assert CANARY.encode() not in everything
    assert not [digest for digest in digests_of_real_data(root) if digest.encode() in everything]
    text = everything.decode("utf-8", errors="replace")
    for word in ("marginals/tvd", "wasserstein", '"scores"', '"syn"', '"ref":', "peak_mb"):
        assert word not in text
    claim = json.loads((out / "claim.json").read_text(encoding="utf-8"))
    assert claim["claim"]["epsilon"] == 1.0
    assert claim["releases"]["line"].startswith("1st release")
    for line in (out / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        assert sha256(out / name) == digest


def test_the_page_stands_alone_and_says_whom_the_claim_covers(private, tmp_path):
    assert main(["export", private.document["run_id"], "--out", str(tmp_path / "r"), "--no-model"]) == 0
    page = (tmp_path / "r" / "claim.html").read_text(encoding="utf-8")
    assert not (tmp_path / "r" / "model.npz").exists()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "(1, 1e-09)-DP for adding or removing one person of wrk" in page
    assert "Not covered: ref, val, dev" in page


def test_the_best_of_a_drawn_number_of_trials_does_not_tell_which_of_them_it_is(private, tmp_path, monkeypatch):
    """How many releases came before would: the claim holds where not even their number is known."""
    told = json.loads((private.folder / "claim.json").read_text()) | {"alone": True}
    real = records.Kept.json
    monkeypatch.setattr(records.Kept, "json", lambda self, name: told if name == "claim.json" else real(self, name))
    export.release(private, tmp_path / "out", model=True)
    claim = json.loads((tmp_path / "out" / "claim.json").read_text())
    assert "releases" not in claim
    page = (tmp_path / "out" / "claim.html").read_text()
    assert "Not told: the claim holds where nothing else is known of the trials" in page
    assert "release from this data" not in page + json.dumps(claim)


def test_a_run_without_a_guarantee_is_no_release(root, tmp_path, capsys):
    out = tmp_path / "r"
    assert main(["export", "last", "--out", str(out)]) == 2
    assert "has no DP guarantee" in capsys.readouterr().err
    assert not out.exists()
    assert main(["export", "last", "--out", str(out), "--without-claim"]) == 0
    assert "NOT PRIVATE" in (out / "claim.html").read_text(encoding="utf-8")
    assert not (out / "ledger.json").exists()
    assert not (out / "dictionary.json").exists()


def test_a_folder_with_something_in_it_is_left_alone(private, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("x")
    assert main(["export", private.document["run_id"], "--out", str(tmp_path)]) == 2
    assert "must be a folder that is new or empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_that_changed_since_is_not_exported(private, tmp_path, capsys):
    path = private.path(private.document["synthetic"]["core"])
    before = path.read_bytes()
    path.write_bytes(before + b"1,a\n")
    try:
        assert main(["export", private.document["run_id"], "--out", str(tmp_path / "r")]) == 2
        assert "its sha256 differs" in capsys.readouterr().err
        assert not (tmp_path / "r").exists()
    finally:
        path.write_bytes(before)


def test_every_value_of_the_page_is_escaped():
    from pasteur.app import claim_page

    evil = "<script>alert(1)</script>"
    release = {
        "claim": no_claim([evil]),
        "run": {"run_id": evil, "dataset": evil, "view": evil},
        "releases": {"line": evil},
    }
    page = claim_page.render(release, {"events": [{"label": evil, "event": evil, "sigma": 1.0}]})
    assert "<script" not in page
    assert "&lt;script&gt;" in page
