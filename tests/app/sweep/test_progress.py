from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.app.sweep.progress import Progress, best, clock


def trial(number, *values, names=("a", "b"), state="complete", ended=None, **more):
    return {
        "number": number,
        "state": state,
        "objectives": dict(zip(names, values, strict=False)),
        "ended": 1000.0 + number if ended is None else ended,
    } | more


@pytest.fixture
def tell(tmp_path):
    """A progress whose clock is set by hand, and what it wrote on the terminal and in the file."""

    def made(total, objectives, *, now=1000.0):
        at = [now]
        out = io.StringIO()
        progress = Progress(tmp_path / "sweep", total, objectives, out=out, clock=lambda: at[0])

        def told(trials, when):
            at[0] = when
            out.truncate(0)
            out.seek(0)
            progress.told(trials)
            return out.getvalue().splitlines()

        told.file = tmp_path / "sweep" / "progress.log"
        return told

    return made


def test_each_trial_is_told_once_with_the_best_so_far_and_the_time_left(tell):
    told = tell(4, ["a"])
    first = trial(0, 0.5)
    assert told([first], 1010) == ["1 of 4: trial 0 a 0.5 | best 0.5 (trial 0) | 0:10 gone, about 0:30 left"]
    assert told([first], 1011) == []
    second, third = trial(2, 0.25), trial(1, 0.75, ended=1003)
    assert told([second, first, third], 1020) == [
        "2 of 4: trial 2 a 0.25 | best 0.25 (trial 2) | 0:20 gone, about 0:20 left",
        "3 of 4: trial 1 a 0.75 | best 0.25 (trial 2) | 0:20 gone, about 0:07 left",
    ]
    failed = {"number": 3, "state": "failed", "error": "no signal", "ended": 1030.0}
    assert told([second, first, third, failed], 1030) == [
        "4 of 4: trial 3 failed (no signal) | best 0.25 (trial 2) | 0:30 gone, about 0:00 left"
    ]
    lines = told.file.read_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("1970-01-01T00:16:50Z 1 of 4: trial 0 ")
    assert not any(code in told.file.read_text() for code in "\r\033")


def test_a_sweep_that_goes_on_does_not_count_earlier_trials_as_its_own_speed(tell):
    told = tell(10, ["a"])
    before = [trial(n, 0.5 + n, ended=900.0 + n) for n in range(4)]
    assert told([*before, trial(4, 0.1, ended=1005.0)], 1005) == [
        "4 trials were there already | best 0.5 (trial 0)",
        "5 of 10: trial 4 a 0.1 | best 0.1 (trial 4) | 0:05 gone, about 0:25 left",
    ]


def test_several_objectives_have_a_front_and_a_grid_has_none(tell):
    told = tell(None, ["a", "b"])
    assert told([trial(0, 1.0, 2.0)], 1001) == ["1: trial 0 a 1, b 2 | 1 on the front | 0:01 gone"]
    assert told([trial(0, 1.0, 2.0), trial(1, 2.0, 1.0)], 1002)[0].startswith("2: trial 1 a 2, b 1 | 2 on the front")
    plain = tell(2, [])
    assert plain([{"number": 0, "state": "complete", "ended": 1001.0}], 1001)[0].startswith(
        "1 of 2: trial 0 complete |"
    )


def test_a_trial_without_its_objective_is_no_best():
    held = [trial(0, 0.5), trial(1), trial(2, 0.1, state="failed"), {"number": 3, "state": "cut off"}]
    assert [t["number"] for t in best(held, ["a"])] == [0]
    assert best(held, []) == []
    assert [t["number"] for t in best([trial(5, 1.0), trial(4, 1.0)], ["a"])] == [4]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
def test_the_front_is_what_nothing_else_beats(points):
    held = [trial(n, *map(float, point)) for n, point in enumerate(points)]
    front = {tuple(t["objectives"].values()) for t in best(held, ["a", "b"])}
    for point in set(points):
        beaten = any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in points)
        assert (tuple(map(float, point)) in front) == (not beaten)


def test_clocks():
    assert [clock(seconds) for seconds in (-1, 0, 9.6, 61, 3600)] == ["0:00", "0:00", "0:10", "1:01", "1:00:00"]
