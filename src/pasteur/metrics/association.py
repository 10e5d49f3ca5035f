"""How strongly any two columns go together, and how far a candidate's table of that is from T's.

Two categories: Cramer's V, corrected for bias (Bergsma, Journal of the Korean Statistical Society 42, 2013). A number
and a category: the correlation ratio, corrected likewise (Kelley's epsilon squared, PNAS 21, 1935): uncorrected, both
grow as a table shrinks, and T has not the candidates' size. Two numbers: Spearman's rank correlation. Missing values
are a level of a category, and left out of numbers. A date's parts are numbers.

A pair that T says nothing of (a constant column) is left out on every side; one that only a candidate says nothing of
counts as no association there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.metrics.components import joined, part
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.marginals import floats
from pasteur.metrics.score import GROUPS, Raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import TableSchema

    Matrices = NDArray[np.float64]
    """(1 + groups, variables, variables): of all rows, then with each jackknife group left out; NaN is undefined."""

SHOWN = 60
"""Variables whose matrix is shown."""

NAMES = {"category": "cramers_v", "mixed": "correlation_ratio", "number": "spearman"}


@dataclass(frozen=True, kw_only=True)
class Association:
    """The family. Names: `association/cramers_v`, `/correlation_ratio`, `/spearman`: mean absolute difference from T.

    Details of every side: component -> `matrix`, (columns, columns) with null where it is undefined; of the target also
    `columns` and `kinds` (number or category).
    """

    name: str = "association"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Compare each candidate's matrix with the target's."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in ("target", *candidates)}
        for component, table in task.schema.tables.items():
            names, kinds = _variables(target, table)
            own = matrices(target, table, kinds)
            details["target"][component] = {
                "columns": list(names[:SHOWN]),
                "kinds": kinds[:SHOWN],
                "matrix": _shown(own[0]),
            }
            for name, data in candidates.items():
                theirs = matrices(data, table, kinds)
                details[name][component] = {"matrix": _shown(theirs[0])}
                scores[name] += _raws(component, names, kinds, own, theirs)
        return Outcome(scores=joined(scores, len(task.schema.tables)), details=details)


def _variables(data: Data, table: TableSchema) -> tuple[tuple[str, ...], list[str]]:
    """Each variable's name and kind."""
    names, kinds = [], []
    for column, embedding in data.encoders[table.name].embeddings.items():
        sdtype = table.column(column).sdtype
        for piece in embedding.parts:
            names.append(piece.name)
            kinds.append("number" if sdtype in ("numerical", "datetime") else "category")
    return tuple(names), kinds


def matrices(data: Data, table: TableSchema, kinds: list[str]) -> Matrices:
    """The associations of all pairs of variables; with replicates where the rows have jackknife groups."""
    component = table.name
    encoder = data.encoders[component]
    rows = data.rows(component)
    groups = None if data.groups is None else data.groups[component].astype(np.int64)
    columns: list[NDArray[Any]] = []
    for column, embedding in encoder.embeddings.items():
        numerical = table.column(column).sdtype == "numerical"
        for piece in embedding.parts:
            codes = data.codes[component][piece.name]
            if numerical:
                values = floats(data.tables[component][column])
                columns.append(np.where(np.isfinite(values), values, np.nan))
            elif kinds[len(columns)] == "number":
                missing = bool(getattr(embedding, "null", False))
                columns.append(np.where(codes == piece.size - 1, np.nan, codes) if missing else codes.astype(float))
            else:
                columns.append(np.unique(codes, return_inverse=True)[1])
    folds = 1 + (GROUPS if groups is not None else 0)
    found = np.full((folds, len(columns), len(columns)), np.nan)
    dealt = np.zeros(rows, dtype=np.int64) if groups is None else groups
    numbers = [i for i, kind in enumerate(kinds) if kind == "number"]
    ranked = _ranks([columns[i] for i in numbers], groups)
    for i, j in combinations(range(len(columns)), 2):
        if kinds[i] == kinds[j] == "number":
            pair = _spearman(ranked, numbers.index(i), numbers.index(j), (columns[i], columns[j]), groups)
        elif kinds[i] == kinds[j]:
            pair = _cramer(columns[i], columns[j], dealt, folds)
        else:
            levels, values = (columns[i], columns[j]) if kinds[i] == "category" else (columns[j], columns[i])
            pair = ratio(levels, values, dealt, folds)
        found[:, i, j] = found[:, j, i] = pair
    return found


def _left_out(counts: NDArray[np.float64], folds: int) -> NDArray[np.float64]:
    """(groups, cells) sums of each group -> (folds, cells): of all, then without each group."""
    whole = counts.sum(axis=0, keepdims=True)
    return whole if folds == 1 else np.concatenate([whole, whole - counts])


def _sums(
    cells: NDArray[np.int64], size: int, dealt: NDArray[np.int64], folds: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    groups = max(folds - 1, 1)
    counts = np.bincount(dealt * size + cells, weights=weights, minlength=groups * size)
    return _left_out(counts.reshape(groups, size).astype(np.float64), folds)


def _cramer(a: NDArray[np.int64], b: NDArray[np.int64], dealt: NDArray[np.int64], folds: int) -> NDArray[np.float64]:
    """(folds,) bias-corrected Cramer's V; NaN where a side has one level."""
    if not a.size:
        return np.full(folds, np.nan)
    k, r = int(a.max()) + 1, int(b.max()) + 1
    used, cells = np.unique(a * r + b, return_inverse=True)
    joint = _sums(cells, used.size, dealt, folds, None)
    left, right = _sums(a, k, dealt, folds, None), _sums(b, r, dealt, folds, None)
    product = left[:, used // r] * right[:, used % r]
    phi = np.divide(joint**2, product, out=np.zeros_like(joint), where=product > 0).sum(axis=1) - 1
    return corrected_v(phi, left.sum(axis=1), (left > 0).sum(axis=1), (right > 0).sum(axis=1))


def corrected_v(
    phi: NDArray[np.float64], rows: NDArray[np.float64], k: NDArray[np.int64], r: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Bergsma's V from phi squared (chi squared / n) and the numbers of levels that occur; NaN for one level."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.maximum(phi - (k - 1) * (r - 1) / (rows - 1), 0)
        least = np.minimum(k - (k - 1) ** 2 / (rows - 1), r - (r - 1) ** 2 / (rows - 1)) - 1
        v = np.sqrt(excess / least)
    return np.asarray(np.where((k > 1) & (r > 1) & (least > 0), np.minimum(v, 1.0), np.nan))


def ratio(
    levels: NDArray[np.int64], values: NDArray[np.float64], dealt: NDArray[np.int64], folds: int
) -> NDArray[np.float64]:
    """(folds,) square root of Kelley's epsilon squared; NaN for one level or equal values."""
    known = ~np.isnan(values)
    levels, values, dealt = levels[known], values[known], dealt[known]
    if not values.size:
        return np.full(folds, np.nan)
    # Centred and scaled, so that squares neither overflow nor cancel.
    largest = float(np.abs(values).max()) or 1.0
    values = values / largest
    values = values - values.mean()
    size = int(levels.max()) + 1
    n, total = _sums(levels, size, dealt, folds, None), _sums(levels, size, dealt, folds, values)
    squares = _sums(levels, size, dealt, folds, values**2).sum(axis=1)
    rows, k = n.sum(axis=1), (n > 0).sum(axis=1)
    mean = np.divide(total.sum(axis=1), rows, out=np.zeros_like(rows), where=rows > 0)
    spread = squares - rows * mean**2
    between = np.divide(total**2, n, out=np.zeros_like(n), where=n > 0).sum(axis=1) - rows * mean**2
    with np.errstate(divide="ignore", invalid="ignore"):
        epsilon = 1 - (1 - between / spread) * (rows - 1) / (rows - k)
    defined = (k > 1) & (rows > k) & (spread > 1e-15 * np.maximum(rows, 1))
    return np.asarray(np.where(defined, np.sqrt(np.clip(epsilon, 0, 1)), np.nan))


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) average ranks of values without NaN, centred and of norm 1; zeros where all values are equal."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    found = middle[place] - (values.size - 1) / 2
    norm = float(np.sqrt((found**2).sum()))
    return found / norm if norm else found


def _ranks(
    columns: list[NDArray[np.float64]], groups: NDArray[np.int64] | None
) -> list[list[NDArray[np.float64] | None]]:
    """Fold -> column -> ranks; None for a column with missing values, which is ranked within each pair."""
    whole = [None if np.isnan(column).any() else ranks(column) for column in columns]
    if groups is None:
        return [whole]
    left_out = [
        [None if np.isnan(column).any() else ranks(column[groups != g]) for column in columns] for g in range(GROUPS)
    ]
    return [whole, *left_out]


def _spearman(
    ranked: list[list[NDArray[np.float64] | None]],
    i: int,
    j: int,
    columns: tuple[NDArray[np.float64], NDArray[np.float64]],
    groups: NDArray[np.int64] | None,
) -> NDArray[np.float64]:
    """(folds,) Spearman's correlation of two columns over the rows where both are known; NaN for equal values."""
    found = []
    known = ~(np.isnan(columns[0]) | np.isnan(columns[1]))
    for fold, of in enumerate(ranked):
        a, b = of[i], of[j]
        if a is None or b is None:
            rows = known if fold == 0 or groups is None else known & (groups != fold - 1)
            a, b = ranks(columns[0][rows]), ranks(columns[1][rows])
        found.append(float(a @ b) if a.any() and b.any() else np.nan)
    return np.asarray(np.clip(np.array(found), -1, 1))


def _raws(component: str, names: tuple[str, ...], kinds: list[str], own: Matrices, theirs: Matrices) -> list[Raw]:
    raws = []
    pairs = list(combinations(range(len(names)), 2))
    for kind, metric in NAMES.items():
        of = [
            (i, j)
            for i, j in pairs
            if (kinds[i] if kinds[i] == kinds[j] else "mixed") == kind and not np.isnan(own[0, i, j])
        ]
        if not of:
            continue
        left, right = (np.nan_to_num(side[:, [i for i, _ in of], [j for _, j in of]]) for side in (own, theirs))
        differences = np.abs(left[: len(right)] - right[: len(left)])
        raws.append(
            Raw(
                metric=f"association/{metric}/{component}",
                value=float(differences[0].mean()),
                better="lower",
                dependence=True,
                parts={part((names[i], names[j])): float(d) for (i, j), d in zip(of, differences[0], strict=True)},
                replicates=tuple(differences[1:].mean(axis=1).tolist()),
            )
        )
    return raws


def _shown(matrix: NDArray[np.float64]) -> list[list[float | None]]:
    held = matrix[:SHOWN, :SHOWN].copy()
    np.fill_diagonal(held, 1.0)
    return [[None if np.isnan(x) else round(float(x), 4) for x in row] for row in held]


FAMILY: Metric = Association()
