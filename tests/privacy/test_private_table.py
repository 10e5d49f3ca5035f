from __future__ import annotations

import ast
import copy
import itertools
import logging
import pickle
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import record, replay

import pasteur
from pasteur.errors import BudgetError, PrivacyError
from pasteur.marginals import Domain
from pasteur.privacy import Budget, DiscreteGaussian, Ledger, PrivateTable
from pasteur.privacy.ledger import ROWS_PUBLIC
from pasteur.table import UNIT, Table

SIZES = {"a": 4, "b": 3, "c": 2}
PAIRS = list(itertools.combinations(SIZES, 2))


def ask_all(private):
    """A small adaptive algorithm that asks every kind of question."""
    share = private.ledger.total / 5
    total = private.measure_total(sigma=private.sigma(share), label="total")
    ones = private.measure(
        [(name,) for name in private.domain.attributes], sigmas=[private.sigma(share / 3)] * 3, label="one"
    )
    answers = [np.full(private.domain.shape(pair), max(total.values, 1) / private.domain.size(pair)) for pair in PAIRS]
    worst = private.choose(PAIRS, answers=answers, epsilon=private.choice_epsilon(share), label="worst")
    private.measure_laplace([PAIRS[worst]], scales=[1e4], label="laplace")
    merged = private.merged({"a": [0, 0, 1, 1] if ones[0].values[0] > 3 else [0, 1, 1, 1]})
    pair = merged.measure([PAIRS[worst]], sigmas=[merged.sigma(share)], label="pair")
    return worst, total.values, pair[0].values


def exact_of(private, cliques):
    def ask(table):
        table.measure(cliques, sigmas=[1e5] * len(cliques), label="x")

    return [question.exact for question in record(ask, private).questions]


def without(columns, units, unit):
    keep = np.asarray(units) != unit
    return {name: np.asarray(values)[keep] for name, values in columns.items()}, np.asarray(units)[keep]


def test_answers_are_the_counts_plus_noise(make_private, rows):
    columns = rows(500)
    private = make_private(columns, epsilon=1e3)
    measured = private.measure([("a", "b"), ("c",)], sigmas=[0.5, 1.0], label="x")
    counts = np.zeros((4, 3))
    np.add.at(counts, (columns["a"], columns["b"]), 1)
    assert measured[0].clique == ("a", "b")
    assert measured[0].values.shape == (4, 3)
    assert np.abs(measured[0].values - counts).max() <= 5
    assert [m.sigma for m in measured] == [0.5, 1.0]
    assert abs(private.measure_total(sigma=1.0, label="n").values - 500) < 10


def test_the_worst_candidate_is_chosen(make_private, rows):
    private = make_private(rows(500), epsilon=1e3)
    good, bad = exact_of(make_private(rows(500)), [("a", "b")])[0], np.zeros((4, 3))
    for answers, worst in (([good, bad], 1), ([bad, good], 0)):
        assert private.choose([("a", "b")] * 2, answers=answers, epsilon=1.0, label="x") == worst


def test_d06_only_the_seam_sees_exact_answers(make_private, rows):
    tape = record(ask_all, make_private(rows(50)))
    kinds = [type(question.event).__name__ for question in tape.questions]
    assert kinds == ["DiscreteGaussian"] * 4 + ["ExponentialChoice", "DiscreteLaplace", "DiscreteGaussian"]
    private = make_private(rows(50))
    public = {name for name in dir(private) if not name.startswith("_")}
    assert public == {
        "choice_epsilon", "choose", "choose_several", "domain", "error_sigma", "ledger", "measure", "measure_errors",
        "measure_laplace", "measure_total", "merged",
        "public_rows", "sigma", "with_levels",
    }  # fmt: skip


def private_sources():
    """The modules of private algorithms and those of their folder that they stand on, parsed; not `model`."""
    folder = Path(pasteur.__file__).parent / "synth"
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}
    private = [stem for stem, tree in trees.items() if any("PRIVATE = True" in ast.unparse(node) for node in tree.body)]
    reached = {"model"}
    while private:
        stem = private.pop()
        if stem not in reached:
            reached.add(stem)
            yield f"{stem}.py", trees[stem]
            for node in ast.walk(trees[stem]):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pasteur.synth"):
                    named = [alias.name for alias in node.names if node.module == "pasteur.synth"]
                    private += named or [node.module.removeprefix("pasteur.synth.")]


def test_d06_private_algorithms_reach_for_no_data():
    banned = {"pandas", "duckdb", "pyarrow.parquet", "pasteur.files", "random"}
    banned |= {f"pasteur.privacy.{room}" for room in ("counts", "grouped", "lineage", "sheets")}
    seen = 0
    for file, tree in private_sources():
        seen += 1
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr != "__post_init__":
                inside = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
                assert inside, f"{file}:{node.lineno} reaches for .{node.attr}"
            if isinstance(node, ast.Name):
                reaches = node.id in {"vars", "eval", "exec", "__import__"}
                assert not reaches, f"{file}:{node.lineno} uses {node.id}"
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            module = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong = banned & {*names, *module, *(f"{one}.{name}" for one in module for name in names)}
            assert not wrong, f"{file}:{node.lineno} imports {wrong}"
    assert seen >= 2


def test_d09_what_is_cut_is_what_is_counted(make_private, rows):
    def neighbour(rows_of_outlier):
        columns = rows(20)
        units = [*range(20), *["outlier"] * rows_of_outlier]
        return {name: [*values, *[1] * rows_of_outlier] for name, values in columns.items()}, units

    tape = record(ask_all, make_private(*neighbour(0), m=2))
    for count in (1, 2, 500):
        replay(ask_all, make_private(*neighbour(count), m=2), tape)


def test_d11_codes_outside_and_nulls_neither_raise_nor_escape(make_private):
    table = pa.table({
        UNIT: pa.array(["x", None, "", "y", "z"]),
        "a": pa.array([0, 200, None, 3, 255], pa.uint8()),
        "b": pa.array([-7, 1, 2, None, 2**40], pa.int64()),
        "c": pa.array([0, 1, 0, 1, 1], pa.int8()),
    })  # fmt: skip
    private = PrivateTable(Table.of(table), Domain.of(SIZES), Ledger(Budget(epsilon=1)), salt="s", max_rows_per_unit=2)
    a, b, c = exact_of(private, [("a",), ("b",), ("c",)])
    assert a.tolist() == [2, 0, 0, 3]
    assert b.tolist() == [2, 1, 2]
    assert c.tolist() == [2, 3]


def test_d17_number_of_rows_is_private_unless_declared(make_private, rows):
    columns, units = rows(40), list(range(40))
    fewer = without(columns, units, 7)
    tape = record(ask_all, make_private(columns, units))
    worst, total, pair = replay(ask_all, make_private(*fewer), tape)
    assert (worst, total) == tape.result[:2]
    assert pair.shape == tape.result[2].shape
    private = make_private(columns, units)
    assert private.public_rows is None
    assert "40" not in repr(private) + repr(private.ledger)
    assert not hasattr(private, "__len__")
    public = make_private(columns, units, rows_public=True)
    assert public.public_rows == 40
    assert "rows that count is not protected" in ROWS_PUBLIC  # what is given away must be in the claim
    assert public.ledger.stamps == (ROWS_PUBLIC,)
    assert public.ledger.private
    assert private.ledger.stamps == ()


@pytest.mark.parametrize("m", [1, 3])
def test_d18_a_unit_with_ten_times_the_cap(make_private, rows, m):
    columns, units = rows(30), list(range(30))
    many = {
        name: [*values, *np.random.default_rng(1).integers(0, SIZES[name], 10 * m)] for name, values in columns.items()
    }
    few = exact_of(make_private(columns, units, m=m), [("a", "b", "c")])[0]
    more = exact_of(make_private(many, [*units, *["big"] * 10 * m], m=m), [("a", "b", "c")])[0]
    assert (more >= few).all()
    assert (more - few).sum() == m


@settings(max_examples=25, deadline=None)
@given(data=st.data(), m=st.integers(1, 4), relation=st.sampled_from(["add_remove", "replace"]))
def test_d19_remove_or_replace_one_unit_replay(data, m, relation):
    from tables import codes_of

    size = data.draw(st.integers(0, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    columns = {name: rng.integers(0, top, size) for name, top in SIZES.items()}
    units = rng.integers(0, 8, size)

    def private(columns, units):
        ledger = Ledger(Budget(epsilon=1, relation=relation))
        return PrivateTable(codes_of(columns, units), Domain.of(SIZES), ledger, salt="s", max_rows_per_unit=m)

    tape = record(ask_all, private(columns, units))
    fewer, who = without(columns, units, 0)
    if relation == "replace":
        fewer = {name: np.append(values, rng.integers(0, SIZES[name], 9)) for name, values in fewer.items()}
        who = np.append(who, [0] * 9)
    replay(ask_all, private(fewer, who), tape)


def test_d20_neighbours_have_the_same_exit_and_the_same_log(make_private, rows, caplog):
    caplog.set_level(logging.DEBUG)
    hard = {
        "empty": ({"a": [], "b": [], "c": []}, []),
        "one": (rows(1), [1]),
        "same unit": (rows(60), [1] * 60),
        "one cell": ({"a": [3] * 50, "b": [2] * 50, "c": [1] * 50}, range(50)),
        "usual": (rows(60), range(60)),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tapes = {name: record(ask_all, make_private(columns, units, m=2)) for name, (columns, units) in hard.items()}
        for name, (columns, units) in hard.items():
            private = make_private(columns, units, m=2)
            with pytest.raises(BudgetError) as refused:
                private.measure([("a",)], sigmas=[0.5], label="too much")
            tapes[name] = (len(tapes[name].questions), str(refused.value))
    assert len(set(tapes.values())) == 1
    assert not [record.message for record in caplog.records if record.name.startswith("pasteur")]


def test_d22_shuffled_rows_and_other_batches_give_identical_counts(make_codes, rows):
    columns = rows(3000)
    order = np.random.default_rng(1).permutation(3000)
    shuffled = {name: values[order] for name, values in columns.items()}
    cliques = [("a", "b"), ("c",)]
    exact = [
        exact_of(PrivateTable(codes, Domain.of(SIZES), Ledger(Budget(epsilon=1)), salt="s"), cliques)
        for codes in (make_codes(columns), make_codes(shuffled), make_codes(columns, chunk=7))
    ]
    for one, *others in zip(*exact, strict=True):
        assert one.dtype == np.int64
        assert all((one == other).all() for other in others)


def test_d22_scores_are_whole_numbers_whatever_the_answers(make_private, rows):
    def ask(private, answer):
        private.choose([("a",)], answers=[answer], epsilon=1e-3, label="x")

    for answer in ([1 / 3, 2e-4, -7.7, 1e14], [0.4995, 3.0004, 2.4997, 1.0003], [2.0**48] * 3 + [0.0]):
        tape = record(lambda private, answer=answer: ask(private, answer), make_private(rows(10)))
        assert tape.questions[0].exact.dtype == np.int64
        counts = exact_of(make_private(rows(10)), [("a",)])[0]
        by_hand = sum(abs(1024 * int(n) - round(1024 * float(x))) for n, x in zip(counts, answer, strict=True))
        assert int(tape.questions[0].exact[0]) == by_hand
    for answer in ([np.nan, 0, 0, 0], [np.inf, 0, 0, 0], [2.0**50, 0, 0, 0]):
        private = make_private(rows(10))
        with pytest.raises(PrivacyError, match=r"must be finite and under 2\^50 rows"):
            ask(private, answer)
        assert private.ledger.events == ()


def test_merged_counts_are_sums_of_the_finer_ones(make_private, rows):
    private = make_private(rows(300))
    merged = private.merged({"a": [1, 0, 1, 0], "c": [0, 0]})
    assert merged.domain.as_dict() == {"a": 2, "b": 3, "c": 1}
    assert merged.ledger is private.ledger
    fine, coarse = exact_of(private, [("b", "a", "c")])[0], exact_of(merged, [("b", "a", "c")])[0]
    assert (coarse[:, 0, 0] == fine[:, [1, 3]].sum(axis=(1, 2))).all()
    assert (coarse[:, 1, 0] == fine[:, [0, 2]].sum(axis=(1, 2))).all()
    again = merged.merged({"b": [0, 1, 1]})
    assert exact_of(again, [("b",)])[0].sum() == 300
    for bad in ({"a": [0, 1]}, {"a": [0, 2, 2, 2]}, {"d": [0]}):
        with pytest.raises(PrivacyError):
            private.merged(bad)


def test_refusals_name_what_is_wrong_and_charge_nothing(make_private, rows):
    private = make_private(rows(10))
    calls = {
        "attribute 'd' is not in the domain": lambda: private.measure([("d",)], sigmas=[50.0], label="x"),
        "must be one or more different attributes": lambda: private.measure([("a", "a")], sigmas=[50.0], label="x"),
        r"cliques \(none\) must be at least one": lambda: private.measure([], sigmas=[], label="x"),
        r"number of sigmas \(1\) must be 2": lambda: private.measure([("a",), ("b",)], sigmas=[50.0], label="x"),
        r"sigma \(nan\) must be finite": lambda: private.measure([("a",)], sigmas=[np.nan], label="x"),
        r"scale \(0\) must be finite": lambda: private.measure_laplace([("a",)], scales=[0], label="x"),
        r"must be of shape \(4,\)": lambda: private.choose([("a",)], answers=[[1.0]], epsilon=0.1, label="x"),
        r"number of answers \(0\)": lambda: private.choose([("a",)], answers=[], epsilon=0.1, label="x"),
        r"epsilon \(-1\) must be": lambda: private.choose([("a",)], answers=[[1.0] * 4], epsilon=-1, label="x"),
    }
    for says, call in calls.items():
        with pytest.raises(PrivacyError, match=says):
            call()
    assert private.ledger.events == ()


def test_the_table_must_fit_the_domain(make_codes, rows):
    ledger = Ledger(Budget(epsilon=1))
    with pytest.raises(PrivacyError, match="attribute 'aa' is not a column of the codes; did you mean 'a'"):
        PrivateTable(make_codes(rows(3)), Domain.of({"aa": 2}), ledger, salt="s")
    with pytest.raises(PrivacyError, match=r"column 'a' \(double\) must be of integer codes"):
        PrivateTable(Table.of(pa.table({"a": [0.5]})), Domain.of({"a": 2}), ledger, salt="s")
    with pytest.raises(PrivacyError, match=r"max_rows_per_unit \(2\) must be 1 where the table has no column '_unit'"):
        PrivateTable(make_codes(rows(3)), Domain.of(SIZES), ledger, salt="s", max_rows_per_unit=2)


def test_d16_it_cannot_be_carried_out_of_the_room(make_private, rows):
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(PrivacyError, match="must not be pickled"):
            carry(make_private(rows(3)))


def test_the_ledger_names_each_question(make_private, rows):
    private = make_private(rows(10))
    private.measure([("a", "b")], sigmas=[77.0], label="pairs")
    assert private.ledger.entries[0].label == "pairs: a x b"
    assert private.ledger.events == (DiscreteGaussian(sigma=77.0, sensitivity=1.0),)
