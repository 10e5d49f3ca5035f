"""The checks can fail: each mistake that others shipped, made on purpose, is found by the check that is named with it.

A mutant is applied to the code of the private room in this process, and undone after its check has found it.
"""

from __future__ import annotations

import checks
import numpy as np
import pytest
from mutants import MUTANTS

from pasteur.marginals import Levels

# Algorithms that look where they must not. `Exact` is what such an algorithm would have to reach for.


def fit_on_levels_of_exact_counts(private):
    exact = private._counts.exact([("a",)])[0]
    fold = np.cumsum(exact > 0) - 1 if exact[0] else np.cumsum(exact > 0)
    coarse = private.with_levels(Levels(private.domain, {"a@": ("a", np.maximum(fold, 0))}))
    return coarse.measure([("a@",)], sigmas=[3.0], label="x")[0].values.tolist()


def fit_that_asks_more_of_more_rows(private):
    for _ in range(1 + (private._counts.total() > 24)):
        values = private.measure([("a",)], sigmas=[3.0], label="x")[0].values
    return values.tolist()


def fit_that_releases_the_exact_total(private):
    private.measure([("a",)], sigmas=[3.0], label="x")
    return private._counts.total()


def fit_with_sigma_from_the_exact_total(private):
    sigma = 3.0 + private._counts.total() / 100
    return private.measure([("a",)], sigmas=[sigma], label="x")[0].values.tolist()


@pytest.mark.parametrize(
    "fit",
    [
        fit_on_levels_of_exact_counts,
        fit_that_asks_more_of_more_rows,
        fit_that_releases_the_exact_total,
        fit_with_sigma_from_the_exact_total,
    ],
)
def test_replay_finds_an_algorithm_that_looks_at_exact_counts(fit):
    with pytest.raises(AssertionError):
        checks.neighbours_are_asked_the_same(fit)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found_by_its_check(name, monkeypatch):
    mutant, check, args, error = MUTANTS[name]
    mutant(monkeypatch)
    with pytest.raises((error, pytest.fail.Exception)):
        check(*args)


@pytest.mark.parametrize(("check", "args"), dict.fromkeys((check, args) for _, check, args, _ in MUTANTS.values()))
def test_the_same_check_passes_without_the_mistake(check, args):
    check(*args)
