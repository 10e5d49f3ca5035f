"""Optuna's pictures of a sweep on one page, and its trials as files: made of what the trials wrote, not of the store.

The page holds plotly's script and asks the network for nothing. What is searched under an algorithm's own name is shown
as `mst.alpha`: two algorithms may share a name and not its meaning.
"""

from __future__ import annotations

import csv
import html
import io
import json
import logging
import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pasteur.app.sweep.progress import best

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from optuna import Study
    from optuna.trial import FrozenTrial

PAGE = "study.html"
JSON = "study.json"
CSV = "study.csv"

MOST = 3
"""Objectives that a front is drawn of, at most."""

STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem}"
    "h2{margin:2rem 0 .3rem;font-size:1.1rem}p{margin:.2rem 0}.wide{overflow-x:auto}"
)

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing is asked for from anywhere; plotly makes its styles, and code for its lines, as it goes."""


def readable(trial: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's settings as plots name them."""
    params = trial.get("params") or {}
    own = params.get("algorithm")
    return {
        f"{own}.{name.removeprefix('algorithm.')}" if own and name.startswith("algorithm.") else name: value
        for name, value in params.items()
    }


def page(trials: Sequence[Mapping[str, Any]], objectives: Sequence[str], *, title: str, logs: Collection[str]) -> str:
    """All pictures as one file of HTML: history, slices, parallel coordinates and importance of each, the front of all.

    Args:
        trials: what each wrote.
        objectives: what is made small.
        title: of the page.
        logs: settings whose scale is logarithmic.
    """
    from plotly.io import to_html
    from plotly.offline import get_plotlyjs

    parts = []
    with _quiet():
        for name, picture in _pictures(study(trials, objectives, logs=logs), objectives):
            said = f"<h2>{html.escape(name)}</h2>"
            try:
                drawn = to_html(picture(), include_plotlyjs=False, full_html=False, config={"displayModeBar": False})
            except (ValueError, RuntimeError, ZeroDivisionError) as error:
                # Optuna's own reasons: one trial, one value of every setting.
                drawn = f"<p>Not drawn: {html.escape(' '.join(str(error).split()))}</p>"
            parts.append(f'{said}<div class="wide">{drawn}</div>')
    failed = sum(trial["state"] == "failed" for trial in trials)
    about = f"{len(trials)} trials, {failed} failed. Objectives are made small; they were computed on real data (dev)."
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><script>{get_plotlyjs()}</script></head>\n<body><h1>{html.escape(title)}</h1>"
        f"<p>{about}</p>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def study(trials: Sequence[Mapping[str, Any]], objectives: Sequence[str], *, logs: Collection[str]) -> Study:
    """The trials as a study of Optuna's, in memory.

    Args:
        trials: those that failed are kept as failed; those that were cut off are left out.
        objectives: what is made small.
        logs: settings whose scale is logarithmic.
    """
    with _quiet():
        import optuna
        from optuna.trial import TrialState, create_trial

        made = optuna.create_study(directions=["minimize"] * len(objectives))
        ended = [trial for trial in trials if trial["state"] != "cut off"]
        distributions = _distributions([readable(trial) for trial in ended], logs)
        good = {int(trial["number"]) for trial in ended if _values(trial, objectives)}
        for trial in ended:
            params = {name: _plain(value) for name, value in readable(trial).items()}
            made.add_trial(
                create_trial(
                    state=TrialState.COMPLETE if int(trial["number"]) in good else TrialState.FAIL,
                    values=_values(trial, objectives),
                    params=params,
                    distributions={name: distributions[name] for name in params},
                    user_attrs={"trial": trial["number"], "run": trial.get("run_id", "")},
                )
            )
        return made


def document(trials: Sequence[Mapping[str, Any]], objectives: Sequence[str], sweep: str) -> dict[str, Any]:
    """The study's export as JSON values: its objectives, its best trials and all that each trial wrote."""
    return {
        "sweep": sweep,
        "objectives": list(objectives),
        "directions": ["minimize"] * len(objectives),
        "best": [trial["number"] for trial in best(trials, objectives)],
        "trials": [dict(trial) for trial in trials],
    }


def table(trials: Sequence[Mapping[str, Any]], objectives: Sequence[str]) -> str:
    """The study's export as CSV: a row a trial, its settings and its objectives."""
    params = list(dict.fromkeys(name for trial in trials for name in trial.get("params") or {}))
    costs = [name for name in ("epsilon", "seconds") if name not in objectives]
    head = ["number", "state", *objectives, *params, *costs, "run_id", "error"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for trial in trials:
        held = {**(trial.get("params") or {}), **(trial.get("objectives") or {})}
        row = [held.get(name, trial.get(name)) for name in head]
        writer.writerow(["" if value is None else _plain(value) for value in row])
    return out.getvalue()


def _pictures(study: Study, objectives: Sequence[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each picture's title and how it is drawn."""
    from optuna import visualization as draw
    from optuna.importance import MeanDecreaseImpurityImportanceEvaluator as ByForest

    if 1 < len(objectives) <= MOST:
        yield "Front of Pareto", partial(draw.plot_pareto_front, study, target_names=list(objectives))
    for place, name in enumerate(objectives):
        how: dict[str, Any] = {"target_name": name}
        if len(objectives) > 1:
            how["target"] = partial(_objective, place)
        yield f"History of {name}", partial(draw.plot_optimization_history, study, **how)
        yield f"{name} along each setting", partial(draw.plot_slice, study, **how)
        yield f"{name}: parallel coordinates", partial(draw.plot_parallel_coordinate, study, **how)
        yield (
            f"What {name} depends on: mean decrease of impurity in a forest",
            partial(draw.plot_param_importances, study, evaluator=ByForest(seed=0), **how),
        )


def _objective(place: int, trial: FrozenTrial) -> float:
    return float(trial.values[place])


def _values(trial: Mapping[str, Any], objectives: Sequence[str]) -> list[float] | None:
    found = trial.get("objectives") or {}
    if trial["state"] == "failed" or any(name not in found for name in objectives):
        return None
    return [float(found[name]) for name in objectives]


def _distributions(settings: Sequence[Mapping[str, Any]], logs: Collection[str]) -> dict[str, Any]:
    """Of each setting, a distribution that holds every value that it was given."""
    from optuna import distributions as of

    made: dict[str, Any] = {}
    for name in dict.fromkeys(name for held in settings for name in held):
        values = [_plain(held[name]) for held in settings if name in held]
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(numbers) < len(values):
            made[name] = of.CategoricalDistribution(tuple(dict.fromkeys(values)))
            continue
        low, high = min(numbers), max(numbers)
        log = low > 0 and (name in logs or f"algorithm.{name.partition('.')[2]}" in logs)
        whole = all(isinstance(value, int) for value in numbers)
        kinds: dict[tuple[bool, bool], Any] = {
            (True, True): of.IntLogUniformDistribution,
            (True, False): of.IntUniformDistribution,
            (False, True): of.LogUniformDistribution,
            (False, False): of.UniformDistribution,
        }
        made[name] = kinds[whole, log](low, high)
    return made


def _plain(value: Any) -> Any:
    """A value as Optuna and a cell take it: numbers, truth and text; all else in its JSON form."""
    return value if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna says of itself and of its own plots being experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna

        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(logging.CRITICAL)  # it warns of each parameter that a trial lacks
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)
