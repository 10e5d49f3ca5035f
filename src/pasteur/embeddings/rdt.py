"""An RDT transformer, then bins: for comparison with SDV's own preprocessing. It looks at data: not private."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from pasteur.embeddings import Part
from pasteur.embeddings import _moments as moments
from pasteur.embeddings._declared import EXACT, REPRESENTATIONS, Declared, flag, whole
from pasteur.embeddings._grid import Grid, bins_of
from pasteur.embeddings._values import flat, numbers, text
from pasteur.embeddings.categories import Categories
from pasteur.errors import SchemaError, near_miss, rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.schema import Column

KINDS = {"numerical": "a number", "datetime": "a date or time", "categorical": "text", "boolean": "text"}
"""SDV's types that are adapted, and what a value must be."""

MAX_DECIMALS = 6


@dataclass(frozen=True, kw_only=True)
class _Cut(Grid):
    """A grid whose bins begin at the fitted `cuts`, counted in steps from `low`."""

    type: ClassVar[str] = "cut"

    cuts: tuple[int, ...]

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """The fitted cuts."""
        return np.array(self.cuts, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Rdt(Declared):
    """`{"type": "rdt", "transformer", "bins", "settings"?}`; the domain may give `decimals`, and nothing else.

    `transformer` is a class of `rdt.transformers` that makes one column of one, `settings` its arguments. Numbers and
    moments: the transformer's range over the data is cut into `bins` equal bins, and what is kept is where they begin
    in the original's values, which is the same for a transformer that keeps order (all but `ClusterBasedNormalizer` do;
    others are refused). Categories and booleans: each level is a code, in the order of the transformed values, and
    `bins` is not used; an unseen level is code 0. Null is always the last code.
    """

    type: ClassVar[str] = "rdt"
    private: ClassVar[bool] = False

    sdtype: str
    transformer: str
    settings: Mapping[str, Any]
    bins: int
    decimals: int | None
    kind: str
    form: str | None
    fitted: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse SDV types that are not adapted."""
        if self.sdtype not in KINDS:
            raise SchemaError(
                rule(f"{self.where} sdtype", self.sdtype, f"one of {', '.join(KINDS)} for an rdt embedding")
            )

    @classmethod
    def declare(cls, column: Column) -> Self:
        """Read the transformer's name and settings; whether it exists is known when it is fitted."""
        chosen, domain = column.embedding or {}, column.domain or {}
        for part, entry, keys in (
            ("embedding", chosen, ("type", "transformer", "bins", "settings")),
            ("domain", domain, ("decimals", "null")),
        ):
            for key in entry:
                if key not in keys:
                    raise SchemaError(f"{column.where} {part}: '{key}' is not a known key{near_miss(key, keys)}")
        if not isinstance(chosen.get("transformer"), str):
            raise SchemaError(f"{column.where} embedding must have 'transformer', a class of rdt.transformers")
        flag(column, domain, "null")
        decimals = domain.get("decimals")
        form = column.sdv.get("datetime_format")
        return cls(
            name=column.name,
            where=column.where,
            null=True,
            sdtype=column.sdtype,
            transformer=chosen["transformer"],
            settings=dict(chosen.get("settings", {})),
            bins=bins_of(column, chosen) if column.sdtype in {"numerical", "datetime"} else 0,
            decimals=None if decimals is None else whole(f"{column.where} domain.decimals", decimals, 0, 15),
            kind=_kind(column, decimals),
            form=form,
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The embedding that gave this `state`."""
        return cls(**{key: value for key, value in state.items() if key != "type"})

    @cached_property
    def _inner(self) -> Grid | Categories:
        """What does the work once fitted."""
        if self.fitted is None:
            raise ValueError(f"{self.where}: an rdt embedding must be fitted before it is used")
        return (Categories if self.fitted["type"] == "categories" else _Cut).from_state(self.fitted)

    @property
    def parts(self) -> tuple[Part, ...]:
        """One attribute; before it is fitted, of the declared number of bins."""
        if self.fitted is None:
            return (Part(name=self.name, size=self.bins + 1, ordered=True),)
        return (Part(name=self.name, size=self._inner.size, ordered=True),)

    @property
    def arrow(self) -> pa.DataType:
        """The type of decoded values."""
        return moments.STORED.get(self.kind) or pa.type_for_alias(self.kind)

    @property
    def expects(self) -> str:
        """What a value must be."""
        return KINDS[self.sdtype]

    def fit(self, values: pa.Array) -> Self:
        """Fit the transformer on `values` and keep where its bins begin.

        Raises:
            SchemaError: the transformer is unknown, refuses the column, makes several columns, or does not keep order.
        """
        column = flat(values)
        fitted = self._levels(column) if self.sdtype in {"categorical", "boolean"} else self._cuts(column)
        return replace(self, fitted=fitted.state())

    def _plain(self, column: pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values as numbers, moments in seconds, and which are neither."""
        if self.sdtype != "datetime":
            return numbers(column)
        found, wrong = moments.read(column, self.form)
        return np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64)), wrong

    def _cuts(self, column: pa.Array) -> _Cut:
        import pandas as pd

        found, _ = self._plain(column)
        found = found[np.isfinite(found)].astype(np.float64)
        decimals = self._learned(found)
        if not len(found) or round(found.max(), decimals) == round(found.min(), decimals):
            found = np.array([found[0], found[0] + 1] if len(found) else [0.0, 1.0])
        series = pd.Series(found) if self.sdtype == "numerical" else pd.Series(pd.to_datetime(found, unit="s"))
        forward, back = self._transformer(series)
        spread = np.linspace(forward.min(), forward.max(), self.bins + 1)
        starts = back(spread)
        if self.sdtype == "datetime":
            starts = starts.astype("datetime64[s]").astype(np.int64)
        starts = starts.astype(np.float64)
        if np.any(np.diff(starts) < 0) or not np.all(np.isfinite(starts)):
            raise SchemaError(
                rule(f"{self.where} embedding.transformer", self.transformer, "one that keeps the order of values")
            )
        low, high = (int(np.rint(end * 10.0**decimals)) for end in (found.min(), found.max()))
        steps = np.clip(np.ceil(np.round(starts[1:-1] * 10.0**decimals, 6)), low + 1, high).astype(np.int64) - low
        cuts = (0, *np.unique(steps).tolist(), high - low + 1)
        return _Cut(
            name=self.name,
            where=self.where,
            null=True,
            low=low,
            high=high,
            decimals=decimals,
            bins=len(cuts) - 1,
            kind="int64" if self.sdtype == "datetime" else self.kind,
            cuts=cuts,
        )

    def _learned(self, found: NDArray[np.float64]) -> int:
        """The declared decimals, else as many as the values have, while they stay exact."""
        if self.sdtype == "datetime":
            return 0
        if self.decimals is not None or self.kind != "double":
            return self.decimals or 0
        most = float(np.abs(found).max(initial=1.0))
        for decimals in range(MAX_DECIMALS + 1):
            scale = 10.0**decimals
            if most * scale * 10 > EXACT or np.allclose(np.rint(found * scale) / scale, found, rtol=1e-15, atol=0):
                return decimals
        return MAX_DECIMALS

    def _levels(self, column: pa.Array) -> Categories:
        import pandas as pd

        seen = text(column).drop_null().to_pandas()
        words = pd.Series(["" if seen.empty else seen.iloc[0]]) if seen.empty else seen
        if self.sdtype == "boolean":
            words = words.str.lower() == "true"
        forward, _ = self._transformer(words.reset_index(drop=True))
        order = pd.Series(forward).groupby(words.to_numpy()).mean().sort_values(kind="stable")
        levels = tuple(bool(level) if self.sdtype == "boolean" else str(level) for level in order.index)
        return Categories(
            name=self.name,
            where=self.where,
            null=True,
            levels=levels,
            other=levels[0],
            groups=tuple(range(len(levels))),
            ordered=True,
        )

    def _transformer(self, series: Any) -> tuple[NDArray[np.float64], Any]:
        """The transformed column, and the way back."""
        from rdt import transformers
        from rdt.errors import InvalidDataError, TransformerInputError, TransformerProcessingError

        known = sorted(name for name in dir(transformers) if isinstance(getattr(transformers, name), type))
        if self.transformer not in known:
            miss = near_miss(self.transformer, known)
            raise SchemaError(f"{self.where} embedding.transformer ({self.transformer}) must be a class of rdt{miss}")
        frame = series.to_frame(name=self.name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = getattr(transformers, self.transformer)(**self.settings)
                fitted.fit(frame, self.name)
                forward = fitted.transform(frame)
        except (InvalidDataError, TransformerInputError, TransformerProcessingError, TypeError, ValueError) as error:
            # Without its cause: RDT's own message may show values.
            must_be = f"one that takes a {self.sdtype} column and its settings ({type(error).__name__})"
            raise SchemaError(rule(f"{self.where} embedding.transformer", self.transformer, must_be)) from None
        if forward.shape[1] != 1:
            raise SchemaError(
                rule(f"{self.where} embedding.transformer", self.transformer, "one that makes one column")
            )

        def back(transformed: NDArray[np.float64]) -> NDArray[Any]:
            import pandas as pd

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reverse = fitted.reverse_transform(pd.DataFrame({forward.columns[0]: transformed}))
            return reverse[self.name].to_numpy()  # type: ignore[no-any-return]

        return forward.iloc[:, 0].to_numpy(dtype=np.float64), back

    def encode(self, values: pa.Array) -> tuple[NDArray[Any], ...]:
        """Codes; outside the fitted range the edge, an unseen level code 0."""
        inner = self._inner
        if isinstance(inner, Categories):
            return inner.encode(values)
        found, wrong = self._plain(flat(values))
        codes = inner.bin(found)
        codes[wrong] = 0
        return (codes,)

    def decode(self, codes: Sequence[NDArray[Any]], *, rng: np.random.Generator) -> pa.Array:
        """Values drawn uniformly inside their bins."""
        decoded = self._inner.decode(codes, rng=rng)
        if self.sdtype != "datetime":
            return decoded
        return moments.write(decoded.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False), self.kind, self.form)

    def check(self, values: pa.Array) -> int | None:
        """The first value that is no number or moment where one is needed."""
        column = flat(values)
        if self.sdtype in {"categorical", "boolean"}:
            return None
        wrong = self._plain(column)[1]
        return int(wrong.argmax()) if wrong.any() else None

    def moved(self, values: pa.Array) -> dict[str, int]:  # noqa: ARG002  (the range is the data's own)
        """None: the range and the levels are the data's own."""
        return {}

    def state(self) -> dict[str, Any]:
        """The declaration, and what was fitted."""
        return super().state()


def _kind(column: Column, decimals: int | None) -> str:
    """The Arrow type of decoded values, or how moments are held."""
    if column.sdtype == "datetime":
        return moments.stored_as(column, None)
    if column.sdtype == "numerical":
        given = REPRESENTATIONS.get(column.sdv.get("computer_representation", ""))
        return str(given) if given is not None else "int64" if decimals == 0 else "double"
    return "bool" if column.sdtype == "boolean" else "string"
