from importlib.metadata import EntryPoint

import pytest

import pasteur.embeddings
from pasteur.embeddings import find, names
from pasteur.embeddings.log import Log
from pasteur.embeddings.uniform import Uniform
from pasteur.errors import SchemaError


def test_types_are_the_modules():
    assert find("uniform") is Uniform
    assert {"categories", "integers", "uniform", "log", "boolean", "datetime", "constant", "rdt"} <= set(names())
    assert "table" not in names()


def test_an_unknown_type_names_the_near_miss():
    with pytest.raises(SchemaError, match=r"core\.age embedding\.type \(unifrom\) must be .*did you mean 'uniform'"):
        find("unifrom", where="core.age embedding")


@pytest.mark.parametrize("name", ["table", "_grid", "", "os", None, 3, ["uniform"]])
def test_what_is_no_embedding_is_refused(name):
    with pytest.raises(SchemaError, match="must be an embedding"):
        find(name)


def test_a_users_package_offers_one_by_an_entry_point(monkeypatch):
    point = EntryPoint("mine", "pasteur.embeddings.log:Log", pasteur.embeddings.GROUP)
    monkeypatch.setattr(pasteur.embeddings, "_offered", lambda: {"mine": point, "uniform": point})
    assert "mine" in names()
    assert find("mine") is Log
    assert find("uniform") is Uniform
