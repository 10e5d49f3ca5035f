"""The six shapes of examples.md's private-pgm, random ones, and the joint distribution by brute force."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from pasteur.marginals import Domain

DOMAIN = Domain.of({"a": 2, "b": 3, "c": 4, "d": 2, "e": 1})

SHAPES = {
    "tree": [("a", "b"), ("b", "c"), ("d", "c"), ("c", "e")],
    "cyclic": [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("d", "e")],
    "missing": [("a", "b"), ("d",)],
    "full": [("a", "b", "c", "d", "e")],
    "singleton": [("a",), ("b",), ("c",), ("d",), ("e",)],
    "duplicate": [("a", "b"), ("a", "b"), ("b", "a"), ("b", "c"), ("b",), ("b",)],
}


def joint(domain, cliques, potentials):
    """exp(sum of potentials) over the whole domain, normalised."""
    logs = np.zeros(domain.sizes)
    for clique, potential in zip(cliques, potentials, strict=True):
        logs = logs + widened(domain, potential, clique)
    masses = np.exp(logs - logs.max())
    return masses / masses.sum()


def widened(domain, table, clique):
    """The table of `clique` with an axis for each attribute of the domain."""
    order = sorted(range(len(clique)), key=lambda axis: domain.index(clique[axis]))
    shape = [size if name in clique else 1 for name, size in domain.as_dict().items()]
    return np.transpose(table, order).reshape(shape)


def projected(domain, table, clique):
    """Sum the joint down to `clique`, axes in its order."""
    others = tuple(axis for axis, name in enumerate(domain.attributes) if name not in clique)
    summed = table.sum(axis=others)
    kept = [name for name in domain.attributes if name in clique]
    return np.transpose(summed, [kept.index(name) for name in clique])


@st.composite
def random_graphs(draw, attributes=6):
    """A small domain and cliques of any shape over it: overlapping, repeated, in any order of axes."""
    names = [f"x{index}" for index in range(draw(st.integers(1, attributes)))]
    domain = Domain(names, [draw(st.integers(1, 3)) for _ in names])
    clique = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)
    return domain, draw(st.lists(clique, max_size=7))
