"""`fsq`: a small neural network whose middle is a few columns of few levels (Mentzer et al. 2023).

It is trained on series simulated from what the schema declares, which costs nothing; where somebody declares a file of
series public, then on these, which the claim says; and with a share of the run's budget, by DP-SGD on the private side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pasteur.compressors import _fsq_training as training
from pasteur.compressors._fsq_public import Public
from pasteur.compressors._outside import HOLES, Outside, smooth_targets
from pasteur.embeddings import Part
from pasteur.errors import ConfigError, SchemaError, near_miss, rule
from pasteur.privacy.sgd import Training, one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from pasteur.compressors import Codes, Declaration, Floats, Series
    from pasteur.compressors._fsq_network import Autoencoder, Shape
    from pasteur.compressors._private import PrivateFit
    from pasteur.privacy import Budget

AT_ONCE = 1 << 11
"""Series that go through the network at a time: so few that their numbers stay near the processor."""
PUBLIC_RATE = 5e-3
"""Learning rate on public series: pretraining has found the way."""
TRAINING = ("q", "steps", "clip", "rate")
"""What `training` may set, of `privacy.sgd.Training`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fsq:
    """`{"type": "fsq", "latents": 6, "levels": 8, "knots": 8, "hidden": 96, "share": 0}`.

    `latents` columns of `levels` levels hold a series' curves; `knots` of each channel and `hidden` are the network's
    size. With a `share` of the run's budget above 0 it is fine-tuned, as `training` says: {"q", "steps", "clip",
    "rate"} of `privacy.sgd.Training`. With `trained_on` it is first trained on public series (`_fsq_public`).

    Attributes:
        weights: by name; None: those after pretraining.
    """

    type: ClassVar[str] = "fsq"
    PRIVATE_FIT: ClassVar[bool] = True

    declaration: Declaration
    latents: int
    levels: int
    knots: int
    hidden: int
    share: float
    tuning: Training = field(default_factory=Training)
    trained_on: Public | None = None
    weights: Mapping[str, npt.NDArray[np.float32]] | None = None

    @classmethod
    def declare(cls, declaration: Declaration) -> Self:
        """Read the settings."""
        declaration.only("latents", "levels", "knots", "hidden", "share", "training", "trained_on")
        where = f"compressors.{declaration.component}"
        share = declaration.settings.get("share", 0)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise SchemaError(rule(f"{where}.share", share, "a number in [0, 1)"))
        public = declaration.settings.get("trained_on")
        return cls(
            declaration=declaration,
            latents=declaration.setting("latents", 2 * len(declaration.channels), 1, 64),
            levels=declaration.setting("levels", 8, 2, 64),
            knots=declaration.setting("knots", min(8, declaration.steps), 1, 64),
            hidden=declaration.setting("hidden", 96, 1, 1024),
            share=float(share),
            tuning=_tuning(declaration.settings.get("training", {}), f"{where}.training"),
            trained_on=None if public is None else Public.declare(public, f"{where}.trained_on"),
        )

    @cached_property
    def outside(self) -> Outside:
        """Length and holes."""
        return Outside(declaration=self.declaration)

    @property
    def segments(self) -> tuple[tuple[str, ...], ...]:
        """All latents: only together do they say what each channel is."""
        return (tuple(f"{self.declaration.component}.latent.{number}" for number in range(self.latents)),)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Latents, then length and holes."""
        own = [Part(name=name, size=self.levels, ordered=True) for name in self.segments[0]]
        return (*own, *self.outside.parts)

    def accountant(self, budget: Budget) -> str | None:
        """The order of Renyi divergence at which fine-tuning needs the least noise; None where there is none."""
        return self.tuning.accountant(budget, self.share).name if self.share else None

    @property
    def stamps(self) -> tuple[str, ...]:
        """What a claim must say of this compressor."""
        if self.trained_on is None:
            return ()
        component, source = self.declaration.component, self.trained_on.source
        return (f"the compressor of {component} was trained without noise on data declared public: {source}",)

    def check(self) -> None:
        """Look whether the public series can be read, before a run begins.

        Raises:
            DataError: they cannot.
        """
        if self.trained_on is not None:
            self.trained_on.check(self.declaration)

    def fit(self, private: PrivateFit, *, cost: float) -> Self:
        """Fine-tune by DP-SGD, each unit's gradient clipped."""
        network = training.fresh(self.shape, self._weights)
        private.training(self.pack).train(network, network.loss, self.tuning, cost=cost)
        return replace(self, weights=training.weights_of(network))

    def encode(self, series: Series) -> Codes:
        """Each latent's nearest level, then length and holes."""
        import torch

        found, network = np.zeros((len(series.lengths), self.latents), dtype=np.int64), self._network
        for start in range(0, len(found), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            part = replace(series, values=series.values[some], lengths=series.lengths[some])
            with one_thread(), torch.no_grad():
                latents = network.latents(self._tensor(self.pack(part)))
                found[some] = torch.round(latents * (self.levels - 1)).long().cpu().numpy()
        return np.concatenate([found, self.outside.encode(series)], axis=1)

    def curves(self, codes: Codes, lengths: Codes) -> Floats:
        """What the network makes of the latents, the length and the levels of what is missing."""
        import torch

        found = np.zeros((len(codes), self.declaration.steps, len(self.declaration.channels)))
        shares = self._shares(codes[:, self.latents :])
        latents, network = codes[:, : self.latents] / (self.levels - 1), self._network
        for start in range(0, len(found), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            length = torch.as_tensor(lengths[some], device=self._device)
            with one_thread(), torch.no_grad():
                made = network.curves(self._tensor(latents[some]), length, self._tensor(shares[some]))
            found[some] = made.cpu().numpy()
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The weights."""
        return {}, dict(self._weights)

    @classmethod
    def from_state(
        cls, declaration: Declaration, settings: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """As it was trained."""
        del settings
        own = cls.declare(declaration)
        expected = training.shapes(own.shape)
        for name, shape in expected.items():
            if name not in tensors or tensors[name].shape != shape:
                raise ValueError(rule(f"shape of {name}", tensors[name].shape if name in tensors else None, f"{shape}"))
        return replace(own, weights={name: np.asarray(tensors[name], dtype=np.float32) for name in expected})

    @property
    def shape(self) -> Shape:
        """Of the network."""
        from pasteur.compressors._fsq_network import Shape

        return Shape(
            steps=self.declaration.steps,
            channels=len(self.declaration.channels),
            latents=self.latents,
            levels=self.levels,
            knots=self.knots,
            hidden=self.hidden,
        )

    def pack(self, series: Series) -> Floats:
        """Series as the network takes them: (series, features), each from its own series alone."""
        from pasteur.compressors._fsq_network import packed

        values = smooth_targets(series, self.declaration)
        return packed(values, series.lengths, self._shares(self.outside.encode(series)), self.shape)

    def _shares(self, outside: Codes) -> Floats:
        """(entities, channels) of values that a curve is told to be known."""
        missing, zero = self.outside.levels(outside)
        return np.asarray((1 - HOLES[missing]) * (1 - HOLES[zero]))

    def _tensor(self, rows: Floats) -> Any:
        import torch

        return torch.as_tensor(rows, dtype=torch.float32, device=self._device)

    @cached_property
    def _weights(self) -> Mapping[str, npt.NDArray[np.float32]]:
        if self.weights is not None:
            return self.weights
        found = training.pretrained(self.shape, self.declaration, self.pack)
        if self.trained_on is None:
            return found
        network = training.fresh(self.shape, found)
        rows = self.pack(self.trained_on.read(self.declaration))
        training.trained(network, rows, steps=training.STEPS, rate=PUBLIC_RATE)
        return training.weights_of(network)

    @cached_property
    def _network(self) -> Autoencoder:
        return training.fresh(self.shape, self._weights)

    @cached_property
    def _device(self) -> Any:
        return next(self._network.parameters()).device


def _tuning(given: object, where: str) -> Training:
    if not isinstance(given, dict):
        raise SchemaError(rule(where, given, f"a mapping of {', '.join(TRAINING)}"))
    for name in given:
        if name not in TRAINING:
            raise SchemaError(f"{where}: '{name}' is not a known key{near_miss(name, TRAINING)}")
    try:
        return Training(**given)
    except (ConfigError, TypeError) as error:
        raise SchemaError(f"{where}: {error}") from error
