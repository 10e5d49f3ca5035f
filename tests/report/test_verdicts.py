from __future__ import annotations

import pytest
from stories import details, score

from pasteur.report import verdicts


@pytest.mark.parametrize(
    ("gap", "kind"),
    [
        (None, "none"),
        (-0.3, "good"),
        (0.1, "good"),
        (0.11, "fair"),
        (0.5, "fair"),
        (0.51, "poor"),
        (0.9, "bad"),
        (2.0, "bad"),
    ],
)
def test_kinds_of_gaps(gap, kind):
    assert verdicts.of_gap(gap)[0] == kind


def test_worse_gaps_have_worse_words():
    words = [verdicts.of_gap(gap)[1] for gap in (0.05, 0.3, 0.7, 1.0, 1.5)]
    assert len(set(words)) == 5
    assert words[0] == "as good as fresh real data"
    assert words[-1] == "worse than independent columns"


def test_the_worst_family_comes_first_and_failures_before_it(story):
    told = story(failures={"association": "TypeError at association.py:3"})
    found = verdicts.verdicts(told)
    assert found[0].family == "association"
    assert (found[0].kind, "TypeError" in found[0].sentence) == ("failed", True)
    gaps = [v.gap for v in found if v.gap is not None]
    assert gaps == sorted(gaps, reverse=True)


def test_a_metric_that_failed_is_told_beside_the_others_of_its_family(story):
    (found,) = [v for v in verdicts.verdicts(story(failures={"sql/lost": "timed out"})) if v.family == "sql"]
    assert "FAILED sql/lost: timed out." in found.sentence
    assert found.gap == pytest.approx((0.3 - 0.05) / 0.35)


def test_the_encodings_part_of_a_gap(story):
    (found,) = [v for v in verdicts.verdicts(story()) if v.family == "marginals"]
    assert found.gap == pytest.approx(0.4)
    assert found.encoding == pytest.approx(0.002 / 0.05)


def test_a_gate_has_a_verdict_without_a_gap(story):
    (found,) = [v for v in verdicts.verdicts(story()) if v.family == "validity"]
    assert (found.kind, found.gap, found.word) == ("bad", None, "1 of 1 checks not met")
    whole = story(scores=(score("validity/bounds", 1.0, better="higher", dependence=False),))
    assert verdicts.verdicts(whole)[0].word == "passed"


@pytest.mark.parametrize(("copied", "kind"), [(0.0, "good"), (0.02, "good"), (0.3, "bad")])
def test_copies_are_judged_against_what_fresh_data_has_in_common(story, copied, kind):
    told = story(scores=(score("copies/share", copied, ref=0.01, base=None, dec=None, se=None, dependence=False),))
    assert verdicts.verdicts(told)[0].kind == kind


def test_detection_is_told_as_an_auc_with_what_gives_it_away(story):
    (found,) = [v for v in verdicts.verdicts(story()) if v.family == "detection"]
    assert "AUC of 0.81" in found.sentence
    assert "age" in found.sentence


def test_a_family_of_a_users_own_is_shown_by_its_name(story):
    told = story(scores=(score("mine/thing", 0.06),), details={})
    assert [(v.title, v.kind) for v in verdicts.verdicts(told)] == [("Mine", "fair")]


def test_the_summary_counts_and_gives_no_grade(story):
    said = verdicts.summary(verdicts.verdicts(story()))
    assert said.startswith("Of 4 families: ")
    assert "grade" not in said
    assert verdicts.summary([]).startswith("No family has a gap")


def test_the_mean_stands_for_the_queries(story):
    assert verdicts.headline(story().family("sql"), "sql").metric == "sql/mean"
    assert verdicts.headline([], "sql") is None


def test_details_are_those_that_the_page_reads(story):
    """The helper's own shape: every family that it fills is read by a section."""
    assert set(details()["syn"]) <= set(verdicts.TITLES)
