"""`GraphicalModel`: a distribution over a whole domain, from noisy marginals of parts of it ("private-PGM")."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pasteur.errors import rule
from pasteur.marginals import estimation, sampling
from pasteur.marginals.estimation import Stop
from pasteur.marginals.inference import Calibrated, Propagation
from pasteur.marginals.junction_tree import JunctionTree
from pasteur.marginals.zeros import Zeros

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from pasteur.marginals.domain import Clique, Domain
    from pasteur.marginals.inference import Array
    from pasteur.marginals.measurement import Measurement


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphicalModel:
    """p(x) proportional to exp(sum of `potentials` at x), and how many rows there are.

    Attributes:
        domain: what x may be.
        cliques: of the potentials, one a measurement, in the order measured; the same clique may come twice.
        potentials: one a clique, shape = its sizes.
        total: N, expected rows; above 0.
        step: size of mirror descent's last step, for the next fit to begin with; None where there was none.
        zeros: cells that cannot be.

    Raises:
        ValueError: cliques and potentials do not match each other or the domain, or total is not finite and above 0.
    """

    domain: Domain
    cliques: tuple[Clique, ...]
    potentials: tuple[Array, ...]
    total: float
    step: float | None = None
    zeros: tuple[Zeros, ...] = ()

    def __post_init__(self) -> None:
        """Check."""
        if not (math.isfinite(self.total) and self.total > 0):
            raise ValueError(rule("total", self.total, "finite and above 0"))
        _matching("potential", self.domain, self.cliques, self.potentials)
        _matching("zeros", self.domain, [zero.clique for zero in self.zeros], [zero.possible for zero in self.zeros])

    @classmethod
    def estimate(
        cls,
        domain: Domain,
        measurements: Sequence[Measurement],
        *,
        total: float | None = None,
        start: GraphicalModel | None = None,
        stop: Stop | None = None,
        zeros: Sequence[Zeros] = (),
    ) -> GraphicalModel:
        """Fit the distribution of most entropy to noisy marginals, weighted by 1/sigma^2.

        Args:
            domain: of the rows. Attributes in no measurement come out uniform.
            measurements: over any cliques, also of a graph with cycles.
            total: the number of rows where it is declared; None: the measurements' inverse-variance mean.
            start: a model of the first few of the same `measurements`, to begin from.
            stop: when fitting ends.
            zeros: cells that cannot be, over any cliques.

        Raises:
            ValueError: a measurement does not match the domain, `start` is of other cliques, `zeros` leave no cell that
                can be, or the model's tables would not fit into memory.
        """
        cliques = tuple(measured.clique for measured in measurements)
        _matching("measurement", domain, cliques, [measured.values for measured in measurements])
        known = start.cliques if start else ()
        if known != cliques[: len(known)]:
            raise ValueError(rule("start", known, f"a model of the first of {cliques}"))
        rows = estimation.total_of(measurements) if total is None else total
        begun = estimation.beginnings(measurements, rows)
        model = cls(
            domain=domain,
            cliques=cliques,
            potentials=(*(start.potentials if start else ()), *begun[len(known) :]),
            total=rows,
            step=start.step if start else None,
            zeros=tuple(zeros),
        )
        potentials, step = estimation.fit(
            model._propagation,
            measurements,
            total=rows,
            potentials=model.potentials,
            step=model.step,
            stop=stop or Stop(),
        )
        fitted = replace(model, potentials=potentials, step=step)
        vars(fitted)["_propagation"] = model._propagation  # of the same cliques
        return fitted

    @cached_property
    def calibrated(self) -> Calibrated:
        """The distribution by the nodes of a junction tree."""
        return self._propagation.calibrate(self.potentials)

    @cached_property
    def _propagation(self) -> Propagation:
        tree = JunctionTree.of(self.domain, [*self.cliques, *(zero.clique for zero in self.zeros)])
        return Propagation(tree, self.cliques, self.zeros)

    def marginal(self, clique: Clique) -> Array:
        """Give expected counts of any `clique`, measured or not: they sum to `total`.

        Raises:
            ValueError: an attribute that the domain lacks, or comes twice.
        """
        return self.total * self.calibrated.marginal(clique)

    def marginals(self, cliques: Sequence[Clique]) -> list[Array]:
        """Give expected counts of many cliques at once, pairs above all: far less work than one by one.

        Raises:
            ValueError: an attribute that the domain lacks, or comes twice.
        """
        return [self.total * answer for answer in self.calibrated.marginals(cliques)]

    def sample(self, rows: int, *, rng: np.random.Generator) -> Iterator[dict[str, sampling.Codes]]:
        """Yield `rows` rows of codes, attribute to (rows of the chunk,); counts follow the model with low variance.

        Raises:
            ValueError: rows is under 0.
        """
        if rows < 0:
            raise ValueError(rule("rows", rows, "0 or more"))
        return sampling.rows(self.calibrated, rows, rng=rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what is no text as named arrays: `potential_0`, ... one a clique, `possible_0`, ... one of the zeros.

        Domain, cliques, the cliques of the zeros and the total are for a header.
        """
        named: dict[str, np.ndarray] = {f"potential_{index}": table for index, table in enumerate(self.potentials)}
        return named | {f"possible_{index}": zero.possible for index, zero in enumerate(self.zeros)}

    @classmethod
    def from_arrays(
        cls,
        domain: Domain,
        cliques: Sequence[Clique],
        total: float,
        arrays: Mapping[str, np.ndarray],
        *,
        zeros: Sequence[Clique] = (),
    ) -> GraphicalModel:
        """Make the model of what `arrays` gave; nothing is fitted again.

        Args:
            domain: of the model.
            cliques: of the potentials.
            total: expected rows.
            arrays: as they were given; others are let be.
            zeros: cliques of the zeros.

        Raises:
            ValueError: an array is missing or does not match.
        """
        names = [f"potential_{index}" for index in range(len(cliques))]
        marks = [f"possible_{index}" for index in range(len(zeros))]
        missing = [name for name in [*names, *marks] if name not in arrays]
        if missing:
            raise ValueError(rule("arrays", sorted(arrays), f"with {missing[0]}"))
        return cls(
            domain=domain,
            cliques=tuple(cliques),
            potentials=tuple(arrays[name] for name in names),
            total=total,
            zeros=tuple(Zeros(clique, arrays[name]) for clique, name in zip(zeros, marks, strict=True)),
        )


def _matching(what: str, domain: Domain, cliques: Sequence[Clique], tables: Sequence[np.ndarray]) -> None:
    if len(cliques) != len(tables):
        raise ValueError(rule(f"number of {what}s", len(tables), f"{len(cliques)}, one a clique"))
    for clique, table in zip(cliques, tables, strict=True):
        if len(set(clique)) != len(clique):
            raise ValueError(rule(f"clique of the {what}", clique, "different attributes"))
        if table.shape != domain.shape(clique):
            raise ValueError(rule(f"shape of the {what} of {clique}", table.shape, f"{domain.shape(clique)}"))
