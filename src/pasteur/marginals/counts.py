"""Contingency tables: how many rows fall into each cell of some cliques. Exact, so int64; private, so never logged."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pasteur.errors import rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pasteur.marginals.domain import Clique, Domain

BLOCK = 1 << 16
"""Rows counted at a time: the index arithmetic of one clique then stays in cache."""


def count(
    batches: Iterable[Mapping[str, NDArray[np.generic]]], domain: Domain, cliques: Sequence[Clique]
) -> list[NDArray[np.int64]]:
    """Count the rows of `batches` in every cell of every clique, in one pass over the data.

    Args:
        batches: blocks of rows, attribute to codes: (rows,) of any integer type; attributes in no clique are not read.
        domain: of the codes.
        cliques: what to count; the empty clique counts rows.

    Returns:
        One int64 array a clique, shape = the sizes of its attributes.

    Raises:
        ValueError: a code outside its attribute's range, codes that are not integers, or columns of different lengths.
            A wrong count is never returned.
    """
    tables = [np.zeros(domain.size(clique), dtype=np.int64) for clique in cliques]
    names = domain.ordered(name for clique in cliques for name in clique)
    sizes = domain.as_dict()
    for batch in batches:
        for rows, block in _blocks(batch, names or tuple(batch)[:1]):
            codes = {name: _checked(name, block[name], sizes[name]) for name in names}
            for table, clique in zip(tables, cliques, strict=True):
                np.add(table, _histogram([codes[name] for name in clique], domain.shape(clique), rows), out=table)
    return [table.reshape(domain.shape(clique)) for table, clique in zip(tables, cliques, strict=True)]


def _blocks(
    batch: Mapping[str, NDArray[np.generic]], names: Sequence[str]
) -> Iterator[tuple[int, dict[str, NDArray[np.generic]]]]:
    """Cut a batch into blocks of at most `BLOCK` rows."""
    columns = {name: np.asarray(batch[name]) for name in names}
    lengths = {column.shape for column in columns.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(rule("shapes of the columns", sorted(lengths), "one length for all"))
    rows = next(iter(lengths))[0] if lengths else 0
    for start, stop in pairwise([*range(0, rows, BLOCK), rows]):
        yield stop - start, {name: column[start:stop] for name, column in columns.items()}


def _checked(name: str, codes: NDArray[np.generic], size: int) -> NDArray[np.intp]:
    """Codes as machine integers, all of them in [0, size)."""
    if codes.dtype.kind not in "iu":
        raise ValueError(rule(f"codes of attribute '{name}'", codes.dtype, "integers"))
    if codes.size and (codes.max() >= size or (codes.dtype.kind == "i" and codes.min() < 0)):
        message = f"codes of attribute '{name}' must be in [0, {size})"
        raise ValueError(message)
    return codes.astype(np.intp)


def _histogram(codes: Sequence[NDArray[np.intp]], shape: tuple[int, ...], rows: int) -> NDArray[np.intp]:
    """Row-major cell index, then a histogram of it."""
    if not codes:
        return np.array([rows], dtype=np.intp)
    index = codes[0]
    for column, size in zip(codes[1:], shape[1:], strict=True):
        index = index * size + column
    return np.bincount(index, minlength=int(np.prod(shape)))
