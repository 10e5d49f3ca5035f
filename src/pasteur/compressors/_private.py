"""What a compressor may learn from: questions that are charged before they are answered, never series."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pasteur.errors import PrivacyError
from pasteur.privacy.moments import Moments, moments

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from pasteur.compressors import Floats, Series
    from pasteur.privacy import Ledger, Mechanisms
    from pasteur.privacy.sgd import PrivateSeries

    Features = Callable[[Series], Floats]
    """Rows of numbers, (entities, features), each from its own series alone."""


class PrivateFit:
    """Series and whose they are, behind the ledger of the run.

    Args:
        series: of every entity.
        units: (entities,) whose each is.
        ledger: charged before each answer.
        salt: key of the hash that says which of a unit's entities count.
        max_rows_per_unit: m: entities of a unit that count, at most.
        mechanisms: the noise; a recorder in tests.
    """

    def __init__(
        self,
        series: Series,
        units: pa.Array,
        ledger: Ledger,
        *,
        salt: str,
        max_rows_per_unit: int,
        mechanisms: Mechanisms,
    ) -> None:
        self._series, self._units = series, units
        self._ledger, self._salt, self._max_rows, self._mechanisms = ledger, salt, max_rows_per_unit, mechanisms

    def __reduce__(self) -> NoReturn:
        message = "a PrivateFit must not be pickled, copied or saved: it holds series"
        raise PrivacyError(message)

    @property
    def ledger(self) -> Ledger:
        """What was spent, and what is left."""
        return self._ledger

    def training(self, features: Features) -> PrivateSeries:
        """The series as rows of numbers that a network may learn from, by DP-SGD alone."""
        from pasteur.privacy.sgd import PrivateSeries

        return PrivateSeries(
            features(self._series),
            np.asarray(self._units.to_pylist(), dtype=object),
            self._ledger,
            salt=self._salt,
            max_rows_per_unit=self._max_rows,
            mechanisms=self._mechanisms,
        )

    def moments(self, features: Features, *, clip: float, cost: float, label: str) -> Moments:
        """Noisy second moments of rows of numbers; see `privacy.moments`."""
        return moments(
            features(self._series),
            self._units,
            self._ledger,
            clip=clip,
            cost=cost,
            label=label,
            mechanisms=self._mechanisms,
        )
