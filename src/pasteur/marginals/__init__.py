"""Marginals: domains, contingency tables, and the graphical model that fits noisy ones. Knows nothing of files."""

from pasteur.marginals.counts import count
from pasteur.marginals.domain import Clique, Domain
from pasteur.marginals.estimation import Stop
from pasteur.marginals.graphical_model import GraphicalModel
from pasteur.marginals.measurement import Measurement
from pasteur.marginals.merging import Merging

__all__ = ["Clique", "Domain", "GraphicalModel", "Measurement", "Merging", "Stop", "count"]
