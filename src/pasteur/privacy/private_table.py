"""`PrivateTable`: the only object through which an algorithm may see data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pasteur.errors import PrivacyError, near_miss, rule
from pasteur.marginals import Measurement
from pasteur.privacy import sensitivity
from pasteur.privacy.budget import Epsilon, Scale, Sigma, checked
from pasteur.privacy.counts import Counts, MergedCounts
from pasteur.privacy.events import DiscreteGaussian, DiscreteLaplace, ExponentialChoice
from pasteur.privacy.mechanisms import ExactMechanisms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from pasteur.marginals import Clique, Domain
    from pasteur.privacy.budget import Relation
    from pasteur.privacy.ledger import Ledger
    from pasteur.privacy.mechanisms import Mechanisms
    from pasteur.privacy.noise import Integers
    from pasteur.table import Table

LARGEST = 2.0**50
"""Sum of a model's answers, in rows, up to which scores on the 2^-10 grid are safe in int64."""

ROWS_PUBLIC = "the exact number of rows is not protected: the schema declares it public"
"""What a claim must say where an algorithm may look at the number of rows."""


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
        self._counts: Counts | MergedCounts = Counts(codes, domain, self._max_rows, salt)
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
        """Number of rows where the schema declares it public, else None: then measure it."""
        return self._counts.rows() if self._rows_public else None

    def sigma(self, cost: float) -> Sigma:
        """The least scale at which measuring one marginal costs at most `cost` (rho), as m and the relation demand."""
        return self._ledger.accountant.sigma(cost, sensitivity.marginal_l2(self._max_rows, self._relation))

    def choice_epsilon(self, cost: float) -> Epsilon:
        """The largest epsilon at which one choice costs at most `cost` (rho)."""
        return self._ledger.accountant.choice_epsilon(cost)

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
        self._check(cliques)
        _same_length("sigmas", sigmas, cliques)
        bound = sensitivity.marginal_l2(self._max_rows, self._relation)
        events = [DiscreteGaussian(sigma=checked(Sigma, "sigma", sigma), sensitivity=bound) for sigma in sigmas]
        self._ledger.charge(events, _named(label, cliques))
        return [
            _measurement(clique, self._mechanisms.gaussian(exact, event), event.sigma)
            for clique, exact, event in zip(cliques, self._counts.exact(cliques), events, strict=True)
        ]

    def measure_laplace(self, cliques: Sequence[Clique], *, scales: Sequence[float], label: str) -> list[Measurement]:
        """Count each clique and add discrete Laplace noise of its scale, in rows: pure DP, for a pure-DP algorithm.

        Arguments and errors as of `measure`. A measurement's sigma is the noise's standard deviation.
        """
        self._check(cliques)
        _same_length("scales", scales, cliques)
        bound = sensitivity.marginal_l1(self._max_rows, self._relation)
        events = [DiscreteLaplace(scale=checked(Scale, "scale", scale), sensitivity=bound) for scale in scales]
        self._ledger.charge(events, _named(label, cliques))
        return [
            _measurement(clique, self._mechanisms.laplace(exact, event), _laplace_sd(event.scale))
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

    def choose(
        self, candidates: Sequence[Clique], *, answers: Sequence[npt.ArrayLike], epsilon: float, label: str
    ) -> int:
        """Choose the candidate whose answers are worst, by the exponential mechanism on the L1 distance to the truth.

        The answers are rounded to multiples of 2^-10 rows (they are released numbers, so that is post-processing),
        and a score is the whole number of such steps between them and the exact counts.

        Args:
            candidates: cliques.
            answers: of each candidate a model's expected counts, in rows, shaped by its sizes; they must come from
                noisy answers alone.
            epsilon: of the choice.
            label: what the ledger calls the question.

        Returns:
            Index into `candidates`.

        Raises:
            BudgetError: the ledger refuses; nothing was answered.
            PrivacyError: no candidate, an unknown attribute, an answer of another shape or not finite.
        """
        self._check(candidates)
        _same_length("answers", answers, candidates)
        guesses = [self._guess(clique, answer) for clique, answer in zip(candidates, answers, strict=True)]
        bound = sensitivity.distance_score(self._max_rows, self._relation)
        event = ExponentialChoice(epsilon=checked(Epsilon, "epsilon", epsilon), sensitivity=bound)
        self._ledger.charge(event, f"{label}: 1 of {len(candidates)}")
        scores = np.array(
            [
                np.abs(exact * sensitivity.GRID - guess).sum()
                for exact, guess in zip(self._counts.exact(candidates), guesses, strict=True)
            ],
            dtype=np.int64,
        )
        return self._mechanisms.choose(scores, event)

    def merged(self, maps: Mapping[str, npt.ArrayLike]) -> PrivateTable:
        """The same people over a coarser domain, on the same ledger. The maps must come from noisy answers alone.

        Args:
            maps: of each merged attribute the new code of every old one: (size,) integers using all of 0 .. k - 1.

        Raises:
            PrivacyError: a map that does not fit the domain.
        """
        table = object.__new__(PrivateTable)
        table.__dict__.update(self.__dict__)
        table._counts = MergedCounts(self._counts, maps)
        return table

    @property
    def _relation(self) -> Relation:
        return self._ledger.budget.relation

    def _check(self, cliques: Sequence[Clique]) -> None:
        if not cliques:
            raise PrivacyError(rule("cliques", "none", "at least one"))
        for clique in cliques:
            for name in clique:
                if name not in self.domain.attributes:
                    message = f"attribute '{name}' is not in the domain{near_miss(name, self.domain.attributes)}"
                    raise PrivacyError(message)
            if not clique or len(set(clique)) != len(clique):
                raise PrivacyError(rule("clique", clique, "one or more different attributes"))

    def _guess(self, clique: Clique, answer: npt.ArrayLike) -> Integers:
        rows = np.asarray(answer, dtype=np.float64)
        shape = self.domain.shape(clique)
        if rows.shape != shape:
            raise PrivacyError(rule(f"answer to {clique}", rows.shape, f"of shape {shape}"))
        if not np.abs(rows).sum() < LARGEST:
            raise PrivacyError(rule(f"answer to {clique}", "its sum", "finite and under 2^50 rows"))
        return np.rint(rows * sensitivity.GRID).astype(np.int64)


def _measurement(clique: Clique, noisy: Integers, sigma: float) -> Measurement:
    return Measurement(clique=clique, values=noisy.astype(np.float64), sigma=float(sigma))


def _named(label: str, cliques: Sequence[Clique]) -> list[str]:
    return [f"{label}: {' x '.join(clique)}" for clique in cliques]


def _same_length(name: str, values: Sequence[object], cliques: Sequence[Clique]) -> None:
    if len(values) != len(cliques):
        raise PrivacyError(rule(f"number of {name}", len(values), f"{len(cliques)}, one for each clique"))


def _laplace_sd(scale: Scale) -> float:
    ratio = np.exp(-1 / float(scale))
    return float(np.sqrt(2 * ratio) / (1 - ratio))
