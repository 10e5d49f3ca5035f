"""The errors of the series benchmark, on careers of which it is known how they differ."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "series.py"
PLAYERS = 400


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("series_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def frames():
    """Players whose seasons follow one another and their bats, in the view's columns."""
    rng = np.random.default_rng(0)
    seasons = rng.integers(1, 21, PLAYERS)
    ids = [f"p{i:04}" for i in range(PLAYERS)]
    core = pd.DataFrame({
        "player_id": ids,
        "birth_year": rng.integers(1900, 1990, PLAYERS),
        "birth_country": rng.choice(["USA", "CAN", None], PLAYERS),
        "height": rng.integers(68, 78, PLAYERS),
        "weight": rng.integers(150, 240, PLAYERS),
        "bats": np.where(seasons > 10, "R", "L"),
        "throws": "R",
        "debut_year": rng.integers(1920, 2010, PLAYERS),
        "debut_month": rng.integers(4, 10, PLAYERS),
    })  # fmt: skip
    rows = []
    for player, length in zip(ids, seasons, strict=True):
        level = rng.uniform(20, 140)
        for season in range(1, length + 1):
            level = np.clip(0.9 * level + 0.1 * 80 + rng.normal(0, 12), 1, 165)
            games = int(level)
            at_bats = 0 if games < 15 else games * 4
            average = round(rng.binomial(at_bats, 0.26) / at_bats, 3) if at_bats else None
            rows.append((player, season, games, at_bats, average))
    return core, pd.DataFrame(rows, columns=["player_id", "season", "games", "at_bats", "average"])


@pytest.fixture(scope="module")
def real(benchmark, frames):
    return benchmark.careers(*frames)


def test_series_are_read_from_the_views_rows_in_any_order(benchmark, frames, real):
    core, batting = frames
    again = benchmark.careers(core, batting.sample(frac=1, random_state=1))
    np.testing.assert_array_equal(again.series, real.series)
    first = batting[batting["player_id"] == "p0000"]
    assert real.lengths[0] == len(first)
    np.testing.assert_allclose(real.series[0, 0, 0], np.sqrt(first["games"].iloc[0] / 165))
    assert np.isnan(real.series[0, len(first) :]).all()
    assert np.isnan(real.series[..., 2]).sum() > np.isnan(real.series[..., 1]).sum()
    assert len(real.attributes) == 8
    assert max(codes.max() for codes in real.attributes.values()) < benchmark.CODES


def test_an_average_is_read_as_whole_hits(benchmark, frames):
    core, batting = frames
    rough = batting.assign(average=(batting["average"] + 0.1 / batting["at_bats"]).round(5))
    same = benchmark.careers(core, rough)
    np.testing.assert_array_equal(same.series, benchmark.careers(core, batting).series)


def test_a_season_of_nobody_is_refused(benchmark, frames):
    core, batting = frames
    with pytest.raises(ValueError, match="must name players of core"):
        benchmark.careers(core.iloc[1:], batting)


def test_nothing_differs_from_itself(benchmark, real):
    found = benchmark.errors(real, real)
    assert set(found) == {*benchmark.EIGHT, "m8", "length"}
    assert max(found.values()) == 0


def test_a_permutation_of_players_changes_nothing(benchmark, real):
    found = benchmark.errors(real, real.take(np.random.default_rng(0).permutation(PLAYERS)))
    assert max(found.values()) < 1e-12


def changed(benchmark, real, series=None, **kept):
    whole = {"series": real.series, "lengths": real.lengths, "attributes": real.attributes}
    whole |= {} if series is None else {"series": series}
    return benchmark.Careers(**{**whole, **kept})


def test_shuffled_seasons_are_seen_by_what_reads_their_order(benchmark, real):
    rng = np.random.default_rng(1)
    series = real.series.copy()
    for player, length in enumerate(real.lengths):
        series[player, :length] = series[player, rng.permutation(length)]
    found = benchmark.errors(real, changed(benchmark, real, series))
    assert min(found[name] for name in ("delta", "ac1", "wac")) > 0.05
    assert max(found[name] for name in ("xch", "agg", "par", "length")) < 0.005  # sums in another order


def test_attributes_of_others_are_seen_by_the_links_alone(benchmark, real):
    order = np.random.default_rng(2).permutation(PLAYERS)
    attributes = {name: codes[order] for name, codes in real.attributes.items()}
    found = benchmark.errors(real, changed(benchmark, real, attributes=attributes))
    assert found["par"] > 0.02
    assert found["m8"] == found["par"] / 8
    assert found["length"] == 0


def test_a_channel_of_other_players_is_seen_across_channels(benchmark, real):
    series = real.series.copy()
    for length in range(1, 21):
        same = np.flatnonzero(real.lengths == length)
        series[same, :, 0] = series[np.roll(same, 1), :, 0]
    found = benchmark.errors(real, changed(benchmark, real, series))
    assert found["xch"] > 0.2
    assert max(found[name] for name in ("step", "miss", "delta", "ac1", "wac", "agg")) < 1e-12


def test_shorter_careers_and_other_levels(benchmark, frames, real):
    core, batting = frames
    half = benchmark.careers(core, batting[batting["season"] <= 10])
    found = benchmark.errors(real, half)
    assert found["length"] == pytest.approx(np.mean(real.lengths > 10))
    none = benchmark.errors(real, changed(benchmark, real, np.where(np.isnan(real.series), np.nan, 2.0)))
    assert none["step"] == 1  # no value of the one is near one of the other
    assert none["miss"] == 0
    gone = benchmark.errors(real, changed(benchmark, real, np.full_like(real.series, np.nan)))
    assert gone["step"] == 1
    assert gone["miss"] > 0.9
