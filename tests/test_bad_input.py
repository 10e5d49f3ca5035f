"""Bad input to a whole run: one clear line, no value of the data, nothing half-written, and a mended input runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import csv

from pasteur import datasets
from pasteur.catalog import Paths
from pasteur.datasets.config import FileConfig, UnitConfig
from pasteur.errors import DataError, PasteurError
from pasteur.files import sha256
from pasteur.privacy import LedgerBook
from pasteur.run import run
from pasteur.views import ComponentConfig, ViewConfig

HEAD = '"age","education-num","relationship","sex","hours-per-week","income-per-year"\n'
GOOD = '39,13,"Husband","Male",40,"<=50K"\n'


@pytest.fixture(scope="session")
def adult_rows(adult_rows):
    """Few people: what is wrong with a file is found as well in 300 rows."""
    return adult_rows.slice(0, 300)


def refused(experiment):
    """What a run says; it must leave no half of a file, no artefact of the run and no entry in the book."""
    with pytest.raises(PasteurError) as caught:
        run(experiment)
    root = experiment.root
    assert not [path for path in root.rglob("*") if path.name.endswith(".tmp")]
    assert not (root / "data" / "synth").exists()
    assert not (root / "outputs" / "runs").exists()
    assert LedgerBook(Paths(root=root).book).releases("people", "people") == ()
    said = str(caught.value)
    assert "secret7" not in said
    assert "\n" not in said
    return said


FILES = {
    "empty file": (b"", "people.csv: is empty: not even a header"),
    "empty table": (HEAD.encode(), "people.csv: must have at least one row, but has none"),
    "one row": ((HEAD + GOOD).encode(), "split 'wrk' has no person, as there are 1 in all"),
    "missing header": ((GOOD * 50).encode(), "people.csv: has no header: name 1 of its first line is a number"),
    "duplicate header": (
        (HEAD.replace("sex", "age") + GOOD * 50).encode(),
        "people.csv: column 4 has the name of column 1 in its first line",
    ),
    "truncated in a row": ((HEAD + GOOD * 50 + "39,13").encode(), "row 51: has 2 fields where there are 6 columns"),
    "truncated in a text": ((HEAD + GOOD * 50 + '39,13,"secret7').encode(), "people.csv"),
    "wrong encoding": (
        (HEAD + GOOD * 50).encode() + '39,13,"secret7é","Male",40,"<=50K"\n'.encode("latin-1"),
        "row 51: column 3 is not in the encoding utf-8",
    ),
    "UTF-16": ((HEAD + GOOD * 50).encode("utf-16"), "people.csv: "),
    "no number": (
        (HEAD + GOOD * 50 + GOOD.replace("39", "secret7")).encode(),
        "row 51: column 'age' is not a whole number",
    ),
    "column gone": (
        (HEAD.replace(',"sex"', "") + GOOD.replace(',"Male"', "") * 50).encode(),
        "column 'sex' is not in table 'people'",
    ),
    "all-null column": ((HEAD + GOOD.replace('"Husband"', "") * 50).encode(), "relationship"),
    "undeclared level": ((HEAD + GOOD.replace("Husband", "secret7") * 50).encode(), "relationship"),
    "zero bytes": ((HEAD + GOOD * 50).encode() + b"\0" * 100, "people.csv"),
    "no table at all": (b"\x89PNG\r\n\x1a\n secret7" * 40, "people.csv"),
}


@pytest.mark.parametrize(("content", "said"), FILES.values(), ids=FILES)
def test_a_raw_file_that_is_no_table_of_people(project, content, said):
    (project.root / "people.csv").write_bytes(content)
    assert said in refused(project())


def test_a_raw_file_that_is_missing(project):
    (project.root / "people.csv").unlink()
    assert "raw file 'people' of data set 'people' is missing" in refused(project())


def test_a_raw_file_with_one_byte_changed_names_both_digests_and_may_be_accepted(project):
    path = project.root / "people.csv"
    whole = path.read_bytes()
    datasets.fetch(project().dataset, Paths(root=project.root).raw("people"), root=project.root)
    path.write_bytes(whole.replace(b"Husband", b"Hasband", 1))
    with pytest.raises(DataError) as caught:
        run(project("bootstrap"))
    assert sha256(path) in str(caught.value)
    with pytest.raises(DataError, match="relationship"):
        run(project("bootstrap", accept=True))
    path.write_bytes(whole)
    run(project("bootstrap", accept=True))
    assert len(list((project.root / "outputs" / "runs").iterdir())) == 1


def test_a_wrong_type_late_in_a_table_whose_rows_have_ids(project):
    """Such a table is typed as it is written: nothing has looked at its rows before."""
    made = project("reference")
    ids = "".join(f"{i},{GOOD}" for i in range(60))
    (project.root / "people.csv").write_text(f'"id",{HEAD}{ids}60,{GOOD.replace("40", "secret7")}')
    table = replace(made.dataset.tables["people"], types={"id": "int64", "hours-per-week": "int64"})
    dataset = replace(made.dataset, unit=UnitConfig(column="id"), tables={"people": table})
    assert "row 61: column 'hours-per-week' is not a whole number" in refused(replace(made, dataset=dataset))


def test_a_pinned_file_with_one_byte_changed(project):
    path = project.root / "people.csv"
    made = project()
    pinned = replace(made.dataset, files={"people": FileConfig(path="people.csv", sha256=sha256(path))})
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert pinned.files["people"].sha256 in refused(replace(made, dataset=pinned))


def test_an_all_null_column_that_may_be_null_runs_to_the_end(project):
    rows = csv.read_csv(project.root / "people.csv")
    nulls = pa.nulls(300, pa.string())
    csv.write_csv(rows.set_column(2, "relationship", nulls), project.root / "people.csv")
    path = project.root / "metadata" / "people.detail.json"
    raw = json.loads(path.read_text())
    raw["pasteur"]["tables"]["people"]["columns"]["relationship"]["domain"]["null"] = True
    path.write_text(json.dumps(raw))
    drawn = csv.read_csv(run(project("bootstrap")).synthetic["people"])["relationship"]
    assert drawn.null_count == len(drawn) > 0


def test_duplicate_ids_where_they_must_be_unique(project):
    made = project()
    table = replace(made.dataset.tables["people"], unique=["age"])
    said = refused(replace(made, dataset=replace(made.dataset, tables={"people": table})))
    assert "table 'people', row " in said
    assert "column 'age' must be unique" in said


QUERIES = {
    "two statements": ("SELECT * FROM people; SELECT 1", "must be one SELECT"),
    "no question": ("DROP TABLE people", "must be one SELECT"),
    "a missing table": ("SELECT * FROM peeple", "table 'peeple' is not there; did you mean 'people'"),
    "a function that is not allowed": ("SELECT *, random() AS r FROM people", "'random' is not allowed"),
    "a file by function": ("SELECT * FROM read_csv('people.csv')", "read_csv"),
    "a file by name": ("SELECT * FROM 'people.csv'", "'people.csv' is not there"),
    "a variable of the machine": ("SELECT *, getenv('HOME') AS h FROM people", "getenv"),
}


@pytest.mark.parametrize(("sql", "said"), QUERIES.values(), ids=QUERIES)
def test_a_view_that_asks_what_it_may_not(project, sql, said):
    view = ViewConfig(name="asks", components={"people": ComponentConfig(sql=sql)})
    found = refused(project(view=view))
    assert said in found
    assert "view asks" in found


def test_a_read_only_project(project):
    """A file where a folder belongs stands in for it: root may write everywhere else."""
    (project.root / "data").write_text("")
    with pytest.raises(PasteurError, match="cannot be written"):
        run(project())
    assert sorted(path.name for path in project.root.iterdir()) == ["data", "metadata", "people.csv"]


@pytest.fixture
def small_files():
    """A limit on the size of a file stands in for a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("copied", [False, True], ids=["for the raw file", "for a table"])
def test_no_room_on_the_disk(project, copied, request):
    made = project()
    if copied:
        datasets.fetch(made.dataset, Paths(root=project.root).raw("people"), root=project.root)
    request.getfixturevalue("small_files")
    said = refused(made)
    assert "cannot be written (File too large)" in said
    assert ("people.pq" if copied else "people.csv") in said
