"""`par`: SDV's probabilistic autoregressive model for sequences, as a baseline without a guarantee.

Zhang, Patki, Veeramachaneni (2022): Sequential Models in the Synthetic Data Vault, https://arxiv.org/abs/2207.14406.
A parent's row is the context, its children in order are the sequence. PAR knows no parent without children: those get a
copula of their own, and as many as there were. It trains on a GPU where torch finds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError
from pasteur.synth import _sdv

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from pasteur.table import Table

PRIVATE = False
COMPONENTS = "many"
READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What may be set; SDV's values by default."""

    epochs: int = 128
    """Passes over the sequences; 1 or more."""
    sample_size: int = 1
    """Candidates for each sequence that is drawn, of which the likeliest is kept; 1 or more."""
    enable_gpu: bool = True
    """Train on a GPU where there is one."""

    def __post_init__(self) -> None:
        """Check."""
        _sdv.positive(self, "epochs", "sample_size")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A parent and its sequence of children, and how their columns are called in the one table that PAR takes."""

    parent: str
    key: str
    child: str
    reference: str
    contexts: Mapping[str, str]
    """Column of the parent, besides its key -> its name in the one table."""
    steps: Mapping[str, str]
    """The same for the child's, besides its reference."""

    @classmethod
    def of(cls, metadata: _sdv.Metadata) -> Pair:
        """The two components that `metadata` relates.

        Raises:
            ConfigError: they are not one parent and one child.
        """
        relations, tables = metadata["relationships"], metadata["tables"]
        if len(tables) != 2 or len(relations) != 1:
            listed = ", ".join(tables)
            raise ConfigError(
                f"algorithm (par) must be given a parent and its child table, not {listed}; hma takes any"
            )
        (relation,) = relations
        parent, child = relation["parent_table_name"], relation["child_table_name"]
        key, reference = relation["parent_primary_key"], relation["child_foreign_key"]
        contexts = {name: f"{parent}.{name}" for name in tables[parent]["columns"] if name != key}
        steps = {name: f"{child}.{name}" for name in tables[child]["columns"] if name != reference}
        return cls(parent=parent, key=key, child=child, reference=reference, contexts=contexts, steps=steps)

    def joined(self, metadata: _sdv.Metadata, order: str | None) -> dict[str, Any]:
        """Metadata of the one table: the reference is the sequences' key, `order` the column that they stand in."""
        held = metadata["tables"]
        columns = {self.reference: held[self.child]["columns"][self.reference]}
        columns |= {new: held[self.parent]["columns"][old] for old, new in self.contexts.items()}
        columns |= {new: held[self.child]["columns"][old] for old, new in self.steps.items()}
        table = {"columns": columns, "sequence_key": self.reference}
        if order:
            table["sequence_index"] = self.steps[order]
        return {"METADATA_SPEC_VERSION": "V2", "tables": {self.child: table}}


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """A fitted sequential synthesizer, and the copula of the parents without children."""

    pair: Pair
    synthesizer: Any
    sequences: int
    childless: _sdv.Flat | None

    def draw(self, rows: int | None, seed: int) -> _sdv.Frames:
        """Parents and their children; the same rows for the same seed, on one kind of device."""
        import pandas as pd

        alone = self.childless.rows if self.childless else 0
        wanted = rows or self.sequences + alone
        without = min(round(wanted * alone / (self.sequences + alone)), wanted - 1)
        contexts = self.synthesizer._context_synthesizer  # noqa: SLF001 - PAR has no public way
        contexts.reset_sampling()
        contexts._set_random_state(seed)  # noqa: SLF001
        drawn = self.synthesizer.sample_sequences(wanted - without)[self.pair.child].reset_index(drop=True)
        codes, _ = pd.factorize(drawn[self.pair.reference])
        pair, numbers = self.pair, codes + 1
        child = drawn[list(pair.steps.values())].set_axis(list(pair.steps), axis=1).assign(**{pair.reference: numbers})
        parent = drawn[list(pair.contexts.values())].set_axis(list(pair.contexts), axis=1).assign(**{pair.key: numbers})
        parent = parent.drop_duplicates(pair.key)
        if self.childless and without:
            more = self.childless.draw(without, seed)[pair.parent]
            more = more.assign(**{pair.key: range(len(parent) + 1, len(parent) + 1 + without)})
            parent = pd.concat([parent, more], ignore_index=True)
        return {pair.parent: parent, pair.child: child}


def learn(
    data: Mapping[str, Table], metadata: Mapping[str, Any], settings: Settings, *, rng: np.random.Generator
) -> _sdv.Learned:
    """Train the network on the children of each parent, and the copula of their contexts.

    Args:
        data: the parent and the child component -> its rows as values.
        metadata: SDV's V2 metadata, as the schema declares them; the child's `sequence_index` says its order.
        settings: of the algorithm.
        rng: the training follows from it, on one kind of device.

    Raises:
        ConfigError: the components are not one parent and one child.
        DataError: a component has no rows, or SDV fails on them.
    """
    pair = Pair.of({"tables": _cut(metadata, data), "relationships": metadata.get("relationships", [])})
    order = metadata["tables"][pair.child].get("sequence_index")

    def fit(frames: _sdv.Frames, described: _sdv.Metadata) -> Sequences:
        from sdv.metadata import Metadata
        from sdv.sequential import PARSynthesizer
        from sdv.single_table import GaussianCopulaSynthesizer

        parents, children = frames[pair.parent], frames[pair.child]
        contexts = parents.rename(columns={**pair.contexts, pair.key: pair.reference})
        steps = children.rename(columns=dict(pair.steps))
        joined = contexts.merge(steps, on=pair.reference, how="inner")
        synthesizer = PARSynthesizer(
            Metadata.load_from_dict(pair.joined(described, order)),
            context_columns=list(pair.contexts.values()),
            epochs=settings.epochs,
            sample_size=settings.sample_size,
            cuda=settings.enable_gpu,
            verbose=True,
        )
        synthesizer.fit({pair.child: joined})
        _to_cpu(synthesizer)
        alone = parents[~parents[pair.key].isin(joined[pair.reference])]
        return Sequences(
            pair=pair,
            synthesizer=synthesizer,
            sequences=joined[pair.reference].nunique(),
            childless=_childless(alone, described, pair, GaussianCopulaSynthesizer) if len(alone) > 1 else None,
        )

    return _sdv.learn("par", fit, data, metadata, rng=rng)


def _cut(metadata: _sdv.Metadata, data: Mapping[str, Table]) -> dict[str, Any]:
    return {component: metadata["tables"][component] for component in data}


def _childless(alone: pd.DataFrame, metadata: _sdv.Metadata, pair: Pair, copula: Any) -> _sdv.Flat:
    described = {"METADATA_SPEC_VERSION": "V2", "tables": {pair.parent: metadata["tables"][pair.parent]}}
    return _sdv.flat(copula)({pair.parent: alone.reset_index(drop=True)}, described)


def _to_cpu(synthesizer: Any) -> None:
    """Take the network off the GPU: a pickle of it could be read nowhere else."""
    import torch

    model = synthesizer._model  # noqa: SLF001 - SDV does so for its other models
    model.device = torch.device("cpu")
    model._model.to(model.device)  # noqa: SLF001
