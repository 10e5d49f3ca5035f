"""Seconds that each family of scores takes on Adult, beside SDMetrics' quality report on the same rows.

    python benchmarks/metrics_adult.py [--depths quick standard full] [--no-peer]

The synthetic data is `dec`: wrk, encoded and decoded, which costs to score what any synthetic data of that size costs.
`anchors` are measured once for a data set (four candidates and the standard errors), `synthetic` in every run. First
the whole, imports included the first time, then the families' wall time: side by side, so that it adds up to more.
"""

from __future__ import annotations

import argparse
import platform
import resource as resource_use
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pasteur import datasets, metadata, metrics
from pasteur.app.compose import experiment
from pasteur.catalog import resource
from pasteur.embeddings.table import TableEncoder
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from pasteur.schema import Schema


def adult(folder: Path) -> dict[str, Table]:
    """Split -> the rows of the view `adult`."""
    config = experiment(["dataset=adult"]).dataset
    primary = datasets.tidy(
        config, datasets.parse(config, datasets.fetch(config, folder / "data" / "orig" / "raw" / "adult"))
    )
    core = primary["core"].arrow()
    keys = datasets.split_keys(config, primary)
    return {
        split: Table.of(core.filter(pc.is_in(core[UNIT], value_set=table.arrow()[UNIT].combine_chunks())))
        for split, table in keys.items()
    }


def _now() -> tuple[float, float]:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def ours(rows: dict[str, Table], decoded: Table, schema: Schema, depth: str) -> None:
    """Print the seconds of one depth."""
    bench = metrics.load(
        metrics.MetricsConfig(depth=depth), schema=schema, dataset="adult", view="adult", folders=[resource("sql")]
    )
    asked = {"schema": bench.schema, "settings": bench.settings, "queries": bench.queries, "seed": 0}
    asked |= {"working": {"core": rows["wrk"]}}
    target = {"core": rows["dev"]}
    started = _now()
    anchors = metrics.measure_anchors(target, decoded={"core": decoded}, reference={"core": rows["ref"]}, **asked)
    between = _now()
    found = metrics.measure_synthetic(target, {"core": decoded}, anchors=anchors, **asked)
    ended = _now()
    print(f"{depth:13} {'anchors':>7} {'synthetic':>10}")
    for name, position in (("all, wall", 0), ("all, CPU", 1)):
        print(f"  {name:11} {between[position] - started[position]:7.2f} {ended[position] - between[position]:10.2f}")
    for family, seconds in found["seconds"].items():
        print(f"  {family:11} {anchors['seconds'][family]:7.2f} {seconds:10.2f}")
    print(f"  peak memory {resource_use.getrusage(resource_use.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    for metric in ("marginals/tvd2", "sql/mean", "predictive/income/boosting/auc"):
        score = next(s for s in metrics.read_scores(found) if s.metric == metric)
        print(f"    {metric}: syn {score.syn:.4f}, ref {score.ref:.4f}, base {score.base:.4f}, gap {score.gap_text}")


def peer(target: Table, synthetic: Table, schema: Schema) -> None:
    """Print the seconds of SDMetrics' quality report."""
    started = time.perf_counter()
    from sdmetrics.reports import QualityReport

    report = QualityReport()
    columns = list(schema.tables["core"].names)
    real, made = ({"core": table.frame(columns)} for table in (target, synthetic))
    imported = time.perf_counter()
    report.generate(real, made, dict(schema.sdv), verbose=False)
    ended = time.perf_counter()
    print(f"sdmetrics quality report: {ended - imported:.2f} s (and {imported - started:.2f} s to import)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depths", nargs="+", default=list(metrics.DEPTHS), choices=metrics.DEPTHS)
    parser.add_argument("--no-peer", action="store_true")
    asked = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {sys.platform}")
    schema = metadata.load(
        view="adult", dataset="adult", schema="detail", components=["core"], folders=[resource("metadata")]
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = adult(Path(folder))
    encoder = TableEncoder.declare(schema.tables["core"])
    decoded = Table.of(encoder.decode(encoder.encode(rows["wrk"]), rng=np.random.default_rng(0)).arrow())
    for depth in asked.depths:
        ours(rows, decoded, schema, depth)
    if not asked.no_peer:
        peer(rows["dev"], decoded, schema)


if __name__ == "__main__":
    main()
