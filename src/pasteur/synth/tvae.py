"""`tvae`: SDV's variational autoencoder for tables, as a baseline without a guarantee.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni (2019): Modeling Tabular Data using Conditional GAN,
https://arxiv.org/abs/1907.00503. It trains on a GPU where torch finds one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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

    epochs: int = 300
    """Passes over the rows; 1 or more."""
    batch_size: int = 500
    """Rows of a step; 1 or more."""
    embedding_dim: int = 128
    """Size of the space that a row is squeezed into; 1 or more."""
    compress_dims: tuple[int, ...] = (128, 128)
    """Widths of the encoder's layers; each 1 or more."""
    decompress_dims: tuple[int, ...] = (128, 128)
    """Widths of the decoder's layers; each 1 or more."""
    l2scale: float = 1e-5
    """How much weights cost; above 0."""
    loss_factor: float = 2.0
    """How much the error of a row counts beside the divergence from normal noise; above 0."""
    enable_gpu: bool = True
    """Train on a GPU where there is one."""

    def __post_init__(self) -> None:
        """Check."""
        _sdv.positive(self, "epochs", "batch_size", "embedding_dim", "compress_dims", "decompress_dims")
        _sdv.positive(self, "l2scale", "loss_factor")


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Train the autoencoder on the one component's values.

    Args:
        data: the component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them.
        settings: of the algorithm.
        rng: the training follows from it, on one kind of device.

    Raises:
        DataError: there are no rows, or SDV fails on them.
    """

    def make(described: Any) -> Any:
        from sdv.single_table import TVAESynthesizer

        return TVAESynthesizer(described, verbose=True, **asdict(settings))

    return _sdv.learn("tvae", _sdv.flat(make), data, metadata, rng=rng)
