"""A flat algorithm on a row and its series: one budget, keys that match, and a whole unit removed moves what it may."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pasteur.compressors._store import Compression
from pasteur.embeddings.table import TableEncoder
from pasteur.pipelines.synthesize import nodes, segments
from pasteur.privacy import Budget, ExactMechanisms, Ledger
from pasteur.synth import find
from pasteur.table import UNIT, Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compressors"))
from test_layout import schema

pytestmark = pytest.mark.usefixtures("same_noise")

SCHEMA = schema()


def people(count, seed=0):
    """Codes of core with keys and units (two stays a unit), and raw rows of vitals."""
    rng = np.random.default_rng(seed)
    who = [f"s{number:04}" for number in range(count)]
    core = pa.table(
        {
            UNIT: pa.array([f"u{number // 2:04}" for number in range(count)], pa.string()),
            "who": pa.array(who, pa.string()),
            "age": rng.integers(0, 100, count).astype(np.uint8),
        }
    )
    lengths = rng.integers(0, 5, count)
    entity = np.repeat(np.arange(count), lengths).astype(np.int64)
    hour = np.concatenate([np.arange(length) for length in lengths] or [np.zeros(0)]).astype(np.int64)
    pulse = np.round(60 + 0.5 * core["age"].to_numpy()[entity] + rng.normal(size=len(entity)), 1)
    drops = np.where(rng.random(len(entity)) < 0.3, 0, rng.integers(1, 100, len(entity)))
    vitals = pa.table(
        {
            UNIT: core[UNIT].take(pa.array(entity)),
            "who": core["who"].take(pa.array(entity)),
            "hour": hour,
            "pulse": pulse,
            "drops": drops,
        }
    )
    return Table.of(core), Table.of(vitals)


def fitted(core, vitals, algorithm="independent", epsilon=3.0, mechanisms=None):
    dictionary = {name: TableEncoder.declare(table).to_dict() for name, table in SCHEMA.tables.items()}
    ledger = Ledger(Budget(epsilon=epsilon, delta=1e-6))
    protection = {
        "max_rows_per_unit": 2,
        "rows_public": False,
        "salt": "s",
        "mechanisms": mechanisms or ExactMechanisms(),
    }
    declared = {"vitals": Compression.declare(SCHEMA, "vitals")}
    settings = find(algorithm).Settings()
    made = nodes.fit_series(algorithm, settings, protection, ledger, dictionary, declared, core, vitals)
    return dictionary, ledger, made


def test_one_budget_pays_for_all_and_rows_come_back_with_their_keys():
    core, vitals = people(300)
    dictionary, ledger, made = fitted(core, vitals, "mst")
    assert ledger.spent <= ledger.total
    labels = " ".join(entry.label for entry in ledger.entries)
    assert all(asked in labels for asked in ("residuals", "what steps hold", "channels of a segment"))
    codes = nodes.sample(made["model"], 50, 0)
    decoded = nodes.decode_series(dictionary, 0, codes, made["vitals"])
    assert list(decoded) == ["core", "vitals"]
    rows, keys = decoded["vitals"].arrow(), decoded["core"].arrow()["who"].to_pylist()
    assert len(set(keys)) == 50
    assert set(rows["who"].to_pylist()) <= set(keys)
    assert rows.schema.names == ["who", "hour", "pulse", "drops"]
    assert rows.group_by(["who", "hour"]).aggregate([]).num_rows == rows.num_rows
    assert rows.equals(decoded["vitals"].arrow())


@pytest.mark.parametrize(("count", "rows"), [(0, True), (12, False)])
def test_nobody_and_nothing_but_empty_series_are_fitted_too(count, rows):
    core, vitals = people(count)
    _, ledger, made = fitted(core, vitals if rows else Table.of(vitals.arrow().slice(0, 0)))
    assert ledger.spent <= ledger.total
    assert made["model"].sample(3, rng=np.random.default_rng(0)).arrow().num_rows == 3


def test_a_unit_with_far_more_than_declared_asks_no_other_questions_and_moves_no_more():
    """Frozen answers: the questions, their shapes and charges are those without it (D18, D19)."""

    class Recorder(ExactMechanisms):
        def __init__(self):
            super().__init__()
            self.asked = []

        def gaussian(self, exact, event):
            self.asked.append((np.array(exact), event))
            return np.zeros_like(np.asarray(exact)) + 50 * 1024

    core, vitals = people(40)
    greedy = pa.table(
        {
            UNIT: ["u9999"] * 50,
            "who": [f"x{number:03}" for number in range(50)],
            "age": np.arange(50).astype(np.uint8),
        }
    )
    many = pa.table(
        {
            UNIT: ["u9999"] * 2000,
            "who": [f"x{number % 50:03}" for number in range(2000)],
            "hour": [number // 50 for number in range(2000)],
            "pulse": [20.0 + number % 200 for number in range(2000)],
            "drops": [number % 100 for number in range(2000)],
        }
    )
    more = Table.of(pa.concat_tables([core.arrow(), greedy])), Table.of(pa.concat_tables([vitals.arrow(), many]))
    found = []
    for tables in ((core, vitals), more):
        recorder = Recorder()
        fitted(*tables, mechanisms=recorder)
        found.append(recorder.asked)
    without, with_it = found
    assert len(without) == len(with_it)
    for (one, event), (other, same) in zip(without, with_it, strict=True):
        assert event == same
        assert one.shape == other.shape
        assert np.linalg.norm((other - one).astype(float).ravel()) <= float(event.sensitivity) + 1e-9


def test_pairs_are_forced_into_what_the_algorithm_left_out():
    from pasteur.marginals import Measurement

    core, vitals = people(400)
    _, _, made = fitted(core, vitals, epsilon=8.0)
    model = made["model"]
    pair = ("vitals.pulse.0", "vitals.drops.0")
    wanted = np.zeros(model.domain.shape(pair))
    np.fill_diagonal(wanted, 50.0)
    found = segments.forced(model, [Measurement(clique=pair, values=wanted, sigma=0.5)])
    codes = found.sample(400, rng=np.random.default_rng(0)).arrow(list(pair))
    same = np.mean(codes[pair[0]].to_numpy() == codes[pair[1]].to_numpy())
    assert same > 0.5


def test_the_report_tells_what_is_lost_which_codes_are_used_and_what_they_mean():
    from pasteur.pipelines.benchmark.series import told
    from pasteur.report import Story, render

    core, vitals = people(200)
    _, _, made = fitted(core, vitals)
    codes = nodes.sample(made["model"], 60, 0)
    found = told(made["vitals"], vitals, core, codes, seed=0)
    pulse = found["channels"][0]
    assert 0 < pulse["lost"] < pulse["spread"]
    assert {row["name"] for row in found["usage"]} == {part.name for part in made["vitals"].codec.compressor.parts}
    assert sum(found["usage"][0]["synthetic"]) == pytest.approx(1)
    first = found["meaning"][0]
    assert len(first["lines"]) == len(first["codes"])
    page = render(Story(title="t", series=[{**found, "component": "<script>"}]))
    assert "Compressed series" in page
    assert "&lt;script&gt;" in page
    assert "<script> <small" not in page
    nobody = told(made["vitals"], *(Table.of(each.arrow().slice(0, 0)) for each in (vitals, core)), codes, seed=0)
    assert "Compressed series" in render(Story(title="t", series=[nobody]))
