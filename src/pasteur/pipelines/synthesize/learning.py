"""Algorithms that learn from values, without a guarantee: decoded rows -> model -> synthetic data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from pasteur import synth
from pasteur.pipelines.execute import ALWAYS
from pasteur.randomness import Stage, generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pasteur.schema import Schema
    from pasteur.synth._sdv import Learned
    from pasteur.table import Table


def learn(algorithm: str, settings: Any, schema: Schema, seed: int, *decoded: Table) -> Learned:
    """Fit to what is encoded and decoded: the same rows that a private algorithm could at best give.

    Args:
        algorithm: the module of `pasteur.synth`.
        settings: its `Settings`.
        schema: of the view, for the names of its components and their SDV metadata.
        seed: the fit follows from it.
        decoded: each component's decoded rows.
    """
    data = dict(zip(schema.tables, decoded, strict=True))
    rng = generator(seed, Stage.LEARN)
    learned: Learned = synth.find(algorithm).learn(data, schema.sdv, settings, rng=rng)
    return learned


def sample(model: Learned, rows: int | None, seed: int) -> dict[str, Table]:
    """Each component's synthetic values."""
    return model.sample(rows, rng=generator(seed, Stage.SAMPLE))


def create(components: Sequence[str]) -> Pipeline:
    """The table of nodes for a view of these `components`."""
    decoded = [f"decoded__{c}__wrk" for c in components]
    what = ["params__algorithm", "params__settings", "params__schema", "params__seed"]
    made = {c: f"synthetic__{c}" for c in components}
    return Pipeline(
        [
            node(learn, [*what, *decoded], "model", name="learn", tags=[ALWAYS]),
            node(sample, ["model", "params__rows", "params__seed"], made, name="sample", tags=[ALWAYS]),
        ]
    )
