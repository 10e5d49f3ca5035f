"""Can a model tell a candidate's rows from T's? And by which columns?

A two-sample test with a classifier (Lopez-Paz and Oquab, ICLR 2017): gradient boosting on codes of `metrics.schema`,
trained on four folds and asked about the fifth. The score is the area under the ROC curve, mean of five folds: 0.5 if
they cannot be told apart. Rows of one unit, and children of one parent, are in one fold. No row of T is a row of a
candidate, and nothing is compared row by row.

The jackknife leaves out groups of what is asked, not of what was learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.metrics.candidates import deal
from pasteur.metrics.components import joined
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.features import without_blanks
from pasteur.metrics.parallel import spread
from pasteur.metrics.score import GROUPS, Raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data

    Matrix = NDArray[np.float32]
    Blocks = Mapping[str, Sequence[int]]
    """Column -> its positions among the features."""

FOLDS = 5
LEAST = 10
"""Rows of a side below which nothing can be learnt."""
STEPS = {"standard": 40, "full": 100}
"""Trees by depth."""
MOST = {"standard": 5_000, "full": 50_000}
"""Rows a side by depth, the first of those dealt at random: more rows tell more, of every candidate alike."""
ASKED = {"standard": 600, "full": 5_000}
"""Rows a fold, by depth, among which columns are shuffled to see what gives a candidate away."""
SHOWN = 15
"""Columns that are named."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The family. Name: `detection/auc`, 0.5 is best; a value below it is chance.

    Details of each candidate: component -> `auc`, `low` and `high` (95 %, DeLong), `rows` a side and `columns`, pairs
    of a name and how much the area falls when the column is shuffled among the rows asked, largest first.
    """

    name: str = "detection"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = False
    imports: tuple[str, ...] = ("sklearn.ensemble",)

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Tell each candidate from the target, component by component."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in candidates}
        notes: dict[str, str] = {}
        folds = {
            name: deal(data.tables, schema=task.schema, groups=FOLDS, rng=task.rng(f"detection/{side}"))
            for name, data, side in [("target", target, "target"), *((n, d, "own") for n, d in candidates.items())]
        }
        asked = [(name, component) for component in task.schema.tables for name in candidates]

        def one(name_component: tuple[str, str]) -> Found | str:
            name, component = name_component
            sides = tuple(
                _side(data, component, folds[key][component], task, key)
                for key, data in (("target", target), (name, candidates[name]))
            )
            return tell(sides[0], sides[1], blocks(target, component), depth=task.settings.depth, seed=task.seed)

        for (name, component), found in zip(asked, spread(one, asked), strict=True):
            metric = f"detection/auc/{component}"
            if isinstance(found, str):
                notes[f"{metric}/{name}"] = found
                scores[name].append(Raw(metric=metric, value=1.0, better="lower", dependence=True, note=found))
                continue
            details[name][component] = found.document()
            note = f"95 %: {found.low:.3f} to {found.high:.3f}"
            scores[name].append(
                Raw(
                    metric=metric,
                    value=found.auc,
                    better="lower",
                    dependence=True,
                    replicates=found.replicates,
                    note=note,
                )
            )
        return Outcome(scores=joined(scores, len(task.schema.tables)), details=details, notes=notes)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One class of the test: features, folds and jackknife groups, (rows,) each."""

    features: Matrix
    folds: NDArray[np.uint8]
    groups: NDArray[np.uint8] | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a test said."""

    auc: float
    low: float
    high: float
    rows: int
    columns: list[tuple[str, float]]
    replicates: tuple[float, ...]

    def document(self) -> dict[str, Any]:
        """What a report shows, as JSON."""
        shown = {name: round(float(getattr(self, name)), 4) for name in ("auc", "low", "high")}
        columns = [[name, round(drop, 4)] for name, drop in self.columns[:SHOWN]]
        return {**shown, "rows": self.rows, "columns": columns}


def blocks(data: Data, component: str) -> dict[str, list[int]]:
    """Each column's positions among the component's attributes."""
    found: dict[str, list[int]] = {}
    place = 0
    for column, embedding in data.encoders[component].embeddings.items():
        found[column] = list(range(place, place + len(embedding.parts)))
        place += len(embedding.parts)
    return found


def _side(data: Data, component: str, folds: NDArray[np.uint8], task: Task, key: str) -> Side:
    """Codes as features, at most `MOST` rows of them, missing values of ordered codes as NaN."""
    rows, most = data.rows(component), MOST[task.settings.depth]
    kept = np.arange(rows)
    if rows > most:
        kept = np.sort(
            task.rng(f"detection/rows/{'target' if key == 'target' else 'own'}").choice(rows, size=most, replace=False)
        )
    columns = []
    for embedding in data.encoders[component].embeddings.values():
        for part in embedding.parts:
            codes = data.codes[component][part.name][kept].astype(np.float32)
            if part.ordered and getattr(embedding, "null", False):
                codes[codes == part.size - 1] = np.nan
            columns.append(codes)
    features = np.stack(columns, axis=1) if columns else np.zeros((kept.size, 0), dtype=np.float32)
    groups = None if data.groups is None else data.groups[component][kept]
    return Side(features=features, folds=folds[kept], groups=groups)


def tell(target: Side, candidate: Side, columns: Blocks, *, depth: str, seed: int) -> Found | str:
    """Tell the candidate from the target; or why that cannot be tried."""
    for side, name in ((target, "the target"), (candidate, "the candidate")):
        if len(side.features) < LEAST or len(np.unique(side.folds)) < 2:
            return f"too few rows of {name} to learn from"
    if not target.features.shape[1]:
        return "no column but keys"
    x = np.concatenate([target.features, candidate.features])
    y = np.repeat([0, 1], [len(target.features), len(candidate.features)])
    folds = np.concatenate([target.folds, candidate.folds])
    groups = None
    if target.groups is not None and candidate.groups is not None:
        groups = np.concatenate([target.groups, candidate.groups])
    areas, variances, drops, left_out = [], [], [], []
    for fold in range(FOLDS):
        asked = folds == fold
        if len(np.unique(y[asked])) < 2 or len(np.unique(y[~asked])) < 2:
            continue
        learnt, questions = without_blanks(x[~asked], x[asked])
        model = _model(depth, seed).fit(learnt, y[~asked])
        said = model.predict_proba(questions)[:, 1]
        area, variance = delong(said, y[asked] == 1)
        areas.append(area)
        variances.append(variance)
        drops.append(_drops(model, questions, y[asked] == 1, said, columns, seed, ASKED[depth]))
        if groups is not None:
            left_out.append(_left_out(said, y[asked] == 1, groups[asked]))
    if not areas:
        return "too few rows to ask about"
    auc, error = float(np.mean(areas)), float(np.sqrt(np.sum(variances))) / len(areas)
    fall = np.mean(drops, axis=0)
    ranked = sorted(zip(columns, fall.tolist(), strict=True), key=lambda pair: -pair[1])
    return Found(
        auc=auc,
        low=max(0.0, auc - 1.96 * error),
        high=min(1.0, auc + 1.96 * error),
        rows=int(min(len(target.features), len(candidate.features))),
        columns=ranked,
        replicates=tuple(np.mean(left_out, axis=0).tolist()) if left_out else (),
    )


def _model(depth: str, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=STEPS[depth], max_leaf_nodes=15, early_stopping=False, random_state=seed
    )


def delong(said: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Area under the ROC curve and its variance (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988)."""
    ones, zeros = np.sort(said[positive]), np.sort(said[~positive])

    def below(values: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((np.searchsorted(of, values, "left") + np.searchsorted(of, values, "right")) / (2 * of.size))

    wins, losses = below(ones, zeros), 1 - below(zeros, ones)
    variance = sum(float(v.var(ddof=1)) / v.size for v in (wins, losses) if v.size > 1)
    return float(wins.mean()), variance


def _drops(
    model: Any,
    x: Matrix,
    positive: NDArray[np.bool_],
    said: NDArray[np.float64],
    columns: Blocks,
    seed: int,
    most: int,
) -> NDArray[np.float64]:
    """(columns,) how much the area falls with each column shuffled; one call for all, for a call is what costs."""
    rng = np.random.default_rng(seed)
    if len(x) > most:
        kept = np.sort(rng.choice(len(x), size=most, replace=False))
        if len(np.unique(positive[kept])) == 2:  # the area needs both
            x, positive, said = x[kept], positive[kept], said[kept]
    area, _ = delong(said, positive)
    order = rng.permutation(len(x))
    shuffled = np.tile(x, (len(columns), 1))
    for number, places in enumerate(columns.values()):
        rows = slice(number * len(x), (number + 1) * len(x))
        shuffled[rows, places[0] : places[-1] + 1] = x[order, places[0] : places[-1] + 1]
    answers = model.predict_proba(shuffled)[:, 1].reshape(len(columns), len(x))
    return np.array([area - delong(row, positive)[0] for row in answers])


def _left_out(said: NDArray[np.float64], positive: NDArray[np.bool_], groups: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(GROUPS,) areas with the rows of one jackknife group left out."""
    kept = [groups != g for g in range(GROUPS)]
    return np.array([delong(said[k], positive[k])[0] if len(np.unique(positive[k])) == 2 else 0.5 for k in kept])


FAMILY: Metric = Detection()
