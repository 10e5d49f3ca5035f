"""What must hold of `PrivateRows`: checks that mutants have to fail, like those of `checks`."""

from __future__ import annotations

import numpy as np
from checks import NOBODY, RICH
from replay import Replayer, record, replay
from tables import SIZES, private_rows_of, rows_of

from pasteur.privacy.contexts import Context

M = 5
AWAY = np.array([-9.0, 9.0, 0, 0])


def measure_clipped(private):
    private.measure_clipped([("a", "b")], sigmas=[1e3], clip=1.5, label="x")


def measure_mean(private):
    private.measure_mean([("a", "b")], sigmas=[1e3], label="x")


def measure(private):
    private.measure([("a", "b")], sigmas=[1e3], label="x")


def choose(private):
    private.choose([("a",)], answers=[AWAY], epsilon=1e-3, label="x")


def choose_weighted(private):
    private.choose([("b",), ("a",)], answers=[[0] * 3, AWAY], weights=[1, 3], bias=[1, 5], epsilon=1e-3, label="x")


def choose_context(private):
    expected = Context(clique=("b", "a"), shares=np.array([0.0, 0.0, 0.5, 0.5]), bias=2.5)
    private.choose_context([expected], epsilon=1e-3, label="x", stop=True)


def choose_context_of_a_few_rows(private):
    expected = Context(clique=("b", "a"), target=np.array([0, 0, 1, 1]), shares=np.array([0.0, 1.0]))
    private.choose_context([expected], epsilon=1e-3, label="x", most=3)


QUESTIONS = (
    measure_clipped, measure_mean, measure, choose, choose_weighted, choose_context, choose_context_of_a_few_rows,
)  # fmt: skip
CONDITIONAL = (choose_context, choose_context_of_a_few_rows)


def moved(ask, here, there, relation):
    """How far each exact answer of `ask` is from one table to the other, as a share of its declared sensitivity."""
    tape = record(ask, private_rows_of(*here, m=M, relation=relation, epsilon=RICH))
    private = private_rows_of(*there, m=M, relation=relation, epsilon=RICH)
    private._mechanisms = replayer = Replayer(tape)
    ask(private)
    both = zip(tape.questions, replayer.asked, strict=True)
    return [one.distance(other) / one.event.sensitivity for one, other in both]


def sensitivity_is_attained(ask, relation="add_remove"):
    """One unit of 32 rows moves the answer by all of its declared sensitivity, and no more."""
    mine, theirs = ({name: [code] * 32 for name in SIZES} for code in (0, 1))
    other = (theirs, [1] * 32) if relation == "replace" else (NOBODY, [])
    shares = moved(ask, (mine, [1] * 32), other, relation)
    # A conditional's bound is attained where all that comes was expected never to: not by both of two units.
    least = 0 if ask in CONDITIONAL and relation == "replace" else 1
    assert least - 1e-9 <= max(shares) <= 1 + 1e-9, shares


def one_unit_moves_no_answer_too_far(ask, relation="add_remove", seed=0):
    """Whatever the unit's rows, up to ten times as many as may count, and the others'."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 12))
    units = np.repeat(np.arange(people), rng.integers(1, 10 * M, people))
    columns = {name: rng.integers(0, size, len(units)) for name, size in SIZES.items()}
    others = {name: values[units > 0] for name, values in columns.items()}
    other_units = units[units > 0]
    if relation == "replace":
        new = int(rng.integers(1, 10 * M))
        others = {name: np.append(values, rng.integers(0, SIZES[name], new)) for name, values in others.items()}
        other_units = np.append(other_units, [0] * new)
    shares = moved(ask, (columns, units), (others, other_units), relation)
    assert max(shares) <= 1 + 1e-12, shares


def which_rows_count_depends_on_the_unit_alone():
    """Neither the order of the rows in the file nor who else is there changes which rows of a unit are kept."""

    def whole(columns, units):
        return private_rows_of(columns, units, m=3, order="b")._counts.plain(("a", "b", "c"))

    columns, units = rows_of(200, seed=3), np.random.default_rng(4).integers(0, 30, 200)
    expected = whole(columns, units)
    order = np.random.default_rng(5).permutation(200)
    assert (whole({name: values[order] for name, values in columns.items()}, units[order]) == expected).all()
    parts = [whole({n: v[units == unit] for n, v in columns.items()}, units[units == unit]) for unit in range(30)]
    assert (np.sum(parts, axis=0) == expected).all()
    assert expected.sum() == sum(min(3, np.sum(units == unit)) for unit in range(30))


def neighbours_are_asked_the_same(fit):
    """`fit(private)` asks of the neighbour, a person of 50 rows more, what it asked before."""
    here, units = rows_of(30), np.arange(30) // 2
    there = {name: np.append(values, [1] * 50) for name, values in here.items()}
    tape = record(fit, private_rows_of(here, units, m=M))
    assert replay(fit, private_rows_of(there, [*units, *[99] * 50], m=M), tape) == tape.result
