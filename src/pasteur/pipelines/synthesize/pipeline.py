"""synthesize: codes -> model -> synthetic codes -> synthetic data. Runs anew each time: it makes this run's release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from pasteur.pipelines.execute import ALWAYS
from pasteur.pipelines.synthesize import nodes

if TYPE_CHECKING:
    from collections.abc import Sequence


def create(components: Sequence[str], splits: Sequence[str], *, private: bool) -> Pipeline:
    """The table of nodes for a private algorithm (fit, then sample) or for one without a guarantee (draw).

    Args:
        components: the view's components.
        splits: which splits the algorithm reads.
        private: whether it learns through a `PrivateTable`.
    """
    real = [f"encoded__{c}__{s}" for s in splits for c in components]
    codes = {c: f"codes__{c}" for c in components}
    what = ["params__algorithm", "params__settings"]
    if private:
        (only,) = codes.values()
        make = [
            node(
                nodes.fit,
                [*what, "params__protection", "ledger", "dictionary", *real],
                "model",
                name="fit",
                tags=[ALWAYS],
            ),
            node(nodes.sample, ["model", "params__rows", "params__seed"], only, name="sample", tags=[ALWAYS]),
        ]
    else:
        inputs = [*what, "params__components", "params__splits", "params__rows", "params__seed", *real]
        make = [node(nodes.draw, inputs, codes, name="draw", tags=[ALWAYS])]
    back = {c: f"synthetic__{c}" for c in components}
    inputs = ["dictionary", "params__seed", *codes.values()]
    return Pipeline([*make, node(nodes.decode, inputs, back, name="decode_synthetic", tags=[ALWAYS])])
