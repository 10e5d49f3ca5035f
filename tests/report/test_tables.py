from __future__ import annotations

import csv
import io

from stories import COLUMNS, score

from pasteur.report import Story, tables


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_score_and_event_is_a_row(story):
    told = story()
    found = tables(told)
    assert set(found) == {"scores.csv", "columns.csv", "pairs.csv", "triples.csv", "ledger.csv"}
    scores = {row["metric"]: row for row in read(found["scores.csv"])}
    assert len(scores) == len(told.scores)
    assert float(scores["marginals/tvd2"]["gap"]) == 0.4000000000000001
    assert scores["marginals/tvd1"]["gap"] == ""
    assert [row["asked"] for row in read(found["ledger.csv"])] == ["one-way marginal: age", "choice"]
    assert read(found["triples.csv"])[0]["columns"] == " x ".join(COLUMNS)


def test_a_table_of_nothing_is_not_written():
    assert tables(Story(title="nothing")) == {}


def test_no_text_is_taken_for_a_formula(story):
    told = story(scores=(score("=cmd()/x", 0.1, note="@SUM(A1)\nb"),))
    (row,) = read(tables(told)["scores.csv"])
    assert (row["metric"], row["note"]) == ("'=cmd()/x", "'@SUM(A1) b")
