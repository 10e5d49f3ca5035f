"""`hma`: SDV's hierarchical copula for several tables, as a baseline without a guarantee.

Patki, Wedge, Veeramachaneni (2016): The Synthetic Data Vault, https://doi.org/10.1109/DSAA.2016.49, section III. Each
parent row gets the parameters of a copula of its children as columns of its own, and a copula over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pasteur.synth import _sdv

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from pasteur.table import Table

PRIVATE = False
COMPONENTS = "many"
READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set; SDV's values by default."""

    default_distribution: Literal["beta", "norm", "truncnorm", "uniform", "gamma"] = "beta"
    """The distribution that each column of a table without a parent gets; SDV gives those of children `norm`."""


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """A fitted multi-table synthesizer."""

    synthesizer: Any
    first: str
    rows: int

    def draw(self, rows: int | None, seed: int) -> _sdv.Frames:
        """All tables; the same rows for the same seed, whatever was drawn before."""
        self.synthesizer.reset_sampling()
        self.synthesizer._numpy_seed = seed  # noqa: SLF001 - SDV has no public way but one fixed seed
        for table in self.synthesizer._table_synthesizers.values():  # noqa: SLF001
            if table._model is not None:  # noqa: SLF001
                table._set_random_state(seed)  # noqa: SLF001
        scale = 1.0 if rows is None else rows / self.rows
        drawn: _sdv.Frames = self.synthesizer.sample_scale(scale)
        return drawn


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Fit the copulas, children before parents. Rows whose parent is not there are left out.

    Args:
        data: each component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them.
        settings: of the algorithm.
        rng: the fit follows from it.

    Raises:
        DataError: a component has no rows, or SDV fails on them.
    """

    def fit(frames: _sdv.Frames, described: _sdv.Metadata) -> Hierarchy:
        from sdv.metadata import Metadata
        from sdv.multi_table import HMASynthesizer
        from sdv.utils import drop_unknown_references

        relations = Metadata.load_from_dict(dict(described))
        synthesizer = HMASynthesizer(relations, verbose=True)
        children = {r["child_table_name"] for r in described["relationships"]}
        for component in frames:
            if component not in children:
                synthesizer.set_table_parameters(component, {"default_distribution": settings.default_distribution})
        known = drop_unknown_references(dict(frames), relations, verbose=False) if children else dict(frames)
        synthesizer.fit(known)
        first = next(iter(frames))
        return Hierarchy(synthesizer=synthesizer, first=first, rows=len(known[first]))

    return _sdv.learn("hma", fit, data, metadata, rng=rng)
