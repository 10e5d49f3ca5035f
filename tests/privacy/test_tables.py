"""Trees of tables: what counts of a unit is its own affair, and removing it with all its rows moves little."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from trees import NAMED, NOTES, STAYS, TESTS, joined, patient, people, private_of, record_tree, replay_tree

from pasteur.errors import PrivacyError
from pasteur.privacy import contributions, lineage, sensitivity
from pasteur.privacy.columns import first_bins, mean_code, step_bins
from pasteur.privacy.memory import Memory
from pasteur.synth import relational

SETTINGS = relational.Settings(root="independent", contexts=2)
RNG = np.random.default_rng(7)
BASE = people(12)
HEAVY = patient(99, RNG, stays=40, tests=30)
ELSEWHERE = {
    "patients": [("p98", "p98", 1, 8)],
    "stays": [("p98", "p3", 98000, 1, 1), ("p98", "nobody", 98001, 1, 1), ("p98", "p98", 98002, 39, 3)],
    "tests": [("p98", 3000, 1, 5), ("p98", 98002, 2, 5), ("p98", 5, 0, 0)],
    "notes": [("p98", "p98", 3000, 1), ("p98", "p98", None, 2), ("p98", "p98", 98002, 0)],
}
KEYLESS = {
    "patients": [("p96", None, 1, 8)],
    "stays": [("p96", None, None, 1, 1), ("p96", "p96", None, 3, 1)],
    "tests": [("p96", None, 1, 5), ("p96", None, 2, 5)],
    "notes": [("p96", None, None, 1)],
}
EMPTY = patient(97, RNG, stays=0)
ROOTLESS = {**HEAVY, "patients": []}
NOBODY = joined()

NEIGHBOURS = {
    "ten times the maxima": (joined(*BASE), joined(*BASE, HEAVY)),
    "rows of other people's parents, and of none": (joined(*BASE), joined(*BASE, ELSEWHERE)),
    "missing keys": (joined(*BASE), joined(*BASE, KEYLESS)),
    "no children": (joined(*BASE), joined(*BASE, EMPTY)),
    "children without their root": (joined(*BASE), joined(*BASE, ROOTLESS)),
    "one less": (joined(*BASE), joined(*BASE[1:])),
    "the only one": (NOBODY, joined(HEAVY)),
    "empty child tables": (joined(EMPTY), joined(EMPTY, BASE[0])),
}


def fit(private):
    return relational.fit(private, SETTINGS)


@pytest.mark.parametrize("pair", NEIGHBOURS)
def test_d18_d19_a_whole_entity_may_go(pair):
    """Given the same answers the questions, the charges and what is drawn are the same, and no answer moves too far."""
    here, there = NEIGHBOURS[pair]
    tape = record_tree(fit, here)
    again = replay_tree(fit, there, tape)
    one, other = (model.sample(30, rng=np.random.default_rng(1)) for model in (tape.result, again))
    assert all(one[name].arrow().equals(other[name].arrow()) for name in one)


def test_d24_so_may_one_become_another():
    here = joined(*BASE, HEAVY)
    there = joined(*BASE, {name: [("p99", *row[1:]) for row in rows] for name, rows in ELSEWHERE.items()})
    replay_tree(fit, there, record_tree(fit, here, relation="replace"), relation="replace")


def unclipped(cells, starts, clip, sums):
    np.add.at(sums, cells, sensitivity.GRID)


def test_a_tree_without_clipping_is_found(monkeypatch):
    monkeypatch.setattr(contributions, "clipped", unclipped)
    here, there = NEIGHBOURS["ten times the maxima"]
    with pytest.raises(AssertionError, match="moved by"):
        replay_tree(fit, there, record_tree(fit, here))


def test_rows_that_reach_into_another_unit_are_found(monkeypatch):
    real = lineage._located

    def anybody(parent, key, words, keys):
        whose = {name: place for place, name in enumerate(parent.keys[key].tolist())}
        at = np.array([whose.get(name, -1) for name in keys.tolist()], dtype=np.int64)
        return at if len(at) else real(parent, key, words, keys)

    monkeypatch.setattr(lineage, "_located", anybody)
    here, there = NEIGHBOURS["rows of other people's parents, and of none"]
    with pytest.raises(AssertionError):
        replay_tree(tables_of, there, record_tree(tables_of, here))


def tables_of(private):
    """Every column of every table, as it is counted."""
    for rows in private.rows.values():
        cliques = [(name,) for name in rows.domain.attributes]
        rows.measure_mean(cliques, sigmas=[1e4] * len(cliques), label="x")


def exact(tree, **how):
    private = private_of(tree, **how)
    return {
        (name, column): rows._counts.plain((column,))
        for name, rows in private.rows.items()
        for column in rows.domain.attributes
    }


def test_what_counts_of_a_unit_depends_on_its_own_rows_alone():
    """Neither the others nor the order of the rows in the files change it: units apart give what they give together."""
    trees = [*BASE[:6], HEAVY, ELSEWHERE]
    whole = exact(joined(*trees))
    shuffled = {name: [rows[k] for k in RNG.permutation(len(rows))] for name, rows in joined(*trees).items()}
    assert all((counts == whole[each]).all() for each, counts in exact(shuffled).items())
    apart = [exact(tree) for tree in trees]
    assert all((sum(part[each] for part in apart) == counts).all() for each, counts in whole.items())


def test_a_missing_key_names_nobody_and_nobody_names_it():
    """Of the unit before, the last key had been named."""
    before = patient(96, RNG, stays=4, tests=3)
    missing = {name: [("p97", *row[1:]) for row in rows] for name, rows in KEYLESS.items()}
    whole, alone = exact(joined(before, missing)), exact(joined(before))
    apart = exact(missing)
    assert all((alone[each] + apart[each] == counts).all() for each, counts in whole.items())
    assert apart["tests", "kind"].sum() == 0


def test_each_parent_keeps_its_first_rows():
    private = private_of(joined(HEAVY))
    assert private.rows["stays"]._counts.plain(("number of stays of patients",)).tolist() == [0, 0, 0, 0, 4]
    assert private.rows["stays"]._counts.total() == 4
    assert private.rows["tests"]._counts.total() == 12
    assert (private.rows["stays"].max_rows, private.rows["tests"].max_rows) == (4, 12)
    days = [row[3] for row in HEAVY["stays"]]
    steps = private.rows["stays"]._counts.plain(("time since",))
    assert steps[0] == 1
    assert steps[np.searchsorted(step_bins(40), days[1] - days[0], side="right")] == 3


def test_what_was_before():
    stays = [("u", "u", 1, 5, 3), ("u", "u", 2, 6, 0), ("u", "u", 3, 6, 2)]
    tree = {"patients": [("u", "u", 0, 0)], "stays": stays, "tests": [], "notes": [("u", "u", 2, 0), ("u", "u", 7, 0)]}
    private = private_of(tree, relations=(STAYS, TESTS, NOTES, NAMED))
    wards = private.rows["stays"]._counts.plain(("ward before",)).tolist()
    assert wards[:4] in ([1, 0, 0, 1], [0, 0, 1, 1])  # the two of one day stand in either order
    assert wards[4] == 1
    beside = private.rows["notes"]._counts.plain(("ward of named stays",))
    assert beside.tolist() == [1, 0, 0, 0, 1]
    assert private.rows["notes"]._counts.plain(("which of stays",))[0] == 1


def test_a_lasting_trait_is_a_column_of_the_parent():
    """The mean of what is known over the rows that count; one code for rows of which none is, one for no rows."""
    stays = [("u", "u", 1, 5, 2), ("u", "u", 2, 6, 0), ("u", "u", 3, 7, 3), ("u", "u", 4, 8, 2), ("u", "u", 5, 9, 0)]
    stays += [("v", "v", 6, 5, 3), ("v", "v", 7, 5, 3)]
    patients = [(unit, unit, 0, 0) for unit in ("u", "v", "w")]
    private = private_of({"patients": patients, "stays": stays, "tests": [], "notes": []})
    trait = private.rows["patients"]._counts.plain(("ward of stays on average",))
    assert trait.tolist() == [0, 1, 0, 1, 1]  # of u (2 + 0 + 2) / 3: the fifth stay does not count
    above = private.rows["stays"]._counts.plain(("ward of stays on average of patients",))
    assert above.tolist() == [0, 4, 0, 2, 0]
    # Of u: the mean at first; then halfway from 2 to 2 / 3, from 0 to 1, and from the mean, as none is known, to 0.
    assert private.rows["stays"]._counts.plain(("ward due",)).tolist() == [0, 4, 0, 2]


def one_by_one(parent, codes, size, missing):
    """The trait of each parent, and of each row the mean so far and what is due, as they are told."""
    known = [code for code in codes if code < size - missing]
    half_up = lambda sums, count: math.floor(sums / count + 0.5)  # noqa: E731
    trait = half_up(sum(known), len(known)) if known else size - 1
    rows = []
    for place, _ in enumerate(codes):
        past = [code for code in codes[:place] if code < size - missing]
        so_far = half_up(sum(past), len(past)) if past else size
        last = codes[place - 1] if place and codes[place - 1] < size - missing else trait
        # Rows of which nothing is known weigh as if they had the mean.
        left = len(codes) - place
        rest = (trait * (len(past) + left) - sum(past)) / left
        due = min(max(half_up(last + rest, 2), 0), size - 1 - missing) if known else size - 1
        rows.append((parent, trait, so_far, due))
    return rows


@pytest.mark.parametrize("missing", [False, True])
def test_memory_is_of_the_rows_of_one_parent(missing):
    rng, size = np.random.default_rng(3), 9
    families = [rng.integers(0 if k % 3 else size - 2, size, rng.integers(0, 6)).tolist() for k in range(60)]
    told = [row for k, codes in enumerate(families) for row in one_by_one(k, codes, size, missing)]
    number = np.array([len(codes) for codes in families])
    rows = SimpleNamespace(
        parent=np.array([row[0] for row in told]),
        place=np.concatenate([np.arange(each) for each in number]),
        siblings=np.repeat(number, number),
    )
    column = np.concatenate(families).astype(np.uint8)
    memory = Memory(make=lambda: column, size=size, missing=missing, lineage=rows)
    trait = memory.trait(len(families))
    assert [size if not codes else trait[k] for k, codes in enumerate(families)] == trait.tolist()
    assert trait[rows.parent].tolist() == [row[1] for row in told]
    assert memory.so_far().tolist() == [row[2] for row in told]
    assert memory.due(lambda: trait[rows.parent]).tolist() == [row[3] for row in told]


def test_bins_cover_every_moment():
    for count in (1, 5, 8, 9, 40, 513, 10_000):
        for edges in (first_bins(count), step_bins(count)):
            assert (edges[0], edges[-1]) == (0, count)
            assert (np.diff(edges) > 0).all()
    assert mean_code(np.array([5, 0, 3]), np.array([2, 0, 2]), 9).tolist() == [3, 9, 2]


@pytest.mark.parametrize("most", [0, None, True, 1.5])
def test_d10_a_maximum_is_a_bound(most):
    bad = STAYS.__class__(**{**STAYS.__dict__, "max_rows": most})
    with pytest.raises(PrivacyError, match="max_rows"):
        private_of(joined(*BASE), relations=(bad,))


def test_a_column_keeps_its_name():
    clash = NOTES.__class__(**{**NOTES.__dict__, "child": "stays", "max_rows": 1})
    with pytest.raises(PrivacyError, match="of a name that no other column"):
        private_of(joined(*BASE), relations=(STAYS, clash))
