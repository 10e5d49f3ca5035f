"""One component's compression as it is kept: a parquet file, a row a tensor, settings as JSON in its metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pasteur.compressors import find
from pasteur.compressors._codec import Codec
from pasteur.compressors._layout import Layout
from pasteur.errors import DataError, PasteurError, rule
from pasteur.files import atomic

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from pasteur.schema import Schema

FORMAT = "pasteur-compressor-1"
KEY = b"pasteur"
SCHEMA = pa.schema(
    [("name", pa.string()), ("dtype", pa.string()), ("shape", pa.list_(pa.int64())), ("bytes", pa.binary())]
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Compression:
    """How a component becomes latent columns, and all that was learned for it. Noisy or public: it may be released."""

    layout: Layout
    codec: Codec

    @classmethod
    def declare(cls, schema: Schema, component: str) -> Self:
        """What `schema` declares of `component`; nothing learned.

        Raises:
            SchemaError: it says too little, or of something that no compressor covers.
        """
        layout = Layout.declare(schema, component)
        return cls(layout=layout, codec=Codec.declare(layout.declaration))

    def check(self) -> None:
        """Look at what the compressor needs besides the schema, before a run begins.

        Raises:
            PasteurError: it is missing or wrong.
        """
        look = getattr(self.codec.compressor, "check", None)
        if look is not None:
            look()

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        compressor, residual = self.codec.compressor, self.codec.residual
        settings, tensors = compressor.state()
        header = {"format": FORMAT, "type": compressor.type, "layout": self.layout.to_dict(), "state": settings}
        held = {f"compressor.{name}": tensor for name, tensor in tensors.items()}
        held |= {f"holds.{name}": table for name, table in residual.holds.items()}
        held |= {f"bins.{name}": table for name, table in residual.bins.items()}
        rows = [
            {"name": name, "dtype": tensor.dtype.str, "shape": list(tensor.shape), "bytes": tensor.tobytes()}
            for name, tensor in held.items()
        ]
        table = pa.Table.from_pylist(rows, schema=SCHEMA.with_metadata({KEY: json.dumps(header).encode()}))
        with atomic(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    @classmethod
    def load(cls, path: Path, *, declared: Layout | None = None) -> Self:
        """Read what `save` wrote.

        Args:
            path: the file.
            declared: by the schema of the run; None: whatever the file was fitted for.

        Raises:
            DataError: it is no such file, or was fitted for another schema.
        """
        try:
            table = pq.read_table(path)
            header = json.loads(table.schema.metadata[KEY])
            _check_format(header["format"])
            found = cls._of(header, {row["name"]: _tensor(row) for row in table.to_pylist()})
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        except FileNotFoundError:
            raise DataError(f"{path}: is missing") from None
        except (PasteurError, OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
            raise DataError(f"{path}: is not a compressor that Pasteur wrote ({type(error).__name__})") from error
        if declared is not None and _text(found.layout) != _text(declared):
            component = declared.declaration.component
            raise DataError(f"{path}: was fitted for another schema of component '{component}'; fit it again")
        return found

    @classmethod
    def _of(cls, header: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Self:
        layout = Layout.from_dict(header["layout"])
        declared = Codec.declare(layout.declaration)
        settings = {k: v for k, v in layout.declaration.settings.items() if k not in {"type", "residual"}}
        plain = replace(layout.declaration, settings=settings)
        kind = find(header["type"])
        compressor = kind.from_state(plain, header["state"], _under("compressor", tensors))
        residual = replace(declared.residual, holds=_under("holds", tensors), bins=_under("bins", tensors))
        return cls(layout=layout, codec=replace(declared, compressor=compressor, residual=residual))


def _check_format(found: object) -> None:
    if found != FORMAT:
        raise DataError(rule("its format", found, f"{FORMAT}, which this version of Pasteur reads"))


def _text(layout: Layout) -> str:
    return json.dumps(layout.to_dict(), sort_keys=True)


def _under(room: str, tensors: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {name.removeprefix(f"{room}."): held for name, held in tensors.items() if name.startswith(f"{room}.")}


def _tensor(row: dict[str, Any]) -> npt.NDArray[Any]:
    kind = np.dtype(row["dtype"])
    if kind.kind not in "fiub":
        raise ValueError(rule("dtype", row["dtype"], "numbers"))
    return np.frombuffer(row["bytes"], dtype=kind).reshape(row["shape"]).copy()
