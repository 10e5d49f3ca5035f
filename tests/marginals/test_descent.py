from __future__ import annotations

import numpy as np
import pytest
from graphs import DOMAIN, SHAPES, random_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.marginals import descent
from pasteur.marginals.inference import Propagation
from pasteur.marginals.junction_tree import JunctionTree
from pasteur.marginals.layout import MULTIPLIERS, SLOPES, TARGETS, Layout


def exponentials(values, scale=1.0):
    memory = np.concatenate([values, np.zeros(len(values))])
    row = np.zeros(descent.PLACES + 1, dtype=np.int64)
    row[descent.OUT], row[descent.CELLS] = len(values), len(values)
    descent._exponentials(memory, row, scale, np.empty(len(values)))
    return memory[len(values) :]


def test_exponentials_are_right_to_rounding():
    values = np.concatenate([np.linspace(-599, 599, 4001), np.linspace(-1, 1, 1001), [0.0, 1e-300, -1e-17]])
    np.testing.assert_allclose(exponentials(values), np.exp(values), rtol=4e-15)
    assert exponentials(np.zeros(1))[0] == 1.0


@pytest.mark.parametrize("value", [601.0, -601.0, 1e300, np.inf, -np.inf, np.nan])
def test_a_step_too_large_is_no_number(value):
    assert np.isnan(exponentials(np.array([value, 1.0]))[0])


def check_step(domain, cliques, seed):
    """One step of the program is what the potentials' own distribution says, in both directions."""
    rng = np.random.default_rng(seed)
    tree = JunctionTree.of(domain, cliques)
    propagation = Propagation(tree, cliques)
    potentials = [rng.normal(0, 2, domain.shape(clique)) for clique in cliques]
    layout = Layout(tree, cliques)
    memory = np.zeros(layout.cells)
    before = propagation.calibrate(potentials)
    for node, table, start in zip(tree.nodes, before.tables, layout.nodes, strict=True):
        memory[start : start + table.size] = table.transpose(layout.axes(node.clique)).ravel()
    program = layout.program(dict.fromkeys(layout.starts, 1.0))
    scratch = np.empty(layout.area)
    assert descent._run(program, 0, program.ends[0], memory, 0.0, scratch)
    for side in (0, 1):
        slopes = [rng.normal(0, 1, domain.shape(clique)) for clique in {frozenset(c): c for c in cliques}.values()]
        for clique, slope in zip({frozenset(c): c for c in cliques}.values(), slopes, strict=True):
            start = layout.area_of(SLOPES + side) + layout.starts[cliques.index(clique)]
            memory[start : start + slope.size] = slope.transpose(layout.axes(clique)).ravel()
            potentials[cliques.index(clique)] = potentials[cliques.index(clique)] - 0.7 * slope
        assert descent._run(program, program.ends[side], program.ends[side + 1], memory, 0.7, scratch)
        after = propagation.calibrate(potentials)
        for clique, start in zip(cliques, layout.starts, strict=True):
            place = layout.area_of(1 - side) + start
            found = memory[place : place + domain.size(clique)]
            np.testing.assert_allclose(found, after.marginal(clique).transpose(layout.axes(clique)).ravel(), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_step_in_any_of_the_six_shapes_is_a_change_of_potentials(shape):
    check_step(DOMAIN, SHAPES[shape], 0)


@settings(max_examples=60, deadline=None)
@given(random_graphs(attributes=8), st.integers(0, 2**32))
def test_a_step_in_any_graph_is_a_change_of_potentials(graph, seed):
    check_step(*graph, seed)


def test_one_table_of_many_pairs_is_gone_over_through_faces():
    """Ten pairs in one node: few of them are summed from the whole table."""
    names = "abcde"
    domain = type(DOMAIN).of(dict(zip(names, [4, 5, 6, 7, 8], strict=True)))
    cliques = [(one, other) for one in names for other in names if one < other]
    check_step(domain, cliques, 3)
    layout = Layout(JunctionTree.of(domain, cliques), cliques)
    operations = layout.program(dict.fromkeys(layout.starts, 1.0)).operations
    sums = operations[operations[:, descent.OPERATION] == descent.PROJECT]
    whole = (sums[:, descent.RUNS] * sums[:, descent.LENGTH] == domain.size()).sum()
    assert whole == 3 * 3, "three a pass; the first pass, and one a step"


def test_areas_do_not_overlap():
    layout = Layout(JunctionTree.of(DOMAIN, SHAPES["cyclic"]), SHAPES["cyclic"])
    program = layout.program(dict.fromkeys(layout.starts, 1.0))
    operations = program.operations
    outs = operations[:, descent.OUT]
    targets = range(layout.area_of(TARGETS), layout.area_of(MULTIPLIERS))
    assert not any(out in targets for out in outs), "targets are never written"
    assert outs.max() < layout.cells
