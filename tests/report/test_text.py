from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pasteur.report import svg, text


@given(st.text(max_size=2000) | st.text(alphabet="\ud800\u202e\u200b\x00<&", max_size=50))
def test_what_is_shown_can_be_written_seen_and_is_short(value):
    shown = text.clean(value)
    shown.encode("utf-8")
    assert len(shown) <= text.LONGEST
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"}]
    assert not text.HIDDEN.search(shown)


def test_a_long_name_keeps_both_its_ends():
    shown = text.clean("a" * 5000 + "z" * 5000, 20)
    assert (len(shown), shown[0], shown[-1]) == (20, "a", "z")
    assert "…" in shown
    assert text.clean("short", 20) == "short"


def test_plain_text_stays_as_it_is():
    assert text.clean("Zürich, 東京; a\tb\nc") == "Zürich, 東京; a b c"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, text.NONE),
        (float("nan"), text.NONE),
        (0.12345, "0.1235"),
        (12.345, "12.345"),
        (123456.7, "123,457"),
        (-0.5, "-0.5000"),
    ],
)
def test_numbers(value, shown):
    assert text.number(value) == shown


def test_gaps_shares_and_durations_in_words():
    assert (text.gap(None), text.gap(0.5), text.gap(-0.014)) == ("no signal", "0.50", "\u22120.01")
    assert (text.percent(0.0), text.percent(0.0004), text.percent(0.123)) == ("0.0 %", "< 0.1 %", "12.3 %")
    assert (text.seconds(0.01), text.seconds(2.0), text.seconds(600.0), text.seconds(None)) == (
        "10 ms",
        "2.0 s",
        "10.0 min",
        text.NONE,
    )
    assert (text.plural(1, "family", "families"), text.plural(2, "run")) == ("1 family", "2 runs")
    assert text.signed(-0.5) == "\u22120.50"


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_ends_its_element_or_its_attribute(child, value):
    made = svg.tag("text", child, aria_label=value)
    assert isinstance(made, Markup)
    assert made.count("<") == 2
    assert made.count('"') == 2


def test_markup_among_children_stays_markup():
    assert svg.tag("g", svg.rect(0, 0, -3, 1, "bar"), class_="x") == (
        '<g class="x"><rect x="0" y="0" width="0" height="1" class="bar"/></g>'
    )


def test_each_candidate_has_a_shape_of_its_own():
    shapes = {svg.mark(side, 10, 10) for side in ("syn", "ref", "dec", "base", "wrk")}
    assert len({str(shape).split('d="')[1].split('"')[0] for shape in shapes}) == 5
