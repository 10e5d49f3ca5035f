from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur import manifest
from pasteur.artefacts import JsonFile
from pasteur.catalog import Paths
from pasteur.manifest import Manifests, code_digest, digest

SETTINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def triple(value):
    return 3 * value


@dataclass(frozen=True)
class Setting:
    bins: int
    more: object = ()


@settings(max_examples=60)
@given(SETTINGS, SETTINGS)
def test_two_settings_share_a_digest_only_where_they_say_the_same(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) is same


def test_the_forms_of_a_setting():
    assert digest(Setting(bins=3)) == digest({"bins": 3, "more": []})
    assert digest(Path("a/b")) == digest("a/b")
    assert digest(MappingProxyType({"a": 1})) == digest({"a": 1})
    assert digest(1) != digest("1") != digest(1.5)
    assert digest({"a": None}) != digest({})


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", [{"a": {3}}]])
def test_what_has_no_order_has_no_digest(value):
    """A set's order changes with Python's hash seed: everything would be made again on each run."""
    with pytest.raises(TypeError, match=r"a setting of type \w+ has no digest"):
        digest(value)


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A package of rooms; call it with sources to write them and get the rooms' digests."""
    monkeypatch.setattr(manifest, "SOURCE", tmp_path)

    def write(**sources):
        for name, text in sources.items():
            (tmp_path / f"{name}.py").write_text(text)
        code_digest.cache_clear()
        return {path.stem: code_digest(path.stem) for path in tmp_path.glob("*.py")}

    yield write
    code_digest.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "from pasteur.b import x",
        "from pasteur.b.deep import x",
        "from pasteur import b",
        "from pasteur import a, b as c",
        "from pasteur import (\n    a,\n    b,\n)",
        "import pasteur.b",
        "def f():\n    from pasteur.b import x",
        "if TYPE_CHECKING:\n    from pasteur import b",
    ],
)
def test_every_way_to_import_a_room_counts_also_through_another(rooms, text):
    before = rooms(a=text, b="from pasteur.c import y", c="y = 1", d="z = 1")
    after = rooms(c="y = 2")
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}


def test_rooms_that_import_each_other_have_a_digest(rooms):
    before = rooms(a="from pasteur import b", b="from pasteur import a")
    assert before["a"] == before["b"]
    assert rooms(b="from pasteur import a  # changed")["a"] != before["a"]


def test_a_room_that_is_a_folder_counts_with_all_of_its_files(rooms, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    inner = tmp_path / "deep" / "er" / "x.py"
    inner.write_text("1")
    before = rooms(a="from pasteur.deep.er import x")["a"]
    inner.write_text("2")
    assert rooms()["a"] != before


@pytest.fixture
def one(tmp_path):
    """One node over a file, with its manifest."""
    from kedro.io import DataCatalog, MemoryDataset
    from kedro.pipeline import node

    paths = Paths(root=tmp_path)
    made = JsonFile(paths.data / "x.json")
    entries = DataCatalog({"value": MemoryDataset(1), "x": made, "memory": MemoryDataset(2)})
    step = node(triple, "value", "x", tags=["errors"])
    made.save(3)
    Manifests(paths).record(step, entries)
    return paths, step, entries


def test_what_was_recorded_is_current_for_the_next_run(one):
    paths, step, entries = one
    assert Manifests(paths).is_current(step, entries)


@pytest.mark.parametrize("held", ["", "{", "{}", "[]", "null", "3", '{"recipe": {}}', '"x"', "\udcff"])
def test_a_manifest_that_says_nothing_is_no_proof_and_no_error(one, held):
    paths, step, entries = one
    paths.manifest(paths.data / "x.json").write_bytes(held.encode("utf-8", "surrogateescape"))
    assert not Manifests(paths).is_current(step, entries)


def test_another_library_is_another_recipe(one, monkeypatch):
    paths, step, entries = one
    monkeypatch.setattr(manifest, "version", lambda name: "0" if name == "duckdb" else "1")
    assert not Manifests(paths).is_current(step, entries)


def test_what_lies_in_memory_alone_is_never_current(one):
    from kedro.pipeline import node

    paths, _, entries = one
    assert not Manifests(paths).is_current(node(triple, "value", "memory"), entries)


def test_raw_files_count_by_their_bytes_not_by_their_place(tmp_path, one):
    from kedro.io import MemoryDataset

    paths, step, entries = one
    raw = tmp_path / "raw.csv"

    def recipe(content, place=raw):
        place.write_text(content)
        entries["value"] = MemoryDataset({"people": place}, copy_mode="assign")
        return Manifests(paths).recipe(step, entries)

    first = recipe("a\n1\n")
    assert recipe("a\n1\n", tmp_path / "elsewhere.csv") == first
    assert recipe("a\n2\n") != first
