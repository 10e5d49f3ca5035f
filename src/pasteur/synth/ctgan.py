"""`ctgan`: SDV's conditional GAN for tables, as a baseline without a guarantee.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni (2019): Modeling Tabular Data using Conditional GAN,
https://arxiv.org/abs/1907.00503. It trains on a GPU where torch finds one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, rule
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
    """Rows of a step; even, and a multiple of `pac`."""
    embedding_dim: int = 128
    """Size of the noise that a row is made from; 1 or more."""
    generator_dim: tuple[int, ...] = (256, 256)
    """Widths of the generator's layers; each 1 or more."""
    discriminator_dim: tuple[int, ...] = (256, 256)
    """Widths of the discriminator's layers; each 1 or more."""
    generator_lr: float = 2e-4
    """The generator's learning rate; above 0."""
    discriminator_lr: float = 2e-4
    """The discriminator's learning rate; above 0."""
    discriminator_steps: int = 1
    """Steps of the discriminator for one of the generator; 1 or more."""
    pac: int = 10
    """Rows that the discriminator looks at together; 1 or more."""
    enable_gpu: bool = True
    """Train on a GPU where there is one."""

    def __post_init__(self) -> None:
        """Check."""
        _sdv.positive(self, "epochs", "batch_size", "embedding_dim", "generator_dim", "discriminator_dim")
        _sdv.positive(self, "generator_lr", "discriminator_lr", "discriminator_steps", "pac")
        if self.batch_size % 2 or self.batch_size % self.pac:
            raise ConfigError(rule("batch_size", self.batch_size, f"even and a multiple of pac ({self.pac})"))


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Train the two networks on the one component's values.

    Args:
        data: the component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them.
        settings: of the algorithm.
        rng: the training follows from it, on one kind of device.

    Raises:
        DataError: there are no rows, or SDV fails on them.
    """

    def make(described: Any) -> Any:
        from sdv.single_table import CTGANSynthesizer

        return CTGANSynthesizer(described, verbose=True, **asdict(settings))

    return _sdv.learn("ctgan", _sdv.flat(make), data, metadata, rng=rng)
