from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from pasteur.app import main

DATASET = """
name: mine
files: {core: {path: mine.csv}}
unit: {column: person}
tables: {core: {types: {person: int64, age: int64}}}
"""

VIEW = """
defaults:
  - /schema@_global_.schema: detail
  - _self_
name: mine_view
datasets: [mine]
schemas: [detail]
unit: person
components:
  core:
    key: [person]
    sql: %s
"""

METADATA = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {
            "core": {
                "primary_key": "person",
                "columns": {"person": {"sdtype": "id"}, "age": {"sdtype": "numerical"}},
            }
        },
    },
    "pasteur": {
        "tables": {
            "core": {
                "columns": {
                    "age": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 120}, "source": "people"}
                }
            }
        }
    },
}


class Metadata:
    """SDV takes seconds to import; the shipped files are held against the real one where metadata is tested."""

    @classmethod
    def load_from_dict(cls, document):
        assert document["METADATA_SPEC_VERSION"] == "V2"
        return cls()

    def validate(self):
        pass


@pytest.fixture
def project(tmp_path, monkeypatch):
    fake = ModuleType("sdv.metadata")
    fake.Metadata = Metadata
    monkeypatch.setitem(sys.modules, "sdv", ModuleType("sdv"))
    monkeypatch.setitem(sys.modules, "sdv.metadata", fake)
    monkeypatch.setenv("PASTEUR_ROOT", str(tmp_path))
    files = {
        "configs/dataset/mine.yaml": DATASET,
        "metadata/mine.detail.json": json.dumps(METADATA),
        "mine.csv": "person,age\n" + "".join(f"{i},{20 + i % 40}\n" for i in range(120)),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    def view(sql):
        path = tmp_path / "configs/view/mine_view.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(VIEW % sql, encoding="utf-8")
        return tmp_path

    return view


def test_a_sound_view(project, capsys):
    project("SELECT person, age FROM core")
    assert main(["check", "--view", "mine_view"]) == 0
    told = capsys.readouterr().out
    assert "ok      view mine_view (mine)" in told
    assert "all is well" in told


def test_a_view_that_mixes_people_is_found(project, capsys):
    project("SELECT person, CAST(age - min(age) OVER () AS BIGINT) + rank() OVER (ORDER BY person) AS age FROM core")
    assert main(["check", "--view", "mine_view"]) == 3
    told = capsys.readouterr().out
    assert "FAILED  view mine_view (mine)" in told
    assert "1 failed" in told


def test_metadata_that_contradicts_itself_is_found_without_data(project, capsys):
    root = project("SELECT person, age FROM core")
    broken = json.loads(json.dumps(METADATA))
    del broken["pasteur"]["tables"]["core"]["columns"]["age"]
    (root / "metadata/mine.detail.json").write_text(json.dumps(broken), encoding="utf-8")
    assert main(["check", "--view", "mine_view", "--no-data"]) == 3
    assert "column core.age must have an embedding" in capsys.readouterr().out


def test_an_unknown_view(project, capsys):
    project("SELECT person, age FROM core")
    assert main(["check", "--view", "mine_veiw"]) == 2
    assert "view (mine_veiw) must be one of" in capsys.readouterr().err
