"""MST on the engine of `mbi` (private-pgm), as a peer: run by `engine.py --mbi` in an environment that has only that.

    python benchmarks/mbi_mst.py CODES.csv.gz DOMAIN.json OUT.npy RHO SEED

McKenna, Miklau, Sheldon (2021), https://arxiv.org/abs/2108.04978: a third of rho for one-way marginals, a third for a
maximum spanning tree of pairs, a third for measuring those. Floating-point noise: for comparison, not for release.
"""

from __future__ import annotations

import gzip
import json
import sys
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mbi import Domain, LinearMeasurement, estimation


def count(codes: dict[str, np.ndarray], domain: Domain, clique: tuple[str, ...]) -> np.ndarray:
    """The exact marginal."""
    shape = tuple(domain[name] for name in clique)
    index = np.ravel_multi_index([codes[name] for name in clique], shape)
    return np.bincount(index, minlength=int(np.prod(shape))).reshape(shape)


def tree(codes: dict[str, np.ndarray], domain: Domain, model: object, rho: float, rng: np.random.Generator) -> list:
    """A spanning tree of the pairs that the model of one-ways answers worst, by the exponential mechanism."""
    names = list(domain.attributes)
    errors = {}
    for pair in combinations(names, 2):
        answer = np.asarray(model.project(pair).datavector(flatten=False))
        errors[pair] = float(np.abs(count(codes, domain, pair) - answer).sum())
    epsilon = np.sqrt(8 * rho / (len(names) - 1))
    part = {name: name for name in names}
    edges = []
    for _ in names[1:]:
        pairs = [pair for pair in errors if part[pair[0]] != part[pair[1]]]
        one, other = pairs[int(np.argmax([epsilon / 2 * errors[pair] + rng.gumbel() for pair in pairs]))]
        edges.append((one, other))
        part = {name: part[one] if root == part[other] else root for name, root in part.items()}
    return edges


def main() -> None:
    """Fit, draw as many rows, write them."""
    codes_path, domain_path, out, rho, seed = sys.argv[1:]
    rng = np.random.default_rng(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - what the package draws its rows with
    sizes = json.loads(Path(domain_path).read_text(encoding="utf-8"))
    with gzip.open(codes_path, "rt", encoding="utf-8") as file:
        header = file.readline().strip().split(",")
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    codes = {name: table[:, header.index(name)] for name in sizes}
    domain = Domain(tuple(sizes), tuple(sizes.values()))
    third = float(rho) / 3

    sigma = np.sqrt(len(sizes) / (2 * third))
    noisy = {name: count(codes, domain, (name,)) + rng.normal(0, sigma, sizes[name]) for name in sizes}
    ones = [LinearMeasurement(noisy[name], (name,), sigma) for name in sizes]
    maps = {}
    for name, counts in noisy.items():  # cells under three sigmas become one
        large = counts >= 3 * sigma
        maps[name] = np.where(large, np.cumsum(large) - 1, large.sum()) if not large.all() else np.arange(len(counts))
    coarse = Domain(tuple(sizes), tuple(int(maps[name].max()) + 1 for name in sizes))
    merged = {name: maps[name][codes[name]] for name in sizes}
    folded = [one.compress({one.clique[0]: maps[one.clique[0]]}, domain) for one in ones]

    # The package's own estimate of the number of rows does not see measurements of merged cells.
    total = float(np.average([noisy[name].sum() for name in sizes], weights=[1 / size for size in sizes.values()]))
    engine = estimation.MirrorDescent()
    model = engine.estimate(coarse, folded, known_total=total)
    edges = tree(merged, coarse, model, third, rng)
    sigma = np.sqrt((len(sizes) - 1) / (2 * third))
    exact = {pair: count(merged, coarse, pair).ravel() for pair in edges}
    pairs = [LinearMeasurement(exact[pair] + rng.normal(0, sigma, len(exact[pair])), pair, sigma) for pair in edges]
    model = engine.estimate(coarse, [*folded, *pairs], known_total=total)

    drawn = model.synthetic_data(len(codes[header[0]])).to_dict()
    columns = []
    for name in sizes:  # a merged cell's rows: spread evenly over what it was made of
        members = [np.flatnonzero(maps[name] == cell) for cell in range(coarse[name])]
        values = np.asarray(drawn[name])
        fine = np.array([len(cells) for cells in members])
        place = (rng.random(len(values)) * fine[values]).astype(int)
        flat, starts = np.concatenate(members), np.cumsum(fine) - fine
        columns.append(flat[starts[values] + place])
    np.save(out, np.stack(columns, axis=1).astype(np.uint32))


if __name__ == "__main__":
    main()
