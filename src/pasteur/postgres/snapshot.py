"""What of a server a run reads: one moment of it, and what says whether that was read before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pasteur.postgres.relations import Relation, TableSpec, relations_of
from pasteur.postgres.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping


class Snapshot:
    """The tables of a data set at one moment. Nothing is connected before something is asked.

    Args:
        dataset: its name, for messages.
        tables: where each table is in the server.
        variable: the environment variable with the connection string.
        seconds: what one statement may take.
    """

    def __init__(self, dataset: str, tables: Mapping[str, TableSpec], *, variable: str, seconds: float) -> None:
        self.where, self.tables = f"data set '{dataset}'", tables
        self.variable, self.seconds = variable, seconds
        self.recorded: dict[str, str] = {}
        """What a manifest keeps of it: another state is another snapshot. No secret, no cell."""
        self._session: Session | None = None
        self._relations: Mapping[str, Relation] | None = None

    @property
    def session(self) -> Session:
        """The connection, made when it is first needed; its transaction is the snapshot."""
        if self._session is None:
            self._session = Session(variable=self.variable, seconds=self.seconds)
        return self._session

    @property
    def relations(self) -> Mapping[str, Relation]:
        """The tables as the server has them.

        Raises:
            DataError: one is not there or may not be read.
        """
        if self._relations is None:
            self._relations = relations_of(self.session, self.tables, where=self.where)
        return self._relations

    def close(self) -> None:
        """Let go of the server."""
        if self._session is not None:
            self._session.close()
        self._session = self._relations = None
