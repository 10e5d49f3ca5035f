"""What tests of private algorithms share: a table with known dependences, and how near rows come to it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pasteur import synth
from pasteur.marginals import Domain, count
from pasteur.privacy import Budget, Ledger, PrivateTable
from pasteur.table import Table

DOMAIN = Domain.of({"a": 4, "b": 4, "c": 6, "d": 3, "e": 2})
EDGES = {("a", "b"), ("a", "c"), ("b", "d"), ("d", "e")}


def chained(rows, seed=0):
    """A tree of strong dependences: c - a - b - d - e."""
    rng = np.random.default_rng(seed)

    def follows(parent, size, share):
        return np.where(rng.random(rows) < share, parent % size, rng.integers(0, size, rows))

    a = rng.integers(0, 4, rows)
    b, c = follows(a, 4, 0.8), follows(a, 6, 0.7)
    d = follows(b, 3, 0.8)
    return {"a": a, "b": b, "c": c, "d": d, "e": follows(d, 2, 0.8)}


def private_of(codes, epsilon, accountant="gdp", domain=DOMAIN, **more):
    arrays = {
        name: pa.array(np.asarray(column).astype(np.min_scalar_type(domain.size((name,)) - 1)))
        for name, column in codes.items()
    }
    ledger = Ledger(Budget(epsilon=epsilon), accountant)
    return PrivateTable(Table.of(pa.table(arrays)), domain, ledger, salt="s", **more)


def fitted(name, codes, epsilon, domain=DOMAIN, **settings):
    module = synth.find(name)
    chosen = module.Settings(**settings)
    accountant = module.accountant(Budget(epsilon=epsilon), chosen)
    return module.fit(private_of(codes, epsilon, accountant, domain), chosen)


def drawn(model, rows, seed=0):
    frame = model.sample(rows, rng=np.random.default_rng(seed)).frame()
    return {name: frame[name].to_numpy() for name in model.domain.attributes}


def variation(codes, others, clique, domain=DOMAIN):
    tables = [count([each], domain, [clique])[0] for each in (codes, others)]
    return float(np.abs(tables[0] / tables[0].sum() - tables[1] / tables[1].sum()).sum() / 2)


def shares(ledger):
    """The share of the budget that went to each step, by the first words of the labels."""
    spent = {}
    for entry in ledger.entries:
        step = entry.label.split(":")[0]
        spent[step] = spent.get(step, 0.0) + ledger.accountant.cost(entry.event) / ledger.total
    return spent
