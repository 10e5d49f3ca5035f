"""What reads wrk: copies of its rows, and how well it was fitted. Shown, and no objective."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.errors import ConfigError
from pasteur.metrics import families
from pasteur.metrics.benchmark import measure, measure_anchors, measure_synthetic, read_scores
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.copies import digests
from pasteur.metrics.score import objective
from pasteur.table import UNIT, Table

BOTH = MetricsConfig(depth="standard", families=["copies", "fit"])


def scored(flat, people, syn, working, **over):
    asked = {"schema": flat, "settings": BOTH, "seed": 0, "working": working}
    held = {"decoded": people(900, 11), "reference": people(900, 12, units=True)}
    anchors = measure_anchors(people(800, 10), **held, **asked)
    document = measure_synthetic(people(800, 10), syn, anchors=anchors, **asked)
    return document, {score.metric: score for score in read_scores(document)}


def test_copies_are_counted_and_fresh_rows_are_few(flat, people):
    working = people(900, 11, units=True)
    half = pa.concat_tables([working["core"].arrow().drop_columns([UNIT])[:400], people(400, 99)["core"].arrow()])
    document, scores = scored(flat, people, {"core": Table.of(half)}, working)
    share = scores["copies/share"]
    # Half are copies, and of the others as many are alike by chance as of ref's.
    assert share.syn == pytest.approx(0.5 + 0.5 * share.ref, abs=0.04)
    assert share.dec > 0.99
    assert share.ref < 0.3
    shown = document["details"]["syn"]["copies"]["core"]
    assert shown["copies"] == round(shown["share"] * shown["rows"])
    # dec is wrk here: its workload error against wrk is next to nothing, whatever T is.
    assert scores["fit/tvd2"].dec < scores["fit/tvd2"].ref


@pytest.mark.parametrize("metric", ["copies/share", "fit/tvd2", "fit/tvd3"])
@pytest.mark.parametrize("number", ["", ".gap"])
def test_no_objective_reads_wrk(flat, people, metric, number):
    _, scores = scored(flat, people, people(900, 13), people(900, 11))
    assert scores[metric].reads == ("wrk",)
    with pytest.raises(ConfigError, match=r"must be computed from syn, ref and the target alone: it reads wrk"):
        objective(list(scores.values()), metric + number)


def test_without_wrk_there_is_a_note_and_no_number(flat, people):
    measured = measure(people(99, 1), {"syn": people(99, 2)}, schema=flat, settings=BOTH, seed=0)
    assert measured.raws == {"syn": []}
    assert measured.notes == dict.fromkeys(("copies", "fit"), "the rows that were fitted are not known here")


@pytest.mark.slow
def test_what_a_choice_rests_on_is_the_same_with_and_without_wrk(flat, people):
    config = MetricsConfig(depth="standard", families=[name for name in families.families() if name != "sdmetrics"])
    target, sides = people(400, 1), {"syn": people(300, 2), "ref": people(350, 3)}
    wrk = people(600, 4)
    asked = {"schema": flat, "settings": config, "seed": 0}
    one = measure(target, sides, **asked)
    two = measure(target, {**sides, "dec": people(200, 5), "wrk": wrk}, working=wrk, **asked)
    assert one.rows == two.rows
    for side in sides:
        free = [raw.document() for raw in two.raws[side] if not raw.reads]
        assert free == [raw.document() for raw in one.raws[side]]
    assert {raw.metric.split("/")[0] for raw in two.raws["syn"] if raw.reads} == {"copies", "fit"}


def test_equal_rows_have_equal_digests_whatever_holds_them(flat):
    table = flat.tables["core"]
    columns = list(table.names)
    plain = pa.table({"age": [1, 2], "city": ["Cork", None], "rich": ["no", "yes"], "height": [1.5, None]})
    other = pa.table({
        "age": pa.array([1, 2], pa.int8()),
        "city": pa.array(["Cork", None]).dictionary_encode(),
        "rich": pa.array(["no", "yes"], pa.large_string()),
        "height": pa.array([1.5, np.nan], pa.float32()),
    })  # fmt: skip
    assert digests(plain, table, columns).tolist() == digests(other, table, columns).tolist()
    swapped = plain.set_column(1, "city", pa.array([None, "Cork"], pa.string()))
    assert not set(digests(plain, table, columns)) & set(digests(swapped, table, columns))
