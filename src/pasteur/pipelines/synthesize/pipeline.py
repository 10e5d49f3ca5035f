"""synthesize: codes -> model -> synthetic codes -> synthetic data. Runs anew each time: it makes this run's release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline, node

from pasteur.pipelines.execute import ALWAYS
from pasteur.pipelines.synthesize import nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

WHAT = ["params__algorithm", "params__settings"]
GUARDED = ["params__protection", "ledger", "dictionary"]
SAMPLED = ["model", "params__rows", "params__seed"]


def create(
    components: Sequence[str],
    splits: Sequence[str],
    *,
    private: bool,
    tree: bool = False,
    series: Sequence[str] = (),
    public: Sequence[str] = (),
) -> Pipeline:
    """The table of nodes for a private algorithm (fit, then sample) or for one without a guarantee (draw).

    Args:
        components: the view's components.
        splits: which splits the algorithm reads.
        private: whether it learns through the private side.
        tree: whether it takes several components as they are.
        series: components whose rows become latent columns of the one other; not with `tree`.
        public: tables that are nobody's, whose rows a tree's may name.
    """
    codes = {c: f"codes__{c}" for c in components}
    if private and series:
        return _of_series(components, splits, series)
    real = [f"encoded__{c}__{s}" for s in splits for c in components]
    if private and tree:
        inputs = [*WHAT, *GUARDED, "params__schema", *(f"public__{name}" for name in public), *real]
        make = [
            node(nodes.fit_tree, inputs, "model", name="fit", tags=[ALWAYS]),
            node(nodes.sample_tree, SAMPLED, codes, name="sample", tags=[ALWAYS]),
        ]
    elif private:
        (only,) = codes.values()
        make = [
            node(nodes.fit, [*WHAT, *GUARDED, *real], "model", name="fit", tags=[ALWAYS]),
            node(nodes.sample, SAMPLED, only, name="sample", tags=[ALWAYS]),
        ]
    else:
        inputs = [*WHAT, "params__components", "params__splits", "params__rows", "params__seed", *real]
        make = [node(nodes.draw, inputs, codes, name="draw", tags=[ALWAYS])]
    back = {c: f"synthetic__{c}" for c in components}
    inputs = ["dictionary", "params__seed", *codes.values()]
    return Pipeline([*make, node(nodes.decode, inputs, back, name="decode_synthetic", tags=[ALWAYS])])


def hand_out(public: Sequence[str]) -> Pipeline:
    """The tables that are nobody's, beside what was drawn."""
    if not public:
        return Pipeline([])
    inputs, outputs = [f"public__{name}" for name in public], [f"synthetic__{name}" for name in public]
    return Pipeline([node(nodes.hand_out, inputs, outputs, name="hand_out", tags=[ALWAYS])])


def _of_series(components: Sequence[str], splits: Sequence[str], series: Sequence[str]) -> Pipeline:
    (root,) = (c for c in components if c not in series)
    real = [name for s in splits for name in (f"encoded__{root}__{s}", *(f"view__{c}__{s}" for c in series))]
    fitted = {c: f"compressor__{c}" for c in series}
    codes = f"codes__{root}"
    back = {c: f"synthetic__{c}" for c in components}
    inputs = [*WHAT, *GUARDED, "params__compressions", *real]
    decoded = ["dictionary", "params__seed", codes, *fitted.values()]
    return Pipeline(
        [
            node(nodes.fit_series, inputs, {"model": "model", **fitted}, name="fit", tags=[ALWAYS]),
            node(nodes.sample, SAMPLED, codes, name="sample", tags=[ALWAYS]),
            node(nodes.decode_series, decoded, back, name="decode_synthetic", tags=[ALWAYS]),
        ]
    )
