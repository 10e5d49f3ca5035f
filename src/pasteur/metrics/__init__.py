"""Scores: how close candidates (syn, dec, ref, base) come to one target T. Computed on real data, never private.

`measure` compares; `measure_anchors` and `measure_synthetic` are what a run calls, `evaluate` what a library's user
does; `load` reads what is hand-written.
"""

from __future__ import annotations

from pasteur.metrics.benchmark import Measured, measure, measure_anchors, measure_synthetic, read_scores
from pasteur.metrics.config import DEPTHS, MetricsConfig
from pasteur.metrics.evaluation import Evaluation, evaluate
from pasteur.metrics.load import Bench, load
from pasteur.metrics.score import Raw, Score, combine, family_gap, objective

__all__ = [
    "DEPTHS",
    "Bench",
    "Evaluation",
    "Measured",
    "MetricsConfig",
    "Raw",
    "Score",
    "combine",
    "evaluate",
    "family_gap",
    "load",
    "measure",
    "measure_anchors",
    "measure_synthetic",
    "objective",
    "read_scores",
]
