"""Rows from a calibrated junction tree, root to leaves, with low variance: counts follow the model, not chance.

Inside each group of rows that agree on a node's separator, rows *in random order* take systematic quantiles of
P(residual | separator). The random order is what keeps two children of one parent independent: rows of a group that
took their quantiles in one and the same order would tie the children to each other, which no measured marginal shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pasteur.marginals.inference import Array, Calibrated

CHUNK = 1 << 18
"""Rows drawn together. Part of what a seed means, and so no setting."""

LAST = 1 - 2.0**-30
"""Quantiles stay under 1, also after the group's number is added to them."""

Codes = NDArray[np.intp]


def rows(calibrated: Calibrated, count: int, *, rng: np.random.Generator) -> Iterator[dict[str, Codes]]:
    """Yield `count` rows of codes in chunks of at most `CHUNK`, attributes in the domain's order.

    The chunks depend on `rng` and `count` alone; only one is in memory at a time.
    """
    for start in range(0, count, CHUNK):
        yield _chunk(calibrated, min(CHUNK, count - start), rng)


def _chunk(calibrated: Calibrated, count: int, rng: np.random.Generator) -> dict[str, Codes]:
    tree = calibrated.tree
    sizes = tree.domain.as_dict()
    drawn: dict[str, Codes] = {}
    for node, conditional in zip(tree.nodes, calibrated.conditionals, strict=True):
        groups = np.zeros(count, dtype=np.intp)
        for name in node.separator:
            groups = groups * sizes[name] + drawn[name]
        cells = systematic(conditional, groups, rng=rng)
        for name in reversed(node.residual):
            cells, drawn[name] = np.divmod(cells, sizes[name])
    return {name: drawn[name] for name in tree.domain.attributes}


def systematic(conditional: Array, groups: Codes, *, rng: np.random.Generator) -> Codes:
    """Draw a column for each row from its group's distribution, by systematic quantiles over rows in random order.

    Args:
        conditional: (groups, cells), rows that sum to 1; a row without mass counts as uniform.
        groups: (rows,) the group of each row.
        rng: draws the order and each group's first quantile.

    Returns:
        (rows,) cells. In a group of n rows, any run of cells holds its expected number of rows to within 1.
    """
    if not len(groups):
        return np.zeros(0, dtype=np.intp)
    order = rng.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    present, starts, counts = np.unique(groups[order], return_index=True, return_counts=True)
    local = np.repeat(np.arange(len(present)), counts)
    ranks = np.arange(len(groups)) - starts[local]
    quantiles = np.minimum((ranks + rng.random(len(present))[local]) / counts[local], LAST)

    cumulative = np.cumsum(conditional[present], axis=1)
    width = cumulative.shape[1]
    massless = cumulative[:, -1] <= 0
    cumulative[massless] = np.arange(1, width + 1)
    cumulative /= cumulative[:, -1:]
    cumulative += np.arange(len(present))[:, None]
    found = np.searchsorted(cumulative.ravel(), local + quantiles, side="right") - local * width
    cells = np.empty(len(groups), dtype=np.intp)
    cells[order] = found
    return cells
