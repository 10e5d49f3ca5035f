"""A composed configuration becomes an `Experiment`."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from pasteur.app import groups
from pasteur.app.typed import build, convert
from pasteur.errors import ConfigError, did_you_mean, near_miss, rule
from pasteur.experiment import Experiment, PrivacyConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pasteur.datasets.config import DatasetConfig
    from pasteur.views.config import ViewConfig

ALLOWED = ("pasteur.",)
"""What `_target_` may name: a file of settings must not be able to call anything else."""

PLAIN = {
    "seed": int,
    "rows": int | None,
    "format": typing.Literal["csv", "pq"],
    "fit_on": str,
    "accept": bool,
    "refresh": bool,
    "report": bool,
    "tuned": str,
}
"""Settings at the top level, with their types."""

GROUPS = ("dataset", "view", "schema", "algorithm", "privacy", "metrics")

TOP = (*GROUPS, *PLAIN, "tags", "pasteur")


def experiment(cfg: DictConfig, choices: Mapping[str, Any] | None = None) -> Experiment:
    """The one run that `cfg` says.

    Args:
        cfg: the composed configuration without Hydra's own node.
        choices: which option of each group was chosen; the name of a data set or view that gives none.

    Raises:
        ConfigError: a key, a type, a value or a combination is wrong.
    """
    from pasteur.datasets.config import DatasetConfig
    from pasteur.metrics.config import MetricsConfig
    from pasteur.recoding import Recoding
    from pasteur.views.config import ViewConfig

    plain = _plain(cfg)
    for key in plain:
        if key not in TOP:
            raise ConfigError(f"'{key}' is not a known setting{near_miss(str(key), TOP)}")
    for group in GROUPS:
        if not plain.get(group):
            raise ConfigError(f"{group} must be chosen: {group}=<name>")
        if not isinstance(plain[group], dict):
            raise ConfigError(rule(group, plain[group], "a mapping of settings"))
    for key in plain["pasteur"]:
        if key != "root":
            raise ConfigError(f"pasteur.{key} is not a known setting{near_miss(str(key), ('root',))}")
    chosen = choices or {}
    for group in ("dataset", "view"):
        plain[group].setdefault("name", chosen.get(group))
    algorithm, settings = _algorithm(plain["algorithm"])
    dataset = build(DatasetConfig, plain["dataset"], "dataset")
    view = build(ViewConfig, plain["view"], "view")
    schema = convert(str, plain["schema"].get("name", chosen.get("schema")), "schema")
    _belongs(dataset.name, view, schema)
    root = Path(plain["pasteur"]["root"]).resolve()
    return Experiment(
        root=root,
        dataset=dataset,
        view=view if view.components else _of_data_set(view, dataset, schema, root),
        schema=schema,
        recoding=build(Recoding, {k: v for k, v in plain["schema"].items() if k != "name"}, "schema"),
        algorithm=algorithm,
        settings=settings,
        privacy=build(PrivacyConfig, plain["privacy"], "privacy"),
        metrics=build(MetricsConfig, plain["metrics"], "metrics"),
        tags={str(k): str(v) for k, v in convert(dict, plain.get("tags") or {}, "tags").items()},
        **{name: convert(hint, plain[name], name) for name, hint in PLAIN.items() if name in plain},
    )


def _plain(cfg: DictConfig) -> dict[str, Any]:
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ConfigError(f"{missing[0]} must be given: {missing[0]}=<value>")
    plain = OmegaConf.to_container(cfg, resolve=True)
    return {str(key): value for key, value in typing.cast("dict[str, Any]", plain).items() if key != "hydra"}


def _algorithm(plain: Mapping[str, Any]) -> tuple[str, object]:
    """Name and settings of the algorithm whose `Settings` the key `_target_` names."""
    target = str(plain.get("_target_", ""))
    if not target.startswith(ALLOWED):
        raise ConfigError(rule("algorithm._target_", target or "none", f"a class under {', '.join(ALLOWED)}*"))
    module, _, name = target.rpartition(".")
    try:
        settings = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        settings = None
    if not (isinstance(settings, type) and is_dataclass(settings)):
        raise ConfigError(rule("algorithm._target_", target, "the Settings of a module of pasteur.synth"))
    return module.rpartition(".")[2], build(settings, plain, "algorithm")


def _belongs(dataset: str, view: ViewConfig, schema: str) -> None:
    """Refuse a view of another data set and a schema that the view does not have."""
    datasets: Sequence[str] = tuple(view.datasets)
    if datasets and dataset not in datasets:
        raise ConfigError(
            f"view ({view.name}) must belong to data set '{dataset}': it belongs to {', '.join(datasets)}; "
            f"views of '{dataset}': {', '.join(views_of(dataset)) or 'none'}"
        )
    schemas: Sequence[str] = tuple(view.schemas)
    if schemas and schema not in schemas:
        raise ConfigError(
            f"schema ({schema}) must be one of view '{view.name}': {', '.join(schemas)}{did_you_mean(schema, schemas)}"
        )


def _of_data_set(view: ViewConfig, dataset: DatasetConfig, schema: str, root: Path) -> ViewConfig:
    """The generic view, settled for this data set. Apart, as the plan of a run imports much that others need not."""
    from pasteur.plan import resolved

    return resolved(view, dataset=dataset, schema=schema, root=root)


def views_of(dataset: str) -> list[str]:
    """Names of the views that serve a data set."""
    found = []
    for name, path in groups.options("view").items():
        datasets = groups.read(path).get("datasets")
        if not datasets or dataset in datasets:
            found.append(name)
    return found
