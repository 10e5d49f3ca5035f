from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import Domain, GraphicalModel, count, sampling
from pasteur.marginals.sampling import systematic


def model_of(domain, cliques, seed=0, spread=1.5, total=1.0):
    rng = np.random.default_rng(seed)
    potentials = tuple(rng.normal(0, spread, domain.shape(clique)) for clique in cliques)
    return GraphicalModel(domain=domain, cliques=tuple(cliques), potentials=potentials, total=total)


def variation(model, codes, clique):
    counts = count([codes], model.domain, [clique])[0]
    return np.abs(counts / counts.sum() - model.marginal(clique) / model.total).sum() / 2


@pytest.mark.parametrize("shape", SHAPES)
def test_all_pairs_follow_the_model_measured_or_not(shape):
    model = model_of(DOMAIN, SHAPES[shape])
    (codes,) = model.sample(20_000, rng=np.random.default_rng(5))
    for pair in combinations(DOMAIN.attributes, 2):
        assert variation(model, codes, pair) < 0.012, pair


def test_children_of_one_parent_stay_independent_given_it():
    """The trap: rows of a group that take their quantiles in one order tie the children to each other."""
    domain = Domain.of({"parent": 3, "left": 8, "right": 8, "far": 8})
    model = model_of(domain, [("parent", "left"), ("parent", "right"), ("right", "far")])
    (codes,) = model.sample(30_000, rng=np.random.default_rng(0))
    assert variation(model, codes, ("left", "right")) < 0.03
    assert variation(model, codes, ("parent", "left", "right")) < 0.05
    assert variation(model, codes, ("left", "far")) < 0.03


def test_unmeasured_pairs_pass_a_chi_square_test_against_the_model():
    """Rows of low variance stay under what independent draws give; tied children would be far over it."""
    domain = Domain.of({"parent": 3, "left": 6, "right": 6, "far": 5})
    model = model_of(domain, [("parent", "left"), ("parent", "right"), ("right", "far")], spread=0.7)
    for pair in [("left", "right"), ("left", "far"), ("parent", "far")]:
        expected = model.marginal(pair) * 4000
        statistics = []
        for seed in range(40):
            (codes,) = model.sample(4000, rng=np.random.default_rng(seed))
            statistics.append(((count([codes], domain, [pair])[0] - expected) ** 2 / expected).sum())
        freedom = expected.size - 1
        assert np.mean(statistics) < freedom + 4 * np.sqrt(2 * freedom / 40), pair


def test_measured_pairs_are_the_model_s_to_within_rounding():
    """A node's cell is off by less than a row for its group, and the group by as much for its parent's."""
    domain = Domain.of({"a": 5, "b": 8, "c": 8})
    model = model_of(domain, [("a", "b"), ("b", "c")])
    (codes,) = model.sample(20_000, rng=np.random.default_rng(0))
    for pair, clique in zip([("a", "b"), ("b", "c")], model.cliques, strict=True):
        assert pair == clique
        gaps = count([codes], domain, [pair])[0] - model.marginal(pair) * 20_000
        assert np.abs(gaps).max() < 10
        assert np.abs(gaps).mean() < 2


def test_independent_attributes_stay_independent():
    domain = Domain.of({"a": 10, "b": 10})
    (codes,) = model_of(domain, [("a",), ("b",)]).sample(30_000, rng=np.random.default_rng(0))
    assert variation(model_of(domain, [("a",), ("b",)]), codes, ("a", "b")) < 0.03


def test_rows_are_in_random_order():
    (codes,) = model_of(DOMAIN, SHAPES["tree"]).sample(10_000, rng=np.random.default_rng(0))
    for column in codes.values():
        if column.std() > 0:
            assert abs(np.corrcoef(np.arange(len(column)), column)[0, 1]) < 0.05
            assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < 0.05


def test_counts_of_the_root_are_the_model_s_to_within_one():
    domain = Domain.of({"a": 50})
    model = model_of(domain, [("a",)])
    (codes,) = model.sample(1234, rng=np.random.default_rng(0))
    gaps = np.bincount(codes["a"], minlength=50) - 1234 * model.marginal(("a",)) / model.total
    assert np.abs(gaps).max() < 1


def test_groups_hold_their_expected_counts_to_within_one():
    rng = np.random.default_rng(1)
    conditional = rng.dirichlet(np.full(6, 0.5), size=40)
    groups = rng.integers(0, 40, 3000)
    cells = systematic(conditional, groups, rng=rng)
    for group in range(40):
        here = cells[groups == group]
        assert np.abs(np.bincount(here, minlength=6) - len(here) * conditional[group]).max() < 1 + 1e-9


def test_the_mean_over_seeds_has_no_bias():
    conditional = np.array([[0.1, 0.2, 0.7]])
    groups = np.zeros(3, dtype=np.intp)
    counts = sum(
        np.bincount(systematic(conditional, groups, rng=np.random.default_rng(seed)), minlength=3)
        for seed in range(2000)
    )
    np.testing.assert_allclose(counts / 6000, conditional[0], atol=0.015)


def test_cells_without_mass_are_never_drawn():
    conditional = np.array([[0.0, 0.5, 0.0, 0.5, 0.0], [1.0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0], [0, 0, 0, 0, 0]])
    groups = np.repeat([0, 1, 2], 5000)
    cells = systematic(conditional, groups, rng=np.random.default_rng(0))
    assert set(cells[groups == 0]) == {1, 3}
    assert set(cells[groups == 1]) == {0}
    assert set(cells[groups == 2]) == {4}
    assert len(set(systematic(conditional, np.full(50, 3), rng=np.random.default_rng(0)))) == 5


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows(rows):
    found = list(model_of(DOMAIN, SHAPES["cyclic"]).sample(rows, rng=np.random.default_rng(0)))
    assert sum(len(chunk["a"]) for chunk in found) == rows


def test_chunks_give_all_rows_and_the_same_ones_for_the_same_rng(monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 1000)
    model = model_of(DOMAIN, SHAPES["cyclic"])
    chunks = list(model.sample(2500, rng=np.random.default_rng(0)))
    assert [len(chunk["a"]) for chunk in chunks] == [1000, 1000, 500]
    assert list(chunks[0]) == list(DOMAIN.attributes)
    for one, other in zip(chunks, model.sample(2500, rng=np.random.default_rng(0)), strict=True):
        for name in DOMAIN.attributes:
            np.testing.assert_array_equal(one[name], other[name])


def test_negative_rows_are_refused():
    with pytest.raises(ValueError, match=r"rows \(-1\) must be 0 or more"):
        model_of(DOMAIN, []).sample(-1, rng=np.random.default_rng(0))


@st.composite
def conditionals(draw):
    groups, cells = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    weights = st.lists(st.sampled_from([0.0, 1e-12, 0.1, 1.0, 7.0]), min_size=cells, max_size=cells)
    table = np.array([draw(weights) for _ in range(groups)])
    sums = table.sum(axis=1, keepdims=True)
    return np.divide(table, sums, out=np.zeros_like(table), where=sums > 0)


@settings(max_examples=100)
@given(conditionals(), st.data(), st.integers(0, 2**32))
def test_any_run_of_cells_holds_its_share_to_within_one_row(conditional, data, seed):
    """What makes it low variance: not only cells, but all runs of neighbouring cells."""
    groups = np.array(data.draw(st.lists(st.integers(0, len(conditional) - 1), max_size=60)), dtype=np.intp)
    cells = systematic(conditional, groups, rng=np.random.default_rng(seed))
    assert cells.shape == groups.shape
    width = conditional.shape[1]
    for group in set(groups.tolist()):
        here = np.bincount(cells[groups == group], minlength=width)
        share = conditional[group] if conditional[group].sum() else np.full(width, 1 / width)
        assert len(here) == width, "a cell that is none was drawn"
        assert np.all(here[share == 0] == 0)
        gaps = np.cumsum(np.r_[0, here - here.sum() * share])
        assert np.ptp(gaps) < 1 + 1e-6


@settings(max_examples=40)
@given(random_graphs(), st.integers(0, 300), st.integers(0, 2**32))
def test_rows_of_any_model_are_in_its_domain_and_where_it_has_mass(graph, rows, seed):
    domain, cliques = graph
    rng = np.random.default_rng(seed)
    tables = tuple(rng.normal(0, 3, domain.shape(clique)) for clique in cliques)
    never = [np.where(rng.random(table.shape) < 0.2, -np.inf, table) for table in tables]
    for table in never:
        table.flat[0] = 0.0  # row 0 of every attribute can be
    model = GraphicalModel(domain=domain, cliques=tuple(cliques), potentials=tuple(never), total=1.0)
    found = list(model.sample(rows, rng=rng))
    assert sum(len(chunk[domain.attributes[0]]) for chunk in found) == rows
    for chunk in found:
        for name, size in domain.as_dict().items():
            assert len(chunk[name]) == 0 or (chunk[name].min() >= 0 and chunk[name].max() < size)
        for clique, table in zip(cliques, never, strict=True):
            drawn = table[tuple(chunk[name] for name in clique)]
            assert np.all(drawn > -np.inf), f"{clique}: a cell that cannot be was drawn"
