from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from pasteur.embeddings.rdt import Rdt
from pasteur.errors import SchemaError

SKEWED = pa.array(np.random.default_rng(0).lognormal(3, 1, 400).round(2))


@pytest.fixture
def declare(column):
    def make(transformer, sdtype="numerical", domain=None, bins=8, settings=None, **sdv):
        embedding = {"type": "rdt", "transformer": transformer, "bins": bins, "settings": settings or {}}
        return Rdt.declare(column(embedding, domain, sdtype, **sdv))

    return make


def round_trip(embedding, values):
    codes = embedding.encode(values)
    drawn = embedding.decode(codes, rng=np.random.default_rng(0))
    assert [c.tolist() for c in embedding.encode(drawn)] == [c.tolist() for c in codes]
    return codes[0], drawn


def test_it_is_stamped_not_private():
    assert Rdt.private is False


def test_bins_are_equal_in_the_transformed_column(declare):
    fitted = declare("LogScaler").fit(SKEWED)
    codes, drawn = round_trip(fitted, SKEWED)
    logs = np.log(np.array(SKEWED))
    expected = np.digitize(logs, np.linspace(logs.min(), logs.max(), 9)[1:-1])
    assert np.mean(codes == expected) > 0.99
    assert drawn.type == pa.float64()
    assert all(value == round(value, 2) for value in drawn.to_pylist())


def test_a_normalizer_and_its_settings(declare):
    fitted = declare("GaussianNormalizer", settings={"distribution": "norm"}).fit(SKEWED)
    assert 4 <= fitted.parts[0].size <= 9
    round_trip(fitted, SKEWED)
    assert json.loads(json.dumps(fitted.state()))["settings"] == {"distribution": "norm"}


def test_levels_are_codes_in_the_transformers_order(declare):
    values = pa.array(["b", "a", None, "b", "c"])
    fitted = declare("OrderedLabelEncoder", "categorical", settings={"order": ["c", "b", "a"]}).fit(values)
    codes, drawn = round_trip(fitted, values)
    assert codes.tolist() == [1, 2, 3, 1, 0]
    assert drawn.to_pylist() == values.to_pylist()
    assert fitted.encode(pa.array(["new"]))[0].tolist() == [0]


def test_booleans_come_back_as_booleans(declare):
    values = pa.array([True, False, None])
    codes, drawn = round_trip(declare("BinaryEncoder", "boolean").fit(values), values)
    assert codes.tolist() == [1, 0, 2]
    assert drawn.equals(values)


def test_moments_come_back_in_their_format(declare):
    values = pa.array([f"2020-{month:02}-01" for month in range(1, 13)] + [None])
    fitted = declare("UnixTimestampEncoder", "datetime", bins=4, datetime_format="%Y-%m-%d").fit(values)
    codes, drawn = round_trip(fitted, values)
    assert sorted(set(codes.tolist())) == [0, 1, 2, 3, 4]
    assert drawn.to_pylist()[-1] is None
    assert len(drawn[0].as_py()) == len("2020-01-01")


@pytest.mark.parametrize("values", [pa.array([3.0, 3.0]), pa.array([None], pa.float64()), pa.array([], pa.float64())])
def test_a_constant_or_empty_column_fits(declare, values):
    round_trip(declare("FloatFormatter").fit(values), values)


def test_an_empty_column_of_levels_fits(declare):
    values = pa.array([None], pa.string())
    round_trip(declare("LabelEncoder", "categorical").fit(values), values)


def test_it_must_be_fitted_before_use(declare):
    with pytest.raises(ValueError, match="must be fitted"):
        declare("FloatFormatter").encode(SKEWED)


@pytest.mark.parametrize(
    ("transformer", "sdtype", "settings", "message"),
    [
        (
            "FloatFormater",
            "numerical",
            {},
            r"core\.age embedding\.transformer \(FloatFormater\).*mean 'FloatFormatter'",
        ),
        ("OneHotEncoder", "categorical", {}, "must be one that makes one column"),
        ("LabelEncoder", "numerical", {"nonsense": 1}, r"must be one that takes a numerical column and its settings"),
        ("LogitScaler", "numerical", {"min_value": 0, "max_value": 1}, r"must be one that takes a numerical column"),
    ],
)
def test_what_cannot_be_adapted_is_refused(declare, transformer, sdtype, settings, message):
    with pytest.raises(SchemaError, match=message):
        declare(transformer, sdtype, settings=settings).fit(SKEWED)


def test_wrong_declarations_are_refused(declare, column):
    with pytest.raises(SchemaError, match="domain: 'min' is not a known key"):
        declare("FloatFormatter", domain={"min": 0})
    with pytest.raises(SchemaError, match="must have 'transformer'"):
        Rdt.declare(column({"type": "rdt", "bins": 3}, None))
    with pytest.raises(SchemaError, match=r"sdtype \(text\) must be one of"):
        declare("FloatFormatter", "text")


def test_outside_what_was_seen_goes_to_the_edge_and_what_is_no_number_to_0(declare):
    fitted = declare("LogScaler").fit(SKEWED)
    last = fitted.parts[0].size - 2
    assert fitted.encode(pa.array([1e9, -5.0, 0.0, None, float("inf")]))[0].tolist() == [last, 0, 0, last + 1, last]
    assert fitted.encode(pa.array(["9999", "word", None]))[0].tolist() == [last, 0, last + 1]
    assert fitted.check(pa.array(["3", "word"])) == 1
    assert fitted.check(pa.array(["3", None])) is None
    assert fitted.moved(pa.array([1e9])) == {}


def test_a_fitted_one_comes_back_from_json(declare):
    fitted = declare("LogScaler").fit(SKEWED)
    back = Rdt.from_state(json.loads(json.dumps(fitted.state())))
    assert back.encode(SKEWED)[0].tolist() == fitted.encode(SKEWED)[0].tolist()
    codes = [np.arange(fitted.parts[0].size, dtype=np.uint8)]
    drawn = [each.decode(codes, rng=np.random.default_rng(4)).to_pylist() for each in (back, fitted)]
    assert drawn[0] == drawn[1]
    assert drawn[0][-1] is None


def test_levels_and_booleans_are_never_refused(declare):
    assert declare("OrderedLabelEncoder", "categorical").check(pa.array(["a", None])) is None
    assert declare("OrderedLabelEncoder", "boolean").check(pa.array([True, None])) is None
