"""Training of the network behind `fsq` where there is nothing to protect: on simulated series, or on public ones."""

from __future__ import annotations

import hashlib
import json
import math
import os
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pasteur.compressors import _fsq_simulation as simulation
from pasteur.files import atomic
from pasteur.privacy.sgd import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from pasteur.compressors import Declaration, Floats, Series
    from pasteur.compressors._fsq_network import Autoencoder, Shape

    Weights = Mapping[str, npt.NDArray[np.float32]]
    Packing = Callable[[Series], Floats]

SERIES, STEPS, BATCH, RATE, WARM = 20_000, 1200, 256, 2e-2, 0.2
"""Simulated series, steps, series a step, largest learning rate of Adam, and the part of steps in which it rises."""
FORMAT = 1
"""Changes with the code whose result is cached."""


def pretrained(shape: Shape, declaration: Declaration, pack: Packing) -> Weights:
    """The weights after training on series simulated from what is declared: no data. Made once for equal settings.

    Kept in the user's cache folder (`$XDG_CACHE_HOME/pasteur`, ~/.cache by default), where that can be written.
    """
    public = {
        "format": FORMAT,
        "shape": asdict(shape),
        "training": [SERIES, STEPS, BATCH, RATE, WARM],
        "simulation": [simulation.WAVES, simulation.LEVEL, simulation.BEND, simulation.FALL, simulation.ROUGH],
        "channels": [
            [*channel.bounds, channel.missing, channel.zero, channel.holes] for channel in declaration.channels
        ],
    }
    key = hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()[:32]
    if key not in _made():
        path = _folder() / f"fsq-{key}.npz"
        found = _read(path, shape)
        if found is None:
            found = _simulated(shape, declaration, pack)
            with suppress(OSError), atomic(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **found)  # type: ignore[arg-type]
        _made()[key] = found
    return _made()[key]


def trained(network: Autoencoder, rows: Floats, *, steps: int, rate: float) -> None:
    """Fit `network` in place to packed series (rows, features), without any protection: to simulated or public ones.

    The same series give the same weights, up to what threads and devices do to sums.
    """
    import torch

    device = next(network.parameters()).device
    held = torch.as_tensor(rows, dtype=torch.float32, device=device)
    rng = np.random.default_rng(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    with one_thread():
        for step in range(steps):
            done = step / steps
            bent = done / WARM if done < WARM else (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))) / 2
            optimizer.param_groups[0]["lr"] = rate * max(bent, 1e-3)
            some = torch.as_tensor(rng.integers(0, len(held), BATCH), device=device)
            optimizer.zero_grad()
            network.loss(held[some]).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def fresh(shape: Shape, weights: Weights | None = None) -> Autoencoder:
    """A network with these weights, or with first ones that are always the same, on the GPU where there is one."""
    import torch

    from pasteur.compressors._fsq_network import Autoencoder

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Autoencoder(shape)
    if weights is not None:
        network.load_state_dict({name: torch.as_tensor(tensor) for name, tensor in weights.items()}, strict=False)
    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def weights_of(network: Autoencoder) -> Weights:
    """All that it learned, by name."""
    return {name: weight.detach().cpu().numpy().copy() for name, weight in network.named_parameters()}


def shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Of each weight of a network, by name."""
    return {name: tuple(weight.shape) for name, weight in fresh(shape).named_parameters()}


def _simulated(shape: Shape, declaration: Declaration, pack: Packing) -> Weights:
    network = fresh(shape)
    series = simulation.simulated(SERIES, declaration, rng=np.random.default_rng(0))
    trained(network, pack(series), steps=STEPS, rate=RATE)
    return weights_of(network)


@lru_cache(maxsize=1)
def _made() -> dict[str, Weights]:
    return {}


def _folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "pasteur"


def _read(path: Path, shape: Shape) -> Weights | None:
    """What is cached, if it is whole and fits."""
    try:
        with np.load(path, allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, LookupError):
        return None
    fits = {name: tensor.shape for name, tensor in found.items()} == shapes(shape)
    return found if fits and all(np.isfinite(tensor).all() for tensor in found.values()) else None
