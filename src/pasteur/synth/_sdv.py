"""What SDV's synthesizers share: frames in and out, seeds, progress in a log, and files that are checked when read.

They learn from values, not from codes, and make no claim. SDV is imported where it is used: it takes five seconds.
"""

from __future__ import annotations

import random
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pasteur.errors import ConfigError, DataError, PasteurError, place, rule
from pasteur.files import atomic
from pasteur.synth import _sdv_frames
from pasteur.synth._sdv_progress import told
from pasteur.table import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from pasteur.table import Table

    Frames = Mapping[str, pd.DataFrame]
    Metadata = Mapping[str, Any]

SEEDS = 2**31
"""Seeds are below this: numpy's old generators take no more than 32 bits."""


class Drawer(Protocol):
    """A fitted synthesizer, whatever its kind."""

    def draw(self, rows: int | None, seed: int) -> Frames:
        """Synthetic frames: `rows` in the first component, None for as many as were learnt from."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A fitted synthesizer and the form of the rows that it learnt from. It makes no claim: it is no release."""

    algorithm: str
    drawer: Drawer
    schemas: Mapping[str, pa.Schema]
    """Arrow schema of each component."""
    metadata: Metadata
    """SDV's V2 metadata of the components."""

    def sample(self, rows: int | None, *, rng: np.random.Generator) -> dict[str, Table]:
        """Synthetic rows of each component, as values.

        Args:
            rows: of the first component; None: as many as were learnt from.
            rng: the draws follow from it.

        Raises:
            ConfigError: rows is under 1.
            DataError: SDV fails.
        """
        if rows is not None and rows < 1:
            raise ConfigError(rule("rows", rows, "1 or more"))
        with _steady(self.algorithm, "sample", rng) as seed:
            frames = self.drawer.draw(rows, seed)
        return _sdv_frames.tables(frames, self.schemas, self.metadata)

    def save(self, path: Path) -> str:
        """Write the model as a cloudpickle, whole or not at all; give the sha256 without which it is not read."""
        import cloudpickle

        held = cloudpickle.dumps(self)
        with atomic(path) as temporary:
            temporary.write_bytes(held)
        return sha256(held).hexdigest()

    @classmethod
    def load(cls, path: Path, digest: str) -> Learned:
        """The model at `path`: a pickle runs whatever it says, so that not a byte of another file is unpickled.

        Raises:
            DataError: it is not there, not the file of that sha256, or of a version of SDV that cannot be read.
        """
        import cloudpickle

        try:
            held = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        if sha256(held).hexdigest() != digest:
            raise DataError(f"{path}: is not the file that its manifest tells of (its sha256 differs): not loaded")
        try:
            found = cloudpickle.loads(held)
        except Exception as error:
            raise DataError(f"{path}: cannot be read with this version of SDV ({type(error).__name__})") from error
        if not isinstance(found, cls):
            raise DataError(f"{path}: is not a model of SDV's")
        return found


def learn(
    algorithm: str,
    fit: Callable[[Frames, Metadata], Drawer],
    data: Mapping[str, Table],
    metadata: Metadata,
    *,
    rng: np.random.Generator,
) -> Learned:
    """Fit a synthesizer of SDV's.

    Args:
        algorithm: its name here.
        fit: makes and fits it from frames and V2 metadata of the same tables.
        data: component -> rows as values; a column of the unit's ids is left out.
        metadata: SDV's V2 metadata, as the schema declares them; nothing is detected in the data.
        rng: the fit follows from it.

    Raises:
        DataError: a component has no rows, or SDV fails.
    """
    values = {component: table.without([UNIT]) for component, table in data.items()}
    frames = _sdv_frames.frames(values)
    for component, frame in frames.items():
        if frame.empty:
            raise DataError(f"component '{component}' must have rows for algorithm '{algorithm}' to learn from")
    described = _sdv_frames.plain(metadata, values)
    with _steady(algorithm, "learn", rng):
        drawer = fit(frames, described)
    schemas = {component: table.schema for component, table in values.items()}
    return Learned(algorithm=algorithm, drawer=drawer, schemas=schemas, metadata=described)


@contextmanager
def _steady(algorithm: str, what: str, rng: np.random.Generator) -> Iterator[int]:
    """Run SDV with a seed, its progress in the log and its errors without a cell of data. Yields the seed.

    SDV and its models draw from the generators that a whole process shares: they are as before afterwards. They would
    start a process for each core, too, to transform a column each: that takes longer than the columns do.
    """
    import torch
    from joblib import parallel_config

    seed = int(rng.integers(SEEDS))
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - SDV's, not ours
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the same
        torch.manual_seed(seed)
        # What it warns of is how it may be used, not what became of these data.
        with told(algorithm), parallel_config(backend="sequential"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield seed
    except PasteurError:
        raise
    except Exception as error:
        raise DataError(f"algorithm '{algorithm}': SDV could not {what} ({place(error)})") from error
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002 - the same
        torch.set_rng_state(before[2])


@dataclass(frozen=True, kw_only=True)
class Flat:
    """A fitted single-table synthesizer."""

    component: str
    synthesizer: Any
    rows: int

    def draw(self, rows: int | None, seed: int) -> Frames:
        """Rows of the one table; the same ones for the same seed, whatever was drawn before."""
        self.synthesizer.reset_sampling()
        self.synthesizer._set_random_state(seed)  # noqa: SLF001 - SDV has no public way but one fixed seed
        drawn: Frames = self.synthesizer.sample(rows or self.rows)
        return drawn


def flat(make: Callable[[Any], Any]) -> Callable[[Frames, Metadata], Flat]:
    """How a single-table synthesizer is fitted; `make` takes SDV's metadata object."""

    def fit(frames: Frames, metadata: Metadata) -> Flat:
        from sdv.metadata import Metadata as Described

        ((component, frame),) = frames.items()
        synthesizer = make(Described.load_from_dict(dict(metadata)))
        synthesizer.fit({component: frame})
        return Flat(component=component, synthesizer=synthesizer, rows=len(frame))

    return fit


def positive(settings: Any, *names: str) -> None:
    """Refuse settings that are not above 0; of a list, each.

    Raises:
        ConfigError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if not all(one > 0 for one in (value if isinstance(value, list | tuple) else [value])):
            raise ConfigError(rule(name, value, "above 0"))
