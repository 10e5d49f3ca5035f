"""`pasteur evaluate` on files of two components and of one, whole and broken."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import parquet as pq

from pasteur.app import main


def column(kind, domain):
    return {"embedding": {"type": kind}, "domain": domain, "source": "public"}


SCHEMA = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {"people": {"columns": {"age": {"sdtype": "numerical"}, "word": {"sdtype": "categorical"}}}},
    },
    "pasteur": {
        "tables": {
            "people": {
                "columns": {
                    "age": column("integers", {"min": 0, "max": 9}),
                    "word": column("categories", {"levels": ["007", "b", "other"], "other": "other"}),
                }
            }
        }
    },
}


def rows(seed, count=400):
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 10, count)
    word = np.where(rng.random(count) < 0.8, np.where(age > 4, "007", "b"), "other")
    return pa.table({"age": age, "word": word})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("real", "syn", "test")):
        csv.write_csv(rows(seed), tmp_path / f"{name}.csv")
    (tmp_path / "S.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return tmp_path


WORDS = ["--real", "real.csv", "--synthetic", "syn.csv", "--schema", "S.json", "--depth", "quick"]


def evaluate(*words):
    return main(["evaluate", *WORDS, *words])


def test_with_test_data(folder, capsys):
    assert evaluate("--test", "test.csv") == 0
    out = capsys.readouterr().out
    assert "Scores against one half of the test data" in out
    assert "report    report.html" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "syn.csv, judged" in page
    assert "not differentially private" in page
    assert "may reward copying" not in page
    assert "20 of 400 rows" in page


def test_without_test_data_the_page_says_what_that_means(folder):
    assert evaluate("--out", "own.html") == 0
    assert "may reward copying" in (folder / "own.html").read_text(encoding="utf-8")


def test_parquet_and_a_component_by_its_name(folder):
    pq.write_table(rows(1), folder / "syn.pq")
    assert main(["evaluate", *WORDS[:2], "--synthetic", "people=syn.pq", *WORDS[4:]]) == 0


def test_a_folder_of_components(folder):
    for name in ("real", "syn"):
        (folder / name).mkdir()
        (folder / f"{name}.csv").rename(folder / name / "people.csv")
    assert main(["evaluate", "--real", "real", "--synthetic", "syn", *WORDS[4:]]) == 0


def test_a_level_that_looks_like_a_number_stays_text(folder):
    assert evaluate() == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert ">007<" in page


def test_queries_of_ones_own(folder):
    head = "-- name: words\n-- kind: share\n-- keys: word\n-- values: n=count\n"
    (folder / "Q.sql").write_text(head + "SELECT word, count(*) AS n FROM people GROUP BY word;\n", encoding="utf-8")
    assert evaluate("--sql", "Q.sql") == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "FROM people GROUP BY word" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--test", "nowhere.csv"], "--test (nowhere.csv) must be a file that ends in"),
        (["--test", "people=real.csv", "--test", "people=real.csv"], "component 'people' must be given once"),
        (["--out", "report.pdf"], "--out (report.pdf) must be a file that ends in .html"),
        (["--depth", "standrd"], "did you mean 'standard'"),
        (["--seed", "-1"], "--seed (-1) must be 0 or more"),
        (["--sql", "nowhere.sql"], "--sql (nowhere.sql) must be a file that can be read"),
        (["--schema", "nowhere.json"], "--schema (nowhere.json) must be a file that can be read"),
    ],
)
def test_mistakes_of_the_command_line_are_one_line(folder, words, told, capsys):
    assert evaluate(*words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("S.json", "{", "S.json: is not valid JSON"),
        ("S.json", "[]", "S.json: must be metadata"),
        ("S.json", '{"sdv": {"tables": {"people": 3}}}', "S.json: is not metadata"),
        ("syn.csv", "age,age\n1,2\n", "each column must have a name of its own"),
        ("syn.csv", "age,word\n1,2,3\n", "is not CSV"),
        ("syn.csv", "age,word\nzebra-7731,b\n", "people.age"),
        ("syn.csv", "age\n1\n", "people.word"),
    ],
)
def test_broken_files_are_named_and_no_value_is_shown(folder, name, text, told, capsys):
    (folder / name).write_text(text, encoding="utf-8")
    assert evaluate() == 2
    error = capsys.readouterr().err
    assert told in error
    assert "zebra" not in error
    assert error.count("\n") == 1


def test_a_metric_that_fails_ends_with_3_and_the_page_is_there(folder, monkeypatch, capsys):
    from pasteur.metrics import marginals

    def broken(*_):
        raise ZeroDivisionError("zebra-7731")

    monkeypatch.setattr(marginals.Marginals, "measure", broken)
    assert evaluate() == 3
    assert "FAILED marginals" in capsys.readouterr().out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "FAILED" in page
    assert "zebra" not in page
