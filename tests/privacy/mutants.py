"""Mistakes that others shipped, each made on purpose, and the check that has to find it (`test_mutations.py`)."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import checks
import noise_checks
import numpy as np
import rows_checks

from pasteur.errors import PrivacyError
from pasteur.marginals import Domain
from pasteur.privacy import (
    DiscreteGaussian,
    ExactMechanisms,
    GaussianDP,
    Ledger,
    PrivateTable,
    Sensitivity,
    Sigma,
    budget,
    contributions,
    counts,
    curves,
    entropy,
    events,
    grouped,
    noise,
    private_table,
    scores,
    selection,
    sensitivity,
    units,
)

MUTANTS = {}


def found_by(check, *args, error=AssertionError):
    """Registers a mutant: a function that makes its mistake with the monkeypatch that it is given."""

    def register(mutant):
        MUTANTS[mutant.__name__] = (mutant, check, args, error)
        return mutant

    return register


def changed(patch, place, name, make):
    """Replace `place.name` by what `make` gives for it."""
    patch.setattr(place, name, make(getattr(place, name)))


# Noise.


@found_by(noise_checks.noise_has_its_declared_scale)
def noise_halved(patch):
    changed(patch, noise, "gaussian", lambda real: lambda size, sigma, bits: real(size, sigma / 2, bits))


@found_by(noise_checks.noise_has_its_declared_scale)
def laplace_noise_halved(patch):
    changed(patch, noise, "laplace", lambda real: lambda size, scale, bits: real(size, scale / 2, bits))


@found_by(noise_checks.noise_has_its_declared_scale)
def rho_passed_as_sigma(patch):
    patch.setattr(GaussianDP, "sigma", lambda self, cost, sensitivity: Sigma(max(0.5, cost)))


@found_by(noise_checks.noise_has_its_declared_scale)
def noise_scaled_for_probabilities_and_added_to_counts(patch):
    changed(patch, noise, "gaussian", lambda real: lambda size, sigma, bits: real(size, max(sigma / size, 0.5), bits))


@found_by(noise_checks.noise_has_its_declared_scale)
def errors_without_their_grid(patch):
    def scaled(real):
        def gaussian(self, exact, event):
            sigma = event.sigma / sensitivity.GRID if exact.ndim == 1 else event.sigma
            return real(self, exact, DiscreteGaussian(sigma=sigma, sensitivity=event.sensitivity))

        return gaussian

    changed(patch, ExactMechanisms, "gaussian", scaled)


@found_by(noise_checks.noise_has_its_declared_scale)
def total_without_noise(patch):
    def bare(real):
        return lambda self, exact, event: exact if exact.ndim == 0 else real(self, exact, event)

    changed(patch, ExactMechanisms, "gaussian", bare)


@found_by(noise_checks.noise_is_discrete_gaussian)
def normal_noise_rounded(patch):
    rng = np.random.default_rng()
    rounded = lambda size, sigma, bits: np.rint(rng.normal(0, sigma, size)).astype(np.int64)  # noqa: E731
    patch.setattr(noise, "gaussian", rounded)


@found_by(noise_checks.two_runs_have_different_noise)
def seeded_noise(patch):
    patch.setattr(entropy.SystemEntropy, "read", lambda self, size: hashlib.shake_256(b"0").digest(size))


@found_by(checks.what_voids_a_claim_is_on_it)
def seeded_noise_without_its_stamp(patch):
    patch.setattr(ExactMechanisms, "stamps", ())


@found_by(noise_checks.draws_do_not_depend_on_where_the_words_run_out)
def words_of_an_unfinished_draw_thrown_away(patch):
    def forgetful(bits, size, each, sampler):
        out, at = np.zeros(size, dtype=np.int64), np.zeros(3, dtype=np.int64)
        while at[2] < size:
            at[:2] = 0
            sampler(entropy.words(bits, min(size * each + 64, entropy.BLOCK) + 256), at, out)
        return out

    patch.setattr(noise, "drawn", forgetful)


# Selection.


@found_by(noise_checks.choices_have_the_probabilities_paid_for)
def selection_without_noise(patch):
    patch.setattr(selection, "choose", lambda scores, event, bits: int(scores.argmax()))


@found_by(noise_checks.choices_have_the_probabilities_paid_for)
def selection_forgets_the_two_in_its_exponent(patch):
    def twice(real):
        doubled = lambda event: events.ExponentialChoice(epsilon=2 * event.epsilon, sensitivity=event.sensitivity)  # noqa: E731
        return lambda scores, event, bits: real(scores, doubled(event), bits)

    changed(patch, selection, "choose", twice)


@found_by(noise_checks.choices_have_the_probabilities_paid_for)
def selection_forgets_m_and_the_weights(patch):
    def bare(real):
        alone = lambda event: events.ExponentialChoice(epsilon=event.epsilon, sensitivity=sensitivity.GRID)  # noqa: E731
        return lambda scores, event, bits: real(scores, alone(event), bits)

    changed(patch, selection, "choose", bare)


@found_by(checks.every_answer_is_charged_and_before_it_is_given, checks.choose)
def free_selection(patch):
    def free(real):
        def charge(self, what, label):
            batch = [what] if isinstance(what, events.Event) else what
            if not any(isinstance(event, events.ExponentialChoice) for event in batch):
                real(self, what, label)

        return charge

    changed(patch, Ledger, "charge", free)


@found_by(checks.every_answer_is_charged_and_before_it_is_given, checks.choose_several)
def several_choices_charged_as_one(patch):
    def once(real):
        return lambda self, what, label: real(self, what[:1], label[:1]) if isinstance(what, list) else None

    changed(patch, Ledger, "charge", once)


@found_by(checks.scores_are_whole_numbers, error=PrivacyError)
def scores_in_floating_point(patch):
    changed(patch, scores.Scoring, "of", lambda real: lambda self, *counts: real(self, *counts) / 1024)


# Sensitivity.


@found_by(checks.sensitivity_is_attained, checks.measure, 3)
def sensitivity_ignores_m(patch):
    patch.setattr(sensitivity, "marginal_l2", lambda m, relation="add_remove": Sensitivity(1))


@found_by(checks.sensitivity_is_attained, checks.measure, 1, "replace")
def sensitivity_ignores_the_relation(patch):
    patch.setattr(sensitivity, "marginal_l2", lambda m, relation="add_remove": Sensitivity(m))


@found_by(checks.charges_are_those_by_hand)
def a_choice_charged_under_the_other_relation(patch):
    changed(patch, sensitivity, "marginal_l1", lambda real: lambda m, relation="add_remove": real(m))


@found_by(checks.sensitivity_is_attained, checks.choose_weighted)
def weights_not_in_the_sensitivity(patch):
    changed(
        patch, sensitivity, "distance_score", lambda real: lambda m, relation="add_remove", weight=1: real(m, relation)
    )


@found_by(checks.sensitivity_is_attained, checks.choose_weighted)
def sensitivity_of_the_first_weight(patch):
    patch.setattr(scores.Scoring, "weight", property(lambda self: int(self.weights[0])))


@found_by(checks.sensitivity_is_attained, checks.measure_errors)
def vector_of_errors_charged_as_one(patch):
    changed(patch, sensitivity, "distances_l2", lambda real: lambda m, relation, count: real(m, relation, 1))


# Units.


@found_by(checks.sensitivity_is_attained, checks.measure, 3)
def no_truncation(patch):
    patch.setattr(units, "kept", lambda codes, attributes, m, salt: np.ones(codes.rows, dtype=bool))


@found_by(checks.sensitivity_is_attained, checks.measure, 1)
def wrong_unit(patch):
    """Each row its own."""
    changed(patch, units, "_hash", lambda real: lambda ids, key: real(ids, key) + np.arange(len(ids), dtype=np.uint64))


@found_by(checks.which_rows_count_depends_on_the_unit_alone)
def the_first_rows_of_a_unit_are_kept(patch):
    patch.setattr(units, "_mix", lambda word: np.arange(len(word), dtype=np.uint64))


@found_by(checks.sensitivity_is_attained, checks.measure, 3)
def cut_copy_made_and_the_other_one_counted(patch):
    def uncut(self, names):
        for batch in self._codes.batches(list(names)):
            yield {name: self._inside(name, batch.column(place)) for place, name in enumerate(names)}

    patch.setattr(counts.Counts, "batches", uncut)


# The ledger.


@found_by(checks.every_answer_is_charged_and_before_it_is_given, checks.measure_total)
def charge_after_the_answer(patch):
    def late(self, *, sigma, label):
        event = DiscreteGaussian(sigma=sigma, sensitivity=sensitivity.total(self._max_rows))
        noisy = self._mechanisms.gaussian(np.array(self._counts.total()), event)
        self._ledger.charge(event, label)
        return private_table._measurement((), noisy, sigma)

    patch.setattr(PrivateTable, "measure_total", late)


@found_by(checks.a_budget_for_k_questions_answers_k)
def one_question_more_than_the_budget(patch):
    def generous(real):
        def charge(self, what, label):
            if self._spent < self.total:
                self._spent, spent = Fraction(0), self._spent
                real(self, what, label)
                self._spent += spent
            else:
                real(self, what, label)

        return charge

    changed(patch, Ledger, "charge", generous)


@found_by(checks.no_price_is_under_that_of_the_discrete_gaussian)
def curve_of_the_continuous_gaussian(patch):
    patch.setattr(curves, "gaussian_mu", lambda sigma: 1 / sigma)


@found_by(checks.a_rho_is_no_sigma)
def kinds_of_quantities_not_told_apart(patch):
    loose = lambda kind, name, value: kind(float(value))  # noqa: E731
    for place in (budget, events, private_table):
        patch.setattr(place, "checked", loose)


# What depends on a private value.


@found_by(checks.codes_outside_neither_raise_nor_escape)
def domain_from_the_data(patch):
    def learnt(real):
        def init(self, codes, domain, max_rows, salt):
            frame = codes.frame(list(domain.attributes))
            real(self, codes, Domain.of({n: int(frame[n].max()) + 1 for n in domain.attributes}), max_rows, salt)

        return init

    changed(patch, counts.Counts, "__init__", learnt)


@found_by(checks.codes_outside_neither_raise_nor_escape, error=ValueError)
def a_code_outside_raises(patch):
    patch.setattr(counts.Counts, "_inside", lambda self, name, column: units.integers(column))


@found_by(checks.what_voids_a_claim_is_on_it)
def number_of_rows_given_away(patch):
    patch.setattr(PrivateTable, "public_rows", property(lambda self: self._counts.total()))


# Rows of which a unit has several.


@found_by(rows_checks.one_unit_moves_no_answer_too_far, rows_checks.measure_clipped)
def rows_are_not_clipped(patch):
    def plain(cells, starts, clip, sums):
        np.add.at(sums, cells, sensitivity.GRID)

    patch.setattr(contributions, "clipped", plain)


@found_by(rows_checks.one_unit_moves_no_answer_too_far, rows_checks.measure_clipped)
def rows_are_clipped_each_instead_of_together(patch):
    def each(cells, starts, clip, sums):
        np.add.at(sums, cells, min(clip, sensitivity.GRID))

    patch.setattr(contributions, "clipped", each)


@found_by(rows_checks.one_unit_moves_no_answer_too_far, rows_checks.choose)
def choices_count_rows_instead_of_units(patch):
    patch.setattr(contributions, "averaged", lambda cells, starts, most, sums: np.add.at(sums, cells, sensitivity.GRID))


@found_by(rows_checks.one_unit_moves_no_answer_too_far, rows_checks.measure)
def max_rows_lowers_the_noise_but_drops_no_row_of_a_unit(patch):
    patch.setattr(grouped, "first_of", lambda begins, most: np.ones(len(begins), dtype=bool))


@found_by(rows_checks.sensitivity_is_attained, rows_checks.measure_clipped, "replace")
def clipped_replacement_priced_as_removal(patch):
    changed(patch, sensitivity, "clipped_l2", lambda real: lambda clip, relation: real(clip, "add_remove"))


@found_by(rows_checks.sensitivity_is_attained, rows_checks.choose_context)
def contexts_scored_as_if_shares_did_not_move(patch):
    real = sensitivity.conditional_score
    patch.setattr(sensitivity, "conditional_score", lambda most, relation: Sensitivity(real(most, relation) / 2))


@found_by(rows_checks.sensitivity_is_attained, rows_checks.choose_context_of_a_few_rows)
def contexts_scored_on_all_rows_of_a_unit(patch):
    patch.setattr(contributions, "averaged", lambda cells, starts, most, sums: np.add.at(sums, cells, sensitivity.GRID))
