"""Marginals: domains, contingency tables, and the graphical model that fits noisy ones. Knows nothing of files."""

from pasteur.marginals.counts import count
from pasteur.marginals.domain import Clique, Domain
from pasteur.marginals.estimation import Stop
from pasteur.marginals.graphical_model import GraphicalModel
from pasteur.marginals.junction_tree import tree_cells
from pasteur.marginals.levels import Levels
from pasteur.marginals.measurement import Measurement
from pasteur.marginals.merging import Merging
from pasteur.marginals.zeros import Zeros

__all__ = [
    "Clique",
    "Domain",
    "GraphicalModel",
    "Levels",
    "Measurement",
    "Merging",
    "Stop",
    "Zeros",
    "count",
    "tree_cells",
]
