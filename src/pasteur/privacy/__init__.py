"""The private room: budget, events, accountants, ledger, exact noise, and the one object that shows data."""

from __future__ import annotations

from pasteur.privacy.accountants import ZCDP, Accountant, GaussianDP
from pasteur.privacy.accountants import find as accountant
from pasteur.privacy.book import LedgerBook, Release
from pasteur.privacy.budget import Budget, Epsilon, Mu, Relation, Rho, Scale, Sensitivity, Sigma
from pasteur.privacy.events import DiscreteGaussian, DiscreteLaplace, Event, ExponentialChoice, SubsampledGaussian
from pasteur.privacy.ledger import NOT_PRIVATE, Entry, Ledger, no_claim, sentence
from pasteur.privacy.mechanisms import ExactMechanisms, Mechanisms
from pasteur.privacy.private_table import PrivateTable
from pasteur.privacy.rdp import RDP
from pasteur.privacy.rows import PrivateRows

__all__ = [
    "NOT_PRIVATE",
    "RDP",
    "ZCDP",
    "Accountant",
    "Budget",
    "DiscreteGaussian",
    "DiscreteLaplace",
    "Entry",
    "Epsilon",
    "Event",
    "ExactMechanisms",
    "ExponentialChoice",
    "GaussianDP",
    "Ledger",
    "LedgerBook",
    "Mechanisms",
    "Mu",
    "PrivateRows",
    "PrivateTable",
    "Relation",
    "Release",
    "Rho",
    "Scale",
    "Sensitivity",
    "Sigma",
    "SubsampledGaussian",
    "accountant",
    "no_claim",
    "sentence",
]
