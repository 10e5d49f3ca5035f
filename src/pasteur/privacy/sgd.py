"""DP-SGD: a network learns from series of which each privacy unit contributes a gradient of bounded norm.

Abadi et al. 2016, with Poisson batches (each unit takes part in a step with probability q, so that the accountant's
assumption holds), one clipped gradient a *unit* rather than a row, and ghost norms: of layers y = W a + b, and with g
the loss's gradient with respect to y, a unit's gradient is the sum over its rows of g a^T, whose squared norm is
sum over pairs of its rows of (g . g')(a . a') (Goodfellow 2015; Li et al. 2022). So no gradient of a unit is ever
stored, and clipped ones are summed in one product a layer.

This is the one place where noise is drawn in floating point; the claim says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa

from pasteur.errors import ConfigError, PrivacyError, rule
from pasteur.privacy import rdp, sensitivity
from pasteur.privacy import units as truncation
from pasteur.privacy.budget import Sensitivity, Sigma
from pasteur.privacy.events import DiscreteGaussian, SubsampledGaussian
from pasteur.privacy.mechanisms import ExactMechanisms
from pasteur.table import UNIT, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    import torch

    from pasteur.privacy.budget import Budget
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms

    Loss = Callable[[torch.Tensor], torch.Tensor]

STAMP = "floating-point noise: DP-SGD adds Gaussian noise that is rounded as floats are"
"""What the claim of a run with DP-SGD carries."""
COUNTING = 0.02
"""Share of what a training may spend that goes into the noisy number of units, by which its sums are divided."""
CHUNK = 4096
"""Units whose gradients are worked out at a time."""
BELOW = 1 - 1e-5
"""Clipped norms stay this far under the bound: more than a sum of float32 loses."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is fine-tuned. All of it is public.

    Attributes:
        q: probability with which a unit takes part in a step, in (0, 1].
        steps: number of steps, 1 or more.
        clip: L2 norm of a unit's gradient, at most; above 0.
        rate: Adam's learning rate, above 0; it falls to 0 over the steps.
        average: weight of the past in the moving average of weights that is kept at the end, in [0, 1).
    """

    q: float = 0.05
    steps: int = 400
    clip: float = 0.03
    rate: float = 5e-3
    average: float = 0.98

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name, good, must_be in (
            ("q", 0 < self.q <= 1, "in (0, 1]"),
            ("steps", isinstance(self.steps, int) and self.steps >= 1, "a whole number of at least 1"),
            ("clip", 0 < self.clip < np.inf, "finite and above 0"),
            ("rate", 0 < self.rate < np.inf, "finite and above 0"),
            ("average", 0 <= self.average < 1, "in [0, 1)"),
        ):
            if not good:
                raise ConfigError(rule(name, getattr(self, name), must_be))

    def accountant(self, budget: Budget, share: float) -> rdp.RDP:
        """The accountant for a run that spends about `share` of its budget on this training."""
        return rdp.planned(budget, share=share, q=self.q, steps=self.steps)


class PrivateSeries:
    """Rows of numbers, several a unit, of which nothing is shown but a network that learns from them.

    Args:
        rows: (rows, features); what is not finite is 0.
        units: (rows,) ids of the privacy unit that each row belongs to.
        ledger: what may be spent; its accountant must price subsampled Gaussians (`RDP`).
        max_rows_per_unit: m; of a unit with more rows, m are kept.
        salt: key of the hash that says which.
        mechanisms: the noise; a recorder in tests. Its warnings go onto the ledger.

    Raises:
        PrivacyError: rows and units do not fit, m is no bound, or the relation is not add_remove.
    """

    def __init__(
        self,
        rows: npt.NDArray[np.float64],
        units: Sequence[object] | npt.NDArray[np.generic],
        ledger: Ledger,
        *,
        salt: str,
        max_rows_per_unit: int = 1,
        mechanisms: Mechanisms | None = None,
    ) -> None:
        names = np.asarray(units)
        if rows.ndim != 2 or names.shape != rows.shape[:1]:
            raise PrivacyError(rule("shape of units", names.shape, f"that of the rows, {rows.shape[:1]}"))
        if ledger.budget.relation != "add_remove":
            raise PrivacyError(rule("relation", ledger.budget.relation, "add_remove for DP-SGD"))
        self._rows, self._weights = _by_unit(rows, names, sensitivity.rows_per_unit(max_rows_per_unit), salt)
        self._ledger = ledger
        self._mechanisms: Mechanisms = ExactMechanisms() if mechanisms is None else mechanisms
        for text in (*self._mechanisms.stamps, STAMP):
            ledger.stamp(text)

    def __reduce__(self) -> NoReturn:
        message = "a PrivateSeries must not be pickled, copied or saved: it holds data"
        raise PrivacyError(message)

    @property
    def ledger(self) -> Ledger:
        """What was spent, and what is left."""
        return self._ledger

    def train(
        self, network: torch.nn.Module, loss: Callable[[torch.Tensor], torch.Tensor], training: Training, *, cost: float
    ) -> None:
        """Fine-tune `network` in place, for at most `cost` (rho). A unit's loss is the mean of its rows'.

        Args:
            network: its weights lie in `Linear` layers, each of which runs once, and each row goes through it alone.
            loss: of rows (rows, features) float32 on the network's device, the loss of each: (rows,). It must call
                the network, and give each row's loss from that row alone.
            training: how.
            cost: what may be spent; about all of it is.

        Raises:
            BudgetError: the ledger refuses, or the cost is too small; nothing was answered.
            PrivacyError: weights outside `Linear` layers, or an accountant that knows no subsampling.
        """
        linears = layers(network)
        accountant = self._ledger.accountant
        if not isinstance(accountant, rdp.RDP):
            raise PrivacyError(f"accountant ({accountant.name}) must be rdp where units are subsampled, as DP-SGD does")
        counting = DiscreteGaussian(sigma=accountant.sigma(COUNTING * cost, 1.0), sensitivity=Sensitivity(1.0))
        left = cost - accountant.cost(counting)
        sigma = accountant.steps_sigma(left, sensitivity=training.clip, q=training.q, steps=training.steps)
        event = SubsampledGaussian(
            sigma=Sigma(sigma), sensitivity=Sensitivity(training.clip), q=training.q, steps=training.steps
        )
        self._ledger.charge([counting, event], ["units in all, for DP-SGD", "DP-SGD: clipped gradients"])
        exact = np.array(len(self._rows), dtype=np.int64)
        units = max(float(self._mechanisms.gaussian(exact, counting)), 1.0)
        with one_thread():
            self._descend(network, linears, loss, training, event, units=units)

    def _descend(
        self,
        network: torch.nn.Module,
        linears: list[torch.nn.Linear],
        loss: Loss,
        training: Training,
        event: SubsampledGaussian,
        *,
        units: float,
    ) -> None:
        import torch

        device = next(network.parameters()).device
        weights = [weight for layer in linears for weight in layer.parameters()]
        optimizer = torch.optim.Adam(weights, lr=training.rate)
        kept = [weight.detach().clone() for weight in weights]
        for step in range(training.steps):
            chosen = np.flatnonzero(self._mechanisms.taking_part(len(self._rows), event))
            total = [torch.zeros_like(weight, dtype=torch.float64) for weight in weights]
            for start in range(0, len(chosen), CHUNK):
                some = chosen[start : start + CHUNK]
                rows = torch.as_tensor(self._rows[some], device=device)
                shares = torch.as_tensor(self._weights[some], device=device)
                clipped = clipped_sum(linears, loss, rows, shares, clip=training.clip)
                total = [whole + part for whole, part in zip(total, clipped, strict=True)]
            flat = torch.cat([part.reshape(-1) for part in total]).cpu().numpy()
            noisy = torch.as_tensor(self._mechanisms.step(flat, event) / (training.q * units))
            start = 0
            for weight in weights:
                part = noisy[start : start + weight.numel()].reshape(weight.shape)
                weight.grad = part.to(device=device, dtype=weight.dtype)
                start += weight.numel()
            optimizer.param_groups[0]["lr"] = training.rate * (1 - step / training.steps)
            optimizer.step()
            past = min(training.average, step / (step + 1))
            kept = [past * old + (1 - past) * new.detach() for old, new in zip(kept, weights, strict=True)]
        with torch.no_grad():
            for weight, mean in zip(weights, kept, strict=True):
                weight.copy_(mean)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, and gradients: networks so small gain nothing from more, and wait for them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(before)


def layers(network: torch.nn.Module) -> list[torch.nn.Linear]:
    """The network's `Linear` layers, in order.

    Raises:
        PrivacyError: it has weights or buffers elsewhere, whose gradients no ghost norm covers.
    """
    import torch

    found = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    covered = {id(weight) for layer in found for weight in layer.parameters()}
    for name, weight in network.named_parameters():
        if id(weight) not in covered:
            raise PrivacyError(f"weight '{name}' must belong to a Linear layer under DP-SGD")
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 - their common base is named so
            raise PrivacyError(f"{type(module).__name__} must not be used under DP-SGD: it mixes units")
    return found


def clipped_sum(
    linears: Sequence[torch.nn.Linear], loss: Loss, rows: torch.Tensor, shares: torch.Tensor, *, clip: float
) -> list[torch.Tensor]:
    """Sum over units of each unit's gradient, scaled down to an L2 norm of at most `clip`.

    Args:
        linears: the layers, each of which `loss` runs once.
        loss: of (rows, features) the loss of each row.
        rows: (units, m, features).
        shares: (units, m), of each row in its unit's loss; 0 where there is no row.
        clip: the bound.

    Returns:
        A float64 tensor a weight: each layer's weight and bias, in order.

    Raises:
        PrivacyError: a layer did not run once.
    """
    import torch

    entered: dict[torch.nn.Linear, list[tuple[torch.Tensor, torch.Tensor]]] = {layer: [] for layer in linears}
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: entered[layer].append((inputs[0].detach(), output)))
        for layer in linears
    ]
    try:
        losses = loss(rows.flatten(0, 1))
    finally:
        for hook in hooks:
            hook.remove()
    if any(len(runs) != 1 for runs in entered.values()):
        raise PrivacyError("each Linear layer of a network must run once a step under DP-SGD")
    outputs = [entered[layer][0][1] for layer in linears]
    backward = torch.autograd.grad((losses.reshape(shares.shape) * shares).sum(), outputs)
    pairs = []
    squares = torch.zeros(len(rows), device=rows.device, dtype=torch.float64)
    for layer, gradient in zip(linears, backward, strict=True):
        # In double: where the gradients of a unit's rows nearly cancel, a norm in single is that of its rounding.
        a = entered[layer][0][0].reshape(*shares.shape, -1).double()
        g = gradient.reshape(*shares.shape, -1).double()
        inner = a @ a.transpose(1, 2) + (0.0 if layer.bias is None else 1.0)
        squares = squares + ((g @ g.transpose(1, 2)) * inner).sum((1, 2))
        pairs.append((layer, a, g))
    norms = squares.clamp(min=0).sqrt()
    # A gradient that is not finite counts as none: what is decided here concerns its own unit alone.
    scale = torch.where(torch.isfinite(norms), (clip * BELOW / norms.clamp(min=1e-30)).clamp(max=1.0), 0.0)
    found = []
    for layer, a, g in pairs:
        scaled = (torch.nan_to_num(g, posinf=0.0, neginf=0.0) * scale[:, None, None]).flatten(0, 1)
        found.append(scaled.T @ torch.nan_to_num(a.flatten(0, 1), posinf=0.0, neginf=0.0))
        if layer.bias is not None:
            found.append(scaled.sum(0))
    return found


def _by_unit(
    rows: npt.NDArray[np.float64], units: npt.NDArray[np.generic], most: int, salt: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The rows of each unit side by side, at most `most`: (units, m, features), and each one's share, (units, m).

    Which ones follows from the unit's own rows alone, by the keyed hash that tables use.
    """
    clean = np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    names = np.asarray(units).astype(str)
    if len(np.unique(names)) < len(names):
        bits = {f"feature {index}": column.view(np.int32) for index, column in enumerate(np.ascontiguousarray(clean.T))}
        kept = truncation.kept(Table.of(pa.table({UNIT: names} | bits)), tuple(bits), most, salt)
        clean, names = clean[kept], names[kept]
    _, owner = np.unique(names, return_inverse=True)
    order = np.argsort(owner, kind="stable")
    owner, clean = owner[order], clean[order]
    counts = np.bincount(owner)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    grouped = np.zeros((len(counts), int(counts.max(initial=1)), rows.shape[1]), dtype=np.float32)
    shares = np.zeros(grouped.shape[:2], dtype=np.float32)
    grouped[owner, rank] = clean
    shares[owner, rank] = 1 / counts[owner]
    return grouped, shares
