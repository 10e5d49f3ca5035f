"""The neural compressor: what it needs no data for, what it learns under DP-SGD, and what it refuses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pasteur.compressors import Channel, Declaration, Series, _fsq_training
from pasteur.compressors._fsq_network import Shape, hats, packed
from pasteur.compressors._fsq_simulation import simulated
from pasteur.compressors._private import PrivateFit
from pasteur.compressors.fsq import Fsq
from pasteur.errors import DataError, SchemaError
from pasteur.privacy import Budget, ExactMechanisms, Ledger
from pasteur.privacy.sgd import STAMP

BUDGET = Budget(epsilon=3, delta=1e-6)


def channel(name, **given):
    plain = {"min": 0.0, "max": 10.0, "decimals": 1, "transform": "none", "missing": False, "zero": False}
    return Channel(name=name, **plain | given)


def declared(steps=6, **settings):
    channels = (channel("a"), channel("b", missing=True, zero=True))
    return Declaration(
        component="seasons",
        channels=channels,
        steps=steps,
        settings={"latents": 3, "hidden": 16, "knots": 4} | settings,
    )


@pytest.fixture(autouse=True, scope="module")
def _quick(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fsq_training, "STEPS", 150)
        patch.setattr(_fsq_training, "SERIES", 2000)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        _fsq_training._made.cache_clear()
        yield
    _fsq_training._made.cache_clear()


@pytest.fixture
def series():
    return simulated(300, declared(), rng=np.random.default_rng(1))


def error(compressor, series):
    curves = compressor.curves(compressor.encode(series), series.lengths)
    return float(np.sqrt(((curves - series.values)[series.known] ** 2).mean()))


def test_simulated_series_keep_to_what_is_declared():
    declaration = declared(9)
    made = simulated(4000, declaration, rng=np.random.default_rng(0))
    assert made.values.shape == (4000, 9, 2)
    assert set(made.lengths) == set(range(1, 10))
    assert np.nanmin(made.values) >= 0
    assert np.nanmax(made.values) <= 1
    assert (made.known[:, :, 0] == made.inside).all()
    assert 0.6 < made.known[:, :, 1].sum() / made.inside.sum() < 0.9
    focused = Declaration(component="c", channels=(channel("a", focus=(2.0, 5.0)),), steps=4, settings={})
    values = simulated(500, focused, rng=np.random.default_rng(0)).values
    assert np.nanmin(values) >= 0.2
    assert np.nanmax(values) <= 0.5


def test_pretraining_finds_the_curves_without_data(series):
    pretrained = Fsq.declare(declared())
    flat = float(np.std(series.values[series.known]))
    assert error(pretrained, series) < 0.75 * flat


def test_codes_lie_in_their_parts_and_use_their_levels(series):
    compressor = Fsq.declare(declared())
    codes = compressor.encode(series)
    sizes = [part.size for part in compressor.parts]
    assert codes.shape == (300, len(sizes))
    assert ((codes >= 0) & (codes < sizes)).all()
    assert all(len(set(codes[:, place])) >= 4 for place in range(3))
    assert tuple(part.name for part in compressor.parts[-len(compressor.outside.parts) :]) == tuple(
        part.name for part in compressor.outside.parts
    )
    assert compressor.parts[0].name == "seasons.latent.0"


def test_each_series_is_coded_and_drawn_alone(series):
    compressor = Fsq.declare(declared())
    codes = compressor.encode(series)
    some = np.array([5, 17, 200])
    few = Series(values=series.values[some], lengths=series.lengths[some])
    assert (compressor.encode(few) == codes[some]).all()
    curves = compressor.curves(codes, series.lengths)
    np.testing.assert_allclose(compressor.curves(codes[some], few.lengths), curves[some], atol=1e-6)
    assert (curves[~series.inside] == 0).all()
    assert ((curves >= 0) & (curves <= 1)).all()


def test_series_of_nothing():
    compressor = Fsq.declare(declared())
    values = np.full((3, 6, 2), np.nan)
    values[2, 0] = 0.5
    hard = Series(values=values, lengths=np.array([0, 6, 1]))  # no points; all missing; one point
    codes = compressor.encode(hard)
    assert np.isfinite(compressor.curves(codes, hard.lengths)).all()
    none = Series(values=np.zeros((0, 6, 2)), lengths=np.zeros(0, dtype=np.int64))
    assert compressor.curves(compressor.encode(none), none.lengths).shape == (0, 6, 2)


def test_pretraining_is_done_once_for_equal_settings(series, tmp_path, monkeypatch):
    def codes():
        _fsq_training._made.cache_clear()
        return Fsq.declare(declared()).encode(series)

    first = codes()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert (codes() == first).all()  # made again, and the same
    (cached,) = (tmp_path / "pasteur").glob("fsq-*.npz")
    with monkeypatch.context() as patch:
        patch.setattr(_fsq_training, "trained", None)  # would fail if it were called
        assert (codes() == first).all()
    cached.write_bytes(b"not what was written")
    assert (codes() == first).all()


def fine_tuned(series, compressor, epsilon=30.0, seed=7):
    budget = Budget(epsilon=epsilon, delta=1e-6)
    ledger = Ledger(budget, compressor.accountant(budget))
    units = pa.array([f"u{number // 2}" for number in range(len(series.lengths))])
    mechanisms = ExactMechanisms(debug_seed=seed)
    private = PrivateFit(series, units, ledger, salt="s", max_rows_per_unit=2, mechanisms=mechanisms)
    cost = ledger.remaining * compressor.share
    fitted = compressor.fit(private, cost=cost)
    assert ledger.spent <= cost
    return fitted, ledger


def test_fine_tuning_learns_within_its_share(series):
    # Series that simulation has not seen: they all end where they began, at one of two heights.
    turns = np.where(np.arange(6) % 2 == 0, 0.9, 0.1)[None, :, None]
    flip = (np.arange(300) % 3 == 0)[:, None, None]
    other = Series(values=np.repeat(np.where(flip, 1 - turns, turns), 2, axis=2), lengths=np.full(300, 6))
    settings = {"q": 0.3, "steps": 60, "clip": 0.1, "rate": 0.02}
    before = Fsq.declare(declared(share=0.5, knots=6, training=settings))
    after, ledger = fine_tuned(other, before)
    assert error(after, other) < 0.7 * error(before, other)
    assert STAMP in ledger.stamps
    assert ledger.events[-1].steps == 60
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(
            before.state()[1]["encoder.straight.weight"], after.state()[1]["encoder.straight.weight"]
        )


def test_a_fitted_one_survives_its_state(series):
    compressor = Fsq.declare(declared())
    settings, tensors = compressor.state()
    again = Fsq.from_state(declared(), settings, {name: tensor.copy() for name, tensor in tensors.items()})
    assert (again.encode(series) == compressor.encode(series)).all()
    with pytest.raises(ValueError, match="shape of encoder"):
        Fsq.from_state(declared(hidden=8), settings, tensors)


def test_only_fine_tuning_needs_an_accountant_of_its_own():
    assert Fsq.declare(declared()).accountant(BUDGET) is None
    assert Fsq.declare(declared(share=0.1)).accountant(BUDGET).startswith("rdp-")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent": 3}, "did you mean 'latents'"),
        ({"levels": 1}, r"seasons.levels \(1\) must be a whole number from 2 to 64"),
        ({"share": 1}, r"seasons.share \(1\) must be a number in \[0, 1\)"),
        ({"training": {"q": 2}}, r"seasons.training: q \(2\) must be in \(0, 1\]"),
        ({"training": {"step": 2}}, "'step' is not a known key"),
        ({"training": {"steps": 2.5}}, r"steps \(2.5\) must be a whole number"),
        ({"training": {"q": "x"}}, "seasons.training: "),
        ({"training": 3}, r"seasons.training \(3\) must be a mapping"),
    ],
)
def test_settings_that_are_wrong(settings, message):
    with pytest.raises(SchemaError, match=message):
        Fsq.declare(declared(**settings))


def test_what_is_packed_shows_nothing_past_a_series_end():
    shape = Shape(steps=5, channels=1, latents=1, levels=2, knots=3, hidden=2)
    values = np.full((2, 5, 1), 0.7)
    rows = packed(values, np.array([3, 0]), np.ones((2, 1)), shape)
    assert rows.shape == (2, 2 * shape.cells + shape.entering)
    assert (rows[0, :5] == [0.7, 0.7, 0.7, 0, 0]).all()
    assert rows[1, :10].sum() == 0
    np.testing.assert_allclose(hats(5, 3)[1:].sum(axis=2), np.tril(np.ones((5, 5))))


def test_public_series_are_learned_without_noise_and_the_claim_says_so(series, tmp_path):
    entity, step = np.nonzero(series.inside)
    order = np.argsort(step, kind="stable")  # rows of a series need not stand together
    held = {name: pa.array(10 * series.values[entity, step, place][order]) for place, name in enumerate("ab")}
    file = tmp_path / "public.parquet"
    pq.write_table(pa.table({"who": pa.array(entity[order]), **held}), file)
    public = {"file": str(file), "series": "who", "source": "https://example.org/seasons"}
    plain, trained = Fsq.declare(declared()), Fsq.declare(declared(trained_on=public))
    read = trained.trained_on.read(declared())
    assert (read.lengths == series.lengths).all()
    np.testing.assert_allclose(read.values, series.values, atol=1e-12)
    assert error(trained, series) < error(plain, series)
    assert plain.stamps == ()
    assert "declared public: https://example.org/seasons" in trained.stamps[0]
    again = Fsq.from_state(declared(trained_on=public | {"file": "gone"}), *trained.state())
    assert (again.encode(series) == trained.encode(series)).all()  # what was trained needs the file no more


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("file.parquet", "must be a mapping of file, series, source"),
        ({"file": "x", "series": "y"}, "must say its source"),
        ({"file": "x", "serie": "y"}, "did you mean 'series'"),
    ],
)
def test_public_series_that_are_not_described(given, message):
    with pytest.raises(SchemaError, match=message):
        Fsq.declare(declared(trained_on=given))


def public_table(**changed):
    columns = {"who": [1, 1], "a": [1.0, 2.0], "b": [1, 2]} | changed
    return pa.table({name: values for name, values in columns.items() if values is not None})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, r"seasons\.trained_on\.file \(.*public\.parquet\) must be a parquet file"),
        (public_table(who=None, whom=[1, 1]), "no column 'who'; did you mean 'whom'"),
        (public_table(b=None), "no column 'b'"),
        (public_table(b=["x", "y"]), r"public\.parquet: column b \(string\) must be whole or floating-point numbers"),
        (public_table().slice(0, 0), "must have a row"),
    ],
)
def test_a_public_file_that_is_none_is_noticed_before_a_run_begins(tmp_path, table, message):
    file = tmp_path / "public.parquet"
    if table is None:
        file.write_text("secret7")
    else:
        pq.write_table(table, file)
    public = {"file": str(file), "series": "who", "source": "somewhere"}
    compressor = Fsq.declare(declared(trained_on=public))
    with pytest.raises(DataError, match=message) as caught:
        compressor.check()
    assert "secret7" not in str(caught.value)
    with pytest.raises(DataError, match=message):
        compressor.trained_on.read(declared())
    file.unlink()
    with pytest.raises(DataError, match="must be a parquet file"):
        compressor.check()


def test_public_rows_of_no_series(tmp_path):
    file = tmp_path / "public.parquet"
    pq.write_table(public_table(who=pa.array([1, None])), file)
    public = {"file": str(file), "series": "who", "source": "somewhere"}
    with pytest.raises(DataError, match="column 'who' must name a series in every row"):
        Fsq.declare(declared(trained_on=public)).trained_on.read(declared())
