"""What each family of scores says of Adult's rows, spoilt in known ways, over seeds.

    python benchmarks/known_cases.py [--families marginals association sql detection predictive] [--seeds 3]

`copy` is wrk, whose gap should be 0 (within 0.1); `independent` has every column shuffled: 1. Of the others a share of
all cells is drawn anew from the column's own distribution; `relationship` and `education` have that column shuffled.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from metrics_adult import adult

from pasteur import metadata, metrics
from pasteur.catalog import resource
from pasteur.table import UNIT, Table

SPOILT = (5, 20, 50, 100)


def shuffled(rows: pa.Table, columns: list[str], rng: np.random.Generator) -> pa.Table:
    """The rows with some columns shuffled."""
    for name in columns:
        order = pa.array(rng.permutation(rows.num_rows))
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].take(order))
    return rows


def resampled(rows: pa.Table, percent: int, rng: np.random.Generator) -> pa.Table:
    """The rows with a share of all cells drawn from their column."""
    for name in rows.column_names:
        drawn = rng.integers(0, rows.num_rows, rows.num_rows)
        place = np.where(rng.random(rows.num_rows) < percent / 100, drawn, np.arange(rows.num_rows))
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].take(pa.array(place)))
    return rows


def cases(rows: pa.Table, rng: np.random.Generator) -> dict[str, pa.Table]:
    """Every case."""
    made = {"copy": rows, "independent": shuffled(rows, rows.column_names, rng)}
    made |= {name: shuffled(rows, [name], rng) for name in ("relationship", "education")}
    return made | {f"{percent} %": resampled(rows, percent, rng) for percent in SPOILT}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ["marginals", "association", "sql", "detection", "predictive"]
    parser.add_argument("--families", nargs="+", default=known, choices=known)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    schema = metadata.load(
        view="adult", dataset="adult", schema="detail", components=["core"], folders=[resource("metadata")]
    )
    with tempfile.TemporaryDirectory() as folder:
        splits = adult(Path(folder))
    working = splits["wrk"].arrow().drop_columns([UNIT])
    gaps: dict[str, dict[str, list[float]]] = {family: {} for family in asked.families}
    worst: dict[str, list[str]] = {"relationship": [], "education": []}
    for seed in range(asked.seeds):
        settings = metrics.MetricsConfig(depth="standard", families=asked.families)
        bench = metrics.load(settings, schema=schema, dataset="adult", view="adult", folders=[resource("sql")])
        said = {"schema": bench.schema, "settings": bench.settings, "queries": bench.queries, "seed": seed}
        target, reference = ({"core": splits[name]} for name in ("dev", "ref"))
        anchors = metrics.measure_anchors(target, decoded=None, reference=reference, **said)
        for name, rows in cases(working, np.random.default_rng(seed)).items():
            found = metrics.measure_synthetic(target, {"core": Table.of(rows)}, anchors=anchors, **said)
            scores = metrics.read_scores(found)
            for family in asked.families:
                gaps[family].setdefault(name, []).append(metrics.family_gap(scores, family) or float("nan"))
            if name in worst and found["worst"]["columns"]:
                inside = sum(name in row["columns"] for row in found["worst"]["pairs"])
                worst[name].append(f"{found['worst']['columns'][0]['columns'][0]} ({inside} of 10 pairs)")
    names = list(next(iter(gaps.values())))
    print(f"{'gap':12}" + "".join(f"{name:>14}" for name in names))
    for family, found_gaps in gaps.items():
        print(f"{family:12}" + "".join(f"{np.mean(found_gaps[n]):8.3f} ±{np.std(found_gaps[n]):4.2f}" for n in names))
    for name, first in worst.items():
        print(f"{name} shuffled, the worst column: {', '.join(first)}")


if __name__ == "__main__":
    main()
