"""The pages in a real browser: quiet consoles, no requests, sortable tables, no layout that breaks."""

from __future__ import annotations

import os

import chromium
import pytest
from stories import make, tracked

from pasteur.report import compare, render

pytestmark = pytest.mark.browser

if not chromium.find() and not os.environ.get("PASTEUR_NEEDS_BROWSER"):
    pytest.skip("no Chromium on this machine: no browser looked at the pages", allow_module_level=True)

WIDE = """[...document.querySelectorAll('main *')].filter(
    e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre')).length"""
HOSTILE = "<img src=https://example.org/x onerror=alert(1)>" + "界" * 5_000 + "W" * 5_000


def hostile():
    columns = (HOSTILE, HOSTILE + "2", HOSTILE + "3")
    rows = {"core": {"columns": [HOSTILE] * 3, "rows": [[HOSTILE] * 3] * 20, "of": 20}}
    return make(columns, title=HOSTILE, notes={HOSTILE: HOSTILE}, failures={HOSTILE: HOSTILE}, rows=rows)


PAGES = {
    "report": lambda: render(make()),
    "hostile": lambda: render(hostile()),
    "comparison": lambda: compare(
        [tracked(a, e, s, gap=0.9 - 0.1 * e + 0.01 * s) for a in ("mst", "aim") for e in (1.0, 3.0) for s in (0, 1)],
        title="Sweep",
    ),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, made in PAGES.items():
        (folder / f"{name}.html").write_text(made(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_said_nothing_is_asked_for_and_nothing_sticks_out(browser, pages, name, width, dark):
    path = pages / f"{name}.html"
    browser.open(path, width=width, dark=dark)
    assert browser.complaints == []
    assert browser.requests == [path.as_uri()]
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(WIDE) == 0


def test_a_press_on_a_heading_sorts_and_a_second_one_turns_it(browser, pages):
    browser.open(pages / "comparison.html")
    column = "[...document.querySelectorAll('#gap-table tbody tr')].map(r => parseFloat(r.cells[3].textContent))"
    press = "document.querySelectorAll('#gap-table thead button')[3].click()"
    before = browser.run(column)
    browser.run(press)
    assert browser.run(column) == sorted(before)
    browser.run(press)
    assert browser.run(column) == sorted(before, reverse=True)
    assert browser.run("document.querySelectorAll('#gap-table th')[3].getAttribute('aria-sort')") == "descending"
    assert browser.complaints == []


def test_the_keyboard_reaches_headings_links_and_scrolling_regions(browser, pages):
    browser.open(pages / "report.html")
    reached = set()
    for _ in range(40):
        for kind in ("rawKeyDown", "keyUp"):
            browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.add(
            browser.run("document.activeElement.tagName + '.' + (document.activeElement.getAttribute('role') || '')")
        )
    assert {"A.", "BUTTON.", "DIV.region", "SUMMARY."} <= reached


def test_without_scripts_a_page_is_whole(browser, pages):
    browser.open(pages / "report.html", scripts=False)
    found = browser.ask("DOM.getDocument", depth=-1)["root"]
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    text = str(found)
    assert "Synthetic rows" in text
    assert "pay by age" in text


def test_a_script_that_slips_in_does_not_run(browser, tmp_path):
    path = tmp_path / "broken.html"
    html = render(make()).replace(
        "</main>", '<script>window.bad = 1</script><img src="https://example.org/x"></main>', 1
    )
    path.write_text(html, encoding="utf-8")
    browser.open(path)
    assert browser.run("typeof window.bad") == "undefined"
    assert not [address for address in browser.requests if address.startswith("https:")] or browser.complaints


def test_all_is_open_on_paper(browser, pages):
    browser.open(pages / "report.html")
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.querySelector('nav.toc')).display") == "none"
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run("[...document.querySelectorAll('details')].every(box => box.open)") is True
