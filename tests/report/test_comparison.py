from __future__ import annotations

import re

import pytest
from stories import tracked

from pasteur.report import Run, compare
from pasteur.report.curves import Axis
from pasteur.report.runs import Spread, common, differing, families, grouped


def grid():
    return [
        tracked(algorithm, epsilon, seed, gap=0.2 + 0.1 * seed + 0.3 / epsilon + 0.2 * (algorithm == "mst"))
        for algorithm in ("mst", "aim")
        for epsilon in (1.0, 3.0)
        for seed in (0, 1, 2)
    ]


def test_seeds_are_repeated_runs():
    groups = grouped(grid())
    assert len(groups) == 4
    assert {len(group.runs) for group in groups} == {3}
    spread = groups[0].spread("gap/marginals")
    assert (spread.n, spread.mean, spread.sd) == (3, pytest.approx(0.8), pytest.approx(0.1))


def test_what_comes_with_the_algorithm_is_no_difference():
    runs = grid()
    assert differing(runs) == ["algorithm", "privacy.epsilon", "seed"]
    changed = [*runs, Run(id="x", name="x", settings={**runs[0].settings, "settings.msts": "9"}, metrics={})]
    assert "settings.msts" in differing(changed)


def test_common_settings_are_those_of_all():
    runs = [Run(id=str(n), name="", settings={"a": "1", "b": str(n)}, metrics={}) for n in range(2)]
    assert common(runs) == {"a": "1"}
    assert differing(runs) == ["b"]


def test_a_spread_of_one_has_no_deviation_and_of_none_is_none():
    assert Spread.of([1.0]).sd is None
    assert Spread.of([]) is None
    assert Spread.of([float("nan")]) is None


def test_a_row_a_configuration_with_mean_deviation_and_number():
    html = compare(grid(), title="Sweep")
    table = html[html.index('id="gap-table"') : html.index("</table>")]
    assert table.count("<tr>") == 1 + 4
    assert "0.80 <small>± 0.10</small>" in table
    assert re.search(r'<td class="n h\d" data-sort="0.800000">', table)


def test_pictures_have_the_anchors_lines_and_a_sign_a_run():
    html = compare(grid(), title="Sweep")
    assert html.count('class="step l-ref"') == 2
    assert html.count("<polygon") == 2
    assert len(re.findall(r'class="dot c[01]"', html)) >= 24


def test_the_best_is_among_runs_with_a_claim_and_each_family_has_its_own():
    free = Run(id="r", name="reference", settings={"algorithm": "reference"}, metrics={"gap/marginals": 0.0})
    html = compare([*grid(), free], title="Sweep")
    best = html[html.index('id="g-best"') : html.index('id="gaps"')]
    assert "of runs with a claim" in best
    assert "algorithm=aim, epsilon=3" in best
    assert "reference" not in best


def test_runs_without_scores_are_listed():
    bare = [Run(id=str(n), name=f"run {n}", settings={"seed": str(n)}, metrics={}) for n in range(2)]
    html = compare(bare, title="none")
    assert "No run has a gap" in html
    assert "run 1" in html
    assert families(bare) == []


def test_a_failed_run_says_so():
    runs = grid()
    broken = Run(id="b", name="b", settings=runs[0].settings, metrics={}, failed=True)
    assert "✗ 1 failed" in compare([*runs, broken], title="Sweep")


def test_hostile_names_are_text():
    word = "<script>alert(1)</script>" + "x" * 10_000
    runs = [Run(id=str(n), name=word, settings={word: f"{word}{n}"}, metrics={f"gap/{word}": 0.5}) for n in range(3)]
    html = compare(runs, title=word, subtitle=word)
    assert "<script>alert" not in html
    assert len(html) < 100_000


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0.1, 10, True), (0.05, 0.12, False), (1, 1.0001, False), (0.9, 9, True)]
)
def test_ticks_are_few_and_inside(low, high, log):
    axis = Axis(low=low, high=high, start=0, stop=100, log=log)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 9
    assert all(low * 0.998 <= tick <= high * 1.002 for tick in ticks)
    assert axis.at(low) == pytest.approx(0)
    assert axis.at(high) == pytest.approx(100)


def search(trials):
    return [
        Run(
            id=str(n),
            name=f"trial {n}",
            settings={"algorithm": "mst", "settings.choices": f"{n}"},
            metrics={
                "gap/marginals": (n * 7 % trials) / trials,
                "marginals/tvd2/syn": 0.1 + n / 1000,
                "seconds": 1.0 + n,
            },
        )
        for n in range(trials)
    ]


def test_of_many_configurations_the_best_come_first_and_the_rest_share_a_sign():
    html = compare(search(40), title="Search")
    table = html[html.index('id="gap-table"') : html.index("</table>")]
    gaps = [float(value) for value in re.findall(r'class="n h\d" data-sort="([\d.]+)"', table)]
    assert gaps == sorted(gaps)
    assert len(gaps) == 40
    legend = html[html.index('<ul class="legend" aria-label="Configurations">') :]
    legend = legend[: legend.index("</ul>")]
    assert legend.count("<li>") == 12
    assert "29 others" in legend


def test_a_dozen_configurations_keep_their_order_and_have_signs_of_their_own():
    html = compare(search(12), title="Grid")
    legend = html[html.index('<ul class="legend" aria-label="Configurations">') :]
    signs = re.findall(r"<path [^>]+>", legend[: legend.index("</ul>")])
    assert len(set(signs)) == 12
    assert [f"choices={n}" for n in range(12)] == re.findall(r"choices=\d+", legend[: legend.index("</ul>")])
