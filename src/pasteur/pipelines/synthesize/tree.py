"""A tree of tables through the private side: all components at once, each cut to what it declares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pasteur.embeddings.table import TableEncoder
from pasteur.marginals import Domain
from pasteur.naming import looked
from pasteur.privacy.tables import PrivateTables
from pasteur.relations import tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from pasteur.privacy import Ledger
    from pasteur.schema import Schema
    from pasteur.synth._relational_model import RelationalModel
    from pasteur.table import Table


def fit(
    module: ModuleType,
    settings: Any,
    protection: Mapping[str, Any],
    ledger: Ledger,
    dictionary: Mapping[str, Any],
    schema: Schema,
    codes: Mapping[str, Table],
    public: Mapping[str, Table],
) -> RelationalModel:
    """Learn a model of all components.

    Args:
        module: the algorithm.
        settings: its `Settings`.
        protection: what `PrivateTable` takes besides: rows a unit, the hash's salt, the mechanisms.
        ledger: charged before each answer.
        dictionary: each component's encoder, for its domain and the types of its ids.
        schema: how the components hang together.
        codes: each component's rows.
        public: the tables that are nobody's.

    Raises:
        SchemaError: the components are no tree (`pasteur.relations`).
    """
    root, relations = tree(schema)
    domains = {name: _domain(entry["attributes"]) for name, entry in dictionary.items()}
    known = looked(schema, public)
    gone = {name: missing(entry) for name, entry in dictionary.items()}
    private = PrivateTables.of(codes, domains, relations, ledger, root=root, looked=known, missing=gone, **protection)
    model: RelationalModel = module.fit(private, settings)
    return replace(model, ids={name: dict(entry["ids"]) for name, entry in dictionary.items()})


def _domain(parts: list[dict[str, Any]]) -> Domain:
    ordinal = [part["name"] for part in parts if part["ordered"]]
    return Domain.of({part["name"]: part["size"] for part in parts}, ordinal=ordinal)


def missing(entry: Mapping[str, Any]) -> list[str]:
    """The attributes whose last code says that there is no value, as the schema declares them."""
    nullable = [each for each in TableEncoder.from_dict(entry).embeddings.values() if getattr(each, "null", False)]
    return [part.name for each in nullable for part in each.parts]
