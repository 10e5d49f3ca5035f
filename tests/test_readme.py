"""The README is true: its commands compose, its names exist, and its own-data example runs from an empty directory."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import yaml

from pasteur.app import main
from pasteur.app.typed import build
from pasteur.datasets import DatasetConfig, postgres

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "your-data.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


COMMANDS = [shlex.split(line, comments=True) for block in blocks("console") for line in block.splitlines()]
RUNS = [command[3:] for command in COMMANDS if command[:3] == ["python", "-m", "pasteur"]]
VERBS = [command[1:] for command in COMMANDS if command[0] == "pasteur" and not command[1].startswith("-")]
TARGETS = [command[1] for command in COMMANDS if command[0] == "make"]


def pasteur(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PASTEUR")}
    return subprocess.run(
        [sys.executable, "-m", "pasteur", *arguments],
        cwd=folder,
        env={**environment, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def here(monkeypatch):
    """Stands in a folder, as a command's process would, without the seconds that a process takes to start."""
    for key in [key for key in os.environ if key.startswith("PASTEUR")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("NO_COLOR", "1")
    return monkeypatch.chdir


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    """An empty directory, then the files that the README's own-data section writes, with 600 patients."""
    folder = tmp_path_factory.mktemp("visitor")
    (sample,) = blocks("csv")
    dataset, _ = blocks("yaml")
    (metadata,) = blocks("json")
    rng = np.random.default_rng(7)
    with (folder / "visits.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(sample.splitlines()[0].split(","))
        for _ in range(600):
            age = rng.integers(0, 96)
            smokes = "yes" if rng.random() < age / 150 else "no"
            writer.writerow([age, rng.choice(["North", "South", "West"]), smokes, rng.integers(0, 3 + age // 10)])
    for path, text in {"configs/dataset/visits.yaml": dataset, "metadata/visits.detail.json": metadata}.items():
        assert f"`{path}`" in TEXT
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def test_there_is_something_to_check():
    assert len(RUNS) >= 4
    assert len(VERBS) >= 6
    assert {"run", "test"} <= set(TARGETS)


def _first_of_each(argument: str) -> str:
    """`a=1,2` -> `a=1`: a grid's runs compose as single runs do."""
    return argument.split(",", maxsplit=1)[0]


@pytest.mark.parametrize("arguments", RUNS, ids=" ".join)
def test_a_run_composes(arguments, visitor, here, capsys):
    here(visitor)
    once = [_first_of_each(argument) for argument in arguments if argument != "-m"]
    code, told = main(["--cfg", "job", *once]), capsys.readouterr()
    assert code == 0, told.err
    assert not told.err


@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_a_verb_knows_its_options(arguments, tmp_path, here, capsys):
    here(tmp_path)
    words = [word for word in arguments[:2] if word in {"draft", "show"} or word == arguments[0]]
    with suppress(SystemExit):
        assert main([*words, "--help"]) == 0
    told = capsys.readouterr()
    assert "usage: " in told.out, told.err
    for word in arguments:
        assert not word.startswith("--") or word in told.out


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_make_target_exists(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "group", ["dataset", "view", "schema", "metrics", "algorithm", "privacy", "sweep", "experiment"]
)
def test_the_table_names_every_choice(group):
    choices = {path.stem for path in (ROOT / "configs" / group).glob("*.yaml")}
    rows = "\n".join(line for line in TEXT.splitlines() if line.startswith("|"))
    assert choices, group
    assert not [choice for choice in choices if f"`{choice}`" not in rows]


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_reference_for_own_data_composes(tmp_path):
    dataset, view, public = blocks("yaml", REFERENCE)
    texts = {"configs/dataset/clinic.yaml": dataset, "configs/view/clinic_stays.yaml": f"{view}\n{public}"}
    for path, text in texts.items():
        assert f"`{path}`" in REFERENCE
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    done = pasteur(tmp_path, "--cfg", "job", "dataset=clinic", "algo=reference")
    assert done.returncode == 0, done.stderr
    assert "clinic-2026" in done.stdout
    assert "begins" in done.stdout
    assert "SELECT ward, beds FROM wards" in done.stdout


def test_the_example_in_a_server_is_a_data_set():
    dataset = build(DatasetConfig, yaml.safe_load(blocks("yaml")[1]), "dataset")
    assert dataset.in_server
    assert postgres.specs(dataset)["stays"].schema == "archive"


def test_the_reference_names_every_embedding():
    offered = {path.stem for path in (ROOT / "src" / "pasteur" / "embeddings").glob("[!_]*.py")} - {"table"}
    assert set(re.findall(r'^\| `\{"type": "(\w+)"', REFERENCE, re.MULTILINE)) == offered


@pytest.mark.slow
def test_own_data_from_an_empty_directory(visitor):
    arguments = next(arguments for arguments in RUNS if "dataset=visits" in arguments)
    done = pasteur(visitor, *arguments)
    assert done.returncode == 0, done.stderr
    (synthetic,) = (visitor / "data" / "synth" / "decoded").glob("*/*/*.csv")
    with synthetic.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == blocks("csv")[0].splitlines()[0].split(",")
    assert {row["town"] for row in rows} <= {"North", "South", "East"}
    assert all(0 <= int(row["age"]) <= 120 for row in rows)


@pytest.mark.slow
def test_the_library_example_runs(tmp_path):
    (program,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "-DP for adding or removing one row" in done.stdout
    assert (tmp_path / "model.npz").exists()
