from __future__ import annotations

import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.app.sweep.dimensions import Dimension, encoded, text
from pasteur.errors import ConfigError


def said(word):
    return Dimension.said(OverridesParser.create().parse_override(word))


def test_a_list_is_choices_and_a_mapping_a_range():
    assert Dimension.read("x", [1, "a", None], "x").choices == (1, "a", "null")
    found = Dimension.read("x", {"low": 1, "high": 8, "log": True}, "x")
    assert (found.whole, found.log, found.edges()) == (True, True, (1, 8))
    assert not Dimension.read("x", {"low": 1, "high": 8.0}, "x").whole


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ([], "x ([]) must be a list of one choice or more"),
        (3, "x (3) must be a list of choices, or a mapping"),
        (None, "must be a list of choices"),
        ({"low": 1, "hihg": 2}, "x.hihg is not known; did you mean 'high'?"),
        ({"low": 1}, "x.high (nothing) must be a finite number"),
        ({"low": 1, "high": math.nan}, "x.high (nan) must be a finite number"),
        ({"low": 2, "high": 1}, "x (2 to 1) must be a range whose low lies under its high"),
        ({"low": 0, "high": 1, "log": True}, "above 0 and without a step for log"),
        ({"low": 1, "high": 2, "log": "yes"}, "x.log (yes) must be true or false"),
        ({"low": 1, "high": 2, "step": 0}, "x.step (0) must be a finite number above 0"),
    ],
)
def test_a_mistake_is_told(entry, told):
    with pytest.raises(ConfigError) as error:
        Dimension.read("x", entry, "x")
    assert told in str(error.value)


def test_the_command_line_is_read_as_hydra_reads_it():
    assert said("x=1,2").choices == (1, 2)
    assert said("x=choice(a,'b c')").choices == ("a", "'b c'")
    assert said("x=range(1,4)").choices == (1, 2, 3)  # without its end, for every sampler
    found = said("++x=tag(log,interval(0.1,10))")
    assert (found.setting, found.low, found.high, found.log) == ("x", 0.1, 10, True)


def test_a_grid_has_every_value_of_what_is_not_continuous():
    assert Dimension.read("x", {"low": 1, "high": 3}, "x").values("x") == (1, 2, 3)
    assert Dimension.read("x", {"low": 0.0, "high": 0.3, "step": 0.1}, "x").values("x") == pytest.approx(
        (0.0, 0.1, 0.2, 0.3)
    )
    for entry in ({"low": 0.0, "high": 1.0}, {"low": 1, "high": 8, "log": True}):
        with pytest.raises(ConfigError, match="for a grid: it is continuous"):
            Dimension.read("x", entry, "x").values("x")
    with pytest.raises(ConfigError, match="10000 values or fewer"):
        Dimension.read("x", {"low": 1, "high": 10**9}, "x").values("x")


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8)


def plainly(value):
    return [plainly(each) for each in value] if isinstance(value, list) else getattr(value, "text", value)


@settings(max_examples=60)
@given(plain | words | st.lists(plain | words, max_size=3))
def test_what_stands_on_a_command_line_is_read_back_as_what_it_was(value):
    word = f"x={text(encoded(value))}"
    assert plainly(OverridesParser.create().parse_override(word).value()) == value
