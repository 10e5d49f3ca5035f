"""The algorithms as estimators, for notebooks and programs: one thin facade over one function an algorithm.

    model = AIM(epsilon=1.0, delta=1e-9).fit(codes, {"age": 91, "sex": 2})
    model.sample(1000, rng=numpy.random.default_rng(0))

What may be set is what the algorithm's `Settings` say, which each estimator inherits: nothing is written down twice.
scikit-learn's `get_params` and `clone` work by duck typing; it is not imported.
"""

from __future__ import annotations

import dataclasses
import functools
import secrets
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from pasteur.errors import ConfigError, DataError, PasteurError, near_miss, rule
from pasteur.privacy import Budget, Ledger, PrivateTable, Relation
from pasteur.privacy import accountant as accountant_of
from pasteur.privacy.ledger import ROWS_PUBLIC
from pasteur.synth import aim, aim_gdp, find, independent, mst, mwem, privbayes, weave
from pasteur.synth._checks import typed, whole
from pasteur.synth._coded import domain_of, table_of
from pasteur.synth.model import Model

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

PEOPLE = ("the table",)
"""Whom a claim covers: all units of the table that was given."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimator:
    """What all estimators are: frozen settings, `fit`, `sample`, `save` and `load`.

    Attributes:
        model_: after `fit`: noisy measurements and structure, nothing of the data; its `sample` gives rows lazily.
        ledger_: after `fit`: what was spent on what, and what may be claimed.

    Raises:
        ConfigError: a setting of another type, or outside of its range.
    """

    algorithm: ClassVar[str]
    """The module of `pasteur.synth`."""

    epsilon: float = 1.0
    """Of the (epsilon, delta) that all of a fit costs; finite and above 0."""
    delta: float = 1e-9
    """Inside (0, 1)."""
    accountant: str | None = None
    """How costs add up: "gdp" or "zcdp"; None: whichever buys this algorithm more."""
    relation: Relation = "add_remove"
    """What neighbours are: "add_remove" one unit, or "replace" one by another."""
    unit: str | None = None
    """What a unit is, in words, for the claim; None: a "person" where `fit` is given units, else a "row"."""
    rows_public: bool = False
    """Whether anybody may know the exact number of rows. The claim says so."""

    if TYPE_CHECKING:
        model_: Model = dataclasses.field(init=False)
        ledger_: Ledger = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Check all settings, types first."""
        hints = typing.get_type_hints(type(self))
        for name, value in self.get_params().items():
            object.__setattr__(self, name, typed(hints[name], value, name))
        self._settings()
        accountant_of(self._accountant())

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        shown = [f"epsilon={self.epsilon!r}", f"delta={self.delta!r}"]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in {"epsilon", "delta"} and value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def fit(self, codes: object, domain: object, units: object = None, max_rows_per_unit: int = 1) -> Self:
        """Learn `model_`, spending the whole budget once. Each call is a release of its own: their costs add up.

        Args:
            codes: (rows, attributes) whole numbers, column i from 0 to the size of attribute i - 1; or a pandas frame
                or Arrow table of such columns, named as in the domain; or a `pasteur.table.Table`, which is streamed.
            domain: {attribute: number of codes}, from public knowledge, not from the data: neighbouring codes are taken
                to be alike; or a `pasteur.marginals.Domain`, which says of which attributes they are.
            units: (rows,) whose row it is: ids, all text or all whole numbers; None: each row is a unit of its own,
                and the claim is about rows, not about people who have several.
            max_rows_per_unit: m: of a unit with more rows, m are kept, drawn at random. The noise is m times as large.

        Returns:
            Itself.

        Raises:
            ConfigError: a domain, units or settings that cannot be.
            DataError: codes that do not fit the domain, or units: names column and row, never a value.
            BudgetError: the budget is too small for one measurement. What was asked until then has been spent.
        """
        sizes = domain_of(domain)
        rows = whole("max_rows_per_unit", max_rows_per_unit, 1)
        if units is None and rows != 1:
            raise ConfigError(rule("max_rows_per_unit", rows, "1 where no units are given: each row is one of its own"))
        table, sizes = table_of(codes, sizes, units)
        private = PrivateTable(
            table,
            sizes,
            Ledger(self._budget("row" if units is None else "person"), self._accountant(), people=PEOPLE),
            salt=secrets.token_hex(16),
            max_rows_per_unit=rows,
            rows_public=self.rows_public,
        )
        return self._with(find(self.algorithm).fit(private, self._settings()))

    def sample(self, n: int | None = None, *, rng: np.random.Generator) -> pd.DataFrame:
        """Draw rows of codes: post-processing, nothing is spent.

        Args:
            n: how many; None: as many as the model believes there are.
            rng: draws them. The same state gives the same rows.

        Returns:
            (n, attributes) codes in the smallest unsigned types, columns as those that were fitted.

        Raises:
            ConfigError: it is not fitted, n is no whole number of 0 or more, or rng is no generator.
        """
        if not isinstance(rng, np.random.Generator):
            raise ConfigError(rule("rng", type(rng).__name__, "a numpy.random.Generator"))
        return self._fitted().sample(None if n is None else whole("n", n, 0), rng=rng).frame()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted model as one file (npz with a JSON header, no pickle), whole or not at all.

        Raises:
            ConfigError: it is not fitted.
            DataError: the folder cannot be written.
        """
        self._fitted().save(Path(path))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read what `save` wrote: fitted, with the settings that it had.

        Raises:
            DataError: it is not there, is no model of this version, or is another algorithm's.
        """
        model = Model.load(Path(path))
        if model.algorithm != cls.algorithm:
            must_be = f"{cls.algorithm}, which is what {cls.__name__} reads"
            raise DataError(f"{path}: " + rule("algorithm", model.algorithm, must_be))
        budget, ledger = model.ledger.budget, model.ledger
        try:
            fitted = cls(
                epsilon=budget.epsilon,
                delta=budget.delta,
                relation=budget.relation,
                unit=budget.unit,
                accountant=ledger.accountant.name,
                rows_public=ROWS_PUBLIC in ledger.stamps,
                **model.settings,
            )
        except (PasteurError, TypeError) as error:
            raise DataError(f"{path}: holds settings of another version of Pasteur ({error})") from error
        return fitted._with(model)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn's
        """All settings by name, as scikit-learn asks for them."""
        del deep  # no setting is an estimator
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Nothing but itself where nothing is to be set.

        Raises:
            ConfigError: there is: an estimator is frozen, so that its settings are those of its model and its claim.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        for name in params:
            if name not in fields:
                raise ConfigError(f"'{name}' is no setting of {type(self).__name__}{near_miss(name, fields)}")
            raise ConfigError(f"settings are frozen: make another, {type(self).__name__}({name}=...)")
        return self

    def __sklearn_clone__(self) -> Self:
        """An estimator of the same settings that is not fitted."""
        return type(self)(**self.get_params())

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's own functions ask about an estimator."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), requires_fit=True)

    def _budget(self, unit: str = "person") -> Budget:
        word = unit if self.unit is None else self.unit
        return Budget(epsilon=self.epsilon, delta=self.delta, relation=self.relation, unit=word)

    def _settings(self) -> Any:
        settings = find(self.algorithm).Settings
        return settings(**{field.name: getattr(self, field.name) for field in dataclasses.fields(settings)})

    def _accountant(self) -> str:
        chosen: str = self.accountant or find(self.algorithm).accountant(self._budget(), self._settings())
        return chosen

    def _with(self, model: Model) -> Self:
        self.__dict__.update(model_=model, ledger_=model.ledger)
        return self

    def _fitted(self) -> Model:
        if "model_" not in self.__dict__:
            raise ConfigError(f"this {type(self).__name__} is not fitted: call fit(codes, domain) first")
        return self.model_


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Weave(Estimator, weave.Settings):
    """`weave`: noisy pairs of levels in a tree, and rows that are woven to fit the rest. The most accurate."""

    algorithm: ClassVar[str] = "weave"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AIM(Estimator, aim.Settings):
    """`aim`: each round measures the clique of a workload that the model so far answers worst."""

    algorithm: ClassVar[str] = "aim"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AIMGDP(Estimator, aim_gdp.Settings):
    """`aim_gdp`: as `aim`, but the errors themselves are measured, with Gaussian noise."""

    algorithm: ClassVar[str] = "aim_gdp"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MST(Estimator, mst.Settings):
    """`mst`: a maximum spanning tree of pairs. Fast, and no more than pairs of a tree."""

    algorithm: ClassVar[str] = "mst"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MWEM(Estimator, mwem.Settings):
    """`mwem`: a fixed number of rounds of choose and measure, on a graphical model."""

    algorithm: ClassVar[str] = "mwem"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PrivBayes(Estimator, privbayes.Settings):
    """`privbayes`: a Bayesian network, each attribute given a few others or coarser levels of them."""

    algorithm: ClassVar[str] = "privbayes"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Independent(Estimator, independent.Settings):
    """`independent`: each attribute on its own. The floor."""

    algorithm: ClassVar[str] = "independent"


@functools.cache
def estimator(algorithm: str) -> type[Estimator]:
    """The estimator of an algorithm by the name of its module; one that has no class here gets one.

    Raises:
        ConfigError: there is no such algorithm, or it makes no claim.
    """
    module = find(algorithm)
    if not module.PRIVATE:
        raise ConfigError(rule("algorithm", algorithm, "private: this one gives real rows, and has no estimator"))
    for known in Estimator.__subclasses__():
        if known.algorithm == algorithm:
            return known
    name = "".join(word.capitalize() for word in algorithm.split("_"))
    body = {"algorithm": algorithm, "__doc__": module.__doc__, "__module__": __name__}
    made = type(name, (Estimator, module.Settings), body)
    return dataclass(frozen=True, kw_only=True, eq=False, repr=False)(made)
