"""What is kept of a run, and what is told of it again: plain data that crosses between two processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pasteur.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TrackingError(DataError):
    """The store could not be written. What a run made is whole nevertheless."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one run. No cell of anybody's data belongs in it."""

    experiment: str
    """The view's name."""
    name: str
    """What the list of runs shows."""
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    folders: Sequence[str] = ()
    """Folders whose files are kept."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File -> the folder of the record that it is kept in."""
    documents: Mapping[str, Any] = field(default_factory=dict)
    """Name -> JSON document."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Name of each data set that was read -> digest. No profile: that would show the data."""
    seconds: float = 0.0
    failed: bool = False
    supersedes: bool = False
    """Whether it takes the place of earlier records of the same kind and sweep."""


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Where a record is found again."""

    experiment: str
    """MLflow's id of the experiment."""
    run: str
    """MLflow's id of the run."""

    @property
    def page(self) -> str:
        """The run's page, under the address of `pasteur ui`."""
        return f"#/experiments/{self.experiment}/runs/{self.run}?workflowType=machine_learning"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the store keeps of a run."""

    id: str
    name: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
