from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from pasteur import datasets
from pasteur.app.typed import build
from pasteur.datasets import DatasetConfig
from pasteur.table import Table

CONFIGS = Path(__file__).parents[2] / "configs" / "dataset"


@dataclass
class Project:
    """A user's folder with a data set of its own."""

    root: Path

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def raw(self, name="mine"):
        return self.root / "data" / "orig" / "raw" / name

    def config(self, text="", **given):
        plain = {"name": "mine", "files": {"core": {"path": "core.csv"}}} | (yaml.safe_load(text) or {}) | given
        plain.pop("defaults", None)
        return build(DatasetConfig, plain, "dataset")

    def fetch(self, config, **settings):
        return datasets.fetch(config, self.raw(config.name), **settings)

    def parse(self, config):
        parsed = datasets.parse(config, self.fetch(config))
        return {name: Table.of(table.arrow()) for name, table in parsed.items()}

    def tidy(self, config):
        made = datasets.tidy(config, self.parse(config))
        return {name: Table.of(table.arrow()) for name, table in made.items()}

    def core(self, content, text="", **given):
        """The primary table of one CSV file, without content ids."""
        self.write("core.csv", content)
        frame = self.tidy(self.config(text, **given))["core"].arrow()
        return frame.drop(["_unit"]) if "_unit" in frame.column_names else frame


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture(scope="session")
def shipped():
    """The data set of a shipped YAML."""

    def load(name):
        plain = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
        plain.pop("defaults")
        return build(DatasetConfig, plain, "dataset")

    return load
