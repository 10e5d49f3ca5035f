"""Rows as features of predictive models: numbers as they are, everything else as ordinal codes of `metrics.schema`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pasteur.metrics.marginals import floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import TableSchema, Target


@dataclass(frozen=True, kw_only=True)
class Features:
    """(rows, columns) float32; NaN where a number is missing. `levels`: codes of each column, 0 for a number."""

    values: NDArray[np.float32]
    levels: tuple[int, ...]

    def take(self, mask: NDArray[np.bool_]) -> Features:
        """The rows of `mask`."""
        return Features(values=self.values[mask], levels=self.levels)


def features(data: Data, table: TableSchema, target: Target) -> Features:
    """All columns of the target's table but the target itself and ids.

    A column that becomes several attributes (a date's parts) gives several features.
    """
    columns, levels = [], []
    held, codes, embeddings = data.tables[table.name], data.codes[table.name], data.encoders[table.name].embeddings
    for column in table.columns:
        if column.name == target.column or column.sdtype == "id":
            continue
        if column.sdtype == "numerical":
            columns.append(floats(held[column.name]))
            levels.append(0)
            continue
        # By the column's own parts, never by the look of names: `a.b` may be another column, even the target.
        for part in embeddings[column.name].parts:
            columns.append(codes[part.name].astype(np.float64))
            levels.append(0 if part.ordered else part.size)
    rows = data.rows(table.name)
    values = np.stack(columns, axis=1) if columns else np.zeros((rows, 0))
    # Infinities are no numbers to any of the models; float32 is what the trees turn them into anyway.
    values[~np.isfinite(values) | (np.abs(values) > np.finfo(np.float32).max)] = np.nan
    return Features(values=values.astype(np.float32), levels=tuple(levels))


def without_blanks(
    left: NDArray[np.float32], right: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both sides with 0 for every column that is missing throughout `left`: boosting refuses to learn from it."""
    blank = np.isnan(left).all(axis=0)
    if not blank.any():
        return left, right
    return np.where(blank, np.float32(0), left), np.where(blank, np.float32(0), right)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Features for a linear model: one column per level, and numbers standardised, a missing one at the mean."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    levels: tuple[int, ...]

    @classmethod
    def fit(cls, train: Features) -> Linear:
        """Means and standard deviations of the training rows."""
        values = train.values.astype(np.float64)
        known = ~np.isnan(values)
        n = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, values, 0).sum(axis=0) / n
        sd = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / n)
        return cls(mean=mean, sd=np.where(sd > 0, sd, 1.0), levels=train.levels)

    def apply(self, rows: Features) -> NDArray[np.float32]:
        """(rows, numbers + all levels) float32."""
        blocks = []
        for position, levels in enumerate(self.levels):
            values = rows.values[:, position]
            if levels:
                blocks.append((values[:, None] == np.arange(levels, dtype=np.float32)).astype(np.float32))
            else:
                scaled = (values.astype(np.float64) - self.mean[position]) / self.sd[position]
                # Ten standard deviations at most: the tail of an amount must not decide a linear model alone.
                blocks.append(np.clip(np.nan_to_num(scaled), -10, 10).astype(np.float32)[:, None])
        if not blocks:
            return np.zeros((len(rows.values), 0), dtype=np.float32)
        return np.concatenate(blocks, axis=1)
