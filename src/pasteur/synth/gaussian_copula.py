"""`gaussian_copula`: SDV's single-table copula, as a baseline without a guarantee.

Patki, Wedge, Veeramachaneni (2016): The Synthetic Data Vault, https://doi.org/10.1109/DSAA.2016.49. Each column gets
a distribution, and what those make normal gets one matrix of correlations.
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
COMPONENTS = "one"
READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set; SDV's values by default."""

    default_distribution: Literal["beta", "norm", "truncnorm", "uniform", "gamma", "gaussian_kde"] = "beta"
    """The distribution that each column gets."""


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Fit the copula to the one component's values.

    Args:
        data: the component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them.
        settings: of the algorithm.
        rng: the fit follows from it.

    Raises:
        DataError: there are no rows, or SDV fails on them.
    """

    def make(described: Any) -> Any:
        from sdv.single_table import GaussianCopulaSynthesizer

        return GaussianCopulaSynthesizer(described, default_distribution=settings.default_distribution)

    return _sdv.learn("gaussian_copula", _sdv.flat(make), data, metadata, rng=rng)
