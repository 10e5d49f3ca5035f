"""Where configurations are found: the packaged folder, and a project's own `configs/` over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from pasteur.app import root as roots

if TYPE_CHECKING:
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.plugins.config_source import ConfigResult

PACKAGED = "pkg://pasteur.resources.configs"

WHOLE = {"/view@_global_.view": "whole"}
"""The default of a data set that names no view: every table as it is."""


class ProjectConfigs(FileConfigSource):
    """A project's `configs/`. A data set's YAML that names no view gets the generic one, `whole`."""

    @staticmethod
    def scheme() -> str:
        """The scheme of its search path."""
        return "pasteur"

    def load_config(self, config_path: str) -> ConfigResult:
        """The YAML file at `config_path`."""
        found = super().load_config(config_path)
        if config_path.startswith("dataset/") and isinstance(found.config, DictConfig):
            plain = OmegaConf.to_container(found.config)
            defaults = plain.get("defaults") or ["_self_"] if isinstance(plain, dict) else []
            if isinstance(defaults, list) and not any(_names_view(entry) for entry in defaults):
                found.config["defaults"] = [WHOLE, *defaults]
        return found


def _names_view(entry: Any) -> bool:
    return isinstance(entry, dict) and any(str(key).split("@")[0].endswith("/view") for key in entry)


class ProjectSearchPath(SearchPathPlugin):
    """Lays the project's `configs/` over the packaged ones. `--config-dir` and `hydra.searchpath` lie under them."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put the project's folder first, where there is one."""
        folder = roots.find() / "configs"
        if folder.is_dir():
            search_path.prepend("project", f"{ProjectConfigs.scheme()}://{folder}", "main")


def register() -> None:
    """Make both known to Hydra, once a process; and each schema that a project declares, by its metadata file alone."""
    plugins = Plugins.instance()
    known = plugins.class_name_to_class
    for plugin in (ProjectConfigs, ProjectSearchPath):
        if f"{plugin.__module__}.{plugin.__name__}" not in known:
            plugins.register(plugin)
    for path in sorted((roots.find() / "metadata").glob("*.*.json")):
        name = path.name.split(".")[-2]
        ConfigStore.instance().store(group="schema", name=name, node={"name": name}, provider="project")
