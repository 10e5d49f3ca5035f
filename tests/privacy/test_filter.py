"""Programs that choose each question by the answers before it: the budget holds, whatever they ask."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from tables import codes_of, rows_of

from pasteur.errors import BudgetError
from pasteur.marginals import Domain, Levels
from pasteur.privacy import Budget, Ledger, PrivateTable

CLIQUES = [("a",), ("b",), ("c",), ("a", "b"), ("b", "c"), ("a", "b", "c")]
DOMAIN = Domain.of({"a": 4, "b": 3, "c": 2})
CODES = codes_of(rows_of(20), np.arange(20) // 2)


class Program:
    """Asks at random, of a table that grows coarser; what is asked next hangs on the last noisy answer."""

    def __init__(self, private, seed):
        self.private, self.rng = private, np.random.default_rng(seed)
        self.refused = 0

    def run(self, steps):
        answer = 0
        for _ in range(steps):
            kind = int(self.rng.integers(7) + abs(answer)) % 7
            cost = self.private.ledger.total * 10 ** self.rng.uniform(-3, 0.3)
            before = self.private.ledger.entries
            try:
                answer = self.ask(kind, cost)
            except BudgetError:
                self.refused += 1
                assert self.private.ledger.entries == before

    def ask(self, kind, cost):
        """Ask a question of a kind that is to cost so much; a number that hangs on its answer."""
        private = self.private
        clique = CLIQUES[self.rng.integers(len(CLIQUES))]
        answers = {"answers": [np.ones(private.domain.shape(each)) for each in CLIQUES], "label": "x"}
        if kind == 0:
            answer = private.measure([clique] * 2, sigmas=[private.sigma(cost / 2)] * 2, label="x")[0].values
        elif kind == 1:
            answer = private.choose(CLIQUES, epsilon=private.choice_epsilon(cost), **answers)
        elif kind == 2:
            several = {"count": 3, "weights": self.rng.uniform(0.1, 5, len(CLIQUES))}
            answer = private.choose_several(CLIQUES, epsilon=private.choice_epsilon(cost / 3), **several, **answers)
        elif kind == 3:
            answer = private.measure_errors(CLIQUES, sigma=private.error_sigma(cost, len(CLIQUES)), **answers)
        elif kind == 4:
            answer = private.measure_total(sigma=private.sigma(cost), label="x").values
        elif kind == 5:
            scale = 2 * private._max_rows / min(0.3, cost)
            answer = private.measure_laplace([clique], scales=[scale], label="x")[0].values
        else:
            answer = private.domain.size(("a",))
            self.private = private.merged({"a": [0, *range(answer - 1)]}) if answer > 1 else private
            name = f"level {len(private.domain)}"
            self.private = self.private.with_levels(Levels(self.private.domain, {name: ("b", np.array([0, 1, 1]))}))
        return int(np.sum(answer))


@pytest.mark.slow
@pytest.mark.parametrize("relation", ["add_remove", "replace"])
@pytest.mark.parametrize("name", ["gdp", "zcdp"])
def test_d08_d12_250_random_programs_each_stay_within_their_budget(name, relation):
    refused = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        budget = Budget(epsilon=10 ** rng.uniform(-1, 1.5), delta=10 ** rng.uniform(-12, -4), relation=relation)
        ledger = Ledger(budget, name)
        private = PrivateTable(CODES, DOMAIN, ledger, salt="s", max_rows_per_unit=int(rng.integers(1, 4)))
        program = Program(private, seed)
        program.run(8)
        refused += program.refused
        # the whole, without rounding, in the accountant's own currency and in the claim's
        costs = [ledger.accountant.cost(event) for event in ledger.events]
        assert sum(map(Fraction, costs)) <= Fraction(float(ledger.total))
        if costs:
            assert ledger.accountant.epsilon(ledger.spent, budget.delta) <= budget.epsilon * (1 + 1e-9)
        assert Ledger.from_json(ledger.to_json()).spent == ledger.spent
    assert 50 < refused < 1950  # of 2,000
