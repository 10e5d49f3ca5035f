"""How predictions of one target are scored against T's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pasteur.metrics.marginals import floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pasteur.schema import Column


class Judge(Protocol):
    """T's answers to one target."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(rows of T,) where T has an answer."""
        ...

    @property
    def count(self) -> int:
        """Classes; 1 for a number."""
        ...

    @property
    def note(self) -> str:
        """What a reader must know."""
        ...

    def nothing(self) -> str | None:
        """Why T cannot test anything, if so."""
        ...

    def read(self, column: pa.ChunkedArray) -> NDArray[np.float64]:
        """A candidate's answers as class numbers or numbers; NaN where there is none."""
        ...

    def constant(self, answers: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
        """(rows, count) what a model that learnt nothing but these answers predicts."""
        ...

    def scores(self, predicted: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, float]:
        """Scores over `rows` of the rows with an answer."""
        ...


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counting one half (Mann-Whitney). 0.5 where there is one class only."""
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return 0.5
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place[positive]].sum() - n * (n + 1) / 2) / (n * m))


def f1(predicted: NDArray[np.bool_], positive: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is found and nothing is there to find."""
    both = int((predicted & positive).sum())
    total = int(predicted.sum()) + int(positive.sum())
    return 2 * both / total if total else 0.0


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Answers that are classes: 0 and 1 with a positive class, else T's distinct answers and one for all others."""

    names: tuple[str, ...]
    positive: str | None
    truth: NDArray[np.float64]
    known: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Classes."""
        return 2 if self.positive is not None else len(self.names) + 1

    @property
    def note(self) -> str:
        """Which class F1 and the area are of."""
        return f"positive class {self.positive}" if self.positive is not None else "mean over classes, one against rest"

    def nothing(self) -> str | None:
        """T must have both classes."""
        if not self.known.any():
            return "no answers"
        return "one class" if len(np.unique(self.truth[self.known])) < 2 else None

    def read(self, column: pa.ChunkedArray) -> NDArray[np.float64]:
        """Class numbers; NaN for null."""
        names = texts(column)
        if self.positive is not None:
            found = pc.cast(pc.equal(names, self.positive), pa.float64())
        else:
            place = pc.index_in(names, value_set=pa.array(self.names, pa.string()), skip_nulls=True)
            found = pc.if_else(pc.is_null(names), None, pc.cast(pc.fill_null(place, len(self.names)), pa.float64()))
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64)

    def constant(self, answers: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
        """The one class there is; without any, the negative (or first) class."""
        predicted = np.zeros((rows, self.count))
        predicted[:, int(answers[0]) if answers.size else 0] = 1
        return predicted

    def scores(self, predicted: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, float]:
        """`auc` and `f1`."""
        truth, predicted = self.truth[self.known][rows], predicted[rows]
        best = predicted.argmax(axis=1)
        which = [1] if self.positive is not None else np.unique(truth).astype(int).tolist()
        areas = [auc(predicted[:, c], truth == c) for c in which]
        harmonic = [f1(best == c, truth == c) for c in which]
        return {"auc": float(np.mean(areas)), "f1": float(np.mean(harmonic))} if which else {"auc": 0.5, "f1": 0.0}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Answers that are numbers. `middle`: the middle of the declared range, the guess of a model that saw no row."""

    truth: NDArray[np.float64]
    known: NDArray[np.bool_]
    middle: float
    count: int = 1
    note: str = ""

    def nothing(self) -> str | None:
        """R2 needs two different answers."""
        if not self.known.any():
            return "no answers"
        return "one value" if np.ptp(self.truth[self.known]) == 0 else None

    def read(self, column: pa.ChunkedArray) -> NDArray[np.float64]:
        """The numbers; NaN for null and infinite ones."""
        values = floats(column)
        return np.where(np.isfinite(values), values, np.nan)

    def constant(self, answers: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
        """Their mean."""
        return np.full((rows, 1), answers.mean() if answers.size else self.middle)

    def scores(self, predicted: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, float]:
        """`r2`, the share of T's variance explained (below 0: worse than T's mean), and `mae`."""
        truth, guess = self.truth[self.known][rows], predicted[rows, 0]
        spread = float(((truth - truth.mean()) ** 2).sum()) if truth.size else 0.0
        residual = float(((truth - guess) ** 2).sum())
        return {
            "r2": 1 - residual / spread if spread else 0.0,
            "mae": float(np.abs(truth - guess).mean()) if truth.size else 0.0,
        }


def texts(column: pa.ChunkedArray) -> pa.Array:
    """A column of classes as text; booleans as `true` and `false`."""
    whole = column.combine_chunks()
    return pc.cast(whole, pa.string())


def classes(truth: pa.ChunkedArray, positive: str | None) -> Judge:
    """T's answers as classes. A boolean target without a declared positive class has `true`."""
    names = texts(truth)
    if pa.types.is_boolean(truth.type):
        positive = (positive or "true").lower()
    known = tuple(sorted(pc.unique(names).drop_null().to_pylist())) if positive is None else ()
    blank = np.zeros(0)
    judge = Classes(names=known, positive=positive, truth=blank, known=blank.astype(bool))
    answers = judge.read(truth)
    return Classes(names=known, positive=positive, truth=answers, known=~np.isnan(answers))


def numbers(truth: pa.ChunkedArray, column: Column) -> Judge:
    """T's answers as numbers."""
    values = floats(truth)
    values = np.where(np.isfinite(values), values, np.nan)
    domain = column.domain or {}
    middle = (float(domain["min"]) + float(domain["max"])) / 2 if {"min", "max"} <= set(domain) else 0.0
    return Numbers(truth=values, known=~np.isnan(values), middle=middle)
