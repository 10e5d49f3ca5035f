"""Noisy second moments of vectors of which each unit has a few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.privacy import sensitivity
from pasteur.privacy.budget import Sigma
from pasteur.privacy.events import DiscreteGaussian

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """What was answered.

    Attributes:
        matrix: (features, features), symmetric: about the sum over units of the mean of x x^T over their clipped rows.
        sigma: of the noise in each entry.
    """

    matrix: npt.NDArray[np.float64]
    sigma: float


def moments(
    rows: npt.NDArray[np.float64],
    units: pa.Array,
    ledger: Ledger,
    *,
    clip: float,
    cost: float,
    label: str,
    mechanisms: Mechanisms,
) -> Moments:
    """Sum each unit's mean of x x^T over its rows, each clipped to the L2 norm `clip`, and add discrete Gaussian noise.

    The entries on and above the diagonal are measured, those above it times sqrt(2), so that a unit's vector has the
    Frobenius norm of its matrix: at most clip^2, however many rows it has. It is rounded toward zero to multiples of
    2^-10 before units are summed, so that sums are whole numbers and no norm grows.

    Args:
        rows: (rows, features); what is not finite is 0.
        units: (rows,) whose row each is.
        ledger: charged before the answer.
        clip: L2 norm of a row, at most; above 0, and clip^2 at most 16. A public number.
        cost: what may be spent (rho).
        label: what the ledger calls the question.
        mechanisms: the noise.

    Raises:
        BudgetError: the ledger refuses; nothing was answered.
        PrivacyError: the rows and units do not fit, or clip is out of its range.
    """
    if rows.ndim != 2 or len(rows) != len(units):
        raise PrivacyError(rule("number of units", len(units), f"that of the rows, {len(rows)}"))
    relation = ledger.budget.relation
    bound = sensitivity.clipped_l2(clip**2, relation)
    # Entries may be negative, so that under replacement two vectors may point in opposite directions: 2, not sqrt(2).
    bound = type(bound)(2 * sensitivity.clip_steps(clip**2)) if relation == "replace" else bound
    event = DiscreteGaussian(sigma=Sigma(ledger.accountant.sigma(cost, bound)), sensitivity=bound)
    ledger.charge(event, label)
    exact = _summed(np.where(np.isfinite(rows), rows, 0.0), units, clip)
    noisy = mechanisms.gaussian(exact, event) / sensitivity.GRID
    features = rows.shape[1]
    upper = np.triu_indices(features)
    matrix = np.zeros((features, features))
    matrix[upper] = noisy / _weights(features)
    matrix = matrix + np.triu(matrix, 1).T
    return Moments(matrix=matrix, sigma=float(event.sigma) / sensitivity.GRID)


def _weights(features: int) -> npt.NDArray[np.float64]:
    one, other = np.triu_indices(features)
    return np.where(one == other, 1.0, np.sqrt(2.0))


def _summed(rows: npt.NDArray[np.float64], units: pa.Array, clip: float) -> npt.NDArray[np.int64]:
    """(features (features + 1) / 2,) whole steps of 2^-10."""
    limit = sensitivity.clip_steps(clip**2)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    clipped = rows * np.minimum(1.0, clip / np.maximum(norms, 1e-300))
    one, other = np.triu_indices(rows.shape[1])
    codes = units.dictionary_encode().indices.to_numpy(zero_copy_only=False) if len(units) else np.zeros(0, dtype=int)
    count = np.bincount(codes)
    own = np.zeros((len(count), len(one)))
    np.add.at(own, codes, clipped[:, one] * clipped[:, other] * _weights(rows.shape[1]))
    steps = own / np.maximum(count, 1)[:, None] * sensitivity.GRID
    # Floats round: scaled to the bound once more, and below it by more than they lose.
    length = np.linalg.norm(steps, axis=1, keepdims=True)
    steps *= np.minimum(1.0, limit * (1 - 1e-12) / np.maximum(length, 1e-300))
    return np.asarray(np.trunc(steps).astype(np.int64).sum(axis=0))
