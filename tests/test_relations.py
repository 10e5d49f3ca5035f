from __future__ import annotations

import copy

import pytest

from pasteur.errors import SchemaError
from pasteur.relations import tree
from pasteur.schema import Schema

ID = {"sdtype": "id"}
NUMBER = {"sdtype": "numerical"}
WORD = {"sdtype": "categorical"}


def declared(columns):
    known = {
        "numerical": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 9}, "source": "known"},
        "categorical": {"embedding": {"type": "categories"}, "domain": {"levels": ["a", "b"]}, "source": "known"},
    }
    return {name: known[entry["sdtype"]] for name, entry in columns.items() if entry["sdtype"] in known}


def link(parent, key, child, column=None):
    return {
        "parent_table_name": parent,
        "parent_primary_key": key,
        "child_table_name": child,
        "child_foreign_key": column or key,
    }


def raw():
    """People with visits in order, visits with items, and notes of people that name a visit."""
    tables = {
        "items": {"primary_key": "item", "columns": {"item": ID, "visit": ID, "what": WORD}},
        "people": {"primary_key": "person", "columns": {"person": ID, "age": NUMBER}},
        "visits": {
            "primary_key": "visit",
            "columns": {"visit": ID, "person": ID, "day": NUMBER, "why": WORD},
            "sequence_index": "day",
        },
        "notes": {"columns": {"person": ID, "visit": ID, "tone": WORD}},
    }
    links = [
        link("people", "person", "visits"),
        link("visits", "visit", "items"),
        link("people", "person", "notes"),
        link("visits", "visit", "notes"),
    ]
    ours = {name: {"columns": declared(table["columns"])} for name, table in tables.items()}
    ours["visits"]["max_rows"], ours["items"]["max_rows"], ours["notes"]["max_rows"] = 5, 3, 2
    ours["notes"]["owner"] = "people"
    return {"sdv": {"tables": tables, "relationships": links}, "pasteur": {"tables": ours}}


def read(document):
    return tree(Schema.parse(document, name="v.detail", file="v.detail.json"))


def test_parents_come_before_their_children_and_second_parents_last():
    root, relations = read(raw())
    assert root == "people"
    assert [(each.parent, each.child, each.owns) for each in relations] == [
        ("people", "visits", True),
        ("people", "notes", True),
        ("visits", "items", True),
        ("visits", "notes", False),
    ]
    assert [each.order for each in relations] == [("day",), (), (), ()]
    assert [each.max_rows for each in relations[:3]] == [5, 2, 3]


def test_one_table_is_a_tree():
    document = raw()
    for part in (document["sdv"]["tables"], document["pasteur"]["tables"]):
        for name in ("items", "visits", "notes"):
            del part[name]
    document["sdv"]["relationships"] = []
    assert read(document) == ("people", ())


def no_maximum(document):
    del document["pasteur"]["tables"]["visits"]["max_rows"]


def no_whole_maximum(document):
    document["pasteur"]["tables"]["visits"]["max_rows"] = 0


def circle(document):
    document["sdv"]["tables"]["people"]["columns"]["item"] = ID
    document["sdv"]["relationships"].append(link("items", "item", "people"))


def twice(document):
    document["sdv"]["tables"]["visits"]["columns"]["other"] = ID
    document["sdv"]["relationships"].append(link("people", "person", "visits", "other"))


def composite(document):
    document["sdv"]["relationships"][0]["parent_primary_key"] = ["person", "age"]


def another_key(document):
    document["sdv"]["relationships"][0]["parent_primary_key"] = "age"


def unknown_column(document):
    document["sdv"]["relationships"][0]["child_foreign_key"] = "persn"


def two_roots(document):
    document["sdv"]["relationships"] = document["sdv"]["relationships"][1:]


def no_owner(document):
    del document["pasteur"]["tables"]["notes"]["owner"]


def strange_owner(document):
    document["pasteur"]["tables"]["notes"]["owner"] = "visit"


def unordered(document):
    document["sdv"]["tables"]["visits"]["sequence_index"] = "why"


def no_order(document):
    document["sdv"]["tables"]["visits"]["sequence_index"] = "dya"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_maximum, "pasteur.tables.visits.max_rows must be declared"),
        (no_whole_maximum, r"visits.max_rows \(0\) must be a whole number of 1 or more"),
        (circle, "no circle"),
        (twice, "a table may be related to a parent once"),
        (composite, "composite keys are not known"),
        (another_key, "must be of sdtype id"),
        (unknown_column, "'persn' is not in table 'visits'; did you mean 'person'"),
        (two_roots, r"tables without a parent \(people, visits\) must be one"),
        (no_owner, "pasteur.tables.notes.owner must name one"),
        (strange_owner, r"notes.owner \(visit\) must be one of its parents; did you mean 'visits'"),
        (unordered, r"visits: sequence_index \(why\) must be a column of numbers or times"),
        (no_order, "sequence_index 'dya' is no column; did you mean 'day'"),
    ],
)
def test_what_is_no_tree_is_refused(change, words):
    document = copy.deepcopy(raw())
    change(document)
    with pytest.raises(SchemaError, match=words):
        read(document)
