from __future__ import annotations

from pasteur.catalog import JsonFile


def test_a_document_keeps_the_order_of_components_and_columns(tmp_path):
    """Tables are matched with them by place: patient before adt."""
    file = JsonFile(tmp_path / "dictionary.json")
    document = {"patient": {"columns": ["sex", "age"], "sizes": {"sex": 2, "age": 9}}, "adt": {}}
    file.save(document)
    loaded = file.load()
    assert loaded == document
    assert list(loaded) == ["patient", "adt"]
    assert list(loaded["patient"]["sizes"]) == ["sex", "age"]
