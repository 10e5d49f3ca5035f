"""The checks that mutants have to fail (`test_mutations.py`), on the private room as it is."""

from __future__ import annotations

import checks
import noise_checks
import pytest


@pytest.mark.parametrize("relation", checks.BOTH)
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("ask", checks.QUESTIONS)
def test_d04_d18_d24_one_unit_moves_an_answer_by_all_of_its_sensitivity(ask, m, relation):
    checks.sensitivity_is_attained(ask, m, relation)


@pytest.mark.parametrize("relation", checks.BOTH)
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("ask", checks.QUESTIONS)
def test_d04_d19_one_unit_moves_no_answer_further(ask, m, relation):
    for seed in range(12):
        checks.one_unit_moves_no_answer_too_far(ask, m, relation, seed)


def test_d18_d19_which_rows_count_depends_on_the_unit_alone():
    checks.which_rows_count_depends_on_the_unit_alone()


def test_d03_d05_noise_has_its_declared_scale():
    noise_checks.noise_has_its_declared_scale()


def test_d21_noise_is_discrete_gaussian():
    noise_checks.noise_is_discrete_gaussian()


def test_d07_choices_have_the_probabilities_paid_for():
    noise_checks.choices_have_the_probabilities_paid_for()


def test_draws_do_not_depend_on_where_the_words_run_out():
    noise_checks.draws_do_not_depend_on_where_the_words_run_out()


def test_d23_two_runs_have_different_noise():
    noise_checks.two_runs_have_different_noise()


@pytest.mark.parametrize("ask", checks.QUESTIONS)
def test_d06_d12_d15_every_answer_is_charged_and_before_it_is_given(ask):
    checks.every_answer_is_charged_and_before_it_is_given(ask)


def test_d07_charges_are_those_by_hand():
    checks.charges_are_those_by_hand()


@pytest.mark.parametrize("k", [1, 5, 100])
def test_d08_d12_a_budget_for_k_questions_answers_k(k):
    checks.a_budget_for_k_questions_answers_k(k)


def test_no_price_is_under_that_of_the_discrete_gaussian():
    checks.no_price_is_under_that_of_the_discrete_gaussian()


def test_d05_a_rho_is_no_sigma():
    checks.a_rho_is_no_sigma()


def test_d26_what_voids_a_claim_is_on_it():
    checks.what_voids_a_claim_is_on_it()


def test_d01_d11_d20_codes_outside_neither_raise_nor_escape():
    checks.codes_outside_neither_raise_nor_escape()


def test_d21_d22_scores_are_whole_numbers():
    checks.scores_are_whole_numbers()


def test_d06_d17_neighbours_are_asked_the_same():
    def fit(private):
        one = private.measure([("a",)], sigmas=[3.0], label="x")[0]
        two = private.merged({"a": [0, 0, 1, 1]}).measure([("a", "b")], sigmas=[3.0], label="y")[0]
        return one.values.tolist(), two.values.shape, private.public_rows

    checks.neighbours_are_asked_the_same(fit)
