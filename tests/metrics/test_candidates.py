from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.metrics import candidates
from pasteur.table import UNIT, Table


def rng(seed=0):
    return np.random.default_rng(seed)


def test_common_size_leaves_room_below_the_smaller_anchor(flat, people):
    sides = [people(1000, 1), people(800, 2)]
    assert candidates.common_size(sides, schema=flat, most=10_000) == {"core": 760}
    assert candidates.common_size(sides, schema=flat, most=500) == {"core": 500}


def test_a_candidate_is_cut_to_its_size_by_seed(flat, people):
    tables = people(1000, 1)
    one, same = (candidates.cut(tables, schema=flat, rows={"core": 300}, rng=rng(7))["core"] for _ in range(2))
    other = candidates.cut(tables, schema=flat, rows={"core": 300}, rng=rng(8))["core"]
    assert one.num_rows == 300
    assert one.equals(same)
    assert not one.equals(other)
    whole = set(map(str, tables["core"].arrow().to_pylist()))
    assert set(map(str, one.to_pylist())) <= whole


def test_a_shorter_candidate_keeps_its_rows(flat, people):
    tables = people(50, 1)
    assert candidates.cut(tables, schema=flat, rows={"core": 300}, rng=rng())["core"].equals(tables["core"].arrow())


def test_rows_are_drawn_from_a_stream_of_unknown_length_in_any_batches(flat, people):
    whole = people(1000, 1)["core"].arrow()
    streamed = Table.stream(whole.schema, lambda: whole.to_batches(max_chunksize=37))
    cut = [
        candidates.cut({"core": t}, schema=flat, rows={"core": 300}, rng=rng(7))["core"]
        for t in (streamed, Table.of(whole))
    ]
    assert cut[0].equals(cut[1])


def test_columns_that_the_schema_does_not_know_are_left_out(flat, people):
    tables = {"core": Table.of(people(20, 1)["core"].arrow().append_column("extra", pa.array(range(20))))}
    assert "extra" not in candidates.cut(tables, schema=flat, rows={}, rng=rng())["core"].column_names


def test_children_follow_their_parents(nested, ward):
    tables = ward(400, 1)
    cut = candidates.cut(tables, schema=nested, rows={"stays": 100}, rng=rng())
    kept = set(cut["stays"]["stay"].to_pylist())
    expected = [row for row in tables["events"].arrow().to_pylist() if row["stay"] in kept]
    assert len(kept) == 100
    assert cut["events"].to_pylist() == expected
    assert candidates.roots(nested) == ("stays",)


def test_base_keeps_every_one_way_marginal_and_no_dependence(flat, people):
    ref = {"core": people(5000, 1, units=True)["core"].arrow()}
    base = candidates.independent(ref, schema=flat, rng=rng(3))["core"]
    for name in flat.tables["core"].names:
        assert sorted(base[name].to_pylist(), key=str) == sorted(ref["core"][name].to_pylist(), key=str)
    assert base[UNIT].equals(ref["core"][UNIT])
    correlation = np.corrcoef(base["age"].to_numpy(), base["height"].to_numpy())[0, 1]
    assert abs(correlation) < 0.05
    assert base.equals(candidates.independent(ref, schema=flat, rng=rng(3))["core"])


def test_base_keeps_keys_so_that_parents_keep_their_children(nested, ward):
    ref = {name: table.arrow() for name, table in ward(300, 1).items()}
    base = candidates.independent(ref, schema=nested, rng=rng())
    assert base["events"]["stay"].equals(ref["events"]["stay"])
    assert base["stays"]["stay"].equals(ref["stays"]["stay"])
    assert not base["events"]["pulse"].equals(ref["events"]["pulse"])


def test_a_unit_and_its_children_share_a_jackknife_group(nested, ward):
    tables = {name: table.arrow() for name, table in ward(300, 1).items()}
    groups = candidates.deal(tables, schema=nested, groups=10, rng=rng())
    of_unit = {}
    for component in ("stays", "events"):
        for unit, group in zip(tables[component][UNIT].to_pylist(), groups[component], strict=True):
            assert of_unit.setdefault(unit, group) == group
    counts = np.bincount([of_unit[u] for u in of_unit], minlength=10)
    assert counts.max() - counts.min() <= 1


def test_orphans_get_a_group_too(nested, ward):
    tables = {name: table.arrow() for name, table in ward(40, 1).items()}
    orphan = tables["events"].slice(0, 3).set_column(1, "stay", pa.array([None, 999, -5], pa.int64()))
    groups = candidates.deal(tables | {"events": orphan}, schema=nested, groups=10, rng=rng())
    assert groups["events"].shape == (3,)
    assert groups["events"].max() < 10


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_and_single_rows(nested, ward, rows):
    tables = ward(rows, 1)
    cut = candidates.cut(tables, schema=nested, rows={"stays": 0}, rng=rng())
    assert cut["stays"].num_rows == 0
    assert cut["events"].num_rows == 0
    groups = candidates.deal(cut, schema=nested, groups=10, rng=rng())
    assert groups["events"].size == 0
    candidates.independent(cut, schema=nested, rng=rng())


def test_children_of_parents_that_were_cut_go_and_orphans_stay_in_proportion(nested, ward):
    tables = ward(100, 1)
    events = tables["events"].arrow()
    lost = pa.concat_tables([events] * 4).slice(0, 400)
    orphans = pa.array([None if i % 2 else -1 for i in range(400)], events.schema.field("stay").type)
    lost = lost.set_column(events.schema.get_field_index("stay"), "stay", orphans)
    tables["events"] = Table.of(pa.concat_tables([events, lost]))
    held = candidates.cut(tables, schema=nested, rows={"stays": 50}, rng=rng())
    kept = set(held["stays"]["stay"].to_pylist())
    assert len(kept) == 50
    expected = [row for row in events.to_pylist() if row["stay"] in kept]
    rows = held["events"].to_pylist()
    assert rows[: len(expected)] == expected
    assert {row["stay"] for row in rows[len(expected) :]} == {None, -1}
    # What is wrong with the data must stay in it: half of the stays, half of the orphans.
    assert 150 < len(rows) - len(expected) < 250


def test_parents_that_are_all_kept_keep_their_orphans(nested, ward):
    """Nothing was drawn, so nothing is left out: orphans are the candidate's own fault, and must be scored."""
    tables = ward(40, 1)
    events = tables["events"].arrow()
    lost = events.slice(0, 1).set_column(events.schema.get_field_index("stay"), "stay", pa.array([10**6]))
    tables["events"] = Table.of(pa.concat_tables([events, lost]))
    held = candidates.cut(tables, schema=nested, rows={"stays": 40}, rng=rng())
    assert held["events"].num_rows == events.num_rows + 1


def test_keys_of_another_type_still_find_their_parents(nested, ward):
    """Synthetic ids may be int64 in one table and int32 in the other."""
    tables = ward(60, 1)
    events = tables["events"].arrow()
    place = events.schema.get_field_index("stay")
    narrow = Table.of(events.set_column(place, "stay", events["stay"].cast(pa.int32())))
    wide, small = (
        candidates.cut({**tables, "events": each}, schema=nested, rows={"stays": 20}, rng=rng(3))["events"]
        for each in (tables["events"], narrow)
    )
    assert wide["pulse"].to_pylist() == small["pulse"].to_pylist()
    groups = [
        candidates.deal(
            {**{k: v.arrow() for k, v in tables.items()}, "events": each}, schema=nested, groups=5, rng=rng()
        )
        for each in (events, narrow.arrow())
    ]
    np.testing.assert_array_equal(groups[0]["events"], groups[1]["events"])


@settings(max_examples=40)
@given(rows=st.integers(0, 60), most=st.integers(0, 70), seed=st.integers(0, 99))
def test_a_cut_is_a_subset_in_order_of_the_asked_size(flat, rows, most, seed):
    table = Table.of(
        pa.table({"age": np.arange(rows), "city": ["Cork"] * rows, "rich": ["no"] * rows, "height": [1.0] * rows})
    )
    held = candidates.cut({"core": table}, schema=flat, rows={"core": most}, rng=rng(seed))["core"]
    ages = held["age"].to_pylist()
    assert len(ages) == min(rows, most)
    assert ages == sorted(set(ages))


@settings(max_examples=40)
@given(units=st.lists(st.integers(0, 12), max_size=50), groups=st.integers(1, 8), seed=st.integers(0, 99))
def test_groups_are_as_equal_in_units_as_can_be(flat, units, groups, seed):
    table = pa.table({UNIT: pa.array([str(u) for u in units], pa.string()), "age": np.zeros(len(units))})
    dealt = candidates.deal({"core": table}, schema=flat, groups=groups, rng=rng(seed))["core"]
    of_unit = dict(zip(units, dealt.tolist(), strict=True))
    assert [of_unit[unit] for unit in units] == dealt.tolist(), "a unit is in one group"
    sizes = np.bincount(list(of_unit.values()), minlength=groups)
    assert sizes.max() - sizes.min() <= 1
