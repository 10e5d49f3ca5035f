from __future__ import annotations

import math
from pathlib import Path

import pytest
from mypy import api

from pasteur.errors import ConfigError, PrivacyError
from pasteur.privacy import (
    Budget,
    DiscreteGaussian,
    DiscreteLaplace,
    Epsilon,
    ExponentialChoice,
    Mu,
    Rho,
    Scale,
    Sensitivity,
    Sigma,
)

BAD = [None, 0, 0.0, math.nan, math.inf, -math.inf, -1, "1", True]


@pytest.mark.parametrize("bad", BAD)
def test_d10_missing_or_senseless_scale_or_sensitivity_is_refused(bad):
    for build in (
        lambda: DiscreteGaussian(sigma=Sigma(1), sensitivity=bad),
        lambda: DiscreteGaussian(sigma=bad, sensitivity=Sensitivity(1)),
        lambda: DiscreteLaplace(scale=Scale(1), sensitivity=bad),
        lambda: DiscreteLaplace(scale=bad, sensitivity=Sensitivity(1)),
        lambda: ExponentialChoice(epsilon=Epsilon(1), sensitivity=bad),
        lambda: ExponentialChoice(epsilon=bad, sensitivity=Sensitivity(1)),
    ):
        with pytest.raises(PrivacyError, match=r"must be finite and above 0$"):
            build()


@pytest.mark.parametrize("bad", [None, 0, math.nan, math.inf, -1, 1.5, True, "1"])
def test_d10_no_bound_on_rows_is_refused(make_private, rows, bad):
    with pytest.raises(PrivacyError, match=r"max_rows_per_unit \(.*\) must be a whole number of 1 or more"):
        make_private(rows(3), [1, 2, 3], m=bad)


@pytest.mark.parametrize("wrong", [Rho(1), Epsilon(1), Mu(1), Scale(1), Sensitivity(1)])
def test_d05_another_kind_is_refused_at_run_time(make_private, rows, wrong):
    with pytest.raises(PrivacyError, match=r"sigma .* must be of kind Sigma, not " + type(wrong).__name__):
        DiscreteGaussian(sigma=wrong, sensitivity=Sensitivity(1))
    private = make_private(rows(5))
    with pytest.raises(PrivacyError, match="of kind Sigma"):
        private.measure([("a",)], sigmas=[wrong], label="one-way")
    assert private.ledger.events == ()
    with pytest.raises(PrivacyError, match="of kind Epsilon"):
        private.choose([("a",)], answers=[[1, 1, 1, 1]], epsilon=Sigma(1), label="pair")
    with pytest.raises(PrivacyError, match="of kind Rho"):
        private.ledger.accountant.sigma(Sigma(1), 1)


@pytest.mark.slow
def test_d05_another_kind_is_refused_by_the_type_checker(tmp_path):
    snippet = tmp_path / "mixed.py"
    snippet.write_text(
        "from pasteur.privacy.budget import Epsilon, Rho, Sensitivity, Sigma\n"
        "def noisy(sigma: Sigma) -> None: ...\n"
        "noisy(Sigma(2))\n"
        "noisy(Rho(2))\n"
        "noisy(Epsilon(2))\n"
        "noisy(Sensitivity(2))\n"
        "noisy(2.0)\n"
        "noisy(Sigma(2) * 2)\n"
    )
    source = Path(__file__).parents[2] / "src"
    quick = ["--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--follow-imports=silent", "--no-site-packages"]
    files = [snippet, source / "pasteur/privacy/budget.py", source / "pasteur/errors.py"]
    out, _, _ = api.run([*quick, *map(str, files)])
    assert [line.split(":")[1] for line in out.splitlines() if "arg-type" in line] == ["4", "5", "6", "7", "8"], out


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("epsilon", 0, r"epsilon \(0\) must be finite and above 0"),
        ("epsilon", -1.0, r"epsilon \(-1.0\) must be"),
        ("epsilon", math.inf, "epsilon"),
        ("epsilon", math.nan, "epsilon"),
        ("epsilon", None, "epsilon"),
        ("delta", 0.0, r"delta \(0.0\) must be inside \(0, 1\)"),
        ("delta", 1, "delta"),
        ("delta", math.nan, "delta"),
        ("relation", "bounded", r"relation \(bounded\) must be one of add_remove, replace"),
        ("unit", "", "unit"),
    ],
)
def test_budget_refuses(field, value, says):
    with pytest.raises(ConfigError, match=says):
        Budget(**({"epsilon": 1.0} | {field: value}))


def test_budget_is_json_and_back():
    budget = Budget(epsilon=2, delta=1e-6, relation="replace", unit="patient")
    assert Budget.from_dict(budget.to_dict()) == budget


def test_an_epsilon_so_small_that_digits_are_lost_is_refused():
    assert Budget(epsilon=1e-8).epsilon == 1e-8
    for epsilon in (9e-9, 1e-12, 5e-324):
        with pytest.raises(ConfigError, match=r"epsilon \(.*\) must be 1e-08 or more"):
            Budget(epsilon=epsilon)
