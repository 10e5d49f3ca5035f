from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pasteur.errors import ConfigError
from pasteur.schema import Relationship
from pasteur.views import ComponentConfig, ViewConfig, resolve

VIEWS = sorted((Path(__file__).parents[2] / "configs" / "view").glob("*.yaml"))


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_a_shipped_view_is_called_like_its_file_and_names_its_first_schema(path, shipped):
    view = shipped(path.stem)
    assert view.name == path.stem
    defaults = yaml.safe_load(path.read_text())["defaults"]
    assert defaults[0] == {"/schema@_global_.schema": view.schema}
    for schema in view.schemas or ["detail"]:
        assert yaml.safe_load((path.parents[1] / "schema" / f"{schema}.yaml").read_text()) == {"name": schema}


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ({"../core": ComponentConfig()}, r"name \(\.\./core\) must be letters"),
        ({"a": ComponentConfig(parent="cor", link={"x": "id"}), "core": ComponentConfig(key=["id"])}, "mean 'core'"),
        ({"a": ComponentConfig(parent="b", link={"x": "y"}), "b": ComponentConfig(key=["id"])}, r"key of 'b' \(id\)"),
        ({"a": ComponentConfig(parent="b", link={"x": "y"}), "b": ComponentConfig()}, r"key of 'b' \(none\)"),
        (
            {
                "a": ComponentConfig(key=["i"], parent="b", link={"x": "i"}),
                "b": ComponentConfig(key=["i"], parent="a", link={"x": "i"}),
            },
            r"parents of a \(a <- b <- a\) must be no circle",
        ),
    ],
)
def test_components_that_contradict_each_other(components, said):
    with pytest.raises(ConfigError, match=said):
        ViewConfig(name="v", components=components)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sql": " "}, r"sql \(empty\)"),
        ({"parent": "core"}, r"link \(nothing\)"),
        ({"link": {"a": "b"}}, r"link \(a\)"),
    ],
)
def test_components_that_contradict_themselves(given, said):
    with pytest.raises(ConfigError, match=said):
        ComponentConfig(**given)


def test_the_generic_view_becomes_the_data_sets_own():
    links = [
        Relationship(parent_table="stays", parent_key="stay", child_table="vitals", child_key="stay_id"),
        Relationship(parent_table="patients", parent_key="id", child_table="stays", child_key="patient"),
        Relationship(parent_table="elsewhere", parent_key="id", child_table="stays", child_key="x"),
    ]
    view = resolve(
        ViewConfig(name="whole"),
        dataset="clinic",
        tables=("patients", "stays", "vitals"),
        unit="id",
        relationships=links,
    )
    assert (view.name, view.unit, view.datasets, view.schema) == ("clinic", "id", ["clinic"], "detail")
    assert view.components == {
        "patients": ComponentConfig(key=["id"]),
        "stays": ComponentConfig(key=["stay"], parent="patients", link={"patient": "id"}),
        "vitals": ComponentConfig(parent="stays", link={"stay_id": "stay"}),
    }


def test_a_view_with_components_stays_as_it_is(shipped):
    view = shipped("mimic_core")
    assert resolve(view, dataset="x", tables=("y",), unit="z") is view
