"""The private algorithms, found by glob so that a new one is tested unasked, set to few rounds where they have many."""

from __future__ import annotations

from pasteur import synth

SMALL = {
    "aim": {"rounds_per_attribute": 2, "iterations": 20, "last_iterations": 30},
    "aim_gdp": {"rounds_per_attribute": 2, "iterations": 20, "last_iterations": 30},
    "mst": {"iterations": 30},
    "mwem": {"rounds_per_attribute": 1, "iterations": 20, "last_iterations": 30},
    "privbayes": {"iterations": 20, "last_iterations": 30},
    "relational": {"root": "independent"},
    "weave": {"rounds_per_attribute": 2, "iterations": 20, "last_iterations": 30, "passes": 1},
}
"""Settings that differ from the defaults: what is asked is of the same kinds, and a fit takes milliseconds."""

ALGORITHMS = [name for name in synth.names() if synth.find(name).PRIVATE]


def settings_of(name, **more):
    return synth.find(name).Settings(**SMALL.get(name, {}) | more)


def fit_of(name, **more):
    """The algorithm as a function of a `PrivateTable`; `more` changes its small settings."""
    fit, settings = synth.find(name).fit, settings_of(name, **more)
    return lambda private: fit(private, settings)


def accountant_of(name, budget):
    return synth.find(name).accountant(budget, settings_of(name))
