"""From rows to series and back: hard rows have a place or none, and what no compressor covers is refused."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pyarrow as pa
import pytest

from pasteur.compressors._layout import Layout
from pasteur.compressors._store import Compression
from pasteur.errors import SchemaError
from pasteur.schema import Schema
from pasteur.table import UNIT, Table

NUMBER = {"sdtype": "numerical"}
ID = {"sdtype": "id", "regex_format": "[a-z]+"}
RAW = {
    "sdv": {
        "tables": {
            "core": {"primary_key": "who", "columns": {"who": ID, "age": NUMBER}},
            "vitals": {
                "sequence_index": "hour",
                "columns": {"who": ID, "hour": NUMBER, "pulse": NUMBER, "drops": NUMBER},
            },
        },
        "relationships": [
            {
                "parent_table_name": "core",
                "parent_primary_key": "who",
                "child_table_name": "vitals",
                "child_foreign_key": "who",
            }
        ],
    },
    "pasteur": {
        "tables": {
            "core": {
                "columns": {"age": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 99}, "source": "s"}}
            },
            "vitals": {
                "max_rows": 4,
                "columns": {
                    "hour": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 3}, "source": "s"},
                    "pulse": {
                        "embedding": {"type": "uniform", "bins": 8},
                        "domain": {"min": 20, "max": 220, "decimals": 1, "null": True},
                        "source": "s",
                    },
                    "drops": {
                        "embedding": {"type": "log", "bins": 8},
                        "domain": {"min": 0, "max": 100, "null": True},
                        "source": "s",
                    },
                },
            },
        },
    },
}


def schema(**changes):
    """The schema with some entries changed: path with `__` between keys of the vitals' declaration -> value."""
    raw = deepcopy(RAW)
    for path, value in changes.items():
        *above, last = path.split("__")
        entry = raw["pasteur"]["tables"]["vitals"] if above[:1] != ["top"] else raw["pasteur"]
        for key in [key for key in above if key != "top"]:
            entry = entry[key]
        if value is None:
            del entry[last]
        else:
            entry[last] = value
    return Schema.parse(raw, name="v.detail", file="v.detail.json")


LAYOUT = Layout.declare(schema(), "vitals")
KEYS = pa.array(["ann", "bob", "cyd"])


def rows(*listed):
    who, hour, pulse, drops = zip(*listed, strict=True) if listed else ((), (), (), ())
    types = [("who", pa.string()), ("hour", pa.int64()), ("pulse", pa.float64()), ("drops", pa.int64())]
    columns = [pa.array(column, kind) for column, (_, kind) in zip((who, hour, pulse, drops), types, strict=True)]
    return Table.of(pa.table(columns, schema=pa.schema(types)))


def test_rows_come_back_from_their_series():
    listed = [("ann", 0, 70.5, 0), ("ann", 1, 80.0, 7), ("cyd", 0, 60.0, None), ("cyd", 2, None, 100)]
    found = LAYOUT.series(rows(*listed), KEYS)
    assert found.lengths.tolist() == [2, 0, 3]
    back = pa.Table.from_batches([LAYOUT.rows(found, KEYS)])
    assert [tuple(row.values()) for row in back.to_pylist()] == listed
    assert found.values[0, 0, 1] == 0


def test_hard_rows_have_a_place_or_none():
    """Unordered rows are sorted; two at a time, past the window, of nobody or far too many: one, none, none, some."""
    listed = [
        *[("ann", hour, 100.0, 1) for hour in (3, 1, 2, 0)],
        ("bob", 1, 50.0, 1),
        ("bob", 1, 90.0, 2),
        *[("bob", hour, 60.0, 1) for hour in (-5, 4, 40, 10**12)],
        ("eve", 0, 60.0, 1),
        (None, 0, 60.0, 1),
        *[("cyd", hour % 4, 1e300, 10**9) for hour in range(40)],
    ]
    found = LAYOUT.series(rows(*listed), KEYS)
    assert found.lengths.tolist() == [4, 2, 4]
    assert found.known[1].sum() == 2
    assert LAYOUT.declaration.channels[0].values(found.values[1, 1, :1]) == [50.0]
    assert (found.values[2] == 1).all()
    assert LAYOUT.series(rows(), KEYS).lengths.tolist() == [0, 0, 0]
    assert LAYOUT.rows(LAYOUT.series(rows(), KEYS), KEYS).num_rows == 0


def test_one_unit_changes_no_other_units_series():
    listed = [("ann", 0, 70.0, 0), ("bob", 0, 80.0, 5), ("bob", 2, 81.0, 5)]
    with_bob, without = (LAYOUT.series(rows(*some), KEYS).values[0] for some in (listed, listed[:1]))
    np.testing.assert_array_equal(with_bob, without)


def test_rows_without_an_order_stand_as_they_come_and_past_the_maximum_none():
    from dataclasses import replace

    columns = {name: kind for name, kind in LAYOUT.columns.items() if name != "hour"}
    loose = replace(LAYOUT, order=None, columns=columns)
    found = loose.series(rows(*[("ann", 0, 30.0 + number, 1) for number in range(9)]), KEYS)
    assert found.lengths.tolist() == [4, 0, 0]
    assert loose.declaration.channels[0].values(found.values[0, :, 0]).tolist() == [30, 31, 32, 33]


LEVELS = {"embedding": {"type": "categories"}, "domain": {"levels": ["a"]}, "source": "s"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_rows": None}, "component 'vitals' must declare max_rows"),
        ({"max_rows": 5}, r"vitals\.hour must have as many whole numbers from min to max as max_rows \(5\)"),
        ({"columns__pulse": LEVELS}, r"vitals\.pulse \(categories\) has no compressor: 'linear', .* 'relational'"),
        ({"columns__pulse__domain": {"min": 0}}, r"vitals\.pulse must declare 'max' for its channel"),
        ({"top__compressors": {"vitals": {"type": "liner"}}}, "must be a compressor; did you mean 'linear'"),
        ({"top__compressors": {"vitals": {"segmnts": 2}}}, "'segmnts' is not a known key; did you mean 'segments'"),
        ({"top__compressors": {"vitals": {"segments": 0}}}, r"segments \(0\) must be a whole number from 1"),
        ({"top__compressors": {"vitals": {"residual": 2}}}, r"residual \(2\) must be true, false or a share"),
        ({"top__compressors": {"vitals": {"channels": {"puls": {}}}}}, "'puls' is no channel .* did you mean 'pulse'"),
        (
            {"top__compressors": {"vitals": {"channels": {"pulse": {"transform": "cube"}}}}},
            r"compressors\.vitals\.pulse transform \(cube\) must be one of none",
        ),
        ({"top__compressors": {"vitals": {"channels": {"pulse": {"focus": [0, 9]}}}}}, "inside of its range"),
        ({"top__compressors": {"vitals": {"channels": {"pulse": {"missing_with": "drops"}}}}}, "before it with a zero"),
        ({"top__compressors": {"vitals": {"channels": ["pulse"]}}}, r"channels \(\['pulse'\]\) must be a mapping"),
        ({"top__compressors": {"vitals": {"channels": {"pulse": None}}}}, "must be a mapping of channels"),
        ({"top__compressors": {"vitals": {"channels": {"pulse": {"focus": ["a", 9]}}}}}, "inside of its range"),
        ({"top__compressors": {"vitals": {"channels": {"pulse": {"transform": ["a"]}}}}}, "must be one of none"),
        ({"top__compressors": {"vitals": {"channels": {"pulse": {"missing_with": 3}}}}}, "before it with a zero"),
        ({"top__compressors": ["vitals"]}, r"pasteur\.compressors \(\['vitals'\]\) must be a mapping"),
        ({"top__compressors": {"vitals": ["linear"]}}, r"pasteur\.compressors\.vitals .* must be a mapping"),
        ({"top__compressors": {"vitls": {}}}, "'vitls' is not a known key; did you mean 'vitals'"),
    ],
)
def test_a_schema_that_no_compressor_can_follow_is_refused(changes, message):
    with pytest.raises(SchemaError, match=message):
        Compression.declare(schema(**changes), "vitals")


def test_a_series_of_a_composite_key_is_refused():
    raw = deepcopy(RAW)
    raw["sdv"]["relationships"][0]["parent_primary_key"] = ["who", "age"]
    with pytest.raises(SchemaError, match=r"key \(who, age\) must be one column: composite keys are not known"):
        Compression.declare(Schema.parse(raw, name="v.detail", file="v.detail.json"), "vitals")


def test_a_row_of_one_unit_has_no_place_in_anothers_series():
    """Or one unit's rows would move the codes of all whom it names."""
    named = rows(("ann", 0, 30.0, 1), ("bob", 1, 40.0, 2), (None, 2, 50.0, 3)).arrow()

    def lengths(whose):
        table = Table.of(named.append_column(UNIT, pa.array(whose)))
        keys, units = pa.array(["ann", "bob", "bob", None]), pa.array(["a", "b", "c", "b"])
        return LAYOUT.series(table, keys, units).lengths.tolist()

    assert lengths(["a", "a", "b"]) == [1, 0, 0, 0]
    assert lengths(["a", "c", "b"]) == [1, 0, 2, 0]  # two units may use one key


def test_an_id_that_no_compressor_makes_is_refused():
    raw = deepcopy(RAW)
    raw["sdv"]["tables"]["vitals"]["columns"]["nurse"] = ID
    with pytest.raises(SchemaError, match=r"column vitals.nurse must be left out \('drop'\): .* makes no id but 'who'"):
        Layout.declare(Schema.parse(raw, name="v.detail", file="v.detail.json"), "vitals")
