"""`PrivateTable`: the only object through which an algorithm may see data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pasteur.errors import PrivacyError, rule
from pasteur.marginals import Measurement
from pasteur.privacy import sensitivity
from pasteur.privacy.budget import Epsilon, Scale, Sigma, checked
from pasteur.privacy.counts import Counts, Exact, FoldedCounts
from pasteur.privacy.events import DiscreteGaussian, DiscreteLaplace, ExponentialChoice
from pasteur.privacy.ledger import ROWS_PUBLIC
from pasteur.privacy.mechanisms import ExactMechanisms
from pasteur.privacy.scores import same_length, scoring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from pasteur.marginals import Clique, Domain, Levels
    from pasteur.privacy.budget import Relation
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table


class PrivateTable:
    """Answers vetted questions about a table of codes, each charged on the ledger before it is answered.

    Args:
        codes: one integer column per attribute; column `_unit` says whose row it is (absent: each row its own).
        domain: attributes and sizes, from public knowledge only.
        ledger: what may be spent.
        max_rows_per_unit: m; of a unit with more, m rows are kept before anything is counted.
        salt: key of the hash that says which.
        rows_public: the schema declares the number of rows public.
        mechanisms: the noise; a recorder in tests. Its warnings go onto the ledger.

    Raises:
        PrivacyError: the table does not fit the domain, or m is no bound.
    """

    def __init__(
        self,
        codes: Table,
        domain: Domain,
        ledger: Ledger,
        *,
        salt: str,
        max_rows_per_unit: int = 1,
        rows_public: bool = False,
        mechanisms: Mechanisms | None = None,
    ) -> None:
        self._max_rows = sensitivity.rows_per_unit(max_rows_per_unit)
        self._counts: Exact = Counts(codes, domain, self._max_rows, salt)
        self._ledger = ledger
        self._rows_public = rows_public
        self._mechanisms: Mechanisms = ExactMechanisms() if mechanisms is None else mechanisms
        for text in (*self._mechanisms.stamps, *([ROWS_PUBLIC] if rows_public else [])):
            ledger.stamp(text)

    def __repr__(self) -> str:
        return f"PrivateTable({self.domain}, max_rows_per_unit={self._max_rows})"

    def __reduce__(self) -> NoReturn:
        message = "a PrivateTable must not be pickled, copied or saved: it holds exact counts"
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
    def public_rows(self) -> int | None:
        """Rows that are left once each unit is cut, where the schema declares their number public, else None."""
        return self._counts.total() if self._rows_public else None

    def sigma(self, cost: float) -> Sigma:
        """The least scale at which measuring one marginal costs at most `cost` (rho), as m and the relation demand."""
        return self._ledger.accountant.sigma(cost, sensitivity.marginal_l2(self._max_rows, self._relation))

    def choice_epsilon(self, cost: float) -> Epsilon:
        """The largest epsilon at which one choice costs at most `cost` (rho)."""
        return self._ledger.accountant.choice_epsilon(cost)

    def error_sigma(self, cost: float, count: int) -> Sigma:
        """The least scale, in rows, at which measuring the errors of `count` candidates costs at most `cost` (rho)."""
        sigma = self._ledger.accountant.sigma(cost, sensitivity.distances_l2(self._max_rows, self._relation, count))
        return Sigma(sigma / sensitivity.GRID)

    def measure(self, cliques: Sequence[Clique], *, sigmas: Sequence[float], label: str) -> list[Measurement]:
        """Count each clique and add discrete Gaussian noise of its sigma, in rows, to every cell.

        Charged as one event a clique, all or none.

        Args:
            cliques: attributes of each marginal.
            sigmas: scale of the noise of each, in rows.
            label: what the ledger calls the question; the clique's attributes are appended.

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: an unknown attribute, a sigma that is not finite and above 0, or a count of them that differs.
        """
        self._counts.shapes(cliques)
        same_length("sigmas", sigmas, len(cliques))
        bound = sensitivity.marginal_l2(self._max_rows, self._relation)
        events = [DiscreteGaussian(sigma=checked(Sigma, "sigma", sigma), sensitivity=bound) for sigma in sigmas]
        self._ledger.charge(events, _named(label, cliques))
        return [
            _measurement(clique, self._mechanisms.gaussian(exact, event), event.sigma)
            for clique, exact, event in zip(cliques, self._counts.exact(cliques), events, strict=True)
        ]

    def measure_laplace(self, cliques: Sequence[Clique], *, scales: Sequence[float], label: str) -> list[Measurement]:
        """As `measure`, with discrete Laplace noise: pure DP. A measurement's sigma is its standard deviation."""
        self._counts.shapes(cliques)
        same_length("scales", scales, len(cliques))
        bound = sensitivity.marginal_l1(self._max_rows, self._relation)
        events = [DiscreteLaplace(scale=checked(Scale, "scale", scale), sensitivity=bound) for scale in scales]
        self._ledger.charge(events, _named(label, cliques))
        return [
            _measurement(clique, self._mechanisms.laplace(exact, event), event.sd)
            for clique, exact, event in zip(cliques, self._counts.exact(cliques), events, strict=True)
        ]

    def measure_total(self, *, sigma: float, label: str) -> Measurement:
        """The number of rows, plus discrete Gaussian noise: a measurement of the empty clique, values of shape ().

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: a sigma that is not finite and above 0.
        """
        event = DiscreteGaussian(sigma=checked(Sigma, "sigma", sigma), sensitivity=sensitivity.total(self._max_rows))
        self._ledger.charge(event, label)
        noisy = self._mechanisms.gaussian(np.array(self._counts.total(), dtype=np.int64), event)
        return _measurement((), noisy, event.sigma)

    def measure_errors(
        self, candidates: Sequence[Clique], *, answers: Sequence[npt.ArrayLike], sigma: float, label: str
    ) -> npt.NDArray[np.float64]:
        """L1 distance between each candidate's exact counts and its answers, plus discrete Gaussian noise: (k,), rows.

        Charged as one event: one unit may move all k distances by m rows each, so the vector has L2 sensitivity
        m sqrt(k) (twice that under replacement). There is no cheaper price for looking at the largest alone.

        Args:
            candidates: cliques.
            answers: as of `choose`.
            sigma: scale of the noise on each distance, in rows (`error_sigma` says what a share of the budget buys);
                it lives on multiples of 2^-10 rows.
            label: what the ledger calls the question.

        Raises:
            BudgetError, PrivacyError: as of `choose`.
        """
        asked = scoring(candidates, self._counts.shapes(candidates), answers)
        event = DiscreteGaussian(
            sigma=Sigma(checked(Sigma, "sigma", sigma) * sensitivity.GRID),
            sensitivity=sensitivity.distances_l2(self._max_rows, self._relation, len(candidates)),
        )
        self._ledger.charge(event, f"{label}: errors of {len(candidates)}")
        return self._mechanisms.gaussian(asked.of(*self._counts.located(candidates)), event) / sensitivity.GRID

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
        """Choose the candidate whose answers are worst, by the exponential mechanism on the L1 distance to the truth.

        The score of candidate i is w_i (sum over its cells |exact - answer| - bias_i). All but the exact counts is
        rounded first, which is post-processing: answers and biases to multiples of 2^-10 rows, weights to multiples of
        a 4096th of the largest unless they are whole. So a score is a whole number, and its sensitivity exactly
        1024 m (2048 m under replacement) times the largest weight.

        Args:
            candidates: cliques.
            answers: of each candidate a model's expected counts, in rows, shaped by its sizes; like weights, biases
                and groups they must come from public numbers and noisy answers alone.
            epsilon: of the choice.
            label: what the ledger calls the question.
            weights: of each candidate, above 0; None: all 1.
            bias: of each candidate, in rows; None: all 0.
            groups: of each candidate None, or the group (0 or more, under the number of cells) of each of its cells,
                shaped by its sizes: the cells of a group are summed before they are compared.

        Returns:
            Index into `candidates`.

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: no candidate, an unknown attribute, a number of answers, weights, biases or groups that is
                not that of the candidates, answers or groups of another shape, or a number that is not finite.
        """
        return self.choose_several(
            candidates,
            answers=answers,
            epsilon=epsilon,
            count=1,
            label=label,
            weights=weights,
            bias=bias,
            groups=groups,
        )[0]

    def choose_several(  # noqa: PLR0913 - each is a part of one question
        self,
        candidates: Sequence[Clique],
        *,
        answers: Sequence[npt.ArrayLike],
        epsilon: float,
        count: int,
        label: str,
        weights: npt.ArrayLike | None = None,
        bias: npt.ArrayLike | None = None,
        groups: Sequence[npt.ArrayLike | None] | None = None,
        remaining: Callable[[Sequence[int]], Sequence[int]] | None = None,
    ) -> list[int]:
        """Choose `count` different candidates, one after the other, as `choose` does: without replacement.

        Charged as `count` choices of `epsilon` each, all or none. Arguments as of `choose`, and `remaining`: given the
        indices chosen so far, those that may be chosen next, one or more (None: all others). It sees nothing else.

        Returns:
            Indices into `candidates`, in the order in which they were chosen.

        Raises:
            BudgetError, PrivacyError: as of `choose`, or a count outside 1 to that of candidates.
        """
        shapes = self._counts.shapes(candidates)
        asked = scoring(candidates, shapes, answers, weights=weights, bias=bias, groups=groups)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(candidates):
            raise PrivacyError(rule("count", count, f"a whole number from 1 to that of candidates, {len(candidates)}"))
        bound = sensitivity.distance_score(self._max_rows, self._relation, asked.weight)
        event = ExponentialChoice(epsilon=checked(Epsilon, "epsilon", epsilon), sensitivity=bound)
        whole = len(candidates)
        self._ledger.charge([event] * count, [f"{label}: 1 of {whole - done}" for done in range(count)])
        scores = asked.of(*self._counts.located(candidates))
        chosen: list[int] = []
        for _ in range(count):
            left = remaining(chosen) if remaining else [each for each in range(whole) if each not in chosen]
            chosen.append(left[self._mechanisms.choose(scores[np.asarray(left)], event)])
        return chosen

    def merged(self, maps: Mapping[str, npt.ArrayLike]) -> PrivateTable:
        """The same people over a coarser domain, on the same ledger. The maps must come from noisy answers alone.

        Args:
            maps: of each merged attribute the new code of every old one: (size,) integers using all of 0 .. k - 1.

        Raises:
            PrivacyError: a map that does not fit the domain.
        """
        columns = {name: (name, np.arange(size)) for name, size in self.domain.as_dict().items()}
        return self._over(FoldedCounts(self._counts, columns | {name: (name, codes) for name, codes in maps.items()}))

    def with_levels(self, levels: Levels) -> PrivateTable:
        """The same people with more attributes, coarser levels of others, on the same ledger.

        The exact table of some attributes is counted once and summed for their levels. A clique may hold levels of
        different attributes, not two of the same one. Levels must come from public knowledge and noisy answers alone.

        Raises:
            PrivacyError: levels over another domain.
        """
        if levels.base != self.domain:
            raise PrivacyError(rule("base of the levels", levels.base, f"the table's domain, {self.domain}"))
        columns = {name: (levels.origin(name), levels.codes(name)) for name in levels.domain.attributes}
        return self._over(FoldedCounts(self._counts, columns))

    @property
    def _relation(self) -> Relation:
        return self._ledger.budget.relation

    def _over(self, counts: Exact) -> PrivateTable:
        table = object.__new__(PrivateTable)
        table.__dict__.update(self.__dict__)
        table._counts = counts
        return table


def _measurement(clique: Clique, noisy: Integers, sigma: float) -> Measurement:
    return Measurement(clique=clique, values=noisy.astype(np.float64), sigma=float(sigma))


def _named(label: str, cliques: Sequence[Clique]) -> list[str]:
    return [f"{label}: {' x '.join(clique)}" for clique in cliques]
