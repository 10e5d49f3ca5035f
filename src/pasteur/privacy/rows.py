"""`PrivateRows`: vetted questions about rows of which a unit has several, without paying for all of them.

A table of plain counts moves by m when a unit of m rows goes. Three ways to ask that cost less, each bounded by what
is done to a unit's own histogram h before histograms are summed, not by what it is hoped to be:

* clipped: h min(1, C / |h|_2): L2 sensitivity C, whatever the unit's rows;
* mean: h / #rows: L1, and so L2, sensitivity 1;
* choices: L1 distances to the mean tables: sensitivity 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.marginals import Domain, Measurement
from pasteur.privacy import sensitivity
from pasteur.privacy.budget import Epsilon, Sigma, checked
from pasteur.privacy.events import DiscreteGaussian, ExponentialChoice
from pasteur.privacy.grouped import MeanCounts, checked_rows, grouped
from pasteur.privacy.mechanisms import ExactMechanisms
from pasteur.privacy.scores import same_length, scoring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from pasteur.marginals import Clique, Levels
    from pasteur.privacy.budget import Relation, Sensitivity
    from pasteur.privacy.contexts import Context
    from pasteur.privacy.grouped import Grouped
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table


class PrivateRows:
    """Answers vetted questions about rows of which a unit may have several, each charged before it is answered.

    Args:
        codes: one integer column per attribute, and `_unit`: whose row it is.
        domain: attributes and sizes, from public knowledge only.
        ledger: what may be spent; the run's own, whatever else is asked of the same people.
        salt: key of the hash that settles ties.
        max_rows_per_unit: m; of a unit with more, its first m rows are kept before anything is counted.
        order: the column by which a unit's rows stand, the first ones first; None: as a keyed hash of the row has it.
        mechanisms: the noise; a recorder in tests. Its warnings go onto the ledger.

    Raises:
        PrivacyError: the table does not fit the domain, it has no column `_unit`, or m is no bound.
    """

    def __init__(
        self,
        codes: Table,
        domain: Domain,
        ledger: Ledger,
        *,
        salt: str,
        max_rows_per_unit: int,
        order: str | None = None,
        mechanisms: Mechanisms | None = None,
    ) -> None:
        most = checked_rows(max_rows_per_unit)
        rows = grouped(codes, domain, order=order, max_rows=most, salt=salt)
        self._set(MeanCounts(rows, domain), ledger, most, mechanisms)

    @classmethod
    def of(
        cls, rows: Grouped, domain: Domain, ledger: Ledger, *, max_rows_per_unit: int, mechanisms: Mechanisms | None
    ) -> PrivateRows:
        """The same over rows that are cut already (`PrivateTables`)."""
        private = object.__new__(cls)
        private._set(MeanCounts(rows, domain), ledger, checked_rows(max_rows_per_unit), mechanisms)
        return private

    def _set(self, counts: MeanCounts, ledger: Ledger, max_rows: int, mechanisms: Mechanisms | None) -> None:
        self._counts, self._ledger, self._max_rows = counts, ledger, max_rows
        self._mechanisms: Mechanisms = ExactMechanisms() if mechanisms is None else mechanisms
        for text in self._mechanisms.stamps:
            ledger.stamp(text)

    def __repr__(self) -> str:
        return f"PrivateRows({self.domain}, max_rows_per_unit={self._max_rows})"

    def __reduce__(self) -> NoReturn:
        message = "a PrivateRows must not be pickled, copied or saved: it holds exact rows"
        raise PrivacyError(message)

    @property
    def domain(self) -> Domain:
        """Attributes and sizes; public."""
        return self._counts.domain

    @property
    def ledger(self) -> Ledger:
        """What was spent, and what is left."""
        return self._ledger

    @property
    def max_rows(self) -> int:
        """Rows of a unit that count, at most: m; public."""
        return self._max_rows

    def clipped_sigma(self, cost: float, clip: float) -> Sigma:
        """The least scale, in rows, at which one clipped table costs at most `cost` (rho)."""
        return self._sigma(cost, sensitivity.clipped_l2(clip, self._relation), sensitivity.GRID)

    def mean_sigma(self, cost: float) -> Sigma:
        """The least scale, in units' weights of 1, at which one table of means costs at most `cost` (rho)."""
        return self._sigma(cost, sensitivity.mean_l2(self._relation), sensitivity.GRID)

    def sigma(self, cost: float) -> Sigma:
        """The least scale, in rows, at which one table of plain counts costs at most `cost` (rho)."""
        return self._sigma(cost, sensitivity.marginal_l2(self._max_rows, self._relation), 1)

    def choice_epsilon(self, cost: float) -> Epsilon:
        """The largest epsilon at which one choice costs at most `cost` (rho)."""
        return self._ledger.accountant.choice_epsilon(cost)

    def measure_clipped(
        self, cliques: Sequence[Clique], *, sigmas: Sequence[float], clip: float, label: str
    ) -> list[Measurement]:
        """Sum each unit's own histogram h, clipped to h min(1, clip / |h|_2), and add discrete Gaussian noise.

        What a unit adds is rounded toward zero to multiples of 2^-10 rows, and the noise lives on that grid; `clip` is
        rounded down to it. Charged as one event a clique, all or none, of L2 sensitivity `clip` (sqrt(2) times that
        under replacement).

        Args:
            cliques: attributes of each table.
            sigmas: scale of the noise of each, in rows.
            clip: norm that a unit may add, in rows, from 2^-10 to 16. A public number.
            label: what the ledger calls the question; the clique's attributes are appended.

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: an unknown attribute, a sigma that is not finite and above 0, a count of them that differs,
                or a clip out of its range.
        """
        steps = sensitivity.clip_steps(clip)
        bound = sensitivity.clipped_l2(clip, self._relation)
        make = lambda clique: self._counts.clipped(clique, steps)  # noqa: E731
        return self._measured(cliques, sigmas, bound, sensitivity.GRID, f"{label} (clip {clip:g})", make)

    def measure_mean(self, cliques: Sequence[Clique], *, sigmas: Sequence[float], label: str) -> list[Measurement]:
        """Sum each unit's own shares h / #rows and add discrete Gaussian noise: L2 sensitivity 1, else as above."""
        bound = sensitivity.mean_l2(self._relation)
        make = lambda clique: self._counts.exact([clique])[0]  # noqa: E731
        return self._measured(cliques, sigmas, bound, sensitivity.GRID, f"{label} (means)", make)

    def measure(self, cliques: Sequence[Clique], *, sigmas: Sequence[float], label: str) -> list[Measurement]:
        """Count rows and add discrete Gaussian noise: L2 sensitivity m, as of `PrivateTable.measure`."""
        bound = sensitivity.marginal_l2(self._max_rows, self._relation)
        return self._measured(cliques, sigmas, bound, 1, label, self._counts.plain)

    def choose(
        self,
        candidates: Sequence[Clique],
        *,
        answers: Sequence[npt.ArrayLike],
        epsilon: float,
        label: str,
        weights: npt.ArrayLike | None = None,
        bias: npt.ArrayLike | None = None,
        groups: Sequence[npt.ArrayLike | None] | None = None,
    ) -> int:
        """Choose the candidate whose answers are worst, by the exponential mechanism on the L1 distance to the means.

        As `PrivateTable.choose`, but in tables in which the rows of each unit weigh 1 together: sensitivity 1 (2 under
        replacement) times the largest weight, whatever m is. Answers and biases are in units' weights.

        Raises:
            BudgetError, PrivacyError: as there.
        """
        asked = scoring(candidates, self._counts.shapes(candidates), answers, weights=weights, bias=bias, groups=groups)
        bound = sensitivity.mean_score(self._relation, asked.weight)
        event = ExponentialChoice(epsilon=checked(Epsilon, "epsilon", epsilon), sensitivity=bound)
        self._ledger.charge(event, f"{label}: 1 of {len(candidates)}")
        return self._mechanisms.choose(asked.of(*self._counts.located(candidates), steps=1), event)

    def choose_context(
        self, candidates: Sequence[Context], *, epsilon: float, label: str, stop: bool = False, most: int = 1
    ) -> int | None:
        """Choose the context that tells most about a target beyond what is expected, by the exponential mechanism.

        The score of a candidate is sum |T[s, c, y] - T[s, c] q[y | s]| less its bias, q what is expected of the target
        given the contexts s that are known, T the table in which a unit's rows weigh `most` together, at most: of
        units of more rows each weighs less. How often contexts come does not matter, nor how they depend on each
        other: only what c adds. Shares are rounded down to multiples of 2^-20 first; a score is a whole number of
        sensitivity 2 `most` (4 `most` under replacement), in steps of 2^-30.

        Args:
            candidates: contexts, all of which must come from public numbers and noisy answers alone.
            epsilon: of the choice.
            label: what the ledger calls the question.
            stop: whether to choose none of them is one more candidate, of score 0.
            most: what a unit's rows weigh together, at most, in rows; a public number of 1 or more.

        Returns:
            Index into `candidates`, or None for none of them.

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: no candidate, an unknown attribute, or shares of another shape or that are none.
        """
        cliques = [each.clique for each in candidates]
        shapes = self._counts.shapes(cliques)
        shares = [each.checked(shape) for each, shape in zip(candidates, shapes, strict=True)]
        bound = sensitivity.conditional_score(most, self._relation)
        event = ExponentialChoice(epsilon=checked(Epsilon, "epsilon", epsilon), sensitivity=bound)
        self._ledger.charge(event, f"{label}: 1 of {len(candidates) + stop}")
        tables = {clique: self._counts.averaged(clique, most) for clique in dict.fromkeys(cliques)}
        scores = [each.score(tables[each.clique], q) for each, q in zip(candidates, shares, strict=True)]
        chosen = self._mechanisms.choose(np.array([*scores, *([0] if stop else [])], dtype=np.int64), event)
        return None if chosen == len(candidates) else chosen

    def with_levels(self, levels: Levels) -> PrivateRows:
        """The same rows with more attributes, coarser levels of others, on the same ledger.

        Levels must come from public knowledge and noisy answers alone: they are functions of one row's code.

        Raises:
            PrivacyError: levels over another domain.
        """
        if levels.base != self.domain:
            raise PrivacyError(rule("base of the levels", levels.base, f"the rows' domain, {self.domain}"))
        maps = {name: (levels.origin(name), levels.codes(name)) for name in levels.maps}
        private = object.__new__(PrivateRows)
        private.__dict__.update(self.__dict__)
        private._counts = MeanCounts(self._counts.rows, levels.domain, self._counts.levels | maps)
        return private

    def only(self, name: str, *, first: bool) -> PrivateRows:
        """The rows of code 0 of attribute `name`, or all others, on the same ledger: no unit has more of them.

        Raises:
            PrivacyError: an unknown attribute.
        """
        self._counts.shapes([(name,)])
        private = object.__new__(PrivateRows)
        private.__dict__.update(self.__dict__)
        private._counts = self._counts.only(name, first=first)
        return private

    @property
    def _relation(self) -> Relation:
        return self._ledger.budget.relation

    def _sigma(self, cost: float, bound: Sensitivity, steps: int) -> Sigma:
        return Sigma(self._ledger.accountant.sigma(cost, bound) / steps)

    def _measured(
        self,
        cliques: Sequence[Clique],
        sigmas: Sequence[float],
        bound: Sensitivity,
        steps: int,
        label: str,
        make: Callable[[Clique], Integers],
    ) -> list[Measurement]:
        """Charge all, then answer: exact tables in `steps` of a row, of sensitivity `bound`, noise in the same."""
        self._counts.shapes(cliques)
        same_length("sigmas", sigmas, len(cliques))
        events = [
            DiscreteGaussian(sigma=Sigma(checked(Sigma, "sigma", sigma) * steps), sensitivity=bound) for sigma in sigmas
        ]
        self._ledger.charge(events, [f"{label}: {' x '.join(clique)}" for clique in cliques])
        found = []
        for clique, event in zip(cliques, events, strict=True):
            noisy = self._mechanisms.gaussian(make(clique), event)
            values = noisy.astype(np.float64) / steps
            found.append(Measurement(clique=clique, values=values, sigma=float(event.sigma) / steps))
        return found
