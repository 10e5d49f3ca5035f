from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from markupsafe import escape
from stories import COLUMNS, details, score, worst

from pasteur.report import build, page, render
from pasteur.report.story import Story

HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "'; DROP TABLE core; -- \"><svg onload=alert(1)>",
    "\u202eevil\u0000\ud800 {{ 7*7 }} {% raw %}" + "界" * 9_970,
)


class Reader(HTMLParser):
    """Collects elements with their attributes, and text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def sections(html):
    return re.findall(r'<h2 id="([\w-]+)"><span class="no">(\d+)', html)


def test_sections_keep_their_numbers_and_those_without_content_are_named(story):
    html = render(story())
    assert sections(html) == [
        ("verdicts", "2"),
        ("ledger", "3"),
        ("columns", "4"),
        ("pairs", "5"),
        ("triples", "6"),
        ("detection", "7"),
        ("prediction", "8"),
        ("queries", "9"),
        ("encoding", "13"),
        ("timings", "14"),
        ("rows", "15"),
    ]
    assert "10 relations, 11 sequences" in html


def test_the_head_says_whether_it_is_good_what_is_worst_and_what_was_spent(story):
    html = render(story())
    head = html[: html.index('<h2 id="verdicts">')]
    assert str(escape(build.BANNER)) in head
    assert "Of 4 families" in head
    assert "ε 1" in head
    assert re.search(r'what">column</span><a class="name" href="#columns">education<', head)
    assert re.search('what">pair</span><a class="name" href="#pairs">age \u00d7 education<', head)


def test_columns_are_worst_first(story):
    html = render(story())
    assert re.findall(r'class="place">\d+</span>(\w+)</h3>', html) == ["education", "age", "income"]


def test_the_ledger_has_a_row_an_event_and_what_was_left(story):
    html = render(story())
    assert "one-way marginal: age" in html
    assert "exponential choice" in html
    assert "5.0 % was left unspent" in html


def test_every_claim_of_nothing_is_told(story):
    html = render(story(privacy=None))
    assert "Not known" in html
    assert ("ledger", "3") not in sections(html)
    none = story(privacy=build_none())
    assert "No guarantee" in render(none)


def build_none():
    from pasteur.report import Privacy

    return Privacy(private=False, sentence="no DP guarantee [NOT PRIVATE]")


def test_failures_are_told_first_and_with_their_reasons(story):
    html = render(story(failures={"sql": "SqlError at sql.py:1", "detection (anchors)": "ValueError"}))
    head = html[: html.index('<div class="glance">')]
    assert "SqlError at sql.py:1" in head
    assert "2 metrics could not be measured" in head


def test_a_story_of_nothing_is_a_page():
    html = render(Story(title="nothing"))
    assert "Not scored" in html
    assert [name for name, _ in sections(html)] == ["verdicts", "timings"]


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_names_and_values_are_text(story, word):
    columns = (word, word + "2", word + "3")
    told = story(
        columns,
        title=word,
        subtitle=word,
        facts={word: word},
        settings={word: word},
        cautions=[word],
        failures={word: word},
        notes={word: word},
        rows={word: {"columns": [word], "rows": [[word], [None]], "of": 2}},
    )
    query = told.details["target"]["sql"]["queries"]["sql/pay"]
    query |= {"name": word, "sql": word, "file": word, "keys": [word], "values": [word]}
    told.details["target"]["marginals"]["histograms"]["core"][word]["labels"] = [word] * 10
    for side in ("target", "syn", "ref"):
        told.details[side]["sql"]["results"]["sql/pay"]["keys"] = [[word], [word]]
    html = render(told)
    html.encode("utf-8")
    plain = Reader(render(story()))
    hostile = Reader(html)
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements} | {"ul", "li", "div", "p"}
    assert not [a for _, attrs in hostile.elements for a in attrs if a.startswith("on")]
    assert sum(tag == "script" for tag, _ in hostile.elements) == 1
    assert "49" not in "".join(hostile.words).split(word[:8])[-1][:2]
    assert len(html) < 2 * len(render(story())) + 200_000


def test_nothing_is_asked_for_from_anywhere(story):
    reader = Reader(render(story()))
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [a for _, attrs in reader.elements for a in attrs if a in ("src", "style", "srcset", "action", "data")]
    links = [attrs["href"] for tag, attrs in reader.elements if "href" in attrs]
    assert all(link.startswith("#") for link in links)
    ids = {attrs["id"] for _, attrs in reader.elements if "id" in attrs}
    assert {link[1:] for link in links} <= ids | {"verdicts"}


def test_ids_are_there_once(story):
    found = [attrs["id"] for _, attrs in Reader(render(story())).elements if "id" in attrs]
    assert len(found) == len(set(found))


def test_each_picture_has_words_and_each_table_its_headings(story):
    elements = Reader(render(story())).elements
    pictures = [attrs for tag, attrs in elements if tag == "svg" and attrs.get("aria-hidden") != "true"]
    assert pictures
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in pictures)
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in elements if tag == "th")
    regions = [attrs for _, attrs in elements if attrs.get("role") == "region"]
    assert all(attrs.get("tabindex") == "0" and attrs.get("aria-label") for attrs in regions)


def test_never_a_colour_alone(story):
    """A verdict is a sign and words; a heat cell its number."""
    html = render(story())
    assert len(re.findall(r'class="chip \w+"><span class="sign" aria-hidden="true">[✓≈!✗·]</span> \w+', html)) >= 10
    assert re.search(r'class="cell[^"]*"[^>]*>.50<', html)


def test_the_page_of_a_wide_table_is_small_and_made_quickly(story):
    names = [f"column_{n}" for n in range(15)]
    many = {
        name: {"shares": [1 / 24] * 24, "column": name, "labels": [str(n) for n in range(24)], "ordered": n % 2 == 0}
        for n, name in enumerate(names)
    }
    found = details()
    matrix = [[0.5] * 15 for _ in names]
    for side in ("target", "syn", "ref", "wrk"):
        found[side]["marginals"]["histograms"]["core"] = many
        found[side]["association"] = {"core": {"matrix": matrix, "columns": names}}
    scores = [score(f"sql/query-{n}", 0.7, ref=0.9, base=0.6, better="higher") for n in range(40)]
    told = story(details=found, scores=(*story().scores, *scores), worst=worst((names[0], names[1], names[2])))
    render(told)
    started = time.process_time()
    html = render(told)
    assert time.process_time() - started < 2
    assert len(html.encode()) < 2_000_000


def test_a_column_that_the_ranking_lacks_is_shown_last(story):
    ranked = worst()
    ranked["columns"] = ranked["columns"][:1]
    html = render(story(worst=ranked))
    assert re.findall(r'class="place">\d+</span>(\w+)</h3>', html)[0] == "education"
    assert html.count("not ranked") == len(COLUMNS) - 1


def test_digests_are_of_the_very_text_between_the_tags(story):
    import base64
    import hashlib

    html = render(story())
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        source = html[html.index(f"<{tag}>") + len(tag) + 2 : html.index(f"</{tag}>")]
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'".replace("'", "&#39;") in html or f"{kind} 'sha256-{digest}'" in html


def test_an_expression_that_is_missing_in_a_template_is_a_fault():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        page.render("report.html.j2", {})
