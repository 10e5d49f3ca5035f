"""Where configurations are found: the packaged folder, and a project's own `configs/` over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from pasteur.app import groups
from pasteur.app import root as roots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.core.config_search_path import ConfigSearchPath

PACKAGED = "pkg://pasteur.resources.configs"

SCHEMA = "schema"

WHOLE = {"/view@_global_.view": "whole"}
"""The default of a data set that names no view: every table as it is."""


class ProjectConfigs(FileConfigSource):
    """A project's `configs/`, with two kindnesses: a data set and its schemas need no more than one file each.

    A data set's YAML that names no view gets the generic one, `whole`. A schema is known by its metadata file alone.
    """

    @staticmethod
    def scheme() -> str:
        """The scheme of its search path."""
        return "pasteur"

    def available(self) -> bool:
        """Whether the project has anything to add."""
        return super().is_group("") or bool(self._schemas())

    def is_group(self, config_path: str) -> bool:
        """Whether `config_path` is a folder, or that of schemas."""
        return super().is_group(config_path) or (config_path in ("", SCHEMA) and bool(self._schemas()))

    def is_config(self, config_path: str) -> bool:
        """Whether `config_path` is a file, or a schema with metadata."""
        return super().is_config(config_path) or self._schema(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """What is in a folder."""
        found = super().list(config_path, results_filter) if super().is_group(config_path) else []
        if config_path == SCHEMA and results_filter != ObjectType.GROUP:
            found = sorted({*found, *self._schemas()})
        return found

    def load_config(self, config_path: str) -> ConfigResult:
        """The YAML file at `config_path`."""
        name = self._schema(config_path)
        if name is not None and not super().is_config(config_path):
            where = f"{self.scheme()}://{self.path}"
            return ConfigResult(
                config=OmegaConf.create({"name": name}), path=where, provider=self.provider, header={"package": None}
            )
        found = super().load_config(config_path)
        if config_path.startswith("dataset/") and isinstance(found.config, DictConfig):
            plain = OmegaConf.to_container(found.config)
            defaults = plain.get("defaults") or ["_self_"] if isinstance(plain, dict) else []
            if isinstance(defaults, list) and not any(_names_view(entry) for entry in defaults):
                found.config["defaults"] = [WHOLE, *defaults]
        return found

    def _schemas(self) -> Mapping[str, Path]:
        return groups.declared_schemas(Path(self.path).parent)

    def _schema(self, config_path: str) -> str | None:
        group, _, name = config_path.removesuffix(".yaml").rpartition("/")
        return name if group == SCHEMA and name in self._schemas() else None


def _names_view(entry: Any) -> bool:
    return isinstance(entry, dict) and any(str(key).split("@")[0].endswith("/view") for key in entry)


class ProjectSearchPath(SearchPathPlugin):
    """Lays the project's `configs/` over the packaged ones. `--config-dir` and `hydra.searchpath` lie under them."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put the project's folder first, where there is one."""
        root = roots.find()
        if (root / "configs").is_dir() or (root / "metadata").is_dir():
            folder = root / "configs"
            search_path.prepend("project", f"{ProjectConfigs.scheme()}://{folder}", "main")


def register() -> None:
    """Make both known to Hydra, once a process."""
    plugins = Plugins.instance()
    for plugin in (ProjectConfigs, ProjectSearchPath):
        if f"{plugin.__module__}.{plugin.__name__}" not in plugins.class_name_to_class:
            plugins.register(plugin)
