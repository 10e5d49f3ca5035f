"""`Model`: what left the private side, and rows from it. Noisy measurements and structure; nothing of the data."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur.errors import DataError, PasteurError, rule
from pasteur.files import atomic
from pasteur.marginals import Domain, GraphicalModel, Levels, Measurement, Merging
from pasteur.marginals.refinement import refine
from pasteur.privacy import Ledger
from pasteur.synth._refining import Refinement, targets
from pasteur.table import Table, column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pasteur.marginals import Clique
    from pasteur.marginals.sampling import Codes

FORMAT = "pasteur-model-2"
"""Says how the header and the arrays are to be read."""

UNREADABLE = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    PasteurError,
    RuntimeError,  # among them RecursionError (JSON nested without end) and NotImplementedError (foreign zip files)
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file that is no model, is cut short or was made to do harm ends in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A fitted private algorithm. Everything in it is noisy or public, so that it may be released.

    Attributes:
        algorithm: name of the module of `pasteur.synth` that made it.
        settings: of that module, as JSON values.
        measurements: every noisy answer, as it was given.
        merging: which cells of an attribute were made one, and how rows undo it.
        graphical: the distribution over the merged domain.
        ledger: what was spent.
        levels: coarser levels of the merged attributes, which the distribution is over too; None: there are none.
        refinement: how rows are fitted to pairs once they are drawn; None: they stay as they are.
    """

    algorithm: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    measurements: tuple[Measurement, ...]
    merging: Merging
    graphical: GraphicalModel
    ledger: Ledger
    levels: Levels | None = None
    refinement: Refinement | None = None

    @property
    def domain(self) -> Domain:
        """Attributes and sizes of the rows that come out."""
        return self.merging.domain

    @property
    def rows(self) -> int:
        """Rows that the model believes there are: noisy, or declared public."""
        return round(self.graphical.total)

    def sample(self, rows: int | None, *, rng: np.random.Generator) -> Table:
        """Give `rows` rows of codes (None: as many as the model believes there are); post-processing, nothing is spent.

        The table is lazy: it draws its rows each time it is read, the same ones each time, whatever the batch size.

        Raises:
            ValueError: rows is under 0.
        """
        count = self.rows if rows is None else rows
        if count < 0:
            raise ValueError(rule("rows", count, "0 or more, or None for as many as the model believes there are"))
        seed = [int(word) for word in rng.integers(2**32, size=4)]
        kinds = {name: _kind(size) for name, size in self.domain.as_dict().items()}
        schema = pa.schema([(name, pa.from_numpy_dtype(kind)) for name, kind in kinds.items()])

        def make() -> Iterator[pa.RecordBatch]:
            stream = np.random.default_rng(seed)
            for chunk in self.graphical.sample(count, rng=stream):
                codes = self.merging.unfold(self._refined(chunk, stream), rng=stream)
                yield pa.record_batch([column_of(codes[name].astype(kinds[name])) for name in kinds], schema=schema)

        return Table.stream(schema, make, rows=count)

    def _refined(self, chunk: Mapping[str, Codes], stream: np.random.Generator) -> dict[str, Codes]:
        """The chunk's rows of merged attributes, without levels, swapped until they fit the targets better."""
        base = self.merging.merged.as_dict()
        codes = {name: chunk[name] for name in base}
        rows = len(next(iter(codes.values()))) if codes else 0
        if self.refinement is None or not rows:
            return codes
        passes = self.refinement.affordable(rows, len(base))
        narrow = {name: column.astype(_kind(base[name])) for name, column in codes.items()}
        share = rows / self.graphical.total
        wanted = {pair: table * share for pair, table in self._targets.items()}
        refined = refine(narrow, wanted, passes=passes, rng=stream)
        return {name: column.astype(np.intp) for name, column in refined.items()}

    @cached_property
    def _targets(self) -> dict[Clique, NDArray[np.float64]]:
        numbers = self.refinement.outside if self.refinement else ()
        outside = [self.measurements[number] for number in numbers]
        return targets(self.graphical, self.levels, self.merging.merged, outside)

    def packed(self) -> dict[str, np.ndarray]:
        """All of it as arrays; `header` among them is JSON as UTF-8 bytes."""
        header = {
            "format": FORMAT,
            "algorithm": self.algorithm,
            "settings": dict(self.settings),
            "domain": self.domain.as_dict(),
            "cliques": self.graphical.cliques,
            "zeros": [zero.clique for zero in self.graphical.zeros],
            "total": self.graphical.total,
            "measurements": [{"clique": each.clique, "sigma": each.sigma} for each in self.measurements],
            "ledger": self.ledger.to_dict(),
            "levels": {name: source for name, (source, _) in self.levels.maps.items()} if self.levels else None,
            "refinement": asdict(self.refinement) if self.refinement else None,
        }
        arrays: dict[str, np.ndarray] = dict(self.graphical.arrays())
        arrays |= {f"measured_{index}": each.values for index, each in enumerate(self.measurements)}
        for index, name in enumerate(self.domain.attributes):
            arrays |= {f"map_{index}": self.merging.maps[name], f"shares_{index}": self.merging.shares[name]}
        maps = self.levels.maps.values() if self.levels else ()
        arrays |= {f"level_{index}": codes for index, (_, codes) in enumerate(maps)}
        return {"header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)} | arrays

    def save(self, path: Path) -> None:
        """Write one npz file, whole or not at all: the arrays of `packed`.

        Raises:
            DataError: the folder cannot be written.
        """
        write(path, self.packed())

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read what `save` wrote: ready to sample, nothing is fitted again.

        A file of several tables gives the model of those, a `RelationalModel`, which samples a table each.

        Raises:
            DataError: it is not there, or no model of this format.
        """
        try:
            with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            if any(name.startswith("root/") for name in arrays):
                from pasteur.synth._relational_model import RelationalModel

                return RelationalModel.of_arrays(arrays)  # type: ignore[return-value]
            return of_arrays(arrays)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        except UNREADABLE as error:
            message = f"{path}: is not a model that Pasteur wrote ({type(error).__name__})"
            raise DataError(message) from error


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as one npz file, whole or not at all.

    Raises:
        DataError: the folder cannot be written.
    """
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def of_arrays(arrays: Mapping[str, np.ndarray]) -> Model:
    """The model that `packed` gave these arrays of.

    Raises:
        DataError: they are of another format.
    """
    header = json.loads(arrays["header"].tobytes())
    if header["format"] != FORMAT:
        raise DataError(rule("its format", header["format"], f"{FORMAT}, which this version of Pasteur reads"))
    domain = Domain.of(header["domain"])
    merging = Merging(
        domain=domain,
        maps=dict(zip(domain.attributes, _numbered(arrays, "map", len(domain)), strict=True)),
        shares=dict(zip(domain.attributes, _numbered(arrays, "shares", len(domain)), strict=True)),
    )
    cliques = [tuple(clique) for clique in header["cliques"]]
    described = header["measurements"]
    _usable(merging, arrays, len(cliques))
    levels = None if header["levels"] is None else _levels(merging.merged, header["levels"], arrays)
    modelled = levels.domain if levels else merging.merged
    zeros = [tuple(clique) for clique in header["zeros"]]
    return Model(
        algorithm=header["algorithm"],
        settings=header["settings"],
        measurements=tuple(
            Measurement(clique=tuple(each["clique"]), values=values, sigma=each["sigma"])
            for each, values in zip(described, _numbered(arrays, "measured", len(described)), strict=True)
        ),
        merging=merging,
        graphical=GraphicalModel.from_arrays(modelled, cliques, header["total"], arrays, zeros=zeros),
        ledger=Ledger.from_dict(header["ledger"]),
        levels=levels,
        refinement=None if header["refinement"] is None else _refinement(header["refinement"], len(described)),
    )


def _refinement(raw: Mapping[str, Any], measured: int) -> Refinement:
    numbers = tuple(int(number) for number in raw["outside"])
    if not all(0 <= number < measured for number in numbers):
        raise ValueError(rule("outside", numbers, f"numbers of the {measured} measurements"))
    return Refinement(passes=int(raw["passes"]), outside=numbers)


def _levels(base: Domain, sources: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> Levels:
    codes = _numbered(arrays, "level", len(sources))
    return Levels(base, {name: (sources[name], codes) for name, codes in zip(sources, codes, strict=True)})


def _usable(merging: Merging, arrays: Mapping[str, np.ndarray], cliques: int) -> None:
    """Refuse arrays of the right shape that no row can be drawn from."""
    for name, codes in merging.maps.items():
        if codes.dtype.kind not in "iu":
            raise ValueError(rule(f"map of '{name}'", codes.dtype, "whole numbers"))
        shares = merging.shares[name]
        if not (np.all(np.isfinite(shares)) and np.all(shares >= 0)):
            raise ValueError(rule(f"shares of '{name}'", shares, "finite and 0 or more"))
    for table in _numbered(arrays, "potential", cliques):
        # -inf marks cells that cannot be.
        if table.dtype.kind != "f" or not np.all(table < np.inf):
            raise ValueError(rule("potentials", table.dtype, "floats under infinity"))


def _numbered(arrays: Mapping[str, np.ndarray], name: str, count: int) -> Iterable[np.ndarray]:
    return (arrays[f"{name}_{index}"] for index in range(count))


def _kind(size: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest unsigned type of the codes 0 to size - 1."""
    return np.min_scalar_type(size - 1)
