from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.embeddings.boolean import Boolean
from pasteur.embeddings.categories import Categories
from pasteur.embeddings.constant import Constant
from pasteur.errors import SchemaError
from pasteur.schema import Column

PLAIN = {"type": "categories"}


@pytest.fixture
def declare(column):
    def make(domain, embedding=None, **sdv):
        return Categories.declare(column(embedding or PLAIN, domain, "categorical", **sdv))

    return make


def codes(embedding, values, kind=None):
    return embedding.encode(pa.array(values, kind))[0].tolist()


def decoded(embedding, wanted, seed=0):
    return embedding.decode([np.asarray(wanted)], rng=np.random.default_rng(seed)).to_pylist()


def test_codes_follow_the_declared_order_and_null_is_last(declare):
    embedding = declare({"levels": ["b", "a", ""], "null": True})
    assert codes(embedding, ["a", "b", None, "", "zzz"]) == [1, 0, 3, 2, 0]
    assert decoded(embedding, [0, 1, 2, 3]) == ["b", "a", "", None]


def test_other_takes_what_is_not_declared_and_comes_after_the_levels(declare):
    embedding = declare({"levels": ["a", "b"], "other": "rest", "null": True})
    assert embedding.levels == ("a", "b", "rest")
    assert codes(embedding, ["x", "a", "rest", None]) == [2, 0, 2, 3]
    assert embedding.check(pa.array(["x", None])) is None
    assert embedding.moved(pa.array(["x", "rest", "a", None])) == {"other": 1}


def test_other_may_be_a_level_and_takes_undeclared_nulls(declare):
    embedding = declare({"levels": ["rest", "a"], "other": "rest"})
    assert embedding.parts[0].size == 2
    assert codes(embedding, ["x", "a", None]) == [0, 1, 0]
    assert embedding.check(pa.array(["x", None])) == 1


def test_without_other_an_undeclared_level_is_refused_at_ingestion(declare):
    embedding = declare({"levels": ["a", "b"], "null": True})
    assert embedding.check(pa.array(["a", None, "c", "d"])) == 2


@pytest.mark.parametrize(
    ("levels", "values", "kind"),
    [
        (["0", "1"], [0, 1], pa.int64()),
        (["0", "1"], [0.0, 1.0], pa.float64()),
        (["0.0", "1.0"], [0, 1], pa.int8()),
        (["00", "01.50"], [0.0, 1.5], pa.float64()),
        ([0, 1], ["0", "1"], pa.string()),
        ([0, 1], [0.0, 1.0], pa.float32()),
        ([False, True], ["False", "True"], pa.string()),
        (["False", "True"], [False, True], pa.bool_()),
        (["no", "yes"], ["no", "yes"], pa.large_string()),
        (["no", "yes"], ["no", "yes"], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_levels_are_found_in_columns_of_another_type(declare, levels, values, kind):
    embedding = declare({"levels": levels, "null": True})
    assert codes(embedding, [*values, None], kind) == [0, 1, 2]
    assert decoded(embedding, [0, 1]) == levels


def test_groups_are_codes_and_a_level_is_drawn_uniformly(declare):
    hierarchy = {"Peru": "America", "France": "Europe", "Italy": "Europe", "rest": "rest"}
    domain = {"levels": ["Peru", "France", "Cuba", "Italy"], "other": "rest", "null": True, "hierarchy": hierarchy}
    embedding = declare(domain, {"type": "categories", "height": 1})
    assert embedding.parts[0].size == 5
    assert codes(embedding, ["Peru", "France", "Cuba", "Italy", "Mars", None]) == [0, 1, 2, 1, 3, 4]
    drawn = decoded(embedding, np.full(10_000, 1))
    assert drawn.count("France") == pytest.approx(5_000, abs=300)
    assert set(drawn) == {"France", "Italy"}
    assert declare(domain).parts[0].size == 6


def test_types_of_decoded_levels(declare):
    for levels, kind in ((["a"], pa.string()), ([7], pa.int64()), ([True], pa.bool_())):
        assert declare({"levels": levels}).arrow == kind


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (None, r"column core\.age must have a declared domain"),
        ({}, "domain must have 'levels'"),
        ({"levels": []}, "must be at least one level"),
        ({"levels": "abc"}, r"domain\.levels \(str\) must be a list"),
        ({"levels": ["a", 1]}, r"domain\.levels \(int, str\) must be at least one level, all text"),
        ({"levels": [1.5]}, r"domain\.levels \(float\) must be"),
        ({"levels": [None]}, r"domain\.levels \(NoneType\) must be"),
        ({"levels": [["a"]]}, r"domain\.levels \(list\) must be"),
        ({"levels": ["a"], "other": 3}, r"domain\.levels \(int, str\) must be"),
        ({"levels": ["a", "b", "a"]}, r"core\.age domain\.levels \(a\) must be there once"),
        ({"levels": ["\ud800"]}, "must be valid Unicode"),
        ({"levels": [2**63]}, "64-bit"),
        ({"levels": ["a"], "others": "b"}, "'others' is not a known key; did you mean 'other'"),
        ({"levels": ["a"], "hierarchy": {"b": "g"}}, "hierarchy: 'b' is not a level; choose from: a"),
        ({"levels": ["a"], "hierarchy": {"a": 3}}, r"hierarchy\['a'\] \(3\) must be the name of a group"),
        ({"levels": ["a"], "hierarchy": ["a"]}, r"hierarchy \(list\) must be an object"),
    ],
)
def test_wrong_declarations_name_the_column_and_the_rule(declare, domain, message):
    with pytest.raises(SchemaError, match=message):
        declare(domain)


def test_height_needs_a_hierarchy(declare):
    with pytest.raises(SchemaError, match=r"must have a 'hierarchy' where embedding\.height is 1"):
        declare({"levels": ["a"]}, {"type": "categories", "height": 1})
    with pytest.raises(SchemaError, match=r"embedding\.height \(2\) must be a whole number from 0 to 1"):
        declare({"levels": ["a"]}, {"type": "categories", "height": 2})


def test_booleans_of_every_spelling(column):
    embedding = Boolean.declare(column({"type": "boolean"}, {"null": True}, "boolean"))
    assert codes(embedding, ["True", "f", "YES", "0", "maybe", None]) == [1, 0, 1, 0, 0, 2]
    assert codes(embedding, [0, 1, 2, None]) == [0, 1, 0, 2]
    assert embedding.check(pa.array(["True", None, "maybe"])) == 2
    assert Boolean.declare(column({"type": "boolean"}, {}, "boolean")).check(pa.array([True, None])) == 1
    assert decoded(embedding, [0, 1, 2]) == [False, True, None]


@pytest.mark.parametrize(
    ("value", "sdtype", "kind", "right", "wrong"),
    [
        ("x", "categorical", pa.string(), ["x"], ["y"]),
        (3, "numerical", pa.int64(), [3, "3", 3.0], [4, "x"]),
        (0.5, "numerical", pa.float64(), [0.5], [0.6]),
        (True, "boolean", pa.bool_(), [True, "TRUE"], [False]),
        (None, "datetime", pa.timestamp("us"), [None, float("nan")], ["x", 0]),
        (None, "numerical", pa.float64(), [None], [1]),
    ],
)
def test_a_constant_is_one_code_and_comes_back(column, value, sdtype, kind, right, wrong):
    embedding = Constant.declare(column({"type": "constant"}, {"value": value}, sdtype))
    assert embedding.parts[0].size == 1
    assert decoded(embedding, [0, 0]) == [value, value]
    assert embedding.arrow == kind
    assert all(embedding.check(pa.array([each])) is None for each in right)
    assert all(embedding.check(pa.array([each])) == 0 for each in wrong)
    assert all(embedding.moved(pa.array([each])) == {"other": 1} for each in wrong)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({}, "domain must have 'value'"),
        ({"value": [1]}, r"domain\.value \(list\) must be text, a number"),
        ({"value": float("nan")}, r"domain\.value \(nan\) must be a finite number"),
        ({"value": 2**64}, "must be one that int64 holds"),
        ({"value": None, "null": True}, "domain.null must be left out"),
    ],
)
def test_wrong_constants_are_refused(column, domain, message):
    with pytest.raises(SchemaError, match=message):
        Constant.declare(column({"type": "constant"}, domain))


def test_a_group_may_have_the_name_of_a_level_that_is_in_none(declare):
    """A level without a group is a group of its own, whatever the others are called."""
    domain = {"levels": ["b", "a", "c"], "hierarchy": {"a": "b", "c": "b"}}
    embedding = declare(domain, {"type": "categories", "height": 1})
    assert codes(embedding, ["b", "a", "c"]) == [0, 1, 1]
    assert set(decoded(embedding, [0] * 50)) == {"b"}
    assert set(decoded(embedding, [1] * 50)) == {"a", "c"}


def test_other_and_null_at_height_1(declare):
    domain = {"levels": ["x1", "x2", "y"], "other": "rest", "null": True, "hierarchy": {"x1": "x", "x2": "x"}}
    embedding = declare(domain, {"type": "categories", "height": 1})
    assert codes(embedding, ["y", "x2", None, "rest", "??", "x1"]) == [1, 0, 3, 2, 2, 0]
    assert decoded(embedding, [2, 3, 1]) == ["rest", None, "y"]
    grouped = declare(domain | {"hierarchy": {"rest": "x", "x1": "x"}}, {"type": "categories", "height": 1})
    assert codes(grouped, ["??", "x1", "x2"]) == [0, 0, 1]


LEVELS = st.lists(st.text(max_size=4), min_size=1, max_size=9, unique=True)


@settings(max_examples=80, deadline=None)
@given(levels=LEVELS, data=st.data())
def test_codes_of_a_hierarchy_are_a_partition_in_order_of_appearance(levels, data):
    names = st.sampled_from(["g", "h", *levels])
    hierarchy = data.draw(st.dictionaries(st.sampled_from(levels), names, min_size=1))
    null = data.draw(st.booleans())
    embedding = Categories.declare(
        Column(
            name="x", table="t", sdtype="categorical", source=None, declared=True, sdv={},
            embedding={"type": "categories", "height": 1},
            domain={"levels": levels, "hierarchy": hierarchy, "null": null},
        )
    )  # fmt: skip
    found = codes(embedding, levels, pa.string())
    assert list(dict.fromkeys(found)) == list(range(embedding.parts[0].size - null)), "all codes used, in order"
    for one, code in zip(levels, found, strict=True):
        for other, again in zip(levels, found, strict=True):
            same = one == other or (one in hierarchy and hierarchy.get(one) == hierarchy.get(other))
            assert (code == again) == same
    drawn = decoded(embedding, found * 3, seed=data.draw(st.integers(0, 9)))
    assert codes(embedding, drawn, pa.string()) == found * 3
    assert decoded(embedding, [len(set(found))]) == [None] if null else embedding.check(pa.array([None])) == 0


def test_a_state_keeps_the_groups(declare):
    domain = {"levels": ["a", "b", "c"], "hierarchy": {"a": "c", "b": "c"}}
    embedding = declare(domain, {"type": "categories", "height": 1})
    back = Categories.from_state(json.loads(json.dumps(embedding.state())))
    assert back == embedding
    assert codes(back, ["a", "b", "c"]) == [0, 0, 1]


def test_text_levels_are_found_among_numbers_by_value_and_never_by_chance(declare):
    embedding = declare({"levels": ["01", "1.5", "1e3", "x"], "other": "x"})
    assert codes(embedding, [1.0, 1.5, 1000.0, 10.0, float("inf")]) == [0, 1, 2, 3, 3]
    assert codes(embedding, [1, 1000, 15]) == [0, 2, 3]
    assert codes(embedding, ["01", "1", "1e3"]) == [0, 3, 2], "text is compared as it is"


def test_dictionaries_with_unused_repeated_and_missing_entries(declare):
    embedding = declare({"levels": ["a", "b"], "null": True})
    indices = pa.array([2, 0, None, 0, 1, 2, 1, 1], pa.int8())
    values = pa.DictionaryArray.from_arrays(indices, pa.array(["b", None, "a"]))
    assert embedding.encode(values)[0].tolist() == [0, 1, 2, 1, 2, 0, 2, 2]
    assert embedding.check(values) is None
    empty = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int8()), pa.array([], pa.string()))
    assert embedding.encode(empty)[0].tolist() == [2, 2]
    chunked = pa.chunked_array([pa.array(["b"]), pa.array([None, "a"], pa.string())])
    assert embedding.encode(chunked)[0].tolist() == [1, 2, 0]


def test_a_level_that_no_arrow_type_holds_is_refused(declare):
    with pytest.raises(SchemaError, match=r"domain\.levels must be valid Unicode or 64-bit whole numbers"):
        declare({"levels": [1, 2**63]})
    with pytest.raises(SchemaError, match=r"domain\.levels must be valid Unicode"):
        declare({"levels": ["a", "\ud800"]})


@pytest.mark.parametrize(
    ("value", "sdtype", "sdv", "kind"),
    [
        (3, "numerical", {"computer_representation": "Int8"}, pa.int8()),
        (3, "numerical", {"computer_representation": "Float"}, pa.float64()),
        (None, "datetime", {"datetime_format": "%Y"}, pa.string()),
        (None, "datetime", {}, pa.timestamp("us")),
        (None, "boolean", {}, pa.bool_()),
        (True, "boolean", {}, pa.bool_()),
        (2.5, "numerical", {}, pa.float64()),
    ],
)
def test_a_constants_type_is_the_schemas(column, value, sdtype, sdv, kind):
    embedding = Constant.declare(column({"type": "constant"}, {"value": value}, sdtype, **sdv))
    drawn = embedding.decode([np.zeros(2, np.uint8)], rng=np.random.default_rng(0))
    assert (drawn.type, drawn.to_pylist()) == (kind, [value, value])
    assert embedding.check(drawn) is None
    assert embedding.moved(drawn) == {"other": 0}
    assert Constant.from_state(json.loads(json.dumps(embedding.state()))) == embedding


def test_a_constant_that_its_type_cannot_hold(column):
    with pytest.raises(SchemaError, match=r"domain\.value \(300\) must be one that int8 holds"):
        Constant.declare(column({"type": "constant"}, {"value": 300}, computer_representation="Int8"))


def test_a_constants_null_code_and_its_check(column):
    embedding = Constant.declare(column({"type": "constant"}, {"value": "x", "null": True}, "categorical"))
    values = pa.array(["x", None, "y", "x"])
    assert codes(embedding, values) == [0, 1, 0, 0]
    assert embedding.check(values) == 2
    assert embedding.moved(values) == {"other": 1}
    assert decoded(embedding, [0, 1]) == ["x", None]
    strict = Constant.declare(column({"type": "constant"}, {"value": "x"}, "categorical"))
    assert strict.check(values) == 1
    assert codes(strict, values) == [0, 0, 0, 0]
