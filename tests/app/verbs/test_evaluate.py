"""`pasteur evaluate` on files of two components and of one, whole and broken."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import parquet as pq

from pasteur.app import main

pytestmark = pytest.mark.slow  # whole runs and whole evaluations


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
        ("S.json", '{"sdv": {"tables": {"people": 3}}}', "S.json: sdv.tables.people (3) must be a mapping"),
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


# What another tool may have made: a report, or one line.


def text(*cells):
    """A CSV file of the rows `cells`, a hundred times."""
    return "age,word\n" + "\n".join(cells * 100) + "\n"


ODD = {
    "columns in another order": rows(1).select(["word", "age"]),
    "a further column": rows(1).append_column("<b>" + "é" * 10_000, pa.array(["x"] * 400)),
    "no rows": rows(1).slice(0, 0),
    "one row": rows(1).slice(0, 1),
    "a category of its own": text("1,zebra"),
    "one value": text("1,b"),
    "nothing but nulls": text(","),
    "decimals": text("1.5,b"),
    "no numbers": text("inf,b", "nan,b", "-inf,b", "1e400,b"),
    "too large numbers": text("99999999999999999999,b", "9223372036854775807,b"),
    "html": text("1,<script>alert(7731)</script>"),
    "unicode": text("1,Αθήνα\u202e🏛", "2,\x00"),
    "long values": text("1," + "x" * 10_000),
    "a byte order mark": "\ufeff" + text("1,b"),
}


def put(path, content):
    """Write a table, or bytes or text as they are."""
    if isinstance(content, pa.Table):
        (csv.write_csv if path.suffix == ".csv" else pq.write_table)(content, path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


FAST = ("no rows", "one row", "html")
"""The others take a second each."""


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in ODD])
def test_odd_data_gets_a_report(folder, name, capsys):
    put(folder / "syn.csv", ODD[name])
    assert evaluate("--test", "test.csv") == 0
    captured = capsys.readouterr()
    assert not captured.err
    assert "tvd2" in captured.out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(7731)" not in page
    assert len(page) < 2_000_000


@pytest.mark.parametrize("content", [text("1,b"), text(",")], ids=["constant", "null"])
def test_odd_real_data_gets_a_report(folder, content):
    put(folder / "real.csv", content)
    assert evaluate() == 0


@pytest.mark.slow
def test_many_rows_get_a_report(folder):
    pq.write_table(rows(1, count=1_000_000), folder / "syn.pq")
    assert main(["evaluate", *WORDS[:2], "--synthetic", "syn.pq", *WORDS[4:]]) == 0
    assert (folder / "report.html").stat().st_size < 2_000_000


BROKEN = {
    "nothing": ("syn.csv", b""),
    "another alphabet": ("syn.csv", "age,word\n1,zébra\n".encode("latin1")),
    "another encoding": ("syn.csv", "age,word\n1,zebra\n".encode("utf-16")),
    "no parquet": ("syn.pq", b"zebra" * 999),
    "lists": ("syn.pq", pa.table({"age": [[1]] * 50, "word": ["zebra"] * 50})),
    "structs": ("syn.pq", pa.table({"age": [1] * 50, "word": [{"a": "zebra"}] * 50})),
    "bytes": ("syn.pq", pa.table({"age": [1] * 50, "word": [b"zebra\xff"] * 50})),
    "twice the same name": ("syn.pq", pa.table([[1] * 50, [2] * 50, ["b"] * 50], names=["age", "age", "word"])),
    "another column": ("syn.pq", pa.table({"age": [1] * 50, "wort": ["zebra"] * 50})),
    "few real rows": ("real.csv", rows(1).slice(0, 1)),
    "deep JSON": ("S.json", "[" * 100_000),
    "no JSON": ("S.json", b"\xff\xfe\x00"),
    "no tables": ("S.json", '{"sdv": {"tables": {}}, "pasteur": {}}'),
    "no columns": ("S.json", '{"sdv": {"tables": {"people": {"columns": {}}}}, "pasteur": {}}'),
    "metadata of SDV alone": ("S.json", json.dumps({"sdv": SCHEMA["sdv"]})),
    "not ours": ("S.json", json.dumps({"sdv": SCHEMA["sdv"], "pasteur": None})),
    "bare metadata of SDV": ("S.json", json.dumps(SCHEMA["sdv"])),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_judged_is_told_in_one_line(folder, name, capsys):
    file, content = BROKEN[name]
    put(folder / file, content)
    synthetic = file if file.startswith("syn") else "syn.csv"
    assert main(["evaluate", *WORDS[:2], "--synthetic", synthetic, *WORDS[4:]]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "zebra" not in error
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("word", ["nowhere.csv", "peple=real.csv", "a\0b.csv", "a" * 10_000 + ".csv", ".", "S.json"])
def test_files_that_are_none_are_told_in_one_line(folder, word, capsys):
    assert main(["evaluate", "--real", word, *WORDS[2:]]) == 2
    error = capsys.readouterr().err
    assert "--real" in error
    assert error.count("\n") == 1


@pytest.fixture
def wards(folder):
    """The same files, of two components: wards and their people."""
    columns = {"ward": {"sdtype": "id"}, "kind": {"sdtype": "categorical"}}
    people = {"ward": {"sdtype": "id"}, **SCHEMA["sdv"]["tables"]["people"]["columns"]}
    link = {"parent_table_name": "wards", "parent_primary_key": "ward"}
    link |= {"child_table_name": "people", "child_foreign_key": "ward"}
    tables = {"wards": {"columns": columns, "primary_key": "ward"}, "people": {"columns": people}}
    ours = {"wards": {"columns": {"kind": column("categories", {"levels": ["a", "b"]})}}, **SCHEMA["pasteur"]["tables"]}
    sdv = {"METADATA_SPEC_VERSION": "V1", "tables": tables, "relationships": [link]}
    (folder / "S.json").write_text(json.dumps({"sdv": sdv, "pasteur": {"tables": ours}}), encoding="utf-8")
    for seed, side in enumerate(("real", "syn")):
        (folder / side).mkdir()
        kinds = np.where(np.random.default_rng(seed).random(100) < 0.5, "a", "b")
        csv.write_csv(pa.table({"ward": np.arange(100), "kind": kinds}), folder / side / "wards.csv")
        held = rows(seed).append_column("ward", pa.array(np.arange(400) // 4))
        csv.write_csv(held, folder / side / "people.csv")
    return folder


@pytest.mark.parametrize(
    "synthetic", [["syn"], ["wards=syn/wards.csv", "people=syn/people.csv"]], ids=["a folder", "by name"]
)
def test_several_components(wards, synthetic):
    words = [word for one in synthetic for word in ("--synthetic", one)]
    assert main(["evaluate", "--real", "real", *words, *WORDS[4:]]) == 0
    assert "people.csv" in (wards / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("syn/people.csv", "--synthetic (syn/people.csv) must be a folder, or <component>=<file> of each"),
        ("peple=syn/people.csv", "did you mean 'people'"),
        ("people=syn/people.csv", "component 'wards' must have a file"),
    ],
)
def test_components_that_are_missing_are_named(wards, word, told, capsys):
    assert main(["evaluate", "--real", "real", "--synthetic", word, *WORDS[4:]]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
