"""Kedro's datasets over Pasteur's files: each loads lazily or whole, and saves whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from pasteur.errors import DataError
from pasteur.files import write_text
from pasteur.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from pasteur.compressors._layout import Layout
    from pasteur.compressors._store import Compression
    from pasteur.synth._sdv import Learned
    from pasteur.synth.model import Model


class TableFile(AbstractDataset[Table, Table]):
    """A parquet file, read lazily and written whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Table:
        """The table at `path`, nothing read yet."""
        return Table.read(self.path)

    def save(self, data: Table) -> None:
        """Stream the batches to `path`."""
        data.write(self.path)

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.path)}


class DecodedFile(TableFile):
    """A decoded table as CSV or parquet, by the path's suffix. A CSV is read under the schema it was written from."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path)
        self.schema = schema

    def load(self) -> Table:
        """The rows, typed."""
        from pasteur import delimited

        return Table.read(self.path) if self.path.suffix == ".pq" else delimited.read(self.path, self.schema)

    def save(self, data: Table) -> None:
        """Stream the batches to `path`."""
        from pasteur import delimited

        if self.path.suffix == ".pq":
            data.write(self.path)
        else:
            delimited.write(data, self.path)


class JsonFile(AbstractDataset[Any, Any]):
    """A JSON document, its keys in the order they came in: that of components and of columns, which readers rely on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Any:
        """The document.

        Raises:
            DataError: it is not JSON.
        """
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{self.path}: is not valid JSON") from error

    def save(self, data: Any) -> None:
        """Write the document, whole or not at all."""
        write_text(self.path, json.dumps(data, indent=1) + "\n")

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.path)}


class ModelFile(AbstractDataset["Model", "Model"]):
    """A fitted model: npz with a JSON header."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Model:
        """The model, ready to sample."""
        from pasteur.synth.model import Model

        return Model.load(self.path)

    def save(self, data: Model) -> None:
        """Write the model, whole or not at all."""
        data.save(self.path)

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.path)}


class CompressorFile(AbstractDataset["Compression", "Compression"]):
    """How a component becomes latent columns, as parquet."""

    def __init__(self, path: Path, declared: Layout) -> None:
        self.path = path
        self.declared = declared

    def load(self) -> Compression:
        """The compression, as it was fitted."""
        from pasteur.compressors._store import Compression

        return Compression.load(self.path, declared=self.declared)

    def save(self, data: Compression) -> None:
        """Write it, whole or not at all."""
        data.save(self.path)

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.path)}


def learned_at(path: Path, manifest: Path) -> Learned:
    """The model at `path`, ready to sample.

    Raises:
        DataError: there is no manifest, or it tells of another file.
    """
    from pasteur.synth._sdv import Learned

    try:
        digest = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: has no manifest, and is not loaded without") from error
    return Learned.load(path, str(digest))


class LearnedFile(AbstractDataset["Learned", "Learned"]):
    """A model of SDV's: a cloudpickle, and a manifest without which it is not read."""

    def __init__(self, path: Path, manifest: Path) -> None:
        self.path = path
        self.manifest = manifest

    def load(self) -> Learned:
        """The model, ready to sample."""
        return learned_at(self.path, self.manifest)

    def save(self, data: Learned) -> None:
        """Write the model, then its manifest."""
        write_text(self.manifest, json.dumps({"sha256": data.save(self.path)}, indent=1) + "\n")

    def _exists(self) -> bool:
        return self.path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.path)}
