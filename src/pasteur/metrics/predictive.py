"""How well models trained on a candidate predict the declared targets of real rows they have not seen.

Each model is trained on a candidate and tested on T ("train on synthetic, test on real"). Classification: area under
the ROC curve and F1; the positive class is the one the schema declares and the score's note names it; a target without
a positive class is scored one class against the rest, averaged over the classes of T. Regression: R2 and mean absolute
error, in the target's units. Trees take ordinal codes, the linear models one column per level.

The jackknife leaves out groups of T only: predictions stand, so nothing is trained again, and the standard error does
not hold the variance of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pasteur.metrics.components import slug
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.features import Features, Linear, features, without_blanks
from pasteur.metrics.judge import Judge, classes, numbers
from pasteur.metrics.parallel import spread
from pasteur.metrics.score import GROUPS, Raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import Target

MODELS: Mapping[str, tuple[str, ...]] = {
    "quick": ("boosting",),
    "standard": ("linear", "forest", "boosting"),
    "full": ("linear", "forest", "boosting"),
}
"""Models by depth. Boosting alone for `quick`: it is the best of the three."""

MOST = {"quick": 10_000, "standard": 10_000, "full": 50_000}
"""Training rows by depth, drawn with the seed, the same rows of every candidate of one size. On Adult, all 19,616 of
ref raise boosting's area under the curve from 0.920 to 0.922."""

FEW = 100
"""Training rows of which a forest's trees get all."""


class Estimator(Protocol):
    """What is used of scikit-learn's estimators."""

    classes_: NDArray[Any]

    def fit(self, x: NDArray[np.float32], y: NDArray[Any], /) -> Any:
        """Learn."""
        ...

    def predict(self, x: NDArray[np.float32], /) -> NDArray[Any]:
        """Answer."""
        ...

    def predict_proba(self, x: NDArray[np.float32], /) -> NDArray[np.float64]:
        """Answer with probabilities."""
        ...


def estimator(model: str, kind: str, *, depth: str, seed: int, rows: int) -> Estimator:
    """A scikit-learn estimator with fixed settings and seed, for so many training rows."""
    from sklearn import ensemble, linear_model

    # Half the rows a tree and few trees: 0.4 s on 18,000 rows, where all rows and 30 trees take twice that for an area
    # under the curve that is 0.001 higher.
    trees, share = (100, None) if depth == "full" else (20, 0.5)
    steps = 150 if depth == "full" else 60
    classify = kind == "classification"
    made: Estimator
    if model == "linear":
        made = linear_model.LogisticRegression(max_iter=200, tol=1e-3) if classify else linear_model.Ridge()
    elif model == "forest":
        forest = ensemble.RandomForestClassifier if classify else ensemble.RandomForestRegressor
        made = forest(
            n_estimators=trees,
            min_samples_leaf=5,
            max_features="sqrt",
            max_samples=share if rows >= FEW else None,
            n_jobs=1,
            random_state=seed,
        )
    else:
        boosting = ensemble.HistGradientBoostingClassifier if classify else ensemble.HistGradientBoostingRegressor
        made = boosting(max_iter=steps, early_stopping=False, random_state=seed)
    return made


@dataclass(frozen=True, kw_only=True)
class Predictive:
    """The family. Names: `predictive/<target>/<model>/<auc|f1|r2|mae>`, models `linear`, `forest`, `boosting`.

    Details of each candidate: target -> model -> metric -> value; of the target: target -> `kind`, `positive`, `rows`
    that have an answer, `note`.
    """

    name: str = "predictive"
    depths: frozenset[str] = frozenset({"quick", "standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ("sklearn.ensemble", "sklearn.linear_model")

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Train every model on every candidate for every target, test on T."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in ("target", *candidates)}
        notes: dict[str, str] = {}
        for wanted in task.schema.targets:
            name_of = label(wanted, task.schema.targets)
            metric = f"predictive/{slug(label(wanted, task.schema.targets))}"
            judge = _judge(target, wanted, task)
            if reason := judge.nothing():
                notes[metric] = f"{reason} in {task.settings.split}: nothing to test on"
                continue
            details["target"][name_of] = {
                "kind": wanted.kind,
                "positive": wanted.positive,
                "rows": int(judge.known.sum()),
                "note": judge.note,
            }
            test = features(target, task.schema.tables[wanted.table], wanted).take(judge.known)
            trained = {
                name: (
                    features(data, task.schema.tables[wanted.table], wanted),
                    judge.read(data.tables[wanted.table][wanted.column]),
                )
                for name, data in candidates.items()
            }
            asked = [(name, model) for model in MODELS[task.settings.depth] for name in candidates]
            answers = spread(_Trial(kind=wanted.kind, trained=trained, test=test, judge=judge, task=task), asked)
            for (name, model), predicted in zip(asked, answers, strict=True):
                apart = candidates[name].groups is not None and target.groups is not None
                groups = target.groups[wanted.table] if apart and target.groups is not None else None
                found = _raws(f"{metric}/{model}", judge, predicted, groups, wanted)
                scores[name] += found
                shown = {raw.metric.rsplit("/", 1)[1]: round(raw.value, 6) for raw in found}
                details[name].setdefault(name_of, {})[model] = shown
        return Outcome(scores=scores, notes=notes, details=details)


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """One target's trials: each trains a model on a candidate and asks it about T."""

    kind: str
    trained: Mapping[str, tuple[Features, NDArray[np.float64]]]
    test: Features
    judge: Judge
    task: Task

    def __call__(self, asked: tuple[str, str]) -> NDArray[np.float64]:
        """Train the model that is named on the candidate that is named."""
        name, model = asked
        train, answers = self.trained[name]
        return _predict(model, self.kind, train, answers, self.test, self.judge, self.task)


def label(target: Target, targets: tuple[Target, ...]) -> str:
    """A target's name in metrics: its column, with its table where another table has a target of that name."""
    alone = sum(t.column == target.column for t in targets) == 1
    return target.column if alone else f"{target.table}.{target.column}"


def _judge(target: Data, wanted: Target, task: Task) -> Judge:
    column = task.schema.tables[wanted.table].column(wanted.column)
    truth = target.tables[wanted.table][wanted.column]
    if wanted.kind == "regression":
        return numbers(truth, column)
    return classes(truth, wanted.positive)


def _predict(
    model: str, kind: str, train: Features, answers: NDArray[Any], test: Features, judge: Judge, task: Task
) -> NDArray[np.float64]:
    """(test rows, classes) probabilities, or (test rows, 1) numbers.

    Training data that no model can be fitted to, with no row or one class, gives what it teaches: a constant.
    """
    known = ~np.isnan(answers)
    most = MOST[task.settings.depth]
    if known.sum() > most:
        drawn = task.rng("predictive/rows").choice(np.flatnonzero(known), size=most, replace=False)
        known = np.zeros_like(known)
        known[drawn] = True
    train, answers = train.take(known), answers[known]
    if kind == "classification" and len(np.unique(answers)) < 2:
        return judge.constant(answers, len(test.values))
    if not len(answers) or not train.values.shape[1]:
        return judge.constant(answers, len(test.values))
    fitted = estimator(model, kind, depth=task.settings.depth, seed=task.seed, rows=len(answers))
    left, right = train.values, test.values
    if model == "linear":
        linear = Linear.fit(train)
        left, right = linear.apply(train), linear.apply(test)
    elif model == "forest":
        # A forest refuses a column that is missing in T but never was in training: below every number instead.
        left, right = (np.nan_to_num(x, nan=float(np.finfo(np.float32).min)) for x in (left, right))
    else:
        left, right = without_blanks(left, right)
    return _fit(fitted, left, answers, right, kind=kind, count=judge.count)


def _fit(
    fitted: Estimator,
    left: NDArray[np.float32],
    answers: NDArray[Any],
    right: NDArray[np.float32],
    *,
    kind: str,
    count: int,
) -> NDArray[np.float64]:
    """Train on `left` and predict `right`."""
    fitted.fit(left, answers.astype(np.int64) if kind == "classification" else answers)
    if kind == "regression":
        return np.asarray(fitted.predict(right), dtype=np.float64)[:, None]
    probabilities = np.zeros((len(right), count))
    probabilities[:, fitted.classes_.astype(np.int64)] = fitted.predict_proba(right)
    return probabilities


def _raws(
    metric: str, judge: Judge, predicted: NDArray[np.float64], groups: NDArray[np.uint8] | None, wanted: Target
) -> list[Raw]:
    everything = np.ones(len(predicted), dtype=bool)
    whole = judge.scores(predicted, everything)
    left_out: list[dict[str, float]] = []
    if groups is not None:
        left_out = [judge.scores(predicted, groups[judge.known] != g) for g in range(GROUPS)]
    return [
        Raw(
            metric=f"{metric}/{name}",
            value=value,
            better="lower" if name == "mae" else "higher",
            columns=(wanted.column,),
            dependence=True,
            replicates=tuple(scores[name] for scores in left_out),
            note=judge.note,
        )
        for name, value in whole.items()
    ]


FAMILY: Metric = Predictive()
