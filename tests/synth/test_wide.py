"""A hundred and fifty attributes: 11,175 pairs, of which a round looks at some thousand. weave's test has 300."""

from __future__ import annotations

import numpy as np
import pytest
from coded import drawn, fitted

from pasteur.marginals import Domain

DOMAIN = Domain.of({f"x{i}": 2 + i % 4 for i in range(150)})
FEW = {
    "aim": {"rounds_per_attribute": 1, "iterations": 20},
    "aim_gdp": {"rounds_per_attribute": 1, "iterations": 20},
    "mst": {"iterations": 50},
    "mwem": {"rounds_per_attribute": 0.1, "iterations": 20},
    "privbayes": {"iterations": 5},
    "independent": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FEW)
def test_a_wide_table_is_fitted(name):
    rng = np.random.default_rng(0)
    codes = {name: rng.integers(0, size, 500) for name, size in DOMAIN.as_dict().items()}
    model = fitted(name, codes, 0.5, DOMAIN, **FEW[name])
    assert model.graphical.calibrated.tree.cells <= 4 * 2**17
    assert set(drawn(model, 200)) == set(DOMAIN.attributes)
    assert model.ledger.spent > 0.999 * model.ledger.total
