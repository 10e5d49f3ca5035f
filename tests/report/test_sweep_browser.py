"""A sweep's pictures in a real browser: drawn, quiet, and without a request."""

from __future__ import annotations

import os

import chromium
import pytest

from pasteur.app.sweep import plots

pytestmark = [pytest.mark.browser, pytest.mark.slow]

if not chromium.find() and not os.environ.get("PASTEUR_NEEDS_BROWSER"):
    pytest.skip("no Chromium on this machine: no browser looked at the pages", allow_module_level=True)

FAULTS = ("Runtime.exceptionThrown",)


def test_pictures_are_drawn_and_nothing_is_asked_for(browser, tmp_path):
    names = ("marginals/gap",)
    trials = [
        {
            "number": n,
            "state": "complete",
            "params": {"algorithm": ("mst", "aim")[n % 2], "seed": n, "privacy.epsilon": 0.1 * (n + 1), "a": 1, "b": n},
            "objectives": {names[0]: (n - 4) ** 2 / 10},
        }
        for n in range(8)
    ]
    page = tmp_path / "study.html"
    page.write_text(
        plots.page(trials, names, title="Sweep </script><b>toy", logs=("privacy.epsilon",)), encoding="utf-8"
    )
    browser.open(page, width=1000)
    assert browser.run("document.querySelectorAll('.js-plotly-plot').length") == 4
    assert browser.run("document.querySelectorAll('.js-plotly-plot .main-svg').length") >= 4
    assert browser.run("document.documentElement.scrollWidth") <= 1000
    assert "Sweep </script><b>toy" in browser.run("document.body.innerText")
    assert [r for r in browser.requests if not r.startswith("blob:")] == [page.as_uri()]
    assert not [event for event in browser.events if event["method"] in FAULTS]
    assert not [said for said in browser.complaints if "Content Security Policy" in said]
