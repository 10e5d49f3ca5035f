"""Views: slices of a data set, one SQL query per component, that respect privacy units."""

from __future__ import annotations

from pasteur.views.build import build
from pasteur.views.config import ComponentConfig, PublicConfig, ViewConfig
from pasteur.views.owners import entangled, unowned
from pasteur.views.public import build_public
from pasteur.views.relations import resolve
from pasteur.views.units import respects_units, same_bytes

__all__ = [
    "ComponentConfig",
    "PublicConfig",
    "ViewConfig",
    "build",
    "build_public",
    "entangled",
    "resolve",
    "respects_units",
    "same_bytes",
    "unowned",
]
