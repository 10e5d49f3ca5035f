"""benchmark: synthetic data and its anchors -> scores. Anchors are made once and shared by all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from pasteur.pipelines.benchmark import nodes
from pasteur.pipelines.execute import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Sequence


def create(components: Sequence[str], target: str, *, reference: bool, public: Sequence[str] = ()) -> Pipeline:
    """The table of nodes.

    Args:
        components: the view's components.
        target: the split that all are compared with, `dev` or `val`.
        reference: whether ref is an anchor; not where it was fitted.
        public: tables that are nobody's.
    """
    nobodys = [f"public__{name}" for name in public]
    real = [f"view__{c}__{target}" for c in components]
    decoded = [f"decoded__{c}__wrk" for c in components]
    working = [f"view__{c}__wrk" for c in components]
    ref = [f"view__{c}__ref" for c in components] if reference else []
    synthetic = [f"synthetic__{c}" for c in components]
    return Pipeline(
        [
            node(
                nodes.measure_anchors,
                ["params__bench", "params__seed", *nobodys, *real, *decoded, *working, *ref],
                "anchors",
                name="measure_anchors",
                tags=["metrics"],
            ),
            node(
                nodes.measure,
                ["params__bench", "params__seed", "anchors", *nobodys, *real, *synthetic, *working],
                "scores",
                name="measure",
                tags=[ALWAYS],
            ),
        ]
    )
