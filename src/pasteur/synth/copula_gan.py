"""`copula_gan`: SDV's `ctgan` on numbers that a copula has made normal first, as a baseline without a guarantee.

https://docs.sdv.dev/sdv/single-table-data/modeling/synthesizers/copulagansynthesizer. It trains on a GPU where torch
finds one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pasteur.synth import _sdv, ctgan

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from pasteur.table import Table

PRIVATE = False
COMPONENTS = "one"
READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Settings(ctgan.Settings):
    """What may be set; SDV's values by default."""

    default_distribution: Literal["beta", "norm", "truncnorm", "uniform", "gamma", "gaussian_kde"] = "beta"
    """The distribution that each column of numbers gets."""


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Fit the copula's distributions, then train the two networks on the one component's values.

    Args:
        data: the component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them.
        settings: of the algorithm.
        rng: the training follows from it, on one kind of device.

    Raises:
        DataError: there are no rows, or SDV fails on them.
    """

    def make(described: Any) -> Any:
        from sdv.single_table import CopulaGANSynthesizer

        return CopulaGANSynthesizer(described, verbose=True, **asdict(settings))

    return _sdv.learn("copula_gan", _sdv.flat(make), data, metadata, rng=rng)
