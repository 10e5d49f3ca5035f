"""Every compressor, found by glob, crossed with hard series: never raises, stays in range, each entity by itself."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pasteur.compressors
from pasteur.compressors import Channel, Declaration, Series, find, names
from pasteur.compressors._codec import Codec
from pasteur.compressors._layout import Layout
from pasteur.compressors._private import PrivateFit
from pasteur.compressors._store import Compression
from pasteur.errors import DataError, SchemaError
from pasteur.privacy import Budget, ExactMechanisms, Ledger

TYPES = sorted(path.stem for path in Path(pasteur.compressors.__file__).parent.glob("[!_]*.py"))
EACH = [pytest.param(name, marks=[pytest.mark.slow] if name == "fsq" else []) for name in TYPES]
"""torch alone takes seconds to import."""
STEPS = 7
CHANNELS = (
    Channel(name="games", min=1, max=165, decimals=0, transform="sqrt", missing=False, zero=False),
    Channel(name="hits", min=0, max=720, decimals=0, transform="log", missing=False, zero=True),
    Channel(
        name="average", min=0, max=0.5, decimals=3, transform="none", missing=True, zero=False, missing_with="hits"
    ),
    Channel(name="weight", min=50, max=150, decimals=1, transform="none", missing=True, zero=False, focus=(60, 120)),
)
SETTINGS = {"fsq": {"latents": 3, "levels": 4, "knots": 3, "hidden": 8}}
"""So that those which need many seconds take few."""


@pytest.fixture(scope="module", autouse=True)
def short(tmp_path_factory):
    """Networks learn for a moment only, and keep what they learn to themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pasteur.compressors._fsq_training.STEPS", 20)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def series(values, lengths):
    return Series(values=np.asarray(values, dtype=float), lengths=np.asarray(lengths, dtype=np.int64))


def ordinary(count, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, STEPS + 1, count)
    level = rng.random((count, 1, len(CHANNELS)))
    values = np.clip(level + 0.1 * rng.normal(size=(count, STEPS, len(CHANNELS))), 0, 1)
    values[:, :, 1] *= rng.random((count, STEPS)) > 0.2
    values[:, :, 2][values[:, :, 1] == 0] = np.nan
    values[:, :, 3][rng.random((count, STEPS)) < 0.3] = np.nan
    values[np.arange(STEPS) >= lengths[:, None]] = np.nan
    return series(values, lengths)


def whole(value):
    return np.full((1, STEPS, len(CHANNELS)), value)


CASES = {
    "nobody": series(np.empty((0, STEPS, len(CHANNELS))), []),
    "no points": series(whole(np.nan), [0]),
    "one point": series(np.where(np.arange(STEPS)[:, None] < 1, whole(0.5), np.nan), [1]),
    "all missing": series(whole(np.nan), [STEPS]),
    "all zero": series(whole(0.0), [STEPS]),
    "at the edge": series(whole(1.0), [STEPS]),
    "out of range": series(np.where(np.arange(STEPS)[:, None] % 2, whole(1e300), -1e300), [STEPS]),
    "infinite": series(whole(np.inf), [STEPS]),
    "one known": series(np.where(np.arange(STEPS)[:, None] == 4, whole(0.25), np.nan), [STEPS]),
    "constant": series(whole(0.3), [STEPS]),
    "ordinary": ordinary(40),
}


@functools.cache
def codec(name, *, fitted=True):
    declaration = Declaration(
        component="batting", channels=CHANNELS, steps=STEPS, settings={"type": name, **SETTINGS.get(name, {})}
    )
    found = Codec.declare(declaration)
    if not (fitted and found.compressor.share):
        return found
    budget = Budget(epsilon=5, delta=1e-6)
    ledger = Ledger(budget, found.compressor.accountant(budget) or "gdp")
    units = pa.array([f"p{number}" for number in range(40)])
    private = PrivateFit(CASES["ordinary"], units, ledger, salt="s", max_rows_per_unit=2, mechanisms=ExactMechanisms())
    compressor = found.compressor.fit(private, cost=ledger.remaining / 2)
    assert ledger.spent <= ledger.total
    return Codec(compressor=compressor, residual=found.residual, share=found.share)


def test_every_module_is_a_compressor():
    assert list(names()) == TYPES
    assert all(find(name).type == name for name in TYPES)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", EACH)
def test_a_hard_series_has_codes_in_range_and_comes_back_as_one(name, case):
    given, own = CASES[case], codec(name)
    codes = own.encode(given)
    sizes = np.array([part.size for part in own.compressor.parts])
    assert codes.shape == (len(given.lengths), len(sizes))
    assert codes.dtype == np.int64
    assert ((codes >= 0) & (codes < sizes)).all()
    back = own.decode(codes, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(back.lengths, given.lengths)
    known = np.isfinite(back.values)
    assert ((back.values[known] >= 0) & (back.values[known] <= 1)).all()
    assert not known[~back.inside].any()
    for place, channel in enumerate(CHANNELS):
        values = channel.values(back.values[:, :, place])
        assert np.nanmin(values, initial=channel.min) >= channel.min
        assert np.nanmax(values, initial=channel.max) <= channel.max
        if not channel.missing:
            assert known[:, :, place][back.inside].all()
    zero = back.values[:, :, 1] == 0
    np.testing.assert_array_equal(known[:, :, 2], back.inside & ~zero)


@pytest.mark.parametrize("name", EACH)
def test_levels_of_holes_come_back(name):
    own = codec(name)
    for case in ("all missing", "all zero"):
        back = own.decode(own.encode(CASES[case]), rng=np.random.default_rng(0))
        assert np.isnan(back.values[:, :, 3]).all() == (case == "all missing")
        assert (back.values[:, :, 1] == 0).all() == (case == "all zero")


@pytest.mark.parametrize("name", EACH)
def test_each_entity_is_encoded_by_itself(name):
    given, own = CASES["ordinary"], codec(name)
    codes = own.encode(given)
    order = np.random.default_rng(1).permutation(len(codes))[:11]
    some = series(given.values[order], given.lengths[order])
    np.testing.assert_array_equal(own.encode(some), codes[order])


def at_an_edge(own, one):
    """A series so near to a level's edge that the last bit of a sum decides its code: `one`, moved by bisection."""

    def code(shift):
        return own.encode(series(one[None] + shift, [STEPS]))[0].tolist()

    low, high = 0.0, next(shift for shift in (0.05, 0.1, 0.2, 0.3, 0.4) if code(shift) != code(0.0))
    first = code(low)
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if code(middle) == first else (low, middle)
    return [one + shift for shift in (low, high)]


@pytest.mark.parametrize("name", EACH)
def test_no_code_depends_on_how_many_other_series_there_are(name):
    """Of people with one and the same series all have one code, whoever comes or goes."""
    own = codec(name)
    rng = np.random.default_rng(8)
    for _ in range(4):
        for edge in at_an_edge(own, 0.2 + 0.3 * rng.random((STEPS, len(CHANNELS)))):
            for count in (1, 2, 3, 5, 33, 1023):
                codes = own.encode(series(np.repeat(edge[None], count, axis=0), [STEPS] * count))
                assert (codes == codes[0]).all(), count
            again = own.compressor.curves(codes, np.full(count, STEPS))
            assert (again == again[0]).all()


@pytest.mark.parametrize("name", EACH)
def test_the_same_generator_draws_the_same_series(name):
    own = codec(name)
    codes = own.encode(CASES["ordinary"])
    one, other = (own.decode(codes, rng=np.random.default_rng(3)).values for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", EACH)
def test_curves_follow_what_is_smooth(name):
    """Of series on straight lines, far less is lost than their mean would lose; forty people teach too little."""
    own = codec(name)
    if own.compressor.PRIVATE_FIT:
        pytest.skip("its own tests show what it learns")
    rng = np.random.default_rng(4)
    place = np.linspace(0, 1, STEPS)[None, :, None]
    ends = 0.3 + 0.4 * rng.random((2, 60, 1, len(CHANNELS)))
    ends[..., 3] = 0.2 + 0.4 * rng.random((2, 60, 1))
    given = series(ends[0] + (ends[1] - ends[0]) * place, [STEPS] * 60)
    curves = own.compressor.curves(own.encode(given), given.lengths)
    lost = np.sqrt(np.mean((curves - given.values) ** 2))
    assert lost < 0.5 * given.values.std()


@pytest.mark.parametrize("name", EACH)
def test_parts_are_named_after_the_component_and_segments_are_among_them(name):
    parts = codec(name).compressor.parts
    own = [part.name for part in parts]
    assert len(set(own)) == len(own)
    assert all(part.startswith("batting.") for part in own)
    assert own[-len(codec(name).compressor.outside.parts) :] == [p.name for p in codec(name).compressor.outside.parts]
    assert {column for segment in codec(name).compressor.segments for column in segment} <= set(own)


@pytest.mark.parametrize("name", EACH)
def test_what_was_learned_is_kept_in_a_file_and_read_for_its_own_schema_alone(name, tmp_path):
    own = codec(name)
    layout = Layout(
        declaration=Declaration(
            component="batting", channels=CHANNELS, steps=STEPS, settings={"type": name, **SETTINGS.get(name, {})}
        ),
        parent="core",
        parent_key="player_id",
        key="player_id",
        key_type="string",
        order="season",
        first=1,
        columns={"player_id": "string", "season": "int64", **{channel.name: "double" for channel in CHANNELS}},
    )
    path = tmp_path / "batting.pq"
    Compression(layout=layout, codec=own).save(path)
    again = Compression.load(path, declared=layout).codec
    codes = own.encode(CASES["ordinary"])
    np.testing.assert_array_equal(again.encode(CASES["ordinary"]), codes)
    one, other = (each.decode(codes, rng=np.random.default_rng(5)).values for each in (own, again))
    np.testing.assert_allclose(one, other, atol=1e-6)
    shorter = Declaration(component="batting", channels=CHANNELS[:1], steps=STEPS, settings={"type": name})
    with pytest.raises(DataError, match="was fitted for another schema of component 'batting'"):
        Compression.load(path, declared=Layout(**{**vars(layout), "declaration": shorter}))
    path.write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(DataError, match="is not a compressor that Pasteur wrote"):
        Compression.load(path)
    path.unlink()
    with pytest.raises(DataError, match=r"batting\.pq: is missing$"):
        Compression.load(path)
    header = {b"pasteur": json.dumps({"format": "pasteur-compressor-0"}).encode()}
    pq.write_table(pa.table({"name": ["x"]}).replace_schema_metadata(header), path)
    with pytest.raises(
        DataError, match=r"batting\.pq: its format \(pasteur-compressor-0\) must be pasteur-compressor-1"
    ):
        Compression.load(path)


@pytest.mark.parametrize("name", EACH)
def test_a_setting_nobody_knows_is_refused(name):
    wrong = Declaration(component="batting", channels=CHANNELS, steps=STEPS, settings={"levls": 3})
    with pytest.raises(SchemaError, match="'levls' is not a known key"):
        find(name).declare(wrong)


@pytest.mark.parametrize("name", EACH)
def test_one_that_learns_has_a_share_and_one_that_does_not_has_none(name):
    kind = codec(name, fitted=False).compressor
    assert 0 <= kind.share < 1
    assert kind.PRIVATE_FIT or kind.share == 0
