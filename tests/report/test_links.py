"""What reports show of parents and children: sides need not be as long as one another."""

from __future__ import annotations

import pytest

from pasteur.report import render
from pasteur.report.story import Story


def side(*shares):
    held = {"labels": [str(n) for n in range(len(shares))], "shares": list(shares)}
    sequence = {"group": "who", "order": None, "lengths": held, "channels": {}, "cross": {"columns": [], "matrix": []}}
    children = {"children": held, "mean": 1.0, "orphans": 0.0}
    return {"sequential": {"visits": sequence}, "relational": {"core.visits": children}}


@pytest.mark.parametrize("syn", [(1.0,), (0.2, 0.3, 0.1, 0.4), (0.5, 0.5)])
def test_a_side_with_longer_or_shorter_histories_than_the_others_is_drawn(syn):
    story = Story(title="t", split="dev", details={"target": side(0.5, 0.5), "syn": side(*syn), "ref": side(0.1, 0.9)})
    page = render(story)
    assert "rows per who" in page
    assert "children per parent" in page
